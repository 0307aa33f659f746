"""Parts of the listening page's views: cards, headings, rows of exclusive buttons."""

from __future__ import annotations

from collections.abc import Sequence

from PyQt6.QtCore import Qt, pyqtSignal
from PyQt6.QtWidgets import QButtonGroup, QFrame, QHBoxLayout, QLabel, QPushButton, QVBoxLayout, QWidget

from gui.listening.sheet import Question
from gui.widgets.plain import PlainLabel

WIDTH = 820
"""Largest width in pixels; longer lines are hard to read."""


def label(text: str, role: str = "", *, wrap: bool = True) -> QLabel:
    """A label; ``role`` is one of the style sheet's: ``heading``, ``muted``, ``small``."""
    made = PlainLabel(text)
    made.setWordWrap(wrap)
    if role:
        made.setProperty("role", role)
    return made


def button(text: str, kind: str = "") -> QPushButton:
    """A push button that can be reached with Tab; ``kind`` is one of the style sheet's."""
    made = QPushButton(text)
    made.setAccessibleName(text)
    made.setMinimumHeight(36)
    made.setAutoDefault(False)
    if kind:
        made.setProperty("kind", kind)
    return made


class Card(QFrame):
    """A framed column. ``rows`` is its layout."""

    def __init__(self, title: str = "") -> None:
        super().__init__()
        self.setProperty("card", True)
        self.rows = QVBoxLayout(self)
        self.rows.setContentsMargins(24, 20, 24, 20)
        self.rows.setSpacing(12)
        if title:
            self.rows.addWidget(label(title, "heading"))


class View(QWidget):
    """A centred column no wider than ``WIDTH``. ``rows`` is its layout; call ``finish`` when it is complete."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        outer = QHBoxLayout(self)
        outer.setContentsMargins(24, 24, 24, 24)
        column = QWidget()
        column.setMaximumWidth(WIDTH)
        self.rows = QVBoxLayout(column)
        self.rows.setContentsMargins(0, 0, 0, 0)
        self.rows.setSpacing(16)
        outer.addStretch(1)
        outer.addWidget(column, 1000)
        outer.addStretch(1)

    def finish(self) -> None:
        """Leave the rest of the height empty."""
        self.rows.addStretch(1)


class Choices(QWidget):
    """Buttons of which at most one is pressed. ``changed`` carries its value."""

    changed = pyqtSignal()

    def __init__(self, options: Sequence[tuple[str, str]], parent: QWidget | None = None) -> None:
        """``options``: text and accessible name of each."""
        super().__init__(parent)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(8)
        self.group = QButtonGroup(self)
        self.buttons: list[QPushButton] = []
        for number, (text, name) in enumerate(options):
            made = button(text)
            made.setCheckable(True)
            made.setMinimumHeight(44)
            made.setAccessibleName(name)
            made.clicked.connect(self.changed)
            self.group.addButton(made, number)
            self.buttons.append(made)
            row.addWidget(made, 1)

    @property
    def value(self) -> int:
        """Index of the pressed button, -1 for none."""
        return self.group.checkedId()

    def choose(self, index: int) -> None:
        """Press the button ``index``, or none with -1, without a signal."""
        self.group.setExclusive(False)
        for number, made in enumerate(self.buttons):
            made.setChecked(number == index)
        self.group.setExclusive(True)


class Rating(QWidget):
    """A question with its scale from 1 to 5."""

    changed = pyqtSignal()

    def __init__(self, question: Question, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.question = question
        rows = QVBoxLayout(self)
        rows.setContentsMargins(0, 0, 0, 0)
        rows.setSpacing(6)
        rows.addWidget(label(question.text, "key"))
        words = question.scale
        options = []
        for point in range(1, 6):
            meaning = f": {words[point]}" if point in words else ""
            options.append(
                (
                    str(point),
                    self.tr("{question}, {point} of 5{meaning}").format(
                        question=question.text, point=point, meaning=meaning
                    ),
                )
            )
        self.choices = Choices(options)
        self.choices.changed.connect(self.changed)
        rows.addWidget(self.choices)
        ends = QHBoxLayout()
        for point, alignment in ((1, Qt.AlignmentFlag.AlignLeft), (5, Qt.AlignmentFlag.AlignRight)):
            text = label(f"{point}: {words.get(point, '')}" if point in words else "", "muted")
            text.setAlignment(alignment | Qt.AlignmentFlag.AlignTop)
            ends.addWidget(text, 1)
        rows.addLayout(ends)

    @property
    def value(self) -> int:
        """1 to 5, 0 while unanswered."""
        return self.choices.value + 1

    def choose(self, value: int) -> None:
        """Set the answer; 0 removes it."""
        self.choices.choose(value - 1)
