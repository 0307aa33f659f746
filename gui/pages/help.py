"""The help page: every shortcut, from the table that makes them."""

from __future__ import annotations

from itertools import groupby

from PyQt6.QtCore import Qt
from PyQt6.QtGui import QKeySequence
from PyQt6.QtWidgets import QFrame, QGridLayout, QScrollArea, QVBoxLayout, QWidget

from gui.bridge import Bridge
from gui.shortcuts import GESTURES, TABLE, Key, translated
from gui.widgets.plain import PlainLabel

KEYS_WIDTH = 190


class HelpPage(QScrollArea):
    """Sections of keys and what they do."""

    def __init__(self, bridge: Bridge, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWidgetResizable(True)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setAccessibleName(self.tr("Help: keyboard shortcuts"))
        content = QWidget()
        layout = QVBoxLayout(content)
        layout.setContentsMargins(24, 20, 24, 24)
        layout.setSpacing(16)
        for group, keys in groupby((*TABLE, *GESTURES), key=lambda key: key.group):
            layout.addWidget(_section(translated(group), list(keys)))
        layout.addStretch(1)
        self.setWidget(content)


def _section(title: str, keys: list[Key]) -> QFrame:
    frame = QFrame()
    frame.setProperty("card", True)
    grid = QGridLayout(frame)
    grid.setContentsMargins(20, 16, 20, 16)
    grid.setHorizontalSpacing(24)
    grid.setVerticalSpacing(8)
    grid.setColumnMinimumWidth(0, KEYS_WIDTH)
    grid.setColumnStretch(1, 1)
    heading = PlainLabel(title)
    heading.setProperty("role", "heading")
    grid.addWidget(heading, 0, 0, 1, 2)
    for row, key in enumerate(keys, start=1):
        keys_label = PlainLabel("   ".join(_shown(text) for text in key.keys))
        keys_label.setProperty("role", "key")
        keys_label.setAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
        text_label = PlainLabel(translated(key.text))
        text_label.setWordWrap(True)
        grid.addWidget(keys_label, row, 0)
        grid.addWidget(text_label, row, 1)
    return frame


def _shown(text: str) -> str:
    if "…" in text:
        return text
    return QKeySequence(text).toString(QKeySequence.SequenceFormat.NativeText) or text
