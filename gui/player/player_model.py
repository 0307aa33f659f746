"""The player's state in the window: the loaded song, its waveform, loop and recording, shared by the page and the transport bar.

There is one for each bridge (``player_model_of``). Commands go through the bridge. A child process reads a song first, so that a file that
is not sound is reported in a sentence and does not interrupt anything.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from PyQt6.QtCore import QObject, pyqtSignal

from gui.bridge import Bridge
from gui.jobs import Job
from gui.player.times import clock
from gui.store import music_folder
from rtaudio.audio.format import StemplayError
from rtaudio.protocol.reports import Recording, Snapshot, Transport

SHORTEST_LOOP_S = 0.05
"""Shortest loop in seconds. A shorter one is taken for a mistake."""

SONG_ENDINGS = ("wav", "flac", "ogg", "oga", "opus", "mp3", "m4a", "aac", "mp4", "aif", "aiff", "wma", "webm")
"""Suffixes that the dialog to open a song offers. Any dropped file is tried."""


class PlayerModel(QObject):
    """See the module's docstring.

    Signals:
        changed(): song, loop or recording changed. picture_changed(): more of the song's waveform is known.
        told(str): one sentence for the user; "" when it no longer applies.
    """

    changed = pyqtSignal()
    picture_changed = pyqtSignal()
    told = pyqtSignal(str)

    def __init__(self, bridge: Bridge) -> None:
        super().__init__(bridge)
        self.bridge = bridge
        self.picture: dict[str, Any] = {}
        """Result of ``rtaudio.jobs.overview`` for the song at ``path``, and the ``share`` that is drawn; empty while nothing is known."""
        self.pending = ""
        """The song that is being read."""
        self.mark: float | None = None
        """Point A while B is still missing."""
        self.snap: Callable[[float], float] = lambda seconds: seconds
        """Where a loop's point goes that was set at a place: to the nearest bar, if there are bars (``gui.player.song_facts``)."""
        self._job: Job | None = None
        self._configured = ""
        self._seen: tuple[object, ...] = ()
        self._failed = ""
        self._place: tuple[str, str] | None = None
        bridge.snapshot_changed.connect(self._take)
        self._take(bridge.snapshot)

    # -- what is ------------------------------------------------------------------------------------------------------------

    @property
    def transport(self) -> Transport:
        """The song's transport."""
        return self.bridge.snapshot.transport

    @property
    def recording(self) -> Recording:
        """The state of the recorder."""
        return self.bridge.snapshot.recording

    @property
    def path(self) -> str:
        """The song that is about to be loaded, else the loaded one."""
        coming = self._configured if self._configured == self.bridge.config.input else ""
        return coming or self.transport.path or self.pending

    @property
    def has_song(self) -> bool:
        """Whether a song plays, and not a live input."""
        return bool(self.transport.path)

    @property
    def live(self) -> bool:
        """Whether the input is a device."""
        return not self.has_song and self.bridge.config.input != "none"

    # -- the song -----------------------------------------------------------------------------------------------------------

    def open(self, path: str | Path) -> None:
        """Load a song. It plays as soon as the file is known to contain sound; otherwise ``told`` says why not."""
        self.told.emit("")
        self._look_through(str(Path(path).absolute()), play=True)

    def close_song(self) -> None:
        """Close the song: silence until an input is chosen or a song is opened."""
        self._forget_job()
        self.picture, self.pending, self.mark = {}, "", None
        self.bridge.configure(input="none", loop=False)
        self.changed.emit()

    def _look_through(self, path: str, play: bool) -> None:
        self._forget_job()
        self.pending = path
        self._job = job = self.bridge.job("overview", path=path)
        job.progress.connect(lambda facts: self._draw(path, facts, play))
        job.done.connect(lambda facts: self._draw(path, {**facts, "share": 1.0}, play))
        job.failed.connect(lambda sentence: self._cannot(path, sentence))
        self.changed.emit()

    def _draw(self, path: str, facts: dict[str, Any], play: bool) -> None:
        self.picture = {**facts, "path": path}
        if facts["share"] >= 1.0:
            self.pending, self._job = "", None
            if facts.get("warnings"):
                self.told.emit(" ".join(facts["warnings"]))
        if play and self._configured != path:
            self._load(path)
        self.picture_changed.emit()
        self.changed.emit()

    def _load(self, path: str) -> None:
        self.mark, self._configured = None, path
        if not self.bridge.configure(input=path, loop=False):
            return
        self.bridge.send("play")
        try:
            self.bridge.store.remember_song(path)
        except StemplayError as error:
            self.told.emit(str(error))

    def _cannot(self, path: str, sentence: str) -> None:
        self.pending, self._job, self._failed = "", None, path
        self.told.emit(sentence)
        self.picture_changed.emit()
        self.changed.emit()

    def _forget_job(self) -> None:
        job, self._job = self._job, None
        self._configured = self._failed = ""
        if job is not None:
            job.cancel()

    # -- the transport ------------------------------------------------------------------------------------------------------

    def toggle_play(self) -> None:
        """Play or pause."""
        if self.has_song:
            self.bridge.send("pause" if self.transport.playing else "play")

    def seek(self, seconds: float) -> None:
        """Go to a position of the song."""
        if self.has_song:
            self.bridge.send("seek", position_s=min(max(0.0, seconds), self.transport.length_s))

    def nudge(self, seconds: float) -> None:
        """Move the position by this many seconds."""
        self.seek(self.transport.position_s + seconds)

    # -- the loop -----------------------------------------------------------------------------------------------------------

    def set_a(self, seconds: float | None = None) -> None:
        """Set A here, or at a given position. The loop starts if B is after it; otherwise it starts when B is set."""
        if not self.has_song:
            return
        at = self.snap(self.transport.position_s if seconds is None else seconds)
        end = self.transport.loop[1] if self.transport.loop else None
        if end is not None and end - at >= SHORTEST_LOOP_S:
            self.set_loop(at, end)
        else:
            self.clear_loop()
            self.mark = at
            self.changed.emit()

    def set_b(self, seconds: float | None = None) -> None:
        """Set B here, or at a given position. Without A the loop begins with the song."""
        if not self.has_song:
            return
        at = self.transport.position_s if seconds is None else seconds
        start = self.mark if self.mark is not None else self.transport.loop[0] if self.transport.loop else 0.0
        self.set_loop(start, at)

    def set_loop(self, start: float, end: float) -> None:
        """Loop between two positions, in either order, at bars if they snap there."""
        start, end = sorted((start, end))
        snapped = (self.snap(start), self.snap(end))
        if snapped[1] - snapped[0] >= SHORTEST_LOOP_S:  # what lies within one bar stays as it is
            start, end = snapped
        start, end = max(0.0, start), min(end, self.transport.length_s or end)
        if end - start < SHORTEST_LOOP_S:
            self.told.emit(self.tr("A loop needs some length: set A, go on, and set B."))
            return
        if self.bridge.send("set_loop", start_s=start, end_s=end):
            self.mark = None
            self.told.emit("")
            self.changed.emit()

    def clear_loop(self) -> None:
        """End the loop."""
        self.mark = None
        if self.transport.loop:
            self.bridge.send("set_loop", start_s=None, end_s=None)
        self.changed.emit()

    # -- recording ----------------------------------------------------------------------------------------------------------

    def toggle_record(self) -> None:
        """Start a recording in a new folder of its own, or end it."""
        if self.recording.active:
            self.bridge.send("stop_recording")
            return
        preferences = self.bridge.store.preferences
        folder = Path(preferences.recording_folder or music_folder()) / self._take_name()
        self.bridge.send("record", directory=str(folder), format=preferences.recording_format)

    def _take_name(self) -> str:
        what = Path(self.transport.path).stem if self.has_song else self.tr("Live")
        return f"{what} {datetime.now():%Y-%m-%d %H.%M.%S}"

    def record_text(self) -> str:
        """Text of a record button."""
        return clock(self.recording.seconds) if self.recording.active else self.tr("Record")

    # -- the engine's word --------------------------------------------------------------------------------------------------

    def _take(self, snapshot: Snapshot) -> None:
        transport, recording = snapshot.transport, snapshot.recording
        path = transport.path
        known = (self.picture.get("path"), self._failed)
        if path and not self.pending and path not in known and path == self.bridge.config.input:
            self._look_through(path, play=False)
        self._tell_place(snapshot)
        takes = (recording.active, recording.error, recording.dropped_blocks)
        seen = (path, self.bridge.config.input, transport.playing, transport.loop, *takes)
        if seen != self._seen:
            self._seen = seen
            self.changed.emit()

    def _tell_place(self, snapshot: Snapshot) -> None:
        """Tell the engine where to store recordings that a MIDI controller starts."""
        if not snapshot.instrument.model or snapshot.state not in ("running", "finished"):
            return
        preferences, known = self.bridge.store.preferences, snapshot.instrument.state
        place = (str(Path(preferences.recording_folder or music_folder()).absolute()), preferences.recording_format)
        if place != (known.record_folder, known.record_format) and place != self._place:
            self._place = place
            self.bridge.send("set_instrument", field="record_folder", value=place[0])
            self.bridge.send("set_instrument", field="record_format", value=place[1])

    def peaks(self) -> Sequence[Sequence[float]]:
        """Columns of the waveform so far."""
        found: Sequence[Sequence[float]] = self.picture.get("peaks", ())
        return found


def player_model_of(bridge: Bridge) -> PlayerModel:
    """The player model of a bridge, created on first use."""
    found = bridge.findChild(PlayerModel)
    return found if isinstance(found, PlayerModel) else PlayerModel(bridge)
