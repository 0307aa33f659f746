"""A ring buffer addressed by absolute sample positions, for one writing and one reading thread.

Positions count samples since the stream began and never wrap; only the storage does. What can be read is the range
``[start, end)`` of the latest uninterrupted writing. A write that does not continue at ``end`` begins a new range: there is
never a hole inside. Each range belongs to an *epoch*; a reader that asks for another epoch finds nothing.

There are no locks, and neither thread waits. The writer publishes ``(epoch, start, end)`` as one tuple. It shrinks this range before
it overwrites frames and grows it after writing. The reader compares the range again after copying, so it detects and rejects a torn
read. This relies on the assignment of one reference being atomic, as it is in CPython with and without a global lock.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from rtaudio.audio.format import Audio

Range = tuple[int, int, int]
"""``(epoch, start, end)``."""


@dataclass(frozen=True)
class Span:
    """A snapshot of what a ring holds."""

    epoch: int
    start: int
    end: int


class Ring:
    """``capacity`` frames of ``shape`` each, float32.

    Args:
        capacity: frames kept; the oldest are forgotten first.
        shape: of one frame: ``(channels,)`` or ``(n_sources, channels)``.
        origin: position of the first write. Earlier positions read as silence until frames have been overwritten.
    """

    def __init__(self, capacity: int, shape: tuple[int, ...], origin: int = 0) -> None:
        if capacity < 1:
            raise ValueError(f"A ring needs at least one frame, not {capacity}.")
        self.capacity, self.tail = capacity, tuple(shape)
        self._data: Audio = np.empty((capacity, *shape), np.float32)
        self._data.fill(0.0)  # touches every page now, not in the audio callback
        self._origin = origin
        self._range: Range = (0, origin, origin)

    @property
    def span(self) -> Span:
        """What can be read now."""
        return Span(*self._range)

    @property
    def end(self) -> int:
        """Position after the newest frame."""
        return self._range[2]

    # -- writer -------------------------------------------------------------------------------------------------------

    def write(self, position: int, frames: Audio, epoch: int = 0) -> None:
        """Write ``frames`` ``(n, *shape)`` at ``position``. If there are more than ``capacity``, only the last ones are kept."""
        surplus = len(frames) - self.capacity
        if surplus > 0:
            frames, position = frames[surplus:], position + surplus
            continues = False
        else:
            continues = self._range[0] == epoch and self._range[2] == position
        end = position + len(frames)
        start = max(self._range[1], end - self.capacity) if continues else position
        self._range = (epoch, start, position)
        offset = position % self.capacity
        first = self.capacity - offset
        if len(frames) <= first:
            self._data[offset : offset + len(frames)] = frames
        else:
            self._data[offset:] = frames[:first]
            self._data[: len(frames) - first] = frames[first:]
        self._range = (epoch, start, end)

    # -- reader -------------------------------------------------------------------------------------------------------

    def read_into(self, position: int, out: Audio, epoch: int = 0) -> bool:
        """Copy ``len(out)`` frames from ``position`` on; False (and ``out`` undefined) if not all of them are there."""
        end = position + len(out)
        if not self._holds(position, end, epoch):
            return False
        silent = min(self._range[1] - position, len(out))
        if silent > 0:
            out[:silent] = 0.0
            out, position = out[silent:], position + silent
        offset = position % self.capacity
        first = self.capacity - offset
        if len(out) <= first:
            out[...] = self._data[offset : offset + len(out)]
        else:
            out[:first] = self._data[offset:]
            out[first:] = self._data[: len(out) - first]
        return self._holds(position, end, epoch)

    def holds(self, start: int, end: int, epoch: int = 0) -> bool:
        """Whether all of ``[start, end)`` can be read now."""
        return self._holds(start, end, epoch)

    def read(self, position: int, out: Audio, epoch: int = 0) -> None:
        """Like ``read_into``, with zeros for frames that have been overwritten or not been written yet."""
        if self.read_into(position, out, epoch):
            return
        _, start, end = self._range
        first = min(max(start - position, 0), len(out))
        last = max(min(end - position, len(out)), first)
        out[:first] = 0.0
        out[last:] = 0.0
        if not self.read_into(position + first, out[first:last], epoch):
            out[:] = 0.0

    def _holds(self, position: int, end: int, epoch: int) -> bool:
        known, start, last = self._range
        return known == epoch and end <= last and (start <= position or start == self._origin)
