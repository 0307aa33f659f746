"""The conductor: keeps the tempo with Ableton Link and the song, and lets MIDI clock and the lights of controllers follow.

It owns the thread ``stemplay-conductor``, which wakes thirty times a second and when a command was carried out. It may wait for the lock of
the control threads, and never touches the audio callback.
"""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

from rtaudio.audio.tempo import Tempo
from rtaudio.engine.link import QUANTUM, LinkSession, check_link
from rtaudio.midi.clock import ClockState
from rtaudio.midi.output import MidiOutput
from rtaudio.protocol.reports import SyncReport, Transport

PERIOD_S = 1 / 30
JUMP_S = 0.35
"""A song farther than this from where the clock has it has jumped; one that is nearer (after a dropout) is followed gently."""
GENTLE = 0.05
"""Share of the distance that is corrected at a time: the song's place is known to a block of sound only."""
SIXTEENTHS = 4
"""Sixteenths of a beat, the steps of a song position."""


@dataclass
class Score:
    """What the conductor reads of an engine.

    Attributes:
        transport: of the song; its path is empty for a live input. ``lights``: MIDI messages to controllers; True for all of them.
        tempo_changed: is called when Link has another tempo. ``play``: is called when others have started or stopped the session.
    """

    transport: Callable[[], Transport]
    lights: Callable[[bool], list[list[int]]]
    tempo_changed: Callable[[], None]
    play: Callable[[bool], None] = lambda playing: None


class Conductor:
    """See the module's docstring.

    Args:
        tempo: shared with the engine. ``score``: what to read there.
        link: whether to join a Link session; ``start``: and to share start and stop there.
        output: name of the MIDI output, ``none`` for none. ``clock``: send a clock there.

    Raises:
        StemplayError: Link is not installed.
    """

    def __init__(
        self, tempo: Tempo, score: Score, *, link: bool = False, start: bool = False, output: str = "none", clock: bool = False
    ) -> None:
        self._tempo, self._score, self._clock = tempo, score, clock
        if link:
            check_link()
        self._joins, self._shares_start = link, link and start
        self._session_plays = self._song_plays = False
        self._link: LinkSession | None = None
        self._output = MidiOutput(output, self._greet) if output != "none" else None
        self._trouble = ""
        self._afresh = True
        self._lead = False
        self._sent = 0
        self._jumps = 0
        self._offset = self._origin = 0.0
        self._was = Transport()
        self._moving = False
        self._told: ClockState | None = None
        self._wake, self._ending = threading.Event(), threading.Event()
        self._thread = threading.Thread(target=self._run, name="stemplay-conductor", daemon=True)

    def start(self) -> None:
        """Start the thread and the MIDI output, and join the Link session."""
        if self._joins:
            self._link = LinkSession(self._tempo, self._shares_start)
            self._session_plays, self._song_plays = self._link.playing, self._score.transport().playing
        if self._output is not None:
            self._output.start()
        self._thread.start()

    def stop(self) -> None:
        """End both, and leave the Link session. May be called without ``start``."""
        self._ending.set()
        self._wake.set()
        if self._thread.is_alive():
            self._thread.join(5.0)
            if self._output is not None:
                self._output.stop()
        if self._link is not None:
            self._link.close()
            self._link = None

    def wake(self) -> None:
        """Something has changed: follow it at once."""
        self._wake.set()

    def tempo_set(self) -> None:
        """A command has set the tempo, which is to be the session's too; before the start, only if there is none."""
        self._lead = self._thread.is_alive()
        self._wake.set()

    def report(self) -> SyncReport:
        """What is shared now."""
        link, output = self._link, self._output
        told = SyncReport(link=self._joins, peers=link.peers if link is not None else 0, sent=self._sent)
        if link is not None or self._clock:
            told.beat = self._tempo.beat()
        if output is not None:
            told.outputs, told.message = output.ports, output.message
            told.ticks, told.jitter_ms = output.ticks, output.jitter_ms
        told.message = self._trouble or told.message
        return told

    # -- the thread -------------------------------------------------------------------------------------------------------

    def _run(self) -> None:
        while not self._ending.is_set():
            self._wake.wait(PERIOD_S)
            self._wake.clear()
            try:
                self._step()
            except Exception as error:  # of a library: the next step may succeed, and the sound is not concerned
                self._trouble = f"Tempo and controllers' lights are not shared now: {type(error).__name__}: {error}."
                self._ending.wait(1.0)
            else:
                self._trouble = ""

    def _step(self) -> None:
        transport = self._score.transport()
        if self._link is not None:
            if self._lead:
                self._link.lead()
            if self._link.follow():
                self._score.tempo_changed()
            if self._shares_start and transport.path:
                self._share_start(self._link, transport.playing)
        self._lead = False
        if self._clock and self._output is not None:
            self._follow_song(transport, time.monotonic())
            self._conduct()
        if self._output is not None:
            afresh, self._afresh = self._afresh, False
            for data in self._score.lights(afresh):
                self._output.send(data)
                self._sent += 1

    def _share_start(self, link: LinkSession, song: bool) -> None:
        """Whoever started or stopped last, session or song, is followed by the other; what was so when we joined stays."""
        session = link.playing
        if session != self._session_plays:
            self._session_plays = session
            if session != song:
                self._score.play(session)
                song = session
        elif song != self._song_plays and song != session:
            link.set_playing(song)
            self._session_plays = song
        self._song_plays = song

    def _follow_song(self, song: Transport, now: float) -> None:
        """Where the song is, in beats of the clock. Without Link its beats are the clock's; with Link it is on the nearest sixteenth."""
        before, self._was = self._was, song
        if not song.path:
            self._begin_live(now)
            return
        if not song.playing:
            self._moving = False
            return
        if (song.tempo, song.speed) != (before.tempo, before.speed):  # the beat goes on from where it is, whatever song is counted
            self._origin += song.position_s * (before.tempo / before.speed - song.tempo / song.speed) / 60
        beat = song.position_s / song.speed * self._tempo.bpm / 60 + self._origin
        away = beat - (self._tempo.beat(now) + self._offset)
        began = not self._moving or song.path != before.path
        if began or abs(away) > JUMP_S * self._tempo.bpm / 60 + (0.5 / SIXTEENTHS if self._link is not None else 0.0):
            self._jumps += not began
            beat, self._origin = beat - self._origin, 0.0
            if self._link is None:
                self._tempo.place(beat, now)
                self._offset = 0.0
            else:
                self._offset = round((beat - self._tempo.beat(now)) * SIXTEENTHS) / SIXTEENTHS
        elif self._link is None:
            self._tempo.place(self._tempo.beat(now) + GENTLE * away, now)
        self._moving = True

    def _begin_live(self, now: float) -> None:
        """A live input has no place: its first beat is the moment at which the clock begins, or the next bar of the Link session."""
        if not self._moving:
            if self._link is None:
                self._tempo.place(0.0, now)
            else:
                self._offset = -QUANTUM * math.ceil(self._tempo.beat(now) / QUANTUM)
        self._moving = True

    def _conduct(self) -> None:
        assert self._output is not None
        bpm, beat, at = self._tempo.anchor
        state = ClockState(bpm, beat, at, self._moving, self._offset, self._jumps)
        if state != self._told:
            self._told = state
            self._output.follow(state)

    def _greet(self) -> None:
        self._afresh = True
        self._wake.set()
