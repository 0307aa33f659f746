"""A field that shows a number as text, and in which one can be typed."""

from __future__ import annotations

from collections.abc import Callable

from PyQt6.QtCore import QEvent, Qt, pyqtSignal
from PyQt6.QtGui import QKeyEvent, QKeySequence
from PyQt6.QtWidgets import QLineEdit, QWidget


class NumberEntry(QLineEdit):
    """Enter or leaving the field accepts the typed text; Escape or text that is no number restores what was shown.

    Args:
        written: the text of a number. ``read``: the number of a text, in range; None if it has none.

    Signals:
        entered(float): a number that was typed.
    """

    entered = pyqtSignal(float)

    def __init__(
        self,
        written: Callable[[float], str],
        read: Callable[[str], float | None],
        value: float,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self._written, self._read, self._value = written, read, value
        self.setProperty("role", "value")
        self.setAlignment(Qt.AlignmentFlag.AlignRight)
        self.setText(written(value))
        self.editingFinished.connect(self._take)

    def show_number(self, value: float) -> None:
        """Show a number, unless something is being typed."""
        self._value = value
        if not (self.hasFocus() and self.isModified()) and self.text() != self._written(value):
            self.setText(self._written(value))

    def _take(self) -> None:
        if not self.isModified():
            return
        typed = self._read(self.text())
        if typed is not None:
            self._value = typed
            self.entered.emit(typed)
        self.setText(self._written(self._value))
        self.selectAll()

    def event(self, event: QEvent | None) -> bool:
        """Leave the undo key to the mixer unless something is being typed."""
        if isinstance(event, QKeyEvent) and event.type() == QEvent.Type.ShortcutOverride and not self.isModified():
            undo = event.matches(QKeySequence.StandardKey.Undo) or event.matches(QKeySequence.StandardKey.Redo)
            if undo:
                event.ignore()
                return True
        return super().event(event)

    def keyPressEvent(self, event: QKeyEvent | None) -> None:  # noqa: N802 - Qt's name
        if event is not None and event.key() == Qt.Key.Key_Escape and self.isModified():
            self.setText(self._written(self._value))
            return
        super().keyPressEvent(event)
