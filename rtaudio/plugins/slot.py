"""A plugin in its slot: bypass, failure and late answers, each with a cross-fade and without a change of latency.

The dry sound is also delayed by the plugin's latency, so bypassing an insert changes only its effect. If a plugin raises an exception,
outputs samples that are not finite, or has no answer, the dry sound replaces it in the same block. The step between the two is spread
over ``SPREAD`` samples.
"""

from __future__ import annotations

import math

import numpy as np

from rtaudio.audio.format import Audio, StemplayError
from rtaudio.plugins.base import Plugin
from rtaudio.plugins.delay_line import DelayLine

FADE_S = 0.01
"""Seconds of the fade between dry and wet."""

SPREAD = 64
"""Number of samples over which a step is spread."""

_FALL = np.linspace(1.0, 0.0, SPREAD + 1, dtype=np.float32)[1:, None]


class Slot:
    """See the module's text. ``process`` belongs to the audio callback; the flags may be set by one other thread.

    Args:
        plugin: prepared for this format.
        key: its name in commands and reports.

    Attributes:
        bypass: whether the user has bypassed it.
        leaving: whether it is about to be removed; it is dry from then on.
        failure: one sentence that says why it is dry although it is not bypassed. It stays until a new slot takes its place.
        misses: number of blocks in which it had no answer.
    """

    def __init__(self, plugin: Plugin, key: str, rate: int, block: int, channels: int, bypass: bool = False) -> None:
        self.plugin, self.key, self.bypass, self.leaving, self.failure = plugin, key, bypass, False, ""
        self.latency, self.misses = plugin.latency, 0
        self._delay = DelayLine(self.latency, block, channels)
        self._dry = np.zeros((block, channels), np.float32)
        self._last = np.zeros(channels, np.float32)  # the last output minus the dry sound at that point
        self._length = max(1, round(FADE_S * rate))
        self._steps = np.arange(1, block + 1, dtype=np.float32)[:, None] / self._length
        self._level = 0.0  # 0 dry, 1 wet
        self._running = False
        self._warm = 0  # frames until the plugin's output corresponds to its input

    @property
    def wanted(self) -> bool:
        """Whether the plugin should be heard."""
        return not (self.bypass or self.leaving or self.failure)

    @property
    def dry(self) -> bool:
        """Whether only the dry sound is heard."""
        return self._level == 0.0

    def process(self, audio: Audio) -> None:
        """Replace ``audio`` ``(n, channels)`` by the plugin's output, the dry sound, or a fade between the two."""
        n = len(audio)
        if self.latency:
            self._delay.push(audio)
            self._delay.read(self.latency, self._dry[:n])
        else:
            self._dry[:n] = audio
        wanted = self.wanted
        if self._running or wanted:
            self._sound(audio, n, wanted)
        else:
            audio[...] = self._dry[:n]
        np.subtract(audio[-1], self._dry[n - 1], out=self._last)

    def _sound(self, audio: Audio, n: int, wanted: bool) -> None:
        if not self._running:
            self._running, self._warm = True, self.latency
            self._start()
        dry = self._dry[:n]
        if self.failure or not self._run(audio):
            audio[...] = dry
            if self._level > 0.0:
                self._level = 0.0
                spread = min(n, SPREAD)
                audio[:spread] += self._last * _FALL[:spread]
            self._running = not self.failure
            return
        if self._warm > 0:
            self._warm -= n
            audio[...] = dry
            return
        self._blend(audio, dry, n, wanted)

    def _blend(self, audio: Audio, dry: Audio, n: int, wanted: bool) -> None:
        target = 1.0 if wanted else 0.0
        if self._level == target:
            if not wanted:
                audio[...] = dry
                self._running = False
            return
        gain = self._level + (self._steps[:n] if wanted else -self._steps[:n])
        np.clip(gain, 0.0, 1.0, out=gain)
        audio -= dry
        audio *= gain
        audio += dry
        self._level = float(gain[-1, 0])

    def _start(self) -> None:
        try:
            self.plugin.reset()
        except Exception as error:
            self._fail(error)

    def _run(self, audio: Audio) -> bool:
        try:
            answered = self.plugin.process(audio)
        except Exception as error:
            self._fail(error)
            return False
        if not answered:
            self.misses += 1
            return False
        if not math.isfinite(np.add.reduce(audio, axis=None)):
            self.failure = f"{self.plugin.name} gave samples that are not numbers and is bypassed."
            return False
        return True

    def _fail(self, error: Exception) -> None:
        if isinstance(error, StemplayError):
            self.failure = str(error)
        else:
            self.failure = f"{self.plugin.name} failed and is bypassed: {type(error).__name__}: {str(error).rstrip('.')}."

    def jump(self) -> None:
        """Switch to wet at once unless bypassed. Only for a plugin just prepared, while ``process`` is not being called."""
        self._level, self._running, self._warm = (1.0, True, 0) if self.wanted else (0.0, False, 0)

    def clear(self) -> None:
        """Clear the sound so far, at once."""
        self._delay.clear()
        self._last.fill(0.0)
        self._level, self._running = 0.0, False
