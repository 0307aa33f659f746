"""Tempo without pitch, and pitch without tempo, with Rubber Band's finer engine (``pylibrb``).

How it was chosen: docs/tempo.md. Rubber Band computes in bursts of a few milliseconds, without holding Python's interpreter lock. So it
runs in threads and processes of its own, never in the audio callback.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np

from rtaudio.audio.format import Audio, StemplayError

SPEEDS: tuple[float, float] = (0.5, 1.5)
"""Tempos as ratios: 0.5 is half as fast."""
KEYS: tuple[float, float] = (-12.0, 12.0)
"""Semitones."""

PIECE = 512
"""Frames of one call of the library at most."""


def require_stretcher() -> None:
    """Raise StemplayError if Rubber Band is not installed."""
    if importlib.util.find_spec("pylibrb") is None:
        raise StemplayError("Another tempo or key needs the package pylibrb: pip install 'stemplay[pitch]' installs it.")


def stretched_length(frames: int, speed: float) -> int:
    """How many frames ``frames`` become at ``speed``."""
    return round(frames / speed)


class Stretcher:
    """A stream whose first output frame is the first input frame, at another tempo or pitch.

    Args:
        rate: Hz. ``channels``: of the sound.
        speed: 2 is twice as fast; it may be changed at any time. ``semitones``: of the pitch.
        quick: a single short window, at less than half the cost and with less clear onsets.

    Raises:
        StemplayError: Rubber Band is not installed.
    """

    def __init__(self, rate: int, channels: int, speed: float = 1.0, semitones: float = 0.0, quick: bool = False) -> None:
        require_stretcher()
        import pylibrb

        option: Any = pylibrb.Option
        flags = [option.PROCESS_REALTIME, option.ENGINE_FINER, option.PitchHighConsistency]
        flags += [option.WINDOW_SHORT] if quick else []
        flags += [option.CHANNELS_TOGETHER] if channels == 2 else []
        number: Any = sum(int(getattr(flag, "value", flag)) for flag in flags)
        self._library: Any = pylibrb.RubberBandStretcher(rate, channels, number, 1.0 / speed, 2.0 ** (semitones / 12.0))
        self._library.set_max_process_size(PIECE)
        self._channels, self._speed = channels, speed
        self.pad = self._skip = 0
        self._measure()

    def _measure(self) -> None:
        self.pad = int(self._library.get_preferred_start_pad())
        """Frames of what precedes the first frame, for ``begin``."""
        self._skip = int(self._library.get_start_delay())

    def restart(self, semitones: float) -> None:
        """Forget the sound so far, for another stream at this pitch. It is quicker than to make another stretcher."""
        self._library.reset()
        self._library.pitch_scale = 2.0 ** (semitones / 12.0)
        self._measure()

    @property
    def speed(self) -> float:
        """The present tempo as a ratio."""
        return self._speed

    @speed.setter
    def speed(self, speed: float) -> None:
        if speed != self._speed:
            self._speed, self._library.time_ratio = speed, 1.0 / speed

    def begin(self, before: Audio) -> None:
        """Give the last frames ``(n, channels)`` before the first one; silence stands for what is missing of ``pad``."""
        lead = np.zeros((self.pad, self._channels), np.float32)
        given = before[max(0, len(before) - self.pad) :]
        lead[self.pad - len(given) :] = given
        self.feed(lead)  # no output yet: less than the library holds back

    def feed(self, audio: Audio) -> Audio:
        """Give the next frames ``(n, channels)``; returns those that are ready, ``(m, channels)``, maybe none."""
        parts = []
        for start in range(0, len(audio), PIECE):
            self._library.process(np.ascontiguousarray(audio[start : start + PIECE].T))
            parts += self._take()  # after each piece, or the library would allocate larger buffers
        return np.concatenate(parts) if parts else np.zeros((0, self._channels), np.float32)

    def _take(self) -> list[Audio]:
        ready = max(0, int(self._library.available()))
        if self._skip and ready:
            dropped = min(self._skip, ready)
            self._library.retrieve(dropped)
            self._skip -= dropped
            ready -= dropped
        return [np.ascontiguousarray(self._library.retrieve(ready).T)] if ready else []


def stretched(blocks: Iterable[Audio], rate: int, channels: int, speed: float) -> Iterator[Audio]:
    """``blocks`` of ``(n, channels)`` at another tempo: ``stretched_length`` frames in all, the first one being the first of the input.

    At a ``speed`` of 1 they pass as they are. Raises StemplayError if Rubber Band is not installed.
    """
    if speed == 1.0:
        yield from blocks
        return
    stretcher = Stretcher(rate, channels, speed, quick=channels > 2)
    stretcher.begin(np.zeros((0, channels), np.float32))
    taken = given = 0
    for block in blocks:
        taken += len(block)
        out = stretcher.feed(block)
        given += len(out)
        if len(out):
            yield out
    missing = stretched_length(taken, speed) - given
    silence = np.zeros((PIECE, channels), np.float32)
    while missing > 0:
        out = stretcher.feed(silence)[:missing]
        missing -= len(out)
        if len(out):
            yield out
