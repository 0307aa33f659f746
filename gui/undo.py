"""Undo of mixer moves. Made by ``gui.mixer_model``; a drag is one step, however many commands it sent."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

from PyQt6.QtGui import QUndoCommand

from rtaudio.protocol.settings import InsertState

Value = float | bool | list[InsertState]
InsertField = tuple[str, str]
Field = str | InsertField
Put = Callable[[str, Any, Any], bool]

_gestures = itertools.count(1)


def new_gesture() -> int:
    """A number that no other gesture has."""
    return next(_gestures)


class Move(QUndoCommand):
    """One control moved from ``before`` to ``after``.

    Args:
        put: sends the command; False if it was refused.
        strip: name of the stem, or "" for the mixer as a whole; of an insert, its place.
        field: of ``StemState`` or ``MixerState``; of an insert, its key and a parameter (``gui.insert_moves``).
        gesture: moves of one gesture (a drag, a turn of the wheel) become one step.
        text: what is undone, for menus.
    """

    def __init__(self, put: Put, strip: str, field: Field, before: Value, after: Value, gesture: int, text: str) -> None:
        super().__init__(text)
        self._put, self.strip, self.field, self.before, self.after, self.gesture = (
            put, strip, field, before, after, gesture,
        )  # fmt: skip
        self._done = True  # the caller that pushes has sent the command

    def id(self) -> int:
        """All moves may be merged."""
        return 1

    def mergeWith(self, other: QUndoCommand | None) -> bool:  # noqa: N802 - Qt's name
        """Swallow the next move of the same gesture; a gesture that ends where it began is none."""
        if not isinstance(other, Move):
            return False
        if (other.gesture, other.strip, other.field) != (self.gesture, self.strip, self.field):
            return False
        self.after = other.after
        self.setObsolete(self.before == self.after)
        return True

    def redo(self) -> None:
        """Move again."""
        if self._done:
            self._done = False
            return
        if not self._put(self.strip, self.field, self.after):
            self.setObsolete(True)

    def undo(self) -> None:
        """Move back."""
        if not self._put(self.strip, self.field, self.before):
            self.setObsolete(True)


class InstrumentMove(QUndoCommand):
    """Another instrument was chosen. A plugin comes back with the settings that it had.

    Args:
        put: lets an instrument play, with these settings if it is a plugin; False if it was refused.
        settings: gives those of the plugin that plays, None for a model.
        before, after: names of the instruments, as the configuration has them. ``kept``: the settings of ``before``.
        text: what is undone, for menus.
    """

    def __init__(
        self, put: Callable[[str, InsertState | None], bool], settings: Callable[[], InsertState | None], before: str, after: str,
        kept: InsertState | None, text: str,
    ) -> None:  # fmt: skip
        super().__init__(text)
        self._put, self._settings, self.before, self.after = put, settings, before, after
        self._kept: dict[str, InsertState | None] = {before: kept, after: None}
        self._done = True  # the caller that pushes has sent the command

    def redo(self) -> None:
        """Choose it again."""
        if self._done:
            self._done = False
            return
        self._change(self.before, self.after)

    def undo(self) -> None:
        """Let the one before play again."""
        self._change(self.after, self.before)

    def _change(self, now: str, wanted: str) -> None:
        self._kept[now] = self._settings()
        if not self._put(wanted, self._kept[wanted]):
            self.setObsolete(True)
