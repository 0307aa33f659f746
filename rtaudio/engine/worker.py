"""The only thread that runs the model.

``Worker`` owns the thread ``stemplay-model`` and, while it runs, the processor. In real time no thread waits for it. The audio callback
tells it through a queue how far the input ring reaches, and at which positions processors change. The worker writes stems at the positions
to which they belong. A late result is never played, because its position has passed.

**Falling behind.** Up to ``BACKLOG_S`` behind, the worker catches up, which preserves the model's state; until then all its stems are too
late. If it is further behind, or if catching up would take longer than ``CATCH_UP_S``, it skips to the newest audio that can still be in
time. Over a gap of up to ``KEEP_STATE_S`` the recurrent state is kept: half a second later the music is still similar, and the few wrong
frames at the splice cost less than starting from the zero state. After a longer gap the sound may be different, and a wrong state is worse
than none, so it is reset.

**A processor that fails** (raises, or whose output ``OutputCheck`` rejects) is reset and tried again with the next block.
"""

from __future__ import annotations

import queue
import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from rtaudio.audio.format import Audio
from rtaudio.audio.load_meter import LoadMeter
from rtaudio.audio.output_check import OutputCheck
from rtaudio.audio.ring import Ring
from rtaudio.engine.deadline_misses import CpuTime
from rtaudio.processors.base import Processor
from rtaudio.system.realtime import MODEL_PRIORITY, request_realtime

BACKLOG_S = 0.1
CATCH_UP_S = 0.15
"""Longest time for catching up, seconds. A splice is audible for less."""
PACES = 9
"""Number of blocks whose median time says how fast the model is. A single block may have been delayed by other threads."""
KEEP_STATE_S = 0.5
SILENCE_S = 0.06
"""Seconds of a long silence that are processed at once; far less than the allowed backlog."""


@dataclass(frozen=True, eq=False)
class _Switch:
    """From ``position`` on another processor is used (None: the present one, reset)."""

    position: int
    processor: Processor | None


@dataclass(frozen=True)
class _Clear:
    """Everything before ``position`` is dropped; results now belong to ``epoch``."""

    position: int
    epoch: int


_Job = int | _Switch | _Clear | None


class Worker:
    """Feeds a prepared processor from ``inputs`` and writes its stems.

    Args:
        processor: prepared for ``rate`` and, if ``grain`` > 1, aligned to it.
        inputs: ring of the mix; processing begins at its end.
        stems: ring of the stems; its origin is ``processor.latency`` frames earlier.
        block: frames of the largest callback.
        grain: process only multiples of this many frames.
        realtime: False: never skip, because the callback waits.

    Attributes:
        given: the deadline in frames (``rtaudio.engine.deadline``). ``load`` is the time needed over this time.
    """

    def __init__(
        self, processor: Processor, inputs: Ring, stems: Ring, rate: int, block: int, grain: int, realtime: bool
    ) -> None:
        self.given = block
        self.processor, self.latency = processor, processor.latency
        self._inputs, self._stems, self._rate = inputs, stems, rate
        self._grain, self._realtime = grain, realtime
        self._piece = max(block // grain, -(-processor.burst // grain), 1) * grain
        self.silence = max(self._piece, round(SILENCE_S * rate) // grain * grain)
        self._silent_until = inputs.end
        self._backlog = max(2 * self._piece, round(BACKLOG_S * rate))
        self._jobs: queue.SimpleQueue[_Job] = queue.SimpleQueue()
        self._position = inputs.end
        self._epoch = 0
        self._drop = self._ahead = 0
        self._asked = self._done = 0
        self._stopping = False
        self._wanted = 0  # the end of the input from which there is work; before that the thread need not wake
        self._progress = threading.Condition()
        self._buffer = np.zeros((self.silence, *inputs.tail), np.float32)
        self._thread = threading.Thread(target=self._run, name="stemplay-model", daemon=True)
        self._check = OutputCheck(rate, self.latency)
        self.load = LoadMeter()
        self.thread_time: Callable[[], float] = time.thread_time  # replaced by tests
        self.wall_time: Callable[[], float] = time.perf_counter
        self._paces: deque[float] = deque(maxlen=PACES)
        self._worked, self._own = 0, 0.0
        self.skips = self.resets = self.failures = 0
        self.message = ""
        self.realtime = ""

    # -- audio callback: none of these waits, except wait_until ---------------------------------------------------------

    def feed(self, end: int, silent: bool = False) -> None:
        """Tell the worker that the input ring now reaches ``end``. ``silent``: the new part is all silence."""
        if silent:
            self._silent_until = end
        if end >= self._wanted or not self._realtime:
            self._asked += 1
            self._jobs.put(end)

    def switch(self, position: int, processor: Processor | None) -> None:
        """From ``position`` on use ``processor``, which has caught up (None: the present one, reset)."""
        self._wanted = 0
        self._asked += 1
        self._jobs.put(_Switch(position, processor))

    def clear(self, position: int, epoch: int) -> None:
        """Drop everything before ``position``; the stems' ring holds silence there in the new ``epoch``."""
        self._wanted = 0
        self._asked += 1
        self._jobs.put(_Clear(position, epoch))

    def wait_until(self, end: int) -> None:
        """Wait until the input before ``end`` is processed, in whole grains. Only for ports that are not real time."""
        target = end - end % self._grain
        with self._progress:
            while self._position < target and self._thread.is_alive():
                self._progress.wait(0.5)

    # -- control thread ---------------------------------------------------------------------------------------------------

    def start(self) -> None:
        """Start the thread."""
        self._thread.start()

    def stop(self, timeout: float | None = 2.0) -> bool:
        """End the thread after the call it is in; False if that took longer than ``timeout`` seconds."""
        self._stopping = True
        self._jobs.put(None)
        if self._thread.is_alive():
            self._thread.join(timeout)
        return not self._thread.is_alive()

    @property
    def idle(self) -> bool:
        """Whether all requested work is done."""
        return self._done == self._asked

    @property
    def position(self) -> int:
        """Position on the timeline up to which the input is processed."""
        return self._position

    @property
    def spent(self) -> CpuTime:
        """Processed frames and the processor time they took, without the time of other programs."""
        return CpuTime(self._worked, self._own + self.processor.elsewhere_s)

    # -- the worker's thread ----------------------------------------------------------------------------------------------

    def _run(self) -> None:
        if self._realtime:
            self.realtime = request_realtime(MODEL_PRIORITY)
        waiting: deque[_Job] = deque()
        while not self._stopping:
            waiting.append(self._jobs.get())
            while not self._jobs.empty():
                waiting.append(self._jobs.get())
            while waiting and not self._stopping:
                job = waiting.popleft()
                if isinstance(job, int):
                    if not (waiting and isinstance(waiting[0], int)):  # of several positions only the last matters
                        self._advance(job)
                elif isinstance(job, _Switch):
                    self._take_over(job)
                elif isinstance(job, _Clear):
                    self._forget(job)
                self._done += 1

    def _advance(self, end: int) -> None:
        """Process whole grains up to ``end``, checking before each part how far behind the worker is."""
        while end - self._position >= self._grain and not self._stopping:
            if self._realtime:
                self._skip(end)
            piece = self.silence if end <= self._silent_until else self._piece
            count = min(end - self._position, piece) // self._grain * self._grain
            if count:
                self._process(count)

    def _skip(self, end: int) -> None:
        """Skip input whose stems would be late, if there is too much of it. ``end`` is where this job ends."""
        newest = self._inputs.end
        behind = newest - self._position
        if behind <= self._backlog and self._catch_up(behind - self._piece) <= CATCH_UP_S:
            return
        target = min(newest - self._piece, end)
        gap = (target - self._position) // self._grain * self._grain
        if gap > 0:
            self.skips += 1
            self._move(self._position + gap)
            if gap > KEEP_STATE_S * self._rate:
                self.resets += 1
                self._reset()

    def _catch_up(self, behind: int) -> float:
        """Seconds needed to catch up with ``behind`` frames while new input arrives. 0 for a model that is too slow to catch up."""
        late = behind - self.given
        share = sorted(self._paces)[len(self._paces) // 2] if self._paces else 0.0
        return late / self._rate * share / (1 - share) if late > 0 and share < 1 else 0.0

    def _process(self, count: int) -> None:
        started, own = self.wall_time(), self.thread_time()
        block = self._buffer[:count]
        if self._inputs.read_into(self._position, block, self._epoch):
            try:
                stems = self.processor.process(block)
                self._check(block, stems)
                self._deliver(self._position - self.latency, stems)
                self._deliver_ahead(self._position + count)
                self.message = ""
            except Exception as error:
                self._fail(error)
            if block.any():  # silence may take no time, and it is inaudible if it is late
                spent = self.wall_time() - started
                self._paces.append(spent * self._rate / count)
                self.load.add(spent * self._rate / max(count, self.given))
            self._own += self.thread_time() - own
            self._worked += count
        else:
            self._drop, self._ahead = self.latency, 0  # overwritten meanwhile, or of another epoch
        self._move_on(self._position + count)

    def _deliver(self, position: int, stems: Audio) -> None:
        """Write ``stems``, except those from before the latest gap and those already written ahead."""
        dropped = min(self._drop or self._ahead, len(stems))
        if self._drop:
            self._drop -= dropped
        else:
            self._ahead -= dropped
        if dropped < len(stems):
            self._stems.write(position + dropped, stems[dropped:], self._epoch)

    def _deliver_ahead(self, end: int) -> None:
        """Also write stems that are ready before they are due, so that this thread can sleep until there is more work.

        ``end``: position up to which the input is processed.
        """
        ahead = self.processor.ahead() if self._realtime and not self._drop else None
        if ahead is None or not np.isfinite(ahead).all():
            self._wanted = 0
            return
        position = end - self.latency
        self._stems.write(position + self._ahead, ahead[self._ahead :], self._epoch)
        self._ahead = len(ahead)
        self._wanted = end + self.processor.missing

    def _move(self, position: int) -> None:
        """Continue at ``position``; the samples still inside the processor belong to an earlier position."""
        self._drop, self._ahead = self.latency, 0
        self._move_on(position)

    def _move_on(self, position: int) -> None:
        if self._realtime:
            self._position = position
        else:
            with self._progress:
                self._position = position
                self._progress.notify_all()

    def _fail(self, error: Exception) -> None:
        self.failures += 1
        self.message = f"The model failed and was restarted: {_sentence(error)}"
        self._drop, self._ahead = self.latency, 0
        self._reset()

    def _reset(self) -> None:
        try:
            self.processor.reset()
        except Exception as error:
            self.message = f"The model failed and cannot be restarted: {_sentence(error)}"

    def _take_over(self, job: _Switch) -> None:
        """Finish everything before the switch, as if silence followed, then change to the other processor."""
        self._advance(job.position)
        try:
            tail = self.processor.flush()
            if np.isfinite(tail).all() and self._position == job.position:
                self._deliver(self._position - self.latency, tail)
        except Exception as error:
            self._fail(error)
        if job.processor is not None and job.processor.latency == self.latency:
            self.processor = job.processor
        self._drop, self._ahead = self.latency, 0

    def _forget(self, job: _Clear) -> None:
        self._reset()
        self._epoch, self._drop, self._ahead = job.epoch, 0, 0
        silence = np.zeros((self._stems.capacity // 2, *self._stems.tail), np.float32)
        self._stems.write(job.position - self.latency - len(silence), silence, self._epoch)
        self._move_on(job.position)


def _sentence(error: Exception) -> str:
    text = str(error).strip() or type(error).__name__
    return text if text.endswith(".") else text + "."
