"""Keeps track of held notes: mouse, fingers and computer keys may hold the same note, and no note may hang."""

from __future__ import annotations

from collections.abc import Hashable

from PyQt6.QtCore import QObject, Qt, pyqtSignal

from gui.bridge import Bridge

PIANO_KEYS = "awsedftgyhujkolp;'"
"""Two rows of an English keyboard, a semitone each from C; the same as the terminal's (``rtaudio/midi/keyboard.py``)."""

OCTAVE_DOWN, OCTAVE_UP, SOFTER, LOUDER = "z", "x", "c", "v"
LOWEST_BASE, HIGHEST_BASE = 12, 96


class Notes(QObject):
    """Notes that this window holds down.

    Signals:
        changed(): the held notes have changed.
    """

    changed = pyqtSignal()

    def __init__(self, bridge: Bridge, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._bridge = bridge
        self.channel = 0
        self._held: dict[Hashable, tuple[int, int]] = {}
        self.pedal = False

    @property
    def held(self) -> set[int]:
        """Held notes, on any channel."""
        return {note for _, note in self._held.values()}

    def holds(self, source: Hashable) -> int | None:
        """The note of a source."""
        return self._held[source][1] if source in self._held else None

    def press(self, source: Hashable, note: int, velocity: int) -> None:
        """Start a note of ``source``; its previous note ends."""
        if source in self._held:
            self.release(source)
        key = (self.channel, note)
        self._bridge.send("midi", data=[0x90 | self.channel, note, min(127, max(1, velocity))])
        self._held[source] = key
        self.changed.emit()

    def release(self, source: Hashable) -> None:
        """Release the note of ``source``; it ends if no other source holds it."""
        key = self._held.pop(source, None)
        if key is None:
            return
        if key not in self._held.values():
            self._bridge.send("midi", data=[0x80 | key[0], key[1], 0])
        self.changed.emit()

    def release_kind(self, kind: str) -> None:
        """Release the notes of all sources ``(kind, ...)``."""
        for source in [source for source in self._held if isinstance(source, tuple) and source[0] == kind]:
            self.release(source)

    def release_all(self) -> None:
        """Release all notes and the pedal, because the page is hidden or the window loses the focus."""
        for source in list(self._held):
            self.release(source)
        if self.pedal:
            self.toggle_pedal()

    def toggle_pedal(self) -> None:
        """Sustain pedal down or up."""
        self.pedal = not self.pedal
        self._bridge.send("midi", data=[0xB0 | self.channel, 64, 127 if self.pedal else 0])
        self.changed.emit()

    def use_channel(self, channel: int) -> None:
        """Change the channel; notes on the old one end."""
        if channel != self.channel:
            self.release_all()
            self.channel = channel


class ComputerKeys(QObject):
    """The computer's keyboard as a piano.

    Signals:
        moved(): the octave or the velocity changed.
    """

    moved = pyqtSignal()

    def __init__(self, notes: Notes, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._notes = notes
        self.base, self.velocity = 60, 90

    @staticmethod
    def letter(key: int) -> str:
        """The character of a Qt key, in small letters, whatever Shift is."""
        names = {int(Qt.Key.Key_Semicolon): ";", int(Qt.Key.Key_Apostrophe): "'"}
        return names.get(key) or (chr(key).lower() if int(Qt.Key.Key_A) <= key <= int(Qt.Key.Key_Z) else "")

    def press(self, key: int) -> bool:
        """Handle a key press (not a repetition); returns whether it is one of these keys."""
        letter = self.letter(key)
        if letter and letter in PIANO_KEYS:
            note = self.base + PIANO_KEYS.index(letter)
            if note <= 127:
                self._notes.press(("key", letter), note, self.velocity)
        elif letter in (OCTAVE_DOWN, OCTAVE_UP):
            self.shift(12 if letter == OCTAVE_UP else -12)
        elif letter in (SOFTER, LOUDER):
            self.velocity = min(127, max(7, self.velocity + (20 if letter == LOUDER else -20)))
            self.moved.emit()
        else:
            return False
        return True

    def release(self, key: int) -> bool:
        """Handle a key release: the note that it started ends, even if the octave has changed."""
        letter = self.letter(key)
        self._notes.release(("key", letter))
        return bool(letter) and letter in PIANO_KEYS + OCTAVE_DOWN + OCTAVE_UP + SOFTER + LOUDER

    def shift(self, semitones: int) -> None:
        """Move the octave that the keys play."""
        self.base = min(HIGHEST_BASE, max(LOWEST_BASE, self.base + semitones))
        self.moved.emit()
