"""A large button with a drawing, a title and a line of explanation."""

from __future__ import annotations

from collections.abc import Callable

from PyQt6.QtCore import QEvent, QSize, Qt
from PyQt6.QtGui import QIcon
from PyQt6.QtWidgets import QHBoxLayout, QPushButton, QSizePolicy, QVBoxLayout, QWidget

from gui.widgets.plain import PlainLabel

DRAWING = 40
"""Width and height of the drawing in pixels."""


class Choice(QPushButton):
    """See the module's docstring. ``drawing`` is called for the icon, again after each change of the theme."""

    def __init__(self, title: str, text: str, drawing: Callable[[], QIcon], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._drawing = drawing
        self.setProperty("kind", "choice")
        self.setAccessibleName(title)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred)
        row = QHBoxLayout(self)
        row.setContentsMargins(18, 14, 18, 14)
        row.setSpacing(16)
        self._picture, self._title, self._text = PlainLabel(), PlainLabel(title), PlainLabel()
        self._picture.setFixedSize(DRAWING, DRAWING)
        self._title.setProperty("role", "heading")
        self._title.setWordWrap(True)
        self._text.setProperty("role", "muted")
        self._text.setWordWrap(True)
        words = QVBoxLayout()
        words.setSpacing(2)
        words.addStretch(1)
        words.addWidget(self._title)
        words.addWidget(self._text)
        words.addStretch(1)
        row.addWidget(self._picture)
        row.addLayout(words, 1)
        for label in (self._picture, self._title, self._text):
            label.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self.explain(text)
        self._draw()

    def explain(self, text: str) -> None:
        """Show another explanation."""
        self._text.setText(text)
        self.setAccessibleDescription(text)

    def _draw(self) -> None:
        self._picture.setPixmap(self._drawing().pixmap(QSize(DRAWING, DRAWING)))

    def sizeHint(self) -> QSize:  # noqa: N802 - Qt's names here and below
        """The least that the words need, as they break into lines; a button's own would be that of its text, which it has not."""
        layout = self.layout()
        assert layout is not None
        return layout.minimumSize()

    def minimumSizeHint(self) -> QSize:  # noqa: N802
        return self.sizeHint()

    def hasHeightForWidth(self) -> bool:  # noqa: N802
        return True

    def heightForWidth(self, width: int) -> int:  # noqa: N802
        layout = self.layout()
        assert layout is not None
        return layout.heightForWidth(width)

    def changeEvent(self, event: QEvent | None) -> None:  # noqa: N802
        """Draw again in the colours of the new theme."""
        super().changeEvent(event)
        if event is not None and event.type() == QEvent.Type.PaletteChange and hasattr(self, "_picture"):
            self._draw()
