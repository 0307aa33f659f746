"""A port for tests, without a thread: each call of ``tick`` is one callback."""

from __future__ import annotations

import numpy as np

from rtaudio.audio.format import Audio
from rtaudio.ports.base import Callback, Port


class FakePort(Port):
    """A port whose callbacks the test triggers.

    Args:
        block: promise blocks of this size, or 0 for none.
        max_block: the largest block promised (``block`` if that is given).
        realtime: False: the engine waits for its worker, so that everything is deterministic.
    """

    def __init__(
        self,
        rate: int = 44_100,
        in_channels: int = 2,
        out_channels: int = 2,
        block: int = 256,
        max_block: int = 1024,
        realtime: bool = False,
    ) -> None:
        super().__init__()
        self.name = "a test clock"
        self.rate, self.in_channels, self.out_channels = rate, in_channels, out_channels
        self.block, self.max_block, self.realtime = block, block or max_block, realtime
        self._callback: Callback | None = None

    def start(self, callback: Callback) -> None:
        self._callback = callback

    def stop(self) -> None:
        self._callback = None

    def tick(self, sound: int | Audio, xrun: bool = False) -> Audio:
        """One callback with ``sound`` ``(n, in_channels)``, or with ``n`` frames of silence; returns what came out.

        The output buffer is filled with NaN before the call, so that samples that are not written are detected.
        """
        if self._callback is None:
            raise RuntimeError("The fake port is not started.")
        indata = np.zeros((sound, self.in_channels), np.float32) if isinstance(sound, int) else sound
        outdata = np.full((len(indata), self.out_channels), np.nan, np.float32)
        self._callback(indata, outdata, xrun)
        return outdata

    def play(self, sound: Audio, blocks: int | list[int] | None = None) -> Audio:
        """Tick through ``sound`` in blocks of one size, or of the sizes of a list again and again."""
        blocks = blocks or self.max_block
        sizes = [blocks] if isinstance(blocks, int) else blocks
        parts, start, k = [], 0, 0
        while start < len(sound):
            parts.append(self.tick(sound[start : start + sizes[k % len(sizes)]]))
            start += sizes[k % len(sizes)]
            k += 1
        return np.concatenate(parts)
