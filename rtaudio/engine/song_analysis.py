"""Analyses a loaded song in the background, so that the stems are exact at once after a seek.

A recurrent network's state at a position of the song depends on everything before it. A second of pre-roll does not restore it. The
thread ``stemplay-analysis`` plays the song through a processor of its own and keeps a checkpoint about every second. A seek
restores the checkpoint before it and catches up at most one interval.

The thread has the lowest priority if the system allows it, works in short slices and sleeps as long as it has worked, so that
it does not slow down the live worker. ``start`` and ``stop`` belong to the control thread. ``prepare`` takes a fraction of a second; any
thread except the audio callback may call it.

Memory: the checkpoints stay below ``max_bytes`` (64 MiB by default). Beyond that every second one is dropped and the interval
doubles.
"""

from __future__ import annotations

import threading
import time
from bisect import bisect_right
from collections.abc import Callable
from typing import Any

import numpy as np

from rtaudio.audio.format import Audio, StreamFormat, to_channels
from rtaudio.processors.base import Processor, State
from rtaudio.system.realtime import lower_priority

PREROLL_S = 2.0
"""Seconds of pre-roll, from the zero state, for a seek to a position that is not analysed yet. Its stems are only nearly exact."""

_SLICE = 2048
_CATCH_UP = 8192


class SongAnalysis:
    """Checkpoints of ``song`` and standby processors made from them.

    Args:
        make_processor: makes a new, unprepared processor; cheap if it shares a loaded model (``ModelRuntime.sibling``).
        song: ``(frames, channels)`` at ``fmt.rate``.
        align: the promised block size (``Processor.align``), 0 for none.
        interval_s: distance of the checkpoints in seconds.
        max_bytes: upper bound of their memory.
    """

    def __init__(
        self,
        make_processor: Callable[[], Processor],
        song: Audio,
        fmt: StreamFormat,
        *,
        align: int = 0,
        interval_s: float = 1.0,
        max_bytes: int = 64 << 20,
    ) -> None:
        self.error = ""
        self._make, self._song, self._format, self._align = make_processor, song, fmt, align
        self._interval = max(1, round(interval_s * fmt.rate / self.grid)) * self.grid
        self._max_bytes = max_bytes
        self._bytes = 0
        self._lock = threading.Lock()  # guards the three below; held for a few list operations only
        self._positions: list[int] = []
        self._states: list[State] = []
        self._analysed = 0
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None

    @property
    def grid(self) -> int:
        """Seeks must go to multiples of this many frames: 1, or the promised block."""
        return self._align or 1

    @property
    def analysed(self) -> int:
        """Frames of the song that are analysed. A seek to one of them is exact."""
        return self._analysed

    @property
    def checkpoint_bytes(self) -> int:
        """Memory of the checkpoints, in bytes."""
        return self._bytes

    def start(self) -> None:
        """Analyse in the background. Calling it twice is harmless."""
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name="stemplay-analysis", daemon=True)
            self._thread.start()

    def stop(self) -> None:
        """End the thread. The checkpoints stay usable."""
        self._stop.set()
        if self._thread is not None:
            self._thread.join()

    def wait(self, timeout: float | None = None) -> bool:
        """Wait until the thread has ended; False on timeout."""
        if self._thread is not None:
            self._thread.join(timeout)
            return not self._thread.is_alive()
        return False

    def prepare(self, frame: int) -> Processor:
        """A standby processor that has processed the song up to ``frame`` (rounded down to ``grid``).

        If it is fed with the song from there, its output is that of uninterrupted playing from the first sample on: the ``latency``
        frames before ``frame``, then the stems from ``frame`` on. Beyond ``analysed`` it has only processed ``PREROLL_S`` seconds.
        """
        frame = max(0, min(frame, len(self._song))) // self.grid * self.grid
        processor = self._new_processor()
        with self._lock:
            index = bisect_right(self._positions, frame) - 1
            start, state = (self._positions[index], self._states[index]) if index >= 0 else (0, None)
            analysed = self._analysed
        if frame > analysed and frame - start > PREROLL_S * self._format.rate:
            start, state = max(0, frame - round(PREROLL_S * self._format.rate)) // self.grid * self.grid, None
        if state is not None:
            processor.restore_state(state)
        while start < frame:
            stop = min(start + self._slice(_CATCH_UP), frame)
            processor.process(self._read(start, stop))
            start = stop
        return processor

    def _new_processor(self) -> Processor:
        processor = self._make()
        processor.prepare(self._format)
        if self._align:
            processor.align(self._align)
        return processor

    def _slice(self, frames: int) -> int:
        return max(1, frames // self.grid) * self.grid

    def _read(self, start: int, stop: int) -> Audio:
        return to_channels(self._song[start:stop], self._format.channels)

    def _run(self) -> None:
        """The thread."""
        lower_priority()
        try:
            processor = self._new_processor()
            end = len(self._song) // self.grid * self.grid
            while self._analysed < end and not self._stop.is_set():
                started = time.perf_counter()
                position = self._analysed
                stop = min(position + self._slice(_SLICE), end, self._next_checkpoint(position))
                processor.process(self._read(position, stop))
                if stop % self._interval == 0:
                    self._keep(stop, processor.save_state())
                self._analysed = stop
                self._stop.wait(max(0.0005, time.perf_counter() - started))
            if self._analysed == end:
                self._analysed = len(self._song)  # the rest is less than a block
        except Exception as error:  # the song plays on without analysis; the snapshot reports it
            self.error = f"The song cannot be analysed: {error}"

    def _next_checkpoint(self, position: int) -> int:
        return (position // self._interval + 1) * self._interval

    def _keep(self, position: int, state: State) -> None:
        size = _size(state)
        with self._lock:
            self._positions.append(position)
            self._states.append(state)
            self._bytes += size
            if self._bytes > self._max_bytes:
                self._interval *= 2
                kept = [i for i, place in enumerate(self._positions) if place % self._interval == 0]
                self._positions = [self._positions[i] for i in kept]
                self._states = [self._states[i] for i in kept]
                self._bytes = sum(_size(state) for state in self._states)


def _size(value: Any) -> int:
    """Bytes of all arrays in a state."""
    if isinstance(value, np.ndarray):
        return value.nbytes
    if isinstance(value, dict):
        return sum(_size(x) for x in value.values())
    return sum(_size(x) for x in value) if isinstance(value, list | tuple) else 0
