"""An instrument in real time: MIDI messages come with the time they arrived, sound leaves block by block, at a constant delay.

``InstrumentPlayer`` owns the thread ``stemplay-instrument``, which alone touches the synthesiser. Every message takes effect
exactly ``delay`` after it arrived: one block and ``MARGIN_S``. Jitter of a few hundredths of a second is heard as bad timing,
while a constant delay of the same size is not, so a message is placed at its sample, not at the next block's beginning.

How: the callback that plays the output from position ``q`` on tells so, with the time. From this the thread knows when the block
after it will be asked for, sleeps until ``MARGIN_S`` before, and renders it with all that has arrived by then; what the notes that
sound already need for the block after that is computed at once, in the time left. The callback only copies from a ring. A block that
was not ready in time plays silence, is counted, and the thread gives itself half a block more from then on (up to two blocks), as a
host that calls in bursts needs.

Where nothing has sounded for ``REST_S`` the thread sleeps until there is a message, which wakes it itself: no later than if it had
been awake.
"""

from __future__ import annotations

import queue
import threading
import time
from collections import deque
from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np

from rtaudio.audio.format import Audio
from rtaudio.audio.load_meter import LoadMeter
from rtaudio.audio.ring import Ring
from rtaudio.instrument.synth import Event, Synth
from rtaudio.system.realtime import request_realtime

if TYPE_CHECKING:
    from typing import Protocol

    class TimedEvent(Event, Protocol):
        """A MIDI message with the monotonic time of its arrival in seconds."""

        @property
        def time(self) -> float: ...


MARGIN_S = 0.003
"""Time to render the next block in."""

LIMIT = 4096
"""Messages that may wait; of more, only those that end notes are taken."""

PRIORITY = 45
"""Above the separator's worker (a key is more urgent than a stem), below the audio callback."""

REST_S = 0.25
"""Silence after which the thread sleeps."""

_SMOOTHING = 0.05
"""Share of a callback's deviation by which the clock follows it."""

SynthCommand = Callable[[Synth], None]


class InstrumentPlayer:
    """See the module's text.

    Args:
        synth: at the port's rate; belongs to this object from ``start`` on.
        channels: of the output, 1 or 2.
        block: frames of the largest callback.
        realtime: False: nothing is in a hurry, and ``read`` renders by itself.
        clock: monotonic seconds.
    """

    def __init__(
        self, synth: Synth, channels: int, block: int, realtime: bool, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.synth, self.channels, self.block, self.realtime = synth, channels, block, realtime
        self.load = LoadMeter()
        self.misses = self.dropped = self.late = 0
        self.message = ""
        self.scheduling = ""
        self._clock = clock
        self._margin = MARGIN_S
        self._events: deque[TimedEvent] = deque()
        self._commands: deque[SynthCommand] = deque()
        self._ticks: queue.SimpleQueue[tuple[int, int, float] | None] = queue.SimpleQueue()
        self._ring = Ring(4 * synth.rate, (channels,))
        self._anchor: tuple[int, float] | None = None  # a position and the time at which it is asked for
        self._widened = 0
        self._asked = self._position = 0  # how far the callback is, and the thread
        self._quiet, self._asleep = 0, False
        self._last = (0, block, clock())  # the block that was asked for last
        self._thread = threading.Thread(target=self._run, name="stemplay-instrument", daemon=True)

    # -- any thread -------------------------------------------------------------------------------------------------------

    @property
    def delay(self) -> float:
        """Seconds from a message's arrival to its sample, the synthesiser's own hold-back left out."""
        return self.block / self.synth.rate + self._margin + self._widened * self.block / (2 * self.synth.rate)

    def push(self, event: TimedEvent) -> None:
        """Take a message in; never blocks."""
        if len(self._events) >= LIMIT and not _ends_something(event):
            self.dropped += 1
            return
        self._events.append(event)
        self._wake()

    def enqueue(self, command: SynthCommand) -> None:
        """Queue ``command(synth)``, which is called before the next block is rendered. Never blocks."""
        self._commands.append(command)
        self._wake()

    @property
    def resting(self) -> bool:
        """Whether nothing sounds and nothing waits: the blocks that are asked for are silence."""
        return self._asleep and not self._events and not self._commands

    def _wake(self) -> None:
        if self._asleep:
            self._asleep = False
            self._ticks.put(self._last)

    def reset(self) -> None:
        """Count and measure afresh, and try the shortest delay again."""
        self.load.reset()
        self.misses = self.late = self.dropped = self._widened = 0

    def clear(self) -> None:
        """Silence from the next block on; messages that wait are forgotten."""
        self.enqueue(self._forget)

    def start(self) -> None:
        """Start the thread, where it is needed."""
        if self.realtime:
            self._thread.start()

    def stop(self) -> None:
        """End the thread."""
        self._ticks.put(None)
        if self._thread.is_alive():
            self._thread.join(2.0)

    # -- the audio callback -----------------------------------------------------------------------------------------------

    def read(self, out: Audio) -> bool:
        """Fill ``out`` ``(frames, channels)``, the next to be heard; False if it was not ready and is silent."""
        count, position = len(out), self._asked
        self._asked += count
        if not self.realtime:
            self._run_commands()
            out[...] = self._shape(self.synth.render(count, self._due(position, count, None)))
            return True
        self._last = (position, count, self._clock())
        if self.resting:
            out.fill(0.0)
            return True
        self._ticks.put(self._last)
        if self._ring.read_into(position, out):
            return True
        self._ring.read(position, out)
        if position < self.block:  # nothing can be ready for the first call
            return True
        self.misses += 1
        if self._widened < 4:
            self._widened += 1
        return False

    # -- the instrument's thread ------------------------------------------------------------------------------------------

    def _run(self) -> None:
        self.scheduling = request_realtime(PRIORITY)
        while (tick := self._ticks.get()) is not None:
            while not self._ticks.empty():
                later = self._ticks.get()
                if later is None:
                    return
                tick = later
            try:
                self._serve(*tick)
            except Exception as error:  # the thread must live: the next block is tried afresh
                self.message = (
                    f"The instrument failed and was silenced: {str(error).rstrip('.') or type(error).__name__}."
                )
                self.synth.panic()

    def _serve(self, position: int, count: int, now: float) -> None:
        """Wait until shortly before the block after ``[position, position + count)`` is asked for, and render it."""
        rate = self.synth.rate
        at = self._follow(position, now)
        ahead = self._margin + self._widened * self.block / (2 * rate)
        wait = at + count / rate - ahead - self._clock()
        if wait > 0:
            time.sleep(wait)
        target = position + count + max(self.block, int((ahead - count / rate) * rate) + self.block)
        if self._position < position:  # at the beginning, or after an interruption
            self._position = position
        started = time.perf_counter()
        todo = target - self._position
        if todo <= 0:
            return
        self._run_commands()
        audio = self._shape(self.synth.render(todo, self._due(self._position, todo, self._anchor)))
        if not np.isfinite(audio).all():
            raise FloatingPointError("it gave samples that are not finite")
        self._ring.write(self._position, audio)
        self._position = target
        self._quiet = 0 if self.synth.active or audio.any() else self._quiet + todo
        self.synth.prepare(todo)
        self.load.add((time.perf_counter() - started) * rate / todo)
        self._asleep = self._quiet >= REST_S * rate and not (self._events or self._commands)

    def _follow(self, position: int, now: float) -> float:
        """The smoothed time at which ``position`` was asked for."""
        rate = self.synth.rate
        if self._anchor is not None:
            expected = self._anchor[1] + (position - self._anchor[0]) / rate
            error = now - expected
            if abs(error) < 2 * self.block / rate:
                now = expected + _SMOOTHING * error
        self._anchor = (position, now)
        return now

    def _forget(self, synth: Synth) -> None:
        """Runs where messages are taken out, so that none vanishes between a look at it and its taking."""
        self._events.clear()
        synth.panic()

    def _run_commands(self) -> None:
        while self._commands:
            self._commands.popleft()(self.synth)

    def _due(self, start: int, count: int, anchor: tuple[int, float] | None) -> list[tuple[int, Event]]:
        """Messages that belong into ``[start, start + count)``, with their offsets; those that come later stay."""
        found: list[tuple[int, Event]] = []
        least = 0
        while self._events:
            offset = 0
            if anchor is not None:
                place = anchor[0] + (self._events[0].time - anchor[1] + self.delay) * self.synth.rate
                offset = round(place) - start
                if offset >= count:
                    break
                self.late += offset < 0
            least = max(least, offset)  # arrival order is kept whatever the stamps say
            found.append((least, self._events.popleft()))
        return found

    def _shape(self, audio: Audio) -> Audio:
        return audio if self.channels == 2 else audio.mean(axis=1, keepdims=True)


def _ends_something(event: Event) -> bool:
    return (
        event.kind == "note_off"
        or (event.kind == "note_on" and event.b == 0)
        or (event.kind == "control" and (event.a >= 120 or event.b == 0))
    )
