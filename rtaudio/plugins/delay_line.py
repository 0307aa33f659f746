"""A delay line for bypass and latency compensation."""

from __future__ import annotations

import numpy as np

from rtaudio.audio.format import Audio


class DelayLine:
    """Holds the last frames of a signal, ``(frames, channels)``. For one thread.

    Args:
        longest: the largest delay in frames that can be read.
        block: frames of the largest call.
        channels: of the signal.
    """

    def __init__(self, longest: int, block: int, channels: int) -> None:
        self.longest = longest
        self._data = np.zeros((longest + block, channels), np.float32)
        self._end = 0
        self.held = 0
        """Number of frames since ``clear``, at most the line's capacity."""

    def push(self, audio: Audio) -> None:
        """Append ``audio``."""
        size, n = len(self._data), len(audio)
        first = min(n, size - self._end)
        self._data[self._end : self._end + first] = audio[:first]
        if first < n:
            self._data[: n - first] = audio[first:]
        self._end = (self._end + n) % size
        self.held = min(self.held + n, size)

    def read(self, delay: int, out: Audio) -> None:
        """Fill ``out`` with the frames that are ``delay`` before those pushed last (as many as were pushed)."""
        size, n = len(self._data), len(out)
        start = (self._end - n - delay) % size
        first = min(n, size - start)
        out[:first] = self._data[start : start + first]
        if first < n:
            out[first:] = self._data[: n - first]

    def clear(self) -> None:
        """Hold silence."""
        self._data.fill(0.0)
        self.held = 0
