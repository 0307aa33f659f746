"""Transposes a stem, in time with the stems that are not: the insert that the engine puts first in a strip when the song has another key.

Unlike the effect ``pitch`` it is aligned to the sample at all pitches, so that drums, which keep their pitch, stay together with the rest.
For each key it starts a stretcher on sound that has passed already, a few blocks in each call until it has caught up, and then fades
from the old key to the new one. At 0 semitones it is an exact delay.
"""

from __future__ import annotations

import numpy as np

from rtaudio.audio.format import Audio
from rtaudio.audio.stretch import KEYS, Stretcher
from rtaudio.plugins.base import Plugin
from rtaudio.plugins.delay_line import DelayLine
from rtaudio.protocol.parameters import Parameter

LATENCY_48K = 4096
"""Frames at up to 48 kHz: what the stretcher holds back at -12 semitones, the most of all keys. Its windows grow with the rate."""
FADE = 1024
"""Frames of the fade from one key to another."""
CATCH_UP = 4
"""Blocks that a new stretcher is given in one call."""
MOST_PAD = 4096
"""Frames before the first one that a stretcher may ask for, at up to 48 kHz."""


class _Voice:
    """A stretcher and its output, by absolute frames of the input."""

    def __init__(self, rate: int, channels: int, held: int) -> None:
        self._stretcher = Stretcher(rate, channels, semitones=1.0, quick=True)
        self._out = np.zeros((held, channels), np.float32)
        self.semitones = 0.0
        self.fed = self._first = self._count = 0

    def start(self, frame: int, semitones: float) -> None:
        """Begin with the output at ``frame``."""
        self.semitones = semitones
        self._stretcher.restart(semitones)
        self.fed = frame - self._stretcher.pad
        self._first, self._count = frame, 0

    def silence(self, frames: int) -> None:
        """Let silence come before the first output."""
        self._out[:frames] = 0.0
        self._first, self._count = self._first - frames, frames

    def feed(self, audio: Audio) -> None:
        """Take the next frames of the input."""
        self.fed += len(audio)
        made = self._stretcher.feed(audio)
        self._out[self._count : self._count + len(made)] = made
        self._count += len(made)

    def drop(self, frame: int) -> None:
        """Forget the output before ``frame``."""
        gone = min(max(0, frame - self._first), self._count)
        if gone:
            self._out[: self._count - gone] = self._out[gone : self._count].copy()
            self._first, self._count = self._first + gone, self._count - gone

    def has(self, frame: int, n: int) -> bool:
        """Whether the output of ``n`` frames from ``frame`` on is there."""
        return self._first <= frame and frame + n <= self._first + self._count

    def read(self, frame: int, out: Audio) -> None:
        """Fill ``out`` with the output from ``frame`` on."""
        start = frame - self._first
        out[...] = self._out[start : start + len(out)]


class KeyShift(Plugin):
    """See the module's text."""

    name = "Key"
    parameters = (Parameter("semitones", "Semitones", "semitones", *KEYS, 0.0),)

    def __init__(self) -> None:
        self._wanted = 0.0
        self._latency = self._now = self._faded = 0
        self._fading = False
        self._voice: _Voice | None = None  # what is heard; None at 0 semitones
        self._coming: _Voice | None = None  # what catches up
        self._from: _Voice | None = None  # what fades out

    def prepare(self, rate: int, block: int, channels: int) -> None:
        factor = -(-rate // 48_000)
        self._latency, self._block, self._channels = LATENCY_48K * factor, block, channels
        longest = self._latency + MOST_PAD * factor
        self._line = DelayLine(longest + CATCH_UP * block, block, channels)
        held = 2 * self._latency + (CATCH_UP + 2) * block + 16_384 * factor
        self._voices = [_Voice(rate, channels, held) for _ in range(2)]
        self._part = np.zeros((block, channels), np.float32)
        self._old = np.zeros((block, channels), np.float32)
        # Row k is the gain of the new key k frames after the beginning of a fade.
        self._rising = (np.sin(np.linspace(0.0, np.pi / 2, FADE + 1)) ** 2).astype(np.float32)[1:, None]
        self.reset()

    def process(self, audio: Audio) -> bool:
        n = len(audio)
        self._line.push(audio)
        self._now += n
        frame = self._now - n - self._latency
        for voice in (self._voice, self._coming):
            if voice is not None:
                self._feed(voice, n)
                voice.drop(frame)
        self._change(frame, n)
        if not self._read(self._voice, frame, audio):
            return False
        if self._fading:
            self._fade(frame, audio)
        return True

    def _feed(self, voice: _Voice, n: int) -> None:
        for _ in range(CATCH_UP):
            behind = self._now - voice.fed
            if behind <= 0:
                return
            part = self._part[: min(n, behind)]
            self._line.read(behind - len(part), part)
            voice.feed(part)

    def _change(self, frame: int, n: int) -> None:
        """Begin to prepare another key, or to fade to it."""
        if self._fading:
            return
        if self._coming is not None:
            if self._coming.fed >= self._now and self._coming.has(frame, n):
                self._from, self._voice, self._coming = self._voice, self._coming, None
                self._fading, self._faded = True, 0
            return
        present = self._voice.semitones if self._voice is not None else 0.0
        if self._wanted == present:
            return
        if self._wanted == 0.0:
            self._from, self._voice, self._fading, self._faded = self._voice, None, True, 0
            return
        self._coming = next(voice for voice in self._voices if voice is not self._voice)
        self._coming.start(frame, self._wanted)

    def _read(self, voice: _Voice | None, frame: int, out: Audio) -> bool:
        if voice is None:
            self._line.read(self._latency, out)
        elif voice.has(frame, len(out)):
            voice.read(frame, out)
        else:
            return False
        return True

    def _fade(self, frame: int, audio: Audio) -> None:
        n = min(len(audio), FADE - self._faded)
        old = self._old[: len(audio)]
        if self._from is not None:
            self._feed(self._from, len(audio))
            self._from.drop(frame)
        if self._read(self._from, frame, old):
            gain = self._rising[self._faded : self._faded + n]
            audio[:n] = audio[:n] * gain + old[:n] * (1 - gain)
        self._faded += n
        self._fading = self._faded < FADE

    def reset(self) -> None:
        self._now = self._faded = 0
        self._fading = False
        self._voice = self._coming = self._from = None
        self._line.clear()
        if self._wanted:
            self._voice = self._voices[0]
            self._voice.start(0, self._wanted)
            self._voice.silence(self._latency)

    @property
    def latency(self) -> int:
        return self._latency

    def set(self, id: str, value: float) -> None:
        self._wanted = self.parameter(id).check(value)

    def get(self, id: str) -> float:
        self.parameter(id)
        return self._wanted
