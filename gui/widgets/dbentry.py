"""A field that shows a level and in which one can be typed."""

from __future__ import annotations

import math

from PyQt6.QtCore import Qt
from PyQt6.QtWidgets import QWidget

from gui.widgets import taper
from gui.widgets.entry import NumberEntry

MOST_DB = 24.0


class DbEntry(NumberEntry):
    """Shows dB."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(taper.written, _read, 0.0, parent)
        self.setProperty("role", "db")
        self.setAlignment(Qt.AlignmentFlag.AlignCenter)


def _read(text: str) -> float | None:
    typed = taper.read(text)
    return None if typed is None else -math.inf if typed <= -144.0 else min(MOST_DB, typed)
