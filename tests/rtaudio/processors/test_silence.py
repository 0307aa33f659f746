"""Where the input is digitally silent the stems are, too: soon, softly, and without a trace in what follows."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import soundfile

from models.catalog import load_card, model_names
from rtaudio.audio.format import Audio, StreamFormat
from rtaudio.files.offline import separate_file
from rtaudio.inference.runtime import ModelRuntime
from rtaudio.processors.factory import make_separator
from rtaudio.processors.frame_model import CausalModel
from rtaudio.processors.residual import share_residual, whole_shares
from rtaudio.processors.separator import SeparatorProcessor
from rtaudio.processors.silence import FADE_S, HOLD_S, SilenceGain
from tests.rtaudio.conftest import noise
from tests.rtaudio.streaming import prepared, sizes, stream

RATE = 44_100
ZERO_S = 0.1
"""Digital silence after which every stem is exactly zero."""
SEPARATORS = [name for name in model_names() if load_card(name).kind == "separator"]
WAYS = {"live": {}, "look-ahead": {"look_ahead_ms": 17.4}, "files": {"for_files": True}}


def with_pause(before: float, pause: float, after: float, rate: int = RATE) -> Audio:
    """Sound, digital silence, sound; in seconds."""
    parts = [noise(round(s * rate)) * np.float32(k != 1) for k, s in enumerate((before, pause, after))]
    return np.concatenate(parts)


@pytest.mark.skipif(not SEPARATORS, reason="the shipped models are not in this checkout")
@pytest.mark.parametrize("rate", [RATE, 48_000])
@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("name", SEPARATORS)
def test_every_shipped_separator_is_silent_a_tenth_of_a_second_after_its_input(name: str, way: str, rate: int) -> None:
    mix = with_pause(0.3, 0.3, 0.1, rate)
    start, end = round(0.3 * rate), round(0.6 * rate)
    outputs = []
    for kind in (256, "random") if way == "live" else (1000,):
        processor = prepared(make_separator(name, **WAYS[way]), rate)
        outputs.append(stream(processor, mix, sizes(kind))[processor.latency :])
    for stems in outputs:
        assert not stems[start + round(ZERO_S * rate) : end].any()
        assert all(stems[start : start + round(HOLD_S * rate), k].any() for k in range(4)), "what fades is there"
        assert all(stems[end:, k].any() for k in range(4))
        assert np.abs(stems.sum(axis=1) - mix).max() < 1e-5
        assert np.abs(stems - outputs[0]).max() < 1e-5


@pytest.mark.parametrize("rate", [RATE, 48_000])
def test_what_follows_a_pause_is_what_the_network_gives_that_ran_through_it(tiny_runtime: ModelRuntime, rate: int) -> None:
    mix = with_pause(0.3, 0.4, 0.4, rate)
    processor = prepared(make_separator(CausalModel(tiny_runtime.sibling())), rate)
    stems = stream(processor, mix, sizes("random"))[processor.latency :]

    class Open(SilenceGain):
        def of(self, block: Audio) -> Audio:
            return np.ones(len(block), np.float32)

    ungated = make_separator(CausalModel(tiny_runtime.sibling()))
    ungated.prepare(StreamFormat(rate, 2))
    ungated._silence = Open(rate)
    through = stream(ungated, mix, sizes("random"))[ungated.latency :]
    start, end = round(0.3 * rate), round(0.7 * rate)
    assert np.abs(through[start + round(ZERO_S * rate) : end]).max() > 1e-4, "this network hums"
    assert np.array_equal(stems[end:], through[end:])
    assert np.array_equal(stems[: start + round(HOLD_S * rate)], through[: start + round(HOLD_S * rate)])


def test_the_first_sample_after_a_pause_has_the_shares_of_the_network(tiny_runtime: ModelRuntime) -> None:
    """Against the exported network itself, hop by hop, not against another processor."""
    mix = with_pause(0.2, 0.3, 0.2)
    mix = mix[: len(mix) // 64 * 64]
    processor = prepared(make_separator(CausalModel(tiny_runtime.sibling())))
    stems = stream(processor, mix, sizes(512))[processor.latency :]
    network = tiny_runtime.sibling()
    raw = np.concatenate([network.run(mix[k : k + network.card.hop]) for k in range(0, len(mix), network.card.hop)])
    expected = share_residual(raw, mix, whole_shares(network.card.shares, 4))
    end = round(0.5 * RATE)
    assert np.abs(stems[end:] - expected[end : len(stems)]).max() < 1e-6


def test_a_reverb_tail_sounds_to_its_last_bit() -> None:
    tail = noise(3 * RATE) * np.exp(-4.0 * np.arange(3 * RATE, dtype=np.float32) / RATE)[:, None]
    tail = np.rint(tail * 2**23) / 2**23
    last = int(np.flatnonzero(tail.any(axis=1))[-1])
    mix = np.concatenate((tail, np.zeros((RATE, 2)))).astype(np.float32)
    gains = SilenceGain(RATE).of(mix)
    assert (gains[: last + 1 + round(HOLD_S * RATE)] == 1).all()
    fall = gains[last + 1 + round(HOLD_S * RATE) :]
    assert (np.diff(fall) <= 0).all() and np.abs(np.diff(fall)).max() < 2 / (FADE_S * RATE), "a fade, no step"
    assert not fall[round(FADE_S * RATE) :].any() and HOLD_S + FADE_S < ZERO_S


def test_short_gaps_and_a_single_channel_are_no_silence() -> None:
    mix = noise(RATE)
    mix[10_000 : 10_000 + round(HOLD_S * RATE)] = 0
    mix[20_000:40_000, 0] = 0
    assert (SilenceGain(RATE).of(mix) == 1).all()


def test_the_gain_does_not_depend_on_the_cutting_into_blocks() -> None:
    mix = with_pause(0.05, 0.15, 0.05)
    whole = SilenceGain(RATE).of(mix)
    for size in (1, 7, 256, 4096):
        gain = SilenceGain(RATE)
        assert np.array_equal(np.concatenate([gain.of(mix[k : k + size]) for k in range(0, len(mix), size)]), whole)
    assert len(SilenceGain(RATE).of(mix[:0])) == 0


def test_before_the_first_sound_there_is_silence(tiny_runtime: ModelRuntime) -> None:
    processor = prepared(make_separator(CausalModel(tiny_runtime.sibling())))
    mix = np.concatenate((np.zeros((5000, 2), np.float32), noise(2000)))
    stems = stream(processor, mix, sizes(300))[processor.latency :]
    assert not stems[:5000].any() and stems[5000:].any()


def test_a_state_saved_in_the_middle_of_a_fade_goes_on_exactly(tiny_runtime: ModelRuntime) -> None:
    mix = with_pause(0.1, 0.3, 0.1)
    cut = round((0.1 + HOLD_S + FADE_S / 2) * RATE)

    def fresh() -> SeparatorProcessor:
        processor = make_separator(CausalModel(tiny_runtime.sibling()))
        processor.prepare(StreamFormat(RATE, 2))
        return processor

    first, second, whole = fresh(), fresh(), fresh()
    head = stream(first, mix[:cut], sizes(500), flush=False)
    second.restore_state(first.save_state())
    tail = stream(second, mix[cut:], sizes(321))
    assert np.abs(np.concatenate((head, tail)) - stream(whole, mix, sizes(len(mix)))).max() < 1e-6


@pytest.mark.skipif(not SEPARATORS, reason="the shipped models are not in this checkout")
def test_files_of_stems_are_silent_where_the_song_is(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "song.wav", with_pause(0.3, 0.4, 0.3), RATE, subtype="FLOAT")
    for refine in (False, True):
        made = separate_file(tmp_path / "song.wav", tmp_path / f"stems {refine}", SEPARATORS[0], refine=refine)
        for path in made.files.values():
            stem, _ = soundfile.read(path)
            assert not stem[round(0.4 * RATE) : round(0.7 * RATE)].any() and stem[round(0.7 * RATE) :].any()
