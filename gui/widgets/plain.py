"""Plain text: text from files (songs, cards, presets) or the system (devices, ports) is never interpreted as markup."""

from __future__ import annotations

from html import escape

from PyQt6.QtCore import Qt
from PyQt6.QtWidgets import QLabel, QWidget


class PlainLabel(QLabel):
    """A label that shows plain text; QLabel would guess whether a text is rich text."""

    def __init__(self, text: str = "", parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setTextFormat(Qt.TextFormat.PlainText)
        self.setText(text)


def plain(text: str) -> str:
    """``text`` escaped for a tool tip or a message box, which have no plain format."""
    return f"<span>{escape(text)}</span>".replace("\n", "<br>") if "<" in text else text
