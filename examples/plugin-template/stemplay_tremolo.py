"""A tremolo: the level swings up and down. Copy this package, rename it, and change what ``process`` does.

Stemplay finds the class by the entry point in ``pyproject.toml`` and runs it in a process of its own: an error in it cannot stop the sound.
"""

from __future__ import annotations

import numpy as np

from rtaudio.audio.format import Audio
from rtaudio.plugins.base import Plugin
from rtaudio.protocol.parameters import Parameter


class Tremolo(Plugin):
    name = "Tremolo"
    maker = "You"
    category = "Modulation"
    parameters = (
        Parameter("rate", "Rate", "Hz", 0.1, 20.0, 5.0, logarithmic=True),
        Parameter("depth", "Depth", "%", 0.0, 100.0, 50.0),
    )

    def __init__(self) -> None:
        self._values = {p.id: p.default for p in self.parameters}
        self._sample_rate, self._phase = 44_100, 0.0

    def prepare(self, rate: int, block: int, channels: int) -> None:
        self._sample_rate = rate
        self.reset()

    def process(self, audio: Audio) -> bool:
        step = self._values["rate"] / self._sample_rate
        phases = self._phase + step * np.arange(1, len(audio) + 1)
        depth = self._values["depth"] / 100
        audio *= (1 - depth * (0.5 - 0.5 * np.cos(2 * np.pi * phases)))[:, None].astype(np.float32)
        self._phase = float(phases[-1] % 1.0)
        return True

    def reset(self) -> None:
        self._phase = 0.0

    def set(self, id: str, value: float) -> None:
        self._values[id] = self.parameter(id).check(value)

    def get(self, id: str) -> float:
        self.parameter(id)
        return self._values[id]
