"""The safety limiter: never above the ceiling, untouched below it, the same for any cutting into blocks."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rtaudio.audio.format import Audio, StemplayError
from rtaudio.audio.limiter import Limiter

RATE = 44_100


def run(audio: Audio, cuts: list[int], ceiling_db: float = -0.3, max_block: int = 512) -> tuple[Audio, float]:
    limiter, out, at, deepest = Limiter(RATE, max_block, ceiling_db), audio.copy(), 0, 0.0
    while at < len(out):
        for cut in cuts:
            deepest = min(deepest, limiter.process(out[at : at + cut]))
            at += cut
    return out, deepest


def loud(frames: int, level: float, seed: int) -> Audio:
    rng = np.random.default_rng(seed)
    swell = 10 ** (rng.uniform(-40, 20, (frames // 50 + 1, 1)).repeat(50, axis=0)[:frames] / 20)
    return (level * swell * rng.standard_normal((frames, 2))).astype(np.float32)


def by_definition(audio: Audio, ceiling: float, release_db_per_s: float = 60.0) -> np.ndarray:
    """The recursion of the module's text, one sample at a time in plain Python."""
    gain, step, gains = 0.0, release_db_per_s / RATE, []
    for peak in np.abs(audio).max(axis=1).tolist():
        need = min(0.0, 20 * math.log10(ceiling / peak)) if peak > 0 else 0.0
        gain = min(need, gain + step)
        gains.append(gain)
    return np.array(gains)


@settings(max_examples=60, deadline=None)
@given(
    seed=st.integers(0, 1000),
    level=st.floats(0.01, 100),
    ceiling_db=st.floats(-30, 0),
    cuts=st.lists(st.integers(1, 700), min_size=1, max_size=6),
)
def test_no_sample_exceeds_the_ceiling_and_blocks_do_not_matter(
    seed: int, level: float, ceiling_db: float, cuts: list[int]
) -> None:
    audio = loud(2000, level, seed)
    whole, deepest = run(audio, [2000], ceiling_db, max_block=2000)
    assert np.abs(whole).max() <= 10 ** (ceiling_db / 20)
    pieces, same = run(audio, cuts, ceiling_db)
    np.testing.assert_array_equal(pieces, whole)
    assert same == deepest


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 1000), level=st.floats(0.001, 0.2))
def test_below_the_ceiling_every_bit_passes(seed: int, level: float) -> None:
    audio = np.clip(level * np.random.default_rng(seed).standard_normal((1000, 2)), -0.96, 0.96).astype(np.float32)
    out, deepest = run(audio, [256])
    np.testing.assert_array_equal(out, audio)
    assert deepest == 0.0


def test_a_sample_exactly_at_the_ceiling_passes() -> None:
    limiter = Limiter(RATE, 64)
    audio = np.full((64, 1), limiter.ceiling, np.float32)
    assert limiter.process(audio) == 0.0
    np.testing.assert_array_equal(audio, np.float32(limiter.ceiling))


@pytest.mark.parametrize("seed", range(5))
def test_the_gain_follows_its_definition(seed: int) -> None:
    audio = loud(3000, 1.0, seed)
    out, deepest = run(audio, [256])
    expected = by_definition(audio, 10 ** (-0.3 / 20))
    np.testing.assert_allclose(out, audio * 10 ** (expected[:, None] / 20), rtol=2e-6, atol=1e-7)
    assert deepest == pytest.approx(expected.min(), abs=1e-6)
    assert expected.min() < -6, "the test sound must need limiting"


def test_attack_is_instantaneous_and_release_is_a_straight_line_in_db() -> None:
    audio = np.full((RATE, 1), 0.1, np.float32)
    audio[100] = 4.0
    limiter = Limiter(RATE, RATE, ceiling_db=0.0, release_db_per_s=30.0)
    out = audio.copy()
    assert limiter.process(out) == pytest.approx(-12.04, abs=0.01)
    np.testing.assert_array_equal(out[:100], audio[:100])
    assert out[100, 0] == pytest.approx(1.0, abs=1e-6)
    gain_db = 20 * np.log10(out[101:, 0] / 0.1)
    np.testing.assert_allclose(gain_db[:17_000], -12.0412 + 30 * np.arange(1, 17_001) / RATE, atol=2e-3)
    np.testing.assert_array_equal(out[18_000:], audio[18_000:])
    assert limiter.gain_db == 0.0


def test_channels_are_held_down_together_so_that_the_image_stands() -> None:
    audio = np.tile(np.array([[2.0, 0.5]], np.float32), (100, 1))
    Limiter(RATE, 100).process(audio)
    np.testing.assert_allclose(audio[:, 0] / audio[:, 1], 4.0, rtol=1e-6)


def test_switching_off_lets_the_level_return_without_a_jump() -> None:
    limiter = Limiter(RATE, 256, ceiling_db=-6.0)
    limiter.process(np.ones((256, 1), np.float32))
    limiter.enabled = False
    out = np.ones((256, 1), np.float32)
    limiter.process(out)
    assert out[0, 0] == pytest.approx(10 ** (-6 / 20), rel=1e-3)
    assert (np.diff(out[:, 0]) > 0).all() and np.diff(out[:, 0]).max() < 1e-3


def test_a_lowered_ceiling_holds_from_the_next_sample_on() -> None:
    limiter = Limiter(RATE, 256)
    limiter.process(np.full((256, 2), 0.9, np.float32))
    limiter.ceiling_db = -12.0
    out = np.full((256, 2), 0.9, np.float32)
    limiter.process(out)
    assert out.max() <= 10 ** (-12 / 20)


def test_a_ceiling_that_is_no_number_is_refused() -> None:
    with pytest.raises(StemplayError, match="ceiling"):
        Limiter(RATE, 64, ceiling_db=math.nan)
