"""What files and the system call things is shown letter by letter."""

from __future__ import annotations

import ast
from pathlib import Path

from PyQt6.QtCore import Qt
from pytestqt.qtbot import QtBot

from gui.widgets.plain import PlainLabel, plain


def test_labels_are_made_plain_everywhere() -> None:
    made = []
    for path in Path("gui").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "QLabel":
                made.append(f"{path}:{node.lineno}")
    assert not made


def test_markup_in_a_tool_tip_is_seen_as_it_is(qtbot: QtBot) -> None:
    assert plain("Song & Dance") == "Song & Dance"
    assert plain("<b>x</b>\ny") == "<span>&lt;b&gt;x&lt;/b&gt;<br>y</span>"
    label = PlainLabel("<b>x</b>")
    qtbot.addWidget(label)
    assert label.text() == "<b>x</b>" and label.textFormat() == Qt.TextFormat.PlainText
