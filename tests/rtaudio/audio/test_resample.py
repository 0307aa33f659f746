"""The rate converter: pure, aligned, the same for any blocks, and like an independent one (RT-07)."""

from __future__ import annotations

import numpy as np
import pytest
import samplerate
from hypothesis import given, settings
from hypothesis import strategies as st

from rtaudio.audio.format import Audio
from rtaudio.audio.resample import Resampler, resample
from tests.rtaudio.conftest import noise

RATES = (8_000, 16_000, 22_050, 44_100, 47_999, 48_000, 96_000)
PAIRS = [(a, b) for a in RATES for b in RATES if a != b]


def tone(frequency: float, rate: int, seconds: float = 1.0) -> Audio:
    return np.sin(2 * np.pi * frequency * np.arange(round(rate * seconds)) / rate).astype(np.float32)[:, None]


def snr_db(signal: Audio, other: Audio, edge: int = 1000) -> float:
    inside = slice(edge, min(len(signal), len(other)) - edge)
    error = signal[inside].astype(np.float64) - other[inside]
    return float(10 * np.log10(np.mean(signal[inside].astype(np.float64) ** 2) / np.mean(error**2)))


def test_a_tone_survives_going_up_and_down_again() -> None:
    original = tone(1000, 16_000)
    back = resample(resample(original, 16_000, 44_100), 44_100, 16_000)
    assert len(back) >= len(original)
    assert snr_db(original, back) > 60


@pytest.mark.parametrize(
    ("rate_in", "rate_out"), [(48_000, 44_100), (96_000, 44_100), (44_100, 16_000), (192_000, 44_100)]
)
@pytest.mark.parametrize("part", [0.05, 0.5, 0.95])
def test_what_lies_above_the_new_nyquist_frequency_is_gone(rate_in: int, rate_out: int, part: float) -> None:
    frequency = (rate_out + part * (rate_in - rate_out)) / 2
    out = resample(tone(frequency, rate_in), rate_in, rate_out)[1000:-1000]
    assert 20 * np.log10(np.sqrt(2 * np.mean(out.astype(np.float64) ** 2))) < -60


@pytest.mark.parametrize(("rate_in", "rate_out"), PAIRS)
def test_output_is_aligned_to_the_sample_and_of_unit_gain(rate_in: int, rate_out: int) -> None:
    frequency = 0.3 * min(rate_in, rate_out)
    out = resample(tone(frequency, rate_in), rate_in, rate_out)
    assert snr_db(tone(frequency, rate_out), out) > 60


@pytest.mark.parametrize(
    ("rate_in", "rate_out"), [(48_000, 44_100), (44_100, 48_000), (16_000, 44_100), (44_100, 16_000)]
)
def test_it_agrees_with_an_independent_converter(rate_in: int, rate_out: int) -> None:
    mix = sum(tone(f, rate_in) for f in (110.0, 997.0, 0.2 * min(rate_in, rate_out))) * np.float32(0.3)
    ours = resample(mix, rate_in, rate_out)[:, 0]
    theirs = samplerate.resample(mix[:, 0], rate_out / rate_in, "sinc_best")
    assert snr_db(theirs, ours) > 60


@settings(max_examples=40, deadline=None)
@given(
    rates=st.sampled_from(PAIRS),
    channels=st.integers(1, 8),
    blocks=st.lists(st.integers(0, 700), min_size=1, max_size=12),
)
def test_streaming_equals_offline_for_any_blocks(rates: tuple[int, int], channels: int, blocks: list[int]) -> None:
    mix = noise(sum(blocks), channels)
    converter = Resampler(*rates, channels)
    parts, start = [], 0
    for size in blocks:
        parts.append(converter.process(mix[start : start + size]))
        start += size
        assert sum(map(len, parts)) == converter.output_count(start)
    streamed = np.concatenate(parts)
    offline = resample(mix, *rates)
    assert np.abs(streamed - offline[: len(streamed)]).max(initial=0) <= 1e-6


def test_length_of_the_whole_is_that_of_the_sound() -> None:
    assert len(resample(noise(480), 48_000, 44_100)) == 441
    assert len(resample(noise(1), 48_000, 44_100)) == 1
    assert len(resample(noise(0), 48_000, 44_100)) == 0


def test_a_copied_state_goes_on_bit_for_bit() -> None:
    mix = noise(5000)
    whole, half = Resampler(48_000, 44_100, 2), Resampler(48_000, 44_100, 2)
    expected = whole.process(mix)
    first = half.process(mix[:1234])
    state = half.get_state()
    half.process(noise(777, seed=1))  # what comes between must leave no trace
    half.set_state(state)
    again = Resampler(48_000, 44_100, 2)
    again.set_state(state)
    for converter in (half, again):
        assert np.array_equal(np.concatenate((first, converter.process(mix[1234:]))), expected)


def test_reset_is_bit_identical_to_fresh() -> None:
    used, fresh = Resampler(44_100, 48_000, 1), Resampler(44_100, 48_000, 1)
    used.process(noise(999, 1))
    used.reset()
    assert np.array_equal(used.process(noise(500, 1, seed=1)), fresh.process(noise(500, 1, seed=1)))


def test_odd_ratios_need_no_odd_memory() -> None:
    converter = Resampler(44_100, 383_999, 1)
    assert converter._table.nbytes < 1 << 20
    frequency = 1000.0
    out = converter.process(tone(frequency, 44_100, 0.1))
    assert snr_db(tone(frequency, 383_999, 0.1), out) > 60
