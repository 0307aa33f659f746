"""A field that shows a level and in which one can be typed."""

from __future__ import annotations

import math

from PyQt6.QtCore import QEvent, Qt, pyqtSignal
from PyQt6.QtGui import QKeyEvent, QKeySequence
from PyQt6.QtWidgets import QLineEdit, QWidget

from gui.widgets import taper

MOST_DB = 24.0


class DbEntry(QLineEdit):
    """Shows dB. Enter or leaving the field accepts the typed value; Escape discards it, and an invalid value is discarded, too.

    Signals:
        entered(float): a level that was typed.
    """

    entered = pyqtSignal(float)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._db = 0.0
        self.setProperty("role", "db")
        self.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.setText(taper.written(0.0))
        self.editingFinished.connect(self._take)

    def show_db(self, db: float) -> None:
        """Show a level, unless something is being typed."""
        if db == self._db and not self.isModified():
            return
        self._db = db
        if not (self.hasFocus() and self.isModified()):
            self.setText(taper.written(db))

    def _take(self) -> None:
        if not self.isModified():
            return
        typed = taper.read(self.text())
        if typed is not None:
            self._db = -math.inf if typed <= -144.0 else min(MOST_DB, typed)
            self.entered.emit(self._db)
        self.setText(taper.written(self._db))
        self.selectAll()

    def event(self, event: QEvent | None) -> bool:
        """Leave undo to the mixer unless something is being typed."""
        if isinstance(event, QKeyEvent) and event.type() == QEvent.Type.ShortcutOverride and not self.isModified():
            undo = event.matches(QKeySequence.StandardKey.Undo) or event.matches(QKeySequence.StandardKey.Redo)
            if undo:
                event.ignore()
                return True
        return super().event(event)

    def keyPressEvent(self, event: QKeyEvent | None) -> None:  # noqa: N802 - Qt's name
        if event is not None and event.key() == Qt.Key.Key_Escape:
            self.setText(taper.written(self._db))
            return
        super().keyPressEvent(event)
