"""Text that comes from files (songs, cards, presets) or from the system (devices, ports) is shown as it is, never read as markup."""

from __future__ import annotations

from html import escape

from PyQt6.QtCore import Qt
from PyQt6.QtWidgets import QLabel, QWidget


class PlainLabel(QLabel):
    """A label that shows its text letter by letter; Qt's own guesses whether a text is rich."""

    def __init__(self, text: str = "", parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setTextFormat(Qt.TextFormat.PlainText)
        self.setText(text)


def plain(text: str) -> str:
    """``text`` for a tool tip or a question, which have no plain format: the same in sight, whatever it holds."""
    return f"<span>{escape(text)}</span>".replace("\n", "<br>") if "<" in text else text
