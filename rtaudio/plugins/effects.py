"""The built-in effects, which use the DSP classes of ``pedalboard``.

They run in the audio callback: after ``prepare`` a call allocates only the small array that pedalboard returns, and no other thread
holds the lock that pedalboard takes. Parameters glide to their values in ``GLIDE_S``, so that turning a knob does not click.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from rtaudio.audio.format import Audio, StemplayError
from rtaudio.audio.tempo import DEFAULT_BPM
from rtaudio.plugins.base import Plugin
from rtaudio.protocol.parameters import EFFECTS, NOTE_LENGTHS, Effect

GLIDE_S = 0.03
"""Time constant with which a parameter follows its control."""

MIN_BLOCK = 8
"""Smallest number of frames for which pedalboard is prepared: with one or two it cannot tell which axis has the channels."""

_SETTLED = 1e-3
"""Distance, as a share of its range, within which a parameter counts as at its value."""

Values = dict[str, float]
Apply = Callable[[Values], None]


class BuiltInEffect(Plugin):
    """A built-in effect of ``rtaudio.protocol.parameters.EFFECTS``."""

    def __init__(self, effect: Effect) -> None:
        self.effect = effect
        self.name, self.category, self.parameters = effect.name, effect.category, effect.parameters
        self._wanted: Values = {p.id: p.default for p in self.parameters}
        self._normal = {p.id: p.normal(p.default) for p in self.parameters}
        self._target = dict(self._normal)
        self._bpm = DEFAULT_BPM
        self._board, self._apply = _MAKERS[effect.id]()
        self._rate, self._block, self._moving = 44_100, 0, True
        self._planar = np.zeros((2, 1), np.float32)

    def prepare(self, rate: int, block: int, channels: int) -> None:
        self._rate, self._block = rate, block
        self._planar = np.zeros((channels, max(block, MIN_BLOCK)), np.float32)
        self._normal = dict(self._target)
        self._apply(self._limited(self._heard()))
        self._moving = False
        self.reset()

    def process(self, audio: Audio) -> bool:
        n = len(audio)
        if self._moving:
            self._glide(n)
        planar = self._planar[:, :n] if n == self._planar.shape[1] else np.ascontiguousarray(self._planar[:, :n])
        np.copyto(planar, audio.T)
        audio[...] = self._board.process(planar, self._rate, self._planar.shape[1], reset=False).T
        return True

    def reset(self) -> None:
        self._board.reset()
        self._planar.fill(0.0)
        # Process a whole block of silence: a larger block than any before would make pedalboard prepare again and clear its state.
        self._board.process(self._planar, self._rate, self._planar.shape[1], reset=False)

    @property
    def tail_s(self) -> float:
        return _TAILS[self.effect.id](self._heard()) if self.effect.id in _TAILS else 0.05

    def set(self, id: str, value: float) -> None:
        parameter = self.parameter(id)
        self._wanted[id] = parameter.check(value)
        self._aim()

    def set_tempo(self, bpm: float) -> None:
        self._bpm = bpm
        self._aim()

    def _aim(self) -> None:
        heard = self._heard()
        for parameter in self.parameters:
            self._target[parameter.id] = parameter.normal(heard[parameter.id])
        self._moving = True

    def _heard(self) -> Values:
        """What is heard of the parameters: a time that is in time follows the tempo, by halves where it is longer than it can be."""
        step = round(self._wanted.get("sync", 0))
        if step == 0:
            return self._wanted
        time = self.parameter("time")
        ms = 60_000 / self._bpm * list(NOTE_LENGTHS.values())[step - 1]
        while ms > time.high:
            ms /= 2
        return self._wanted | {"time": max(ms, time.low)}

    def get(self, id: str) -> float:
        self.parameter(id)
        return self._wanted[id]

    def _glide(self, n: int) -> None:
        self._moving = False
        keep = float(np.exp(-n / (GLIDE_S * self._rate)))
        for id, target in tuple(self._target.items()):
            away = self._normal[id] - target
            if abs(away) > _SETTLED:
                self._normal[id] = target + keep * away
                self._moving = True
            else:
                self._normal[id] = target
        values = {p.id: p.value(self._normal[p.id]) for p in self.parameters} if self._moving else self._heard()
        self._apply(self._limited(values))

    def _limited(self, values: Values) -> Values:
        """``values`` with frequencies limited to those of this rate."""
        top = 0.45 * self._rate
        return {id: min(value, top) if id.endswith("hz") else value for id, value in values.items()}


def make_effect(id: str) -> BuiltInEffect:
    """The built-in effect ``id``. Raises StemplayError if there is none, or if pedalboard is not installed."""
    if id not in EFFECTS:
        raise StemplayError(f"There is no effect {id!r}; there are {', '.join(EFFECTS)}.")
    return BuiltInEffect(EFFECTS[id])


# -- one function for each effect: the pedalboard object, and how values are set on it ------------------------------------


def _pedalboard() -> Any:
    try:
        import pedalboard
    except ImportError:
        raise StemplayError("Effects need the package pedalboard: pip install pedalboard.") from None
    return pedalboard


class _Gain:
    """A gain that changes linearly within each call, unlike pedalboard's, which changes in a step."""

    def __init__(self) -> None:
        self.gain_db = 0.0
        self._now: float | None = None

    def process(self, planar: Audio, rate: int, block: int, reset: bool = False) -> Audio:
        wanted = 10.0 ** (self.gain_db / 20)
        before, self._now = self._now if self._now is not None else wanted, wanted
        if before == wanted:
            return planar * np.float32(wanted)
        return planar * np.linspace(before, wanted, planar.shape[1] + 1, dtype=np.float32)[1:]

    def reset(self) -> None:
        self._now = None


class _ThenGain:
    """An effect of pedalboard, then a gain."""

    def __init__(self, first: Any, gain: _Gain) -> None:
        self._first, self._gain = first, gain

    def process(self, planar: Audio, rate: int, block: int, reset: bool = False) -> Audio:
        return self._gain.process(self._first.process(planar, rate, block, reset=reset), rate, block)

    def reset(self) -> None:
        self._first.reset()
        self._gain.reset()


def _equaliser() -> tuple[Any, Apply]:
    p = _pedalboard()
    low, mid, high = p.LowShelfFilter(), p.PeakFilter(), p.HighShelfFilter()

    def apply(v: Values) -> None:
        for band, name in ((low, "low"), (mid, "mid"), (high, "high")):
            band.gain_db, band.cutoff_frequency_hz = v[name], v[f"{name}_hz"]
        mid.q = v["mid_q"]

    return p.Pedalboard([low, mid, high]), apply


def _filter(kind: str) -> tuple[Any, Apply]:
    p = _pedalboard()
    stages = [getattr(p, kind)() for _ in range(2)]  # 12 dB per octave

    def apply(v: Values) -> None:
        for stage in stages:
            stage.cutoff_frequency_hz = v["hz"]

    return p.Pedalboard(stages), apply


def _compressor() -> tuple[Any, Apply]:
    p = _pedalboard()
    compressor, gain = p.Compressor(), _Gain()

    def apply(v: Values) -> None:
        compressor.threshold_db, compressor.ratio = v["threshold"], v["ratio"]
        compressor.attack_ms, compressor.release_ms = v["attack"], v["release"]
        gain.gain_db = v["gain"]

    return _ThenGain(compressor, gain), apply


def _gate() -> tuple[Any, Apply]:
    gate = _pedalboard().NoiseGate()

    def apply(v: Values) -> None:
        gate.threshold_db, gate.ratio = v["threshold"], v["ratio"]
        gate.attack_ms, gate.release_ms = v["attack"], v["release"]

    return gate, apply


def _gain() -> tuple[Any, Apply]:
    gain = _Gain()

    def apply(v: Values) -> None:
        gain.gain_db = v["gain"]

    return gain, apply


def _reverb() -> tuple[Any, Apply]:
    reverb = _pedalboard().Reverb()

    def apply(v: Values) -> None:
        mix = v["mix"] / 100
        # JUCE doubles the dry level and triples the wet one: these give 1 - mix and mix.
        reverb.dry_level, reverb.wet_level = (1 - mix) / 2, mix / 3
        reverb.room_size, reverb.damping, reverb.width = v["room"], v["damping"], v["width"]

    return reverb, apply


def _delay() -> tuple[Any, Apply]:
    delay = _pedalboard().Delay()

    def apply(v: Values) -> None:
        delay.delay_seconds, delay.feedback, delay.mix = v["time"] / 1000, v["feedback"] / 100, v["mix"] / 100

    return delay, apply


def _chorus() -> tuple[Any, Apply]:
    chorus = _pedalboard().Chorus()

    def apply(v: Values) -> None:
        chorus.rate_hz, chorus.depth, chorus.centre_delay_ms = v["rate"], v["depth"] / 100, v["centre"]
        chorus.feedback, chorus.mix = v["feedback"] / 100, v["mix"] / 100

    return chorus, apply


def _saturation() -> tuple[Any, Apply]:
    p = _pedalboard()
    drive, gain = p.Distortion(), _Gain()

    def apply(v: Values) -> None:
        drive.drive_db, gain.gain_db = v["drive"], v["gain"]

    return _ThenGain(drive, gain), apply


_MAKERS: dict[str, Callable[[], tuple[Any, Apply]]] = {
    "eq": _equaliser,
    "highpass": lambda: _filter("HighpassFilter"),
    "lowpass": lambda: _filter("LowpassFilter"),
    "compressor": _compressor,
    "gate": _gate,
    "gain": _gain,
    "reverb": _reverb,
    "delay": _delay,
    "chorus": _chorus,
    "saturation": _saturation,
}

_TAILS: dict[str, Callable[[Values], float]] = {
    "reverb": lambda v: 1.0 + 5.0 * v["room"],
    "delay": lambda v: v["time"] / 1000 * (1 + 60 / -20 / math.log10(max(v["feedback"], 1) / 100)),
    "chorus": lambda v: 0.5,
}
"""Seconds until an echo has decayed by about 60 dB."""
