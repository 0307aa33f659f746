"""The one thread that runs the model.

``Worker`` owns the thread named ``stemplay-model``. It may take time and may be late; nobody waits for it in real time. The audio
callback tells it through a queue how far the input ring reaches; it answers by writing stems at the positions they belong to.

When it falls behind by more than ``backlog`` it skips to the newest audio. It keeps the recurrent state over a gap of up to
``KEEP_STATE_S`` (music goes on, a state that is half a second old still knows the song) and starts afresh beyond.
"""

from __future__ import annotations

import queue
import threading
import time
from collections import deque
from dataclasses import dataclass

import numpy as np

from rtaudio.format import Audio
from rtaudio.metrics import LoadMeter
from rtaudio.processors.base import Processor
from rtaudio.realtime import request_realtime
from rtaudio.ring import Ring

KEEP_STATE_S = 0.5
WORKER_PRIORITY = 40
"""Below the audio callback's and the sound server's, above everything ordinary."""


@dataclass(frozen=True)
class _Swap:
    """At ``position`` of the timeline another processor takes over (None: the same one, reset)."""

    position: int
    processor: Processor | None


class Worker:
    """Feeds a prepared processor from ``inputs`` and writes what it gives into ``stems``.

    Args:
        processor: prepared (and aligned) for ``rate``.
        inputs: ring of the mix ``(frames, channels)``.
        stems: ring of ``(frames, S, channels)``; its origin is ``-processor.latency``.
        grain: process only multiples of this many frames (what the processor was promised).
        piece: the most frames of one call.
        backlog: frames of delay at which it skips ahead; None never skips (when somebody waits for it).
    """

    def __init__(
        self, processor: Processor, inputs: Ring, stems: Ring, rate: int, *, grain: int, piece: int, backlog: int | None
    ) -> None:
        self._processor, self._latency = processor, processor.latency
        self._inputs, self._stems, self._rate = inputs, stems, rate
        self._grain, self._piece, self._backlog = grain, max(grain, piece - piece % grain), backlog
        self._jobs: queue.SimpleQueue[int | _Swap | None] = queue.SimpleQueue()
        self._position = 0
        self._drop = 0
        self._progress = threading.Condition()
        self._thread = threading.Thread(target=self._run, name="stemplay-model", daemon=True)
        self.load = LoadMeter()
        self.skips = 0
        self.failures = 0
        self.message = ""
        self.realtime = ""

    # -- any thread; none of these waits, except wait_until and stop -----------------------------------------------------

    def start(self) -> None:
        """Start the thread."""
        self._thread.start()

    def notify(self, end: int) -> None:
        """The input ring now reaches ``end``."""
        self._jobs.put(end)

    def swap(self, position: int, processor: Processor | None) -> None:
        """From timeline ``position`` on use ``processor`` (None: the present one, reset)."""
        self._jobs.put(_Swap(position, processor))

    def wait_until(self, position: int, timeout: float = 30.0) -> bool:
        """Wait until the input before ``position`` was processed, as far as whole grains go. For ports without a clock."""
        target = position - position % self._grain
        with self._progress:
            return self._progress.wait_for(lambda: self._position >= target or not self._thread.is_alive(), timeout)

    def stop(self, timeout: float = 2.0) -> None:
        """End the thread after the call it is in."""
        self._jobs.put(None)
        if self._thread.is_alive():
            self._thread.join(timeout)

    # -- the worker's thread ---------------------------------------------------------------------------------------------

    def _run(self) -> None:
        if self._backlog is not None:
            self.realtime = request_realtime(WORKER_PRIORITY)
        waiting: deque[int | _Swap | None] = deque()
        while True:
            waiting.append(self._jobs.get())
            while not self._jobs.empty():
                waiting.append(self._jobs.get())
            while waiting:
                job = waiting.popleft()
                if job is None:
                    return
                if isinstance(job, _Swap):
                    self._take_over(job)
                    continue
                while waiting and isinstance(waiting[0], int):  # only the newest end matters
                    job = waiting.popleft()
                    assert isinstance(job, int)
                self._advance(job)

    def _advance(self, end: int) -> None:
        """Process all whole grains before ``end``, looking between two calls for how far behind it has fallen."""
        while end - self._position >= self._grain:
            behind = self._inputs.end - self._position
            if self._backlog is not None and behind > self._backlog:
                self._skip(behind)
                end = max(end, self._position)
                continue
            count = min(end - self._position, self._piece)
            self._process(count - count % self._grain)

    def _skip(self, behind: int) -> None:
        frames = max(0, behind - self._piece)
        frames -= frames % self._grain
        if frames <= 0:
            frames = self._grain
        self._position += frames
        self.skips += 1
        if frames > KEEP_STATE_S * self._rate:
            self._processor.reset()
        self._drop = self._latency  # what is still inside belongs before the gap

    def _process(self, count: int) -> None:
        block = np.empty((count, *self._inputs.tail), np.float32)
        self._inputs.read(self._position, block)
        started = time.perf_counter()
        try:
            stems = self._processor.process(block)
            if not np.isfinite(stems).all():
                raise FloatingPointError("the model gave a number that is not finite")
            self.message = ""
        except Exception as error:
            stems = None
            self._mend(error)
        self.load.add((time.perf_counter() - started) * self._rate / count)
        if stems is not None:
            self._deliver(self._position - self._latency, stems)
        with self._progress:
            self._position += count
            self._progress.notify_all()

    def _deliver(self, position: int, stems: Audio) -> None:
        dropped = min(self._drop, len(stems))
        self._drop -= dropped
        if len(stems) > dropped:
            self._stems.write(position + dropped, stems[dropped:])

    def _mend(self, error: Exception) -> None:
        """A model that failed is reset and tried again; meanwhile the callback plays the dry mix."""
        self.failures += 1
        self.message = f"The model failed and was reset: {error}."
        self._drop = self._latency
        try:
            self._processor.reset()
        except Exception as again:
            self.message = f"The model failed and could not be reset: {again}."

    def _take_over(self, job: _Swap) -> None:
        """Finish what is before ``job.position``, then go on with another processor that has caught up with its song."""
        self._advance(job.position)
        try:
            tail = self._processor.flush()  # the stems of the last samples before the switch, as if silence followed
            if np.isfinite(tail).all() and self._position == job.position:
                self._deliver(self._position - self._latency, tail)
        except Exception as error:
            self._mend(error)
        if job.processor is not None:
            self._processor = job.processor
        self._drop = self._latency
