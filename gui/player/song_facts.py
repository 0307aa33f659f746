"""Beats, bars, key and chords of the loaded song, found in a background process; one ``SongFacts`` for each bridge.

The search begins once the song's picture is complete, and is cancelled when another song is opened. What is found is kept beside the
session. The engine is told the beats for its click, and again whenever an engine does not know them.
"""

from __future__ import annotations

from typing import Any

from PyQt6.QtCore import QObject, pyqtSignal

from gui.bridge import Bridge
from gui.jobs import Job
from gui.player.player_model import PlayerModel, player_model_of
from rtaudio.audio.format import StemplayError
from rtaudio.protocol.reports import Snapshot
from rtaudio.protocol.song_map import MAPS, SongMap, chord_text, from_json

METRE = "{}/4"


class SongFacts(QObject):
    """See the module's docstring.

    Signals:
        changed(): another song, progress, or something was found.
    """

    changed = pyqtSignal()

    def __init__(self, bridge: Bridge) -> None:
        super().__init__(bridge)
        self.bridge: Bridge = bridge
        self.player_model: PlayerModel = player_model_of(bridge)
        self.found: SongMap | None = None
        self.share = 0.0
        """How far the search is, 0 to 1."""
        self.trouble = ""
        self._path = ""
        self._job: Job | None = None
        self._told: tuple[str, int] | None = None
        self.player_model.snap = self.snap
        self.player_model.changed.connect(self._look)
        self.player_model.picture_changed.connect(self._look)
        bridge.snapshot_changed.connect(self._tell)
        self._look()

    @property
    def searching(self) -> bool:
        """Whether the song is being looked through."""
        return self._job is not None

    def snap(self, seconds: float) -> float:
        """The bar line nearest to a place of the song; without bars, or if the user does not want it, the place itself."""
        if self.found is None or not self.bridge.store.preferences.snap_to_bars:
            return seconds
        return self.found.nearest_bar(seconds)

    def set_snapping(self, on: bool) -> None:
        """Whether loops snap to bars; kept in the preferences."""
        self.bridge.store.preferences.snap_to_bars = on
        try:
            self.bridge.store.save_preferences()
        except StemplayError as error:
            self.player_model.told.emit(str(error))
        self.changed.emit()

    def words(self) -> str:
        """What is known, for the eye: ``128.4 BPM  ·  C minor  ·  4/4``, or how far the search is."""
        if self.found is None:
            if self.searching:
                return self.tr("Looking for the beats … {} %").format(round(100 * self.share))
            return self.trouble
        found, parts = self.found, []
        if found.beats:
            about = "" if found.steady else "≈ "
            parts += [f"{about}{found.bpm:.1f} BPM", METRE.format(found.metre)]
        if found.key:
            parts.append(self.key_words(found.key))
        return "  ·  ".join(parts) or self.tr("No beats and no key were found.")

    def key_words(self, key: str) -> str:
        """A key in the user's language."""
        note, _, mode = key.partition(" ")
        return self.tr("{} minor").format(note) if mode == "minor" else self.tr("{} major").format(note)

    def place_words(self, seconds: float) -> str:
        """Bar, beat and chord at a place, for screen readers: ``bar 3, beat 1, Am``."""
        if self.found is None or not self.found.beats:
            return ""
        bar, beat = self.found.bar_of(seconds)
        chord = chord_text(self.found.chord_at(seconds))
        told = self.tr("bar {0}, beat {1}").format(bar, beat)
        return f"{told}, {chord}" if chord else told

    def _look(self) -> None:
        """Begin to search when a song is there, and stop when it is another."""
        picture, path = self.player_model.picture, self.player_model.transport.path
        ready = path and picture.get("path") == path and picture.get("share", 0.0) >= 1.0
        if self._path and path != self._path:
            self._forget()
        if not ready or path == self._path:
            return
        self._path = path
        self._job = job = self.bridge.job("song_map", path=path, folder=str(self.bridge.store.folder / MAPS))
        job.progress.connect(self._progress)
        job.done.connect(lambda values: self._take(path, values))
        job.failed.connect(lambda sentence: self._fail(path, sentence))
        self.changed.emit()

    def _forget(self) -> None:
        job, self._job = self._job, None
        self.found, self.share, self.trouble, self._path = None, 0.0, "", ""
        if job is not None:
            job.cancel()
        self.changed.emit()

    def _progress(self, facts: dict[str, Any]) -> None:
        self.share = float(facts.get("share", 0.0))
        self.changed.emit()

    def _take(self, path: str, values: dict[str, Any]) -> None:
        if path != self._path:
            return
        self._job = None
        try:
            self.found = from_json({key: value for key, value in values.items() if key not in ("path", "kept")})
        except StemplayError as error:
            self.trouble = str(error)
        if values.get("kept"):
            self.player_model.told.emit(str(values["kept"]))
        self._told = None
        self._tell(self.bridge.snapshot)
        self.changed.emit()

    def _fail(self, path: str, sentence: str) -> None:
        if path == self._path:
            self._job, self.trouble = None, sentence
            self.changed.emit()

    def _tell(self, snapshot: Snapshot) -> None:
        """Give an engine that plays this song its beats."""
        if self.found is None or snapshot.transport.path != self._path or snapshot.state not in ("running", "finished"):
            return
        count = len(self.found.beats)
        known = (self._path, snapshot.transport.beats)
        if snapshot.transport.beats != count and known != self._told:
            self._told = known
            self.bridge.send("set_beats", beats=self.found.beats, numbers=self.found.numbers)


def song_facts_of(bridge: Bridge) -> SongFacts:
    """The facts of a bridge's song, created on first use."""
    found = bridge.findChild(SongFacts)
    return found if isinstance(found, SongFacts) else SongFacts(bridge)
