"""Plain text: text from files (songs, cards, presets) or the system (devices, ports) is never interpreted as markup."""

from __future__ import annotations

from html import escape

from PyQt6.QtCore import Qt
from PyQt6.QtGui import QPainter, QPaintEvent
from PyQt6.QtWidgets import QLabel, QSizePolicy, QWidget


class PlainLabel(QLabel):
    """A label that shows plain text; QLabel would guess whether a text is rich text."""

    def __init__(self, text: str = "", parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setTextFormat(Qt.TextFormat.PlainText)
        self.setText(text)


class ElidedLabel(PlainLabel):
    """A label of one line that shortens what does not fit, instead of growing; the whole text is its tool tip."""

    def __init__(self, text: str = "", parent: QWidget | None = None) -> None:
        super().__init__(text, parent)
        self.setToolTip(plain(text))
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)

    def paintEvent(self, event: QPaintEvent | None) -> None:  # noqa: N802 - Qt's name
        """Draw the text, with an ellipsis at its end if it is too long."""
        style = self.style()
        if style is not None:
            text = self.fontMetrics().elidedText(self.text(), Qt.TextElideMode.ElideRight, self.width())
            painter = QPainter(self)
            style.drawItemText(painter, self.rect(), self.alignment().value, self.palette(), self.isEnabled(), text, self.foregroundRole())


def plain(text: str) -> str:
    """``text`` escaped for a tool tip or a message box, which have no plain format."""
    return f"<span>{escape(text)}</span>".replace("\n", "<br>") if "<" in text else text
