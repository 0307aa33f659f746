"""Plays an instrument in real time: timestamped MIDI messages in, blocks of sound out, with a constant delay.

``InstrumentPlayer`` owns the thread ``stemplay-instrument``, the only one that uses the synthesiser. Every message takes effect exactly
``delay`` after it arrived: one block and ``MARGIN_S``. Jitter of a few hundredths of a second is heard as bad timing, while a constant
delay of the same size is not. So a message is placed at its sample, not at the beginning of the next block.

The callback reports each position that it plays, with the time. From this the thread knows when the next block will be requested. It
sleeps until ``MARGIN_S`` before that time, and renders the block with all messages that have arrived by then. In the time left it computes
what the sounding notes need for the block after that. The callback only copies from a ring. If a block is not ready in time, silence is
played and a miss is counted. From then on the thread starts half a block earlier (up to two blocks), as a host that calls in bursts needs.

When nothing has sounded for ``REST_S``, the thread sleeps until a message arrives. That does not delay the message.
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
"""Seconds reserved for rendering the next block."""

LIMIT = 4096
"""Largest number of waiting messages. When it is reached, only messages that end notes are accepted."""

PRIORITY = 45
"""Priority above the separator's worker (a key is more urgent than a stem) and below the audio callback."""

REST_S = 0.25
"""Seconds of silence after which the thread sleeps."""

_SMOOTHING = 0.05
"""Smoothing factor with which the clock follows the times of callbacks."""

SynthCommand = Callable[[Synth], None]


class InstrumentPlayer:
    """Plays a synthesiser in real time; see the module's docstring.

    Args:
        synth: at the port's rate; belongs to this object from ``start`` on.
        channels: of the output, 1 or 2.
        block: frames of the largest callback.
        realtime: False: ``read`` renders by itself, without the thread.
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
        self._anchor: tuple[int, float] | None = None  # a position and the time at which it is requested
        self._widened = 0
        self._asked = self._position = 0  # positions of the callback and of the thread
        self._quiet, self._asleep = 0, False
        self._last = (0, block, clock())  # the block requested last
        self._thread = threading.Thread(target=self._run, name="stemplay-instrument", daemon=True)

    # -- any thread -------------------------------------------------------------------------------------------------------

    @property
    def delay(self) -> float:
        """Seconds from a message's arrival to its sample, without the synthesiser's own latency."""
        return self.block / self.synth.rate + self._margin + self._widened * self.block / (2 * self.synth.rate)

    def push(self, event: TimedEvent) -> None:
        """Queue a message; never blocks."""
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
        """Whether nothing sounds and no message waits, so that requested blocks are silent."""
        return self._asleep and not self._events and not self._commands

    def _wake(self) -> None:
        if self._asleep:
            self._asleep = False
            self._ticks.put(self._last)

    def reset(self) -> None:
        """Reset counters and measurements, and return to the shortest delay."""
        self.load.reset()
        self.misses = self.late = self.dropped = self._widened = 0

    def clear(self) -> None:
        """Silence all notes from the next block on and drop waiting messages."""
        self.enqueue(self._forget)

    def start(self) -> None:
        """Start the thread if it is needed."""
        if self.realtime:
            self._thread.start()

    def stop(self) -> None:
        """End the thread."""
        self._ticks.put(None)
        if self._thread.is_alive():
            self._thread.join(2.0)

    # -- the audio callback -----------------------------------------------------------------------------------------------

    def read(self, out: Audio) -> bool:
        """Fill ``out`` ``(frames, channels)`` with the next block; False if the block was not ready and ``out`` is silent."""
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
            except Exception as error:  # the thread must survive: it tries the next block again
                self.message = (
                    f"The instrument failed and was silenced: {str(error).rstrip('.') or type(error).__name__}."
                )
                self.synth.panic()

    def _serve(self, position: int, count: int, now: float) -> None:
        """Wait until shortly before the block after ``[position, position + count)`` is requested, and render it."""
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
            raise FloatingPointError("its output contains samples that are not finite")
        self._ring.write(self._position, audio)
        self._position = target
        self._quiet = 0 if self.synth.active or audio.any() else self._quiet + todo
        self.synth.prepare(todo)
        self.load.add((time.perf_counter() - started) * rate / todo)
        self._asleep = self._quiet >= REST_S * rate and not (self._events or self._commands)

    def _follow(self, position: int, now: float) -> float:
        """The smoothed time at which ``position`` was requested."""
        rate = self.synth.rate
        if self._anchor is not None:
            expected = self._anchor[1] + (position - self._anchor[0]) / rate
            error = now - expected
            if abs(error) < 2 * self.block / rate:
                now = expected + _SMOOTHING * error
        self._anchor = (position, now)
        return now

    def _forget(self, synth: Synth) -> None:
        """Drop all messages. It runs in the thread that takes messages from the queue, so that both never happen at once."""
        self._events.clear()
        synth.panic()

    def _run_commands(self) -> None:
        while self._commands:
            self._commands.popleft()(self.synth)

    def _due(self, start: int, count: int, anchor: tuple[int, float] | None) -> list[tuple[int, Event]]:
        """Messages that belong into ``[start, start + count)``, with their offsets; later ones stay in the queue."""
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
            least = max(least, offset)  # messages keep their order of arrival whatever their timestamps
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
