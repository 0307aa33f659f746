"""The pitch shifter, with Rubber Band (``pylibrb``). It computes in bursts of several milliseconds, so it runs in a host process.

At 0 semitones and 0 cents it is an exact delay. The latency is constant; a downward shift sounds up to 20 ms later.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from rtaudio.audio.format import Audio, StemplayError
from rtaudio.plugins.base import Plugin
from rtaudio.plugins.delay_line import DelayLine
from rtaudio.protocol.parameters import EFFECTS

LATENCY_48K = 2816
"""Largest delay of the stretcher in frames at up to 48 kHz, measured over all shifts and blocks. Its windows grow with the rate."""

FADE = 512
"""Frames of the fade between the exact delay and the shifted sound."""


class PitchShift(Plugin):
    """The built-in effect ``pitch``."""

    def __init__(self) -> None:
        try:
            import pylibrb
        except ImportError:
            raise StemplayError("The pitch shifter needs the package pylibrb: pip install pylibrb.") from None
        self._library: Any = pylibrb
        effect = EFFECTS["pitch"]
        self.name, self.category, self.parameters = effect.name, effect.category, effect.parameters
        self._values = {p.id: p.default for p in self.parameters}
        self._stretcher: Any = None
        self._latency = self._held = 0
        self._level = 0.0

    def prepare(self, rate: int, block: int, channels: int) -> None:
        self._latency = LATENCY_48K * -(-rate // 48_000)
        option = self._library.Option
        flags = (option.PROCESS_REALTIME, option.ENGINE_FINER, option.WINDOW_SHORT, option.PitchHighConsistency)
        self._stretcher = self._library.RubberBandStretcher(rate, channels, sum(int(getattr(f, "value", f)) for f in flags))
        self._block = block
        self._line = DelayLine(self._latency, block, channels)
        self._dry = np.zeros((block, channels), np.float32)
        self._ready = np.zeros((self._latency + 4 * block + 16_384, channels), np.float32)
        self._steps = np.arange(1, block + 1, dtype=np.float32)[:, None] / FADE
        self.reset()

    def process(self, audio: Audio) -> bool:
        n = len(audio)
        self._line.push(audio)
        self._line.read(self._latency, self._dry[:n])
        shift = self._values["semitones"] + self._values["cents"] / 100
        self._stretcher.pitch_scale = 2.0 ** (shift / 12)
        self._stretcher.process(np.ascontiguousarray(audio.T))
        self._collect()
        if self._held < n:  # longer than ever measured: a gap now, and additional delay afterwards
            return False
        audio[...] = self._ready[:n]
        self._held -= n
        self._ready[: self._held] = self._ready[n : n + self._held].copy()
        self._blend(audio, n, 1.0 if shift else 0.0)
        return True

    def _collect(self) -> None:
        count = min(int(self._stretcher.available()), len(self._ready) - self._held)
        if count > 0:
            self._ready[self._held : self._held + count] = self._stretcher.retrieve(count).T
            self._held += count

    def _blend(self, audio: Audio, n: int, target: float) -> None:
        dry = self._dry[:n]
        if self._level == target == 0.0:
            audio[...] = dry
        elif self._level != target:
            gain = np.clip(self._level + (self._steps[:n] if target else -self._steps[:n]), 0.0, 1.0)
            audio -= dry
            audio *= gain
            audio += dry
            self._level = float(gain[-1, 0])

    def reset(self) -> None:
        self._stretcher.reset()
        self._line.clear()
        self._ready.fill(0.0)
        self._held = self._latency
        self._level = 1.0 if any(self._values.values()) else 0.0

    @property
    def latency(self) -> int:
        return self._latency

    def set(self, id: str, value: float) -> None:
        self._values[id] = self.parameter(id).check(value)

    def get(self, id: str) -> float:
        self.parameter(id)
        return self._values[id]
