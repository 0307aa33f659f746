"""A notice line: it shows a persisting problem, else the newest event until it is dismissed or expires.

It floats over the page (``float_over``), so that nothing moves when it comes and goes.
"""

from __future__ import annotations

import re

from PyQt6.QtCore import QEvent, QObject, Qt, QTimer, pyqtSignal
from PyQt6.QtWidgets import QFrame, QHBoxLayout, QPushButton, QSizePolicy, QVBoxLayout, QWidget

from gui.widgets.plain import PlainLabel
from gui.widgets.toggle import polish

LASTING_MS = 20_000
LINGER_MS = 6_000
WIDEST, GAP = 640, 8
"""Sizes in pixels: of the notice, and of the margin around it."""


class NoticeBar(QWidget):
    """A bar of notices: ``stand`` shows a persisting state, ``tell`` a single event.

    Signals:
        acted(): the button of ``offer`` was pressed.
    """

    acted = pyqtSignal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._standing: tuple[str, str] | None = None
        self._event: tuple[str, str] | None = None
        self._dismissed = self._offer = ""
        self._below: QWidget | None = None
        around = QVBoxLayout(self)
        around.setContentsMargins(0, 0, 0, 0)
        self.frame = QFrame()
        around.addWidget(self.frame)
        row = QHBoxLayout(self.frame)
        row.setContentsMargins(12, 6, 6, 6)
        self.mark = PlainLabel()
        self.label = PlainLabel()
        self.label.setWordWrap(True)
        self.label.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.label.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred)
        self.close_button = QPushButton("✕")
        self.close_button.setProperty("kind", "flat")
        self.close_button.setAccessibleName(self.tr("Dismiss the notice"))
        self.close_button.setToolTip(self.close_button.accessibleName())
        self.close_button.clicked.connect(self.dismiss)
        row.addWidget(self.mark)
        row.addWidget(self.label, 1)
        self.action = QPushButton()
        self.action.setAccessibleName(self.tr("What would help"))
        self.action.clicked.connect(self.acted)
        self.action.hide()
        row.addWidget(self.action)
        row.addWidget(self.close_button)
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.timeout.connect(self._forget)
        self._linger = QTimer(self)
        self._linger.setSingleShot(True)
        self._linger.timeout.connect(self._end_of_standing)
        self.hide()

    def float_over(self, below: QWidget) -> None:
        """Keep the bar at the top of ``below``, a widget of the same parent."""
        self._below = below
        below.installEventFilter(self)
        self._place()

    def eventFilter(self, watched: QObject | None, event: QEvent | None) -> bool:  # noqa: N802 - Qt's name
        """Follow the widget over which it floats."""
        if event is not None and event.type() in (QEvent.Type.Resize, QEvent.Type.Move, QEvent.Type.Show):
            self._place()
        return super().eventFilter(watched, event)

    def _place(self) -> None:
        if self._below is None:
            return
        room = self._below.geometry()
        width = max(0, min(WIDEST, room.width() - 2 * GAP))
        height = max(self.heightForWidth(width), self.minimumSizeHint().height())
        self.setGeometry(room.x() + (room.width() - width) // 2, room.y() + GAP, width, height)
        self.raise_()

    @property
    def text(self) -> str:
        """The shown text."""
        return self.label.text() if not self.isHidden() else ""

    def tell(self, sentence: str, level: str = "warning", lasting_ms: int = LASTING_MS) -> None:
        """Show an event."""
        self._event = (sentence, level)
        self._timer.start(lasting_ms)
        self._show()

    def withdraw(self, sentence: str) -> None:
        """Remove the event."""
        if self._event is not None and self._event[0] == sentence:
            self._forget()

    def stand(self, sentence: str, level: str = "bad") -> None:
        """Show a persisting state; "" when it has ended. A brief warning stays visible for a moment."""
        standing = (sentence, level) if sentence else None
        if standing == self._standing:
            self._linger.stop()
        elif standing is None and self._standing is not None and self._standing[1] == "warning":
            if not self._linger.isActive():
                self._linger.start(LINGER_MS)
        else:
            self._linger.stop()
            self._settle(standing)

    def offer(self, text: str) -> None:
        """Show a button with a remedy for the persisting problem; "" for none. It is visible while the problem is."""
        self._offer = text
        self._show()

    def _end_of_standing(self) -> None:
        self._settle(None)

    def _settle(self, standing: tuple[str, str] | None) -> None:
        self._standing = standing
        if standing is None or _gist(standing[0]) != self._dismissed:
            self._dismissed = ""
        self._show()

    def dismiss(self) -> None:
        """Dismiss the shown event, or the persisting state until its text changes."""
        read = self._event[0] if self._event is not None else ""
        self._event = None
        if self._standing is not None and (not read or self._standing[0] in read):
            self._dismissed = _gist(self._standing[0])
        self._show()

    def _forget(self) -> None:
        self._event = None
        self._show()

    def _show(self) -> None:
        shown = self._event
        if shown is None and self._standing is not None and _gist(self._standing[0]) != self._dismissed:
            shown = self._standing
        if shown is None:
            self.hide()
            return
        sentence, level = shown
        self.mark.setText({"bad": "⚠", "warning": "⚠"}.get(level, "ℹ"))
        self.label.setText(sentence)
        self.action.setText(self._offer)
        self.action.setAccessibleName(self._offer or self.tr("What would help"))
        self.action.setVisible(bool(self._offer) and shown is self._standing)
        self.frame.setAccessibleName(sentence)
        if self.frame.property("notice") != level:
            self.frame.setProperty("notice", level)
            polish(self.frame)
        self.show()
        self._place()


def _gist(sentence: str) -> str:
    """A sentence without its numbers: what was dismissed at 6 % is not news at 7 %."""
    return re.sub(r"\d+", "#", sentence)
