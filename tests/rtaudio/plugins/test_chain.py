"""Chains: slots come, go, fail and are bypassed, and the sound goes on at a constant delay."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rtaudio.audio.format import Audio
from rtaudio.plugins.base import Plugin
from rtaudio.plugins.chain import Chain
from rtaudio.plugins.effects import make_effect
from rtaudio.plugins.slot import Slot

RATE, BLOCK = 44_100, 256


class Late(Plugin):
    """A gain that is ``latency`` frames late; it answers, raises or gives NaN as it is told."""

    def __init__(self, latency: int = 0, gain: float = 1.0) -> None:
        self.name, self._latency, self._gain = "Late", latency, gain
        self.answers, self.error, self.nan = True, "", False
        self.reset()

    def prepare(self, rate: int, block: int, channels: int) -> None:
        self.reset()

    def process(self, audio: Audio) -> bool:
        if self.error:
            raise RuntimeError(self.error)
        joined = np.concatenate([self._past, audio])
        self._past = joined[len(audio) :].copy()
        audio[...] = np.nan if self.nan else joined[: len(audio)] * np.float32(self._gain)
        return self.answers

    def reset(self) -> None:
        self._past = np.zeros((self._latency, 2), np.float32)

    @property
    def latency(self) -> int:
        return self._latency

    def set(self, id: str, value: float) -> None:
        self._gain = value

    def get(self, id: str) -> float:
        return self._gain


def slot(plugin: Plugin, bypass: bool = False) -> Slot:
    return Slot(plugin, "key", RATE, BLOCK, 2, bypass)


def chain(*plugins: Plugin, extra: int = 0) -> Chain:
    made = Chain(RATE, BLOCK, 2)
    made.plan(tuple(slot(p) for p in plugins), sum(p.latency for p in plugins) + extra)
    made.jump()
    return made


def sine(frames: int) -> Audio:
    wave = 0.5 * np.sin(2 * np.pi * 220 * np.arange(frames) / RATE)
    return np.repeat(wave[:, None], 2, axis=1).astype(np.float32)


def play(made: Chain, sound: Audio, block: int = BLOCK) -> Audio:
    out = sound.copy()
    for start in range(0, len(out), block):
        made.process(out[start : start + block])
    return out


def smooth(audio: Audio, factor: float = 3.0) -> bool:
    """Whether there is no step larger than ``factor`` times the largest of the test tone."""
    return float(np.abs(np.diff(audio[:, 0])).max()) < factor * float(np.abs(np.diff(sine(2000)[:, 0])).max())


@settings(max_examples=40, deadline=None)
@given(
    latencies=st.lists(st.integers(0, 700), max_size=4), extra=st.integers(0, 500),
    sizes=st.lists(st.integers(1, BLOCK), min_size=1, max_size=6),
)  # fmt: skip
def test_neutral_slots_are_exactly_their_declared_delay(latencies: list[int], extra: int, sizes: list[int]) -> None:
    made, sound = chain(*(Late(n) for n in latencies), extra=extra), sine(4000)
    out, start, k = sound.copy(), 0, 0
    while start < len(out):
        made.process(out[start : start + sizes[k % len(sizes)]])
        start, k = start + sizes[k % len(sizes)], k + 1
    delay = sum(latencies) + extra
    np.testing.assert_array_equal(out[delay:], sound[: len(sound) - delay])
    assert not out[:delay].any()


@pytest.mark.parametrize("latency", [0, 100, 1000])
def test_bypass_and_back_changes_nothing_but_the_effect(latency: int) -> None:
    made = chain(Late(latency, gain=0.5))
    sound = sine(30_000)
    parts = []
    for start, bypass in ((0, False), (10_240, True), (20_480, False)):
        made.slots[0].bypass = bypass
        parts.append(play(made, sound[start : start + 10_240]))
    out = np.concatenate(parts)[: len(sound)]
    expected = np.concatenate([np.zeros((latency, 2), np.float32), sound])[: len(sound)]
    assert smooth(out)
    for middle, gain in ((8000, 0.5), (18_000, 1.0), (28_000, 0.5)):
        np.testing.assert_allclose(out[middle : middle + 1000], gain * expected[middle : middle + 1000], atol=1e-6)


@pytest.mark.parametrize("fault", ["error", "nan", "answers"])
@pytest.mark.parametrize("latency", [0, 300])
def test_a_plugin_that_fails_is_dry_within_that_block(fault: str, latency: int) -> None:
    plugin = Late(latency)
    made, sound = chain(plugin), sine(20_000)
    before = play(made, sound[:10_240])
    setattr(plugin, fault, {"error": "it broke", "nan": True, "answers": False}[fault])
    after = play(made, sound[10_240:])
    out = np.concatenate([before, after])
    np.testing.assert_allclose(out[latency:], sound[: len(sound) - latency], atol=1e-6)  # neutral: nobody hears that it is gone
    if fault == "answers":
        assert made.slots[0].misses == 39 and not made.slots[0].failure
        plugin.answers = True
        again = play(made, sine(20_000))
        assert smooth(again[2000:]) and made.slots[0].misses == 39
    else:
        assert "Late" in made.slots[0].failure and made.slots[0].failure.endswith(".")


def test_the_step_to_the_dry_sound_is_spread() -> None:
    plugin = Late(0, gain=0.1)
    made, sound = chain(plugin), sine(8192)
    before = play(made, sound[:4096 + 50], block=50)
    plugin.error = "it broke"
    out = np.concatenate([before, play(made, sound[4096 + 50 :])])
    assert smooth(out)


def test_slots_without_latency_come_and_go_while_others_sound() -> None:
    other = Late(200, gain=2.0)
    made, sound = chain(other), sine(40_000)
    keep = made.slots[0]
    quiet = make_effect("gain")
    quiet.set("gain", -20.0)
    quiet.prepare(RATE, BLOCK, 2)
    first = play(made, sound[:10_240])
    made.plan((keep, slot(quiet)), 200)
    second = play(made, sound[10_240:20_480])
    assert made.settled and len(made.slots) == 2
    made.plan((keep,), 200)
    third = play(made, sound[20_480:])
    out = np.concatenate([first, second, third])
    assert made.settled and made.slots == (keep,)
    assert smooth(out, 5.0)
    for place, gain in ((8000, 2.0), (18_000, 0.2), (38_000, 2.0)):
        np.testing.assert_allclose(out[place : place + 500], gain * sound[place - 200 : place + 300], atol=1e-5)


@pytest.mark.parametrize(("before", "after"), [((), (300,)), ((300,), ()), ((300,), (100, 500)), ((0,), (900,)), ((900,), (0,))])
def test_a_change_of_latency_cross_fades(before: tuple[int, ...], after: tuple[int, ...]) -> None:
    made, sound = chain(*(Late(n) for n in before)), sine(60_000)
    first = play(made, sound[:20_480])
    made.plan(tuple(slot(Late(n)) for n in after), sum(after))
    out = np.concatenate([first, play(made, sound[20_480:])])
    assert made.settled
    assert smooth(out[sum(before) :])
    delay = sum(after)
    np.testing.assert_allclose(out[40_000:50_000], sound[40_000 - delay : 50_000 - delay], atol=1e-6)


def test_a_chain_that_is_changed_while_it_changes_ends_as_it_was_told_last() -> None:
    made, sound = chain(), sine(80_000)
    rng = np.random.default_rng(3)
    out = []
    for start in range(0, len(sound) - 20_000, BLOCK):
        if rng.random() < 0.3:
            latencies = [int(x) for x in rng.integers(0, 400, rng.integers(0, 4))]
            made.plan(tuple(slot(Late(n)) for n in latencies), sum(latencies) + int(rng.integers(0, 300)))
        out.append(play(made, sound[start : start + BLOCK]))
    made.plan((slot(Late(123)),), 200)
    at = len(np.concatenate(out))
    rest = play(made, sound[at:])
    assert made.settled
    assert smooth(np.concatenate([*out, rest])[1000:])
    np.testing.assert_allclose(rest[-5000:], sound[len(sound) - 5000 - 200 : len(sound) - 200], atol=1e-6)


def test_an_empty_chain_touches_nothing() -> None:
    made = chain()
    sound = sine(1000)
    assert made.idle
    np.testing.assert_array_equal(play(made, sound), sound)
