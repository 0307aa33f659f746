"""Markers and named loops of the song that is open: kept by the song's content, with undo, shared by the page and the export.

There is one for each bridge (``marks_of``). What is noted before the song's key is known is kept, too, as soon as it is.
"""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from PyQt6.QtCore import QObject, pyqtSignal
from PyQt6.QtGui import QUndoCommand

from gui.bridge import Bridge
from gui.mixer_model import mixer_model_of
from gui.player.player_model import SHORTEST_LOOP_S, player_model_of
from gui.song_notes import LONGEST_NAME, MOST, Marker, SavedLoop, SongNotes
from rtaudio.audio.format import StemplayError

SAME_S = 0.002
"""Loops whose ends are this near are the same; the engine rounds to frames."""
BACK_S = 0.8
"""So long after a marker, going back goes to the one before it."""


class SongMarks(QObject):
    """See the module's docstring.

    Signals:
        changed(): markers, loops, or what is chosen of them.
    """

    changed = pyqtSignal()

    def __init__(self, bridge: Bridge) -> None:
        super().__init__(bridge)
        self.bridge, self.player_model = bridge, player_model_of(bridge)
        self.undo = mixer_model_of(bridge).undo
        self.notes = SongNotes()
        self.chosen: Marker | None = None
        """The marker to which the keys to rename and delete apply."""
        self.key = ""
        """The song's key; empty while it is not known."""
        self._song = ""
        self._loop: tuple[float, float] | None = None
        self.player_model.picture_changed.connect(self._look)
        self.player_model.changed.connect(self._look)
        self._look()

    # -- what is ------------------------------------------------------------------------------------------------------------

    @property
    def markers(self) -> list[Marker]:
        """The markers, by their times."""
        return self.notes.markers

    @property
    def loops(self) -> list[SavedLoop]:
        """The named loops, by their times."""
        return self.notes.loops

    @property
    def playing_loop(self) -> SavedLoop | None:
        """The named loop that is being played."""
        loop = self.player_model.transport.loop
        for saved in self.loops if loop is not None else ():
            if loop is not None and abs(saved.start_s - loop[0]) < SAME_S and abs(saved.end_s - loop[1]) < SAME_S:
                return saved
        return None

    # -- markers ------------------------------------------------------------------------------------------------------------

    def add_marker(self, at_s: float | None = None, name: str = "") -> Marker | None:
        """Add a marker, at the playhead unless told otherwise; None without a song."""
        if not self.player_model.has_song or len(self.markers) >= MOST:
            return None
        at = self.player_model.transport.position_s if at_s is None else at_s
        marker = Marker(self._inside(at), tidy(name) or self._free(self.tr("Marker {}"), [m.name for m in self.markers]))
        self.chosen = marker
        self._change(self.tr("Add marker"), lambda notes: notes.markers.append(marker))
        return marker

    def rename_marker(self, marker: Marker, name: str) -> None:
        """Give it another name."""
        if tidy(name) and marker in self.markers:
            self._replace_marker(marker, replace(marker, name=tidy(name)), self.tr("Rename marker"))

    def move_marker(self, marker: Marker, at_s: float) -> None:
        """Move it."""
        if marker in self.markers:
            self._replace_marker(marker, replace(marker, at_s=self._inside(at_s)), self.tr("Move marker"))

    def remove_marker(self, marker: Marker) -> None:
        """Remove it."""
        if marker in self.markers:
            self._change(self.tr("Delete marker"), lambda notes: notes.markers.remove(marker))

    def choose_marker(self, marker: Marker) -> None:
        """Go to a marker; keys then apply to it."""
        self.chosen = marker
        self.player_model.seek(marker.at_s)
        self.changed.emit()

    def step_marker(self, forward: bool) -> None:
        """Go to the next marker, or to the one before. There is always one at the start of the song."""
        now = self.player_model.transport.position_s
        if forward:
            found = next((marker for marker in self.markers if marker.at_s > now + SAME_S), None)
        else:
            found = next((marker for marker in reversed(self.markers) if marker.at_s < now - BACK_S), None)
        if found is not None:
            self.choose_marker(found)
        elif not forward:
            self.player_model.seek(0.0)

    # -- loops --------------------------------------------------------------------------------------------------------------

    def keep_loop(self, name: str = "") -> SavedLoop | None:
        """Keep the loop that is being played; None if there is none, or if it is kept already."""
        loop = self.player_model.transport.loop
        if loop is None or self.playing_loop is not None or len(self.loops) >= MOST:
            return None
        saved = SavedLoop(loop[0], loop[1], tidy(name) or self._free(self.tr("Loop {}"), [entry.name for entry in self.loops]))
        self._change(self.tr("Keep loop"), lambda notes: notes.loops.append(saved))
        return saved

    def rename_loop(self, loop: SavedLoop, name: str) -> None:
        """Give it another name."""
        if tidy(name) and loop in self.loops:
            self._replace_loop(loop, replace(loop, name=tidy(name)), self.tr("Rename loop"))

    def remove_loop(self, loop: SavedLoop) -> None:
        """Remove it from the list. If it is being played, it plays on."""
        if loop in self.loops:
            self._change(self.tr("Delete loop"), lambda notes: notes.loops.remove(loop))

    def play_loop(self, loop: SavedLoop) -> None:
        """Loop over it, from its start if the playhead is elsewhere."""
        self.player_model.set_loop(loop.start_s, loop.end_s)
        if not loop.start_s <= self.player_model.transport.position_s <= loop.end_s:
            self.player_model.seek(loop.start_s)

    def set_loop(self, start_s: float, end_s: float) -> None:
        """Loop between two positions. A named loop that is being played is changed with it."""
        start, end = sorted((start_s, end_s))
        saved = self.playing_loop
        self.player_model.set_loop(start, end)
        if saved is not None and end - start >= SHORTEST_LOOP_S:
            self._replace_loop(saved, replace(saved, start_s=self._inside(start), end_s=self._inside(end)), self.tr("Change loop"))

    def step_loop(self) -> None:
        """Play the next of the named loops, the first one after the last."""
        if self.loops:
            playing = self.playing_loop
            number = self.loops.index(playing) + 1 if playing is not None else 0
            self.play_loop(self.loops[number % len(self.loops)])

    # -- for projects -------------------------------------------------------------------------------------------------------

    def for_project(self, tempo: float = 1.0) -> dict[str, list[tuple[Any, ...]]]:
        """``markers`` and ``regions`` of a project whose stems play at ``tempo``: the markers, the named loops, and the loop that is being
        played, in the stems' own seconds."""
        loops = [(loop.start_s, loop.end_s, loop.name) for loop in self.loops]
        loop = self.player_model.transport.loop
        if loop is not None and self.playing_loop is None:
            loops.append((*loop, self.tr("Loop")))
        return {
            "markers": [(marker.at_s / tempo, marker.name) for marker in self.markers],
            "regions": [(start / tempo, end / tempo, name) for start, end, name in loops],
        }

    # -- keeping ------------------------------------------------------------------------------------------------------------

    def _look(self) -> None:
        """Load the notes of another song, as soon as its key is known."""
        song, picture, loop = self.player_model.transport.path, self.player_model.picture, self.player_model.transport.loop
        if song != self._song:
            self._song, self.key, self.notes, self.chosen = song, "", SongNotes(), None
            self.changed.emit()
        key = str(picture.get("key", "")) if song and picture.get("path") == song else ""
        if key and not self.key:
            self._load(key, float(picture.get("seconds", 0.0)))
        if loop != self._loop:
            self._loop = loop
            self.changed.emit()

    def _load(self, key: str, seconds: float) -> None:
        early = self.notes
        try:
            self.notes = self.bridge.store.load_song(key, self._song, seconds)
        except StemplayError as error:
            self.bridge.refused.emit(str(error))
            return
        for sentence in self.bridge.store.notices:
            self.bridge.refused.emit(sentence)
        self.bridge.store.notices.clear()
        self.key, self.notes.path, self.notes.seconds = key, self._song, seconds
        if early.markers or early.loops:
            self.notes.markers += early.markers
            self.notes.loops += early.loops
            self.notes.sort()
            self._save()
        self.changed.emit()

    def _save(self) -> None:
        if self.key:
            try:
                self.bridge.store.save_song(self.key, self.notes)
            except StemplayError as error:
                self.bridge.refused.emit(str(error))

    def _change(self, text: str, act: Callable[[SongNotes], object]) -> None:
        """Change the notes, save them, and make that a step of undo."""
        before, after = copy.deepcopy(self.notes), copy.deepcopy(self.notes)
        act(after)
        after.sort()
        if after != before:
            self.undo.push(_NotesMove(self, before, after, text))  # which does it

    def put(self, key: str, notes: SongNotes) -> bool:
        """Replace the notes of the song with this key; False if another one is open."""
        if key != self.key:
            return False
        self.notes = copy.deepcopy(notes)
        if self.chosen not in self.notes.markers:
            self.chosen = None
        self._save()
        self.changed.emit()
        return True

    def _replace_marker(self, old: Marker, new: Marker, text: str) -> None:
        if self.chosen == old:
            self.chosen = new
        self._change(text, lambda notes: notes.markers.__setitem__(notes.markers.index(old), new))

    def _replace_loop(self, old: SavedLoop, new: SavedLoop, text: str) -> None:
        self._change(text, lambda notes: notes.loops.__setitem__(notes.loops.index(old), new))

    def _inside(self, seconds: float) -> float:
        return min(max(0.0, seconds), self.player_model.transport.length_s or seconds)

    @staticmethod
    def _free(pattern: str, taken: list[str]) -> str:
        """The pattern with the first number that makes a new name."""
        return next(name for number in range(1, len(taken) + 2) if (name := pattern.format(number)) not in taken)


class _NotesMove(QUndoCommand):
    """A change of a song's notes. It is gone when another song is open."""

    def __init__(self, marks: SongMarks, before: SongNotes, after: SongNotes, text: str) -> None:
        super().__init__(text)
        self._marks, self._key, self._before, self._after = marks, marks.key, before, after

    def redo(self) -> None:
        """Do it, for the first time or again."""
        if not self._marks.put(self._key, self._after):
            self.setObsolete(True)

    def undo(self) -> None:
        """Take it back."""
        if not self._marks.put(self._key, self._before):
            self.setObsolete(True)


def tidy(name: str) -> str:
    """What was typed as a name: one line of printable characters, not too long."""
    return "".join(c if c.isprintable() else " " for c in name).strip()[:LONGEST_NAME]


def marks_of(bridge: Bridge) -> SongMarks:
    """The marks of a bridge, made when they are first asked for."""
    found = bridge.findChild(SongMarks)
    return found if isinstance(found, SongMarks) else SongMarks(bridge)
