"""MIDI clock: when its ticks are due, and what goes out with the transport. No I/O, no thread.

24 ticks a beat. A song that starts at its beginning is told by Start, elsewhere by a song position (in sixteenths, six ticks) and Continue,
which go out just before the tick from which the others count. Sources: MIDI 1.0 Detailed Specification, system real-time messages.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

TICKS = 24
SIXTEENTH = 6
TICK, START, CONTINUE, STOP, POSITION = 0xF8, 0xFA, 0xFB, 0xFC, 0xF2
MAX_POSITION = 0x3FFF


@dataclass(frozen=True)
class ClockState:
    """What the clock follows.

    Attributes:
        bpm, beat, at: tempo, a beat, and the monotonic time at which it is.
        running: whether the transport moves. ``offset``: the song's beat minus the clock's, in whole sixteenths.
        jumps: counts the transport's jumps: another number restarts those who follow.
    """

    bpm: float
    beat: float
    at: float
    running: bool = False
    offset: float = 0.0
    jumps: int = 0

    def beat_at(self, now: float) -> float:
        """The clock's beat at ``now``."""
        return self.beat + (now - self.at) * self.bpm / 60

    def time_of(self, tick: int) -> float:
        """When a tick is due."""
        return self.at + (tick / TICKS - self.beat) * 60 / self.bpm


class Clock:
    """Turns a state that changes into messages with times. Late ticks are caught up at once, unless they are very late."""

    MOST_BEHIND = TICKS
    """Ticks. After a longer sleep of the machine the clock goes on from where it is."""

    def __init__(self) -> None:
        self._state: ClockState | None = None
        self._next = 0
        self._told = False
        self._waiting = False

    def follow(self, state: ClockState, now: float) -> list[list[int]]:
        """Take over a new state. Returns messages that go out at once."""
        before, self._state = self._state, state
        jumped = before is not None and state.jumps != before.jumps
        beat = state.beat_at(now) * TICKS
        if before is None or jumped or abs(beat - self._next) > self.MOST_BEHIND:
            self._next = math.ceil(beat - 1e-6)
        out = []
        if self._told and (jumped or not state.running):
            out.append([STOP])
            self._told = False
        if state.running and not self._told:
            self._waiting = True
            position = state.beat_at(now) + state.offset
            if 0 <= position < 0.25:  # just begun: from the beginning, and the ticks since then follow at once
                out.append([START])
                self._told, self._waiting = True, False
                self._next = round(-state.offset * TICKS)
        self._waiting &= state.running
        return out

    @property
    def due(self) -> float:
        """When the next message is due; infinity without a state."""
        return math.inf if self._state is None else self._state.time_of(self._next)

    def take(self, now: float) -> list[list[int]]:
        """The messages of the next tick, which is due."""
        state = self._state
        assert state is not None
        tick, self._next = self._next, self._next + 1
        if state.beat_at(now) * TICKS - tick > self.MOST_BEHIND:
            self._next = math.ceil(state.beat_at(now) * TICKS)
        out = []
        song = round(tick + state.offset * TICKS)
        if self._waiting and song % SIXTEENTH == 0 and song >= 0:
            self._waiting, self._told = False, True
            place = min(song // SIXTEENTH, MAX_POSITION)
            out = [[START]] if place == 0 else [[POSITION, place & 0x7F, place >> 7], [CONTINUE]]
        return [*out, [TICK]]

    def end(self) -> list[list[int]]:
        """What goes out at the end."""
        told, self._told = self._told, False
        return [[STOP]] if told else []
