"""The callback's side of the tap: it copies each block once, into a ring allocated beforehand.

``push`` belongs to the audio callback and is called only while ``on``; everything else belongs to one control thread.
"""

from __future__ import annotations

import numpy as np

from rtaudio.audio.format import Audio, StreamFormat
from rtaudio.audio.ring import Ring

MIX, INPUT = "mix", "input"
"""The sources that every engine has. The other sources are its strips."""

KEPT_S = 1.0
"""Seconds of sound in the ring: a control thread that is later misses some."""

_PART = 1024


class TapBuffer:
    """Buffers what the engine plays while ``on``.

    Args:
        fmt: the engine's format. ``strips``: names of its stems and of the instrument.

    Attributes:
        sources: the signals that can be read: ``mix`` (the output), ``input`` (without the engine's delay), and the strips before their
            faders, as they are recorded.
        on: whether ``push`` must be called. Nothing is allocated before the first listener.
    """

    def __init__(self, fmt: StreamFormat, strips: tuple[str, ...]) -> None:
        self.rate, self.channels = fmt.rate, fmt.channels
        self.sources = (MIX, INPUT, *strips)
        self.on = False
        self._ring: Ring | None = None
        self._block = np.zeros((0, 0, 0), np.float32)
        self._taken = 0

    # -- the audio callback -----------------------------------------------------------------------------------------------

    def push(self, position: int, heard: Audio, mixed: Audio, strips: Audio) -> None:
        """Copy a block whose first sample is at ``position``: input ``(n, C)``, mix ``(n, C)`` and strips ``(n, S, C)``."""
        ring = self._ring
        if ring is None or strips.shape[1] != len(self.sources) - 2:
            return
        for start in range(0, len(mixed), _PART):
            cut = slice(start, start + _PART)
            block = self._block[: len(mixed[cut])]
            block[:, 0] = mixed[cut]
            block[:, 1] = heard[cut]
            block[:, 2:] = strips[cut]
            ring.write(position + start, block)

    # -- one control thread -----------------------------------------------------------------------------------------------

    def listen(self, wanted: bool) -> None:
        """Switch on or off."""
        if wanted and self._ring is None:
            shape = (len(self.sources), self.channels)
            self._block = np.zeros((_PART, *shape), np.float32)
            self._ring = Ring(round(KEPT_S * self.rate), shape)
        self.on = wanted

    def take(self) -> tuple[int, Audio]:
        """The frames since the last call: position of the first one and frames ``(n, sources, C)``; ``n`` may be 0.

        Frames that were overwritten before they could be read are left out, so that the position jumps.
        """
        if self._ring is None:
            return 0, np.zeros((0, len(self.sources), self.channels), np.float32)
        span = self._ring.span
        start = min(max(self._taken, span.start), span.end)
        frames = np.empty((span.end - start, len(self.sources), self.channels), np.float32)
        if not self._ring.read_into(start, frames):  # overtaken while copying
            frames = frames[:0]
        self._taken = span.end
        return start, frames
