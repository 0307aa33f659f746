"""A short tour of the window: hints that point at its parts, one after the other.

A hint is part of the window and not a dialog: nothing waits for it, the sound goes on, and every control works meanwhile. It has the
keyboard's focus: Return goes on, Escape ends the tour. A screen reader reads each hint as the description of the button in focus.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol, cast

from PyQt6.QtCore import QT_TRANSLATE_NOOP, QCoreApplication, QEvent, QObject, QPoint, QRect, Qt, QTimer
from PyQt6.QtGui import QColor, QKeySequence, QPainter, QPaintEvent, QPen, QShortcut
from PyQt6.QtWidgets import QApplication, QFrame, QHBoxLayout, QPushButton, QVBoxLayout, QWidget

from gui import theme
from gui.store import Preferences
from gui.widgets.plain import PlainLabel
from gui.widgets.strip import BaseStrip

WIDTH, GAP = 380, 12
"""Width of a hint, and its distance from what it points at, in pixels."""


class Stage(Protocol):
    """The parts of the main window that the tour points at."""

    pages: dict[str, QWidget]
    more: QPushButton

    @property
    def page(self) -> str: ...
    def show_page(self, key: str) -> None: ...


@dataclass(frozen=True)
class Hint:
    """One hint. ``page`` is shown for it; ``find`` gives what it points at, None for the whole page."""

    page: str
    title: str
    text: str
    find: Callable[[Stage], QWidget | None]


def _part(page: str, name: str) -> Callable[[Stage], QWidget | None]:
    return lambda stage: cast("QWidget | None", getattr(stage.pages[page], name, None))


HINTS: tuple[Hint, ...] = (
    Hint(
        "start", QT_TRANSLATE_NOOP("Tour", "Begin here"),
        QT_TRANSLATE_NOOP("Tour", "Choose the demo song, a song of yours, the microphone or the keyboard. A song may be dropped anywhere."),
        _part("start", "choices"),
    ),
    Hint(
        "mixer", QT_TRANSLATE_NOOP("Tour", "A strip for each stem"),
        QT_TRANSLATE_NOOP("Tour", "Move the fader, press M to mute or S for solo. Effects go into the slot with the plus sign."),
        lambda stage: stage.pages["mixer"].findChild(BaseStrip),
    ),
    Hint(
        "mixer", QT_TRANSLATE_NOOP("Tour", "Compare"),
        QT_TRANSLATE_NOOP("Tour", "Hear the original mix in place of the stems, as often as you like. Ctrl+Z takes back what you moved."),
        _part("mixer", "compare"),
    ),
    Hint(
        "player", QT_TRANSLATE_NOOP("Tour", "Practise and export"),
        QT_TRANSLATE_NOOP("Tour", "The song's page: loop a passage between A and B, record, and export the stems as files or a project."),
        _part("player", "open_button"),
    ),
    Hint(
        "instrument", QT_TRANSLATE_NOOP("Tour", "Play along"),
        QT_TRANSLATE_NOOP("Tour", "A MIDI keyboard plays the instrument; so do the mouse and the keys A, W, S, E, D and on."),
        lambda stage: None,
    ),
    Hint(
        "mixer", QT_TRANSLATE_NOOP("Tour", "The rest"),
        QT_TRANSLATE_NOOP("Tour", "The menu has settings, presets, recent songs and all keys. This tour is there, too (Shift+F1)."),
        lambda stage: stage.more,
    ),
)  # fmt: skip


class Spot(QWidget):
    """A frame around what a hint points at; clicks go through it."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)

    def paintEvent(self, event: QPaintEvent | None) -> None:  # noqa: N802 - Qt's name
        """Draw the frame."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(QPen(QColor(theme.current().accent), 3))
        painter.drawRoundedRect(self.rect().adjusted(2, 2, -2, -2), theme.RADIUS, theme.RADIUS)


class Tour(QFrame):
    """The hints of a tour; ``window`` is the main window. It is deleted at its end."""

    def __init__(self, window: QWidget) -> None:
        super().__init__(window)
        self.stage = cast(Stage, window)
        self._left = self.stage.page
        self._before = QApplication.focusWidget()
        self._target: QWidget | None = None
        self.number = 0
        self.setProperty("tour", True)
        self.setFixedWidth(WIDTH)
        self.spot = Spot(window)
        self._make_parts()
        escape = QShortcut(QKeySequence(Qt.Key.Key_Escape), self)
        escape.setContext(Qt.ShortcutContext.WidgetWithChildrenShortcut)
        escape.activated.connect(self.end)
        window.installEventFilter(self)
        self._timer = QTimer(self)
        self._timer.setInterval(200)  # a page that is new, or that was scrolled, moves its parts
        self._timer.timeout.connect(self._place)
        self._timer.start()
        self.show_hint(0)

    def _make_parts(self) -> None:
        column = QVBoxLayout(self)
        column.setContentsMargins(16, 14, 16, 12)
        column.setSpacing(8)
        self.title, self.text, self.count = PlainLabel(), PlainLabel(), PlainLabel()
        self.title.setProperty("role", "heading")
        self.text.setWordWrap(True)
        self.count.setProperty("role", "small")
        self.next_button, self.back_button = QPushButton(), QPushButton(self.tr("Back"))
        self.skip_button = QPushButton(self.tr("Skip the tour"))
        self.next_button.setProperty("kind", "primary")
        self.back_button.setProperty("kind", "flat")
        self.skip_button.setProperty("kind", "flat")
        self.next_button.clicked.connect(lambda: self.show_hint(self.number + 1))
        self.back_button.clicked.connect(lambda: self.show_hint(self.number - 1))
        self.skip_button.clicked.connect(self.end)
        row = QHBoxLayout()
        row.addWidget(self.count)
        row.addStretch(1)
        for button in (self.skip_button, self.back_button, self.next_button):
            row.addWidget(button)
        column.addWidget(self.title)
        column.addWidget(self.text)
        column.addLayout(row)

    def show_hint(self, number: int) -> None:
        """Show a hint; after the last one the tour ends."""
        if number >= len(HINTS):
            self.end()
            return
        self.number = max(0, number)
        hint = HINTS[self.number]
        self.stage.show_page(hint.page)
        self._target = hint.find(self.stage) or self.stage.pages[hint.page]
        title, text = (QCoreApplication.translate("Tour", words) for words in (hint.title, hint.text))
        count = self.tr("{} of {}").format(self.number + 1, len(HINTS))
        self.title.setText(title)
        self.text.setText(text)
        self.count.setText(count)
        self.next_button.setText(self.tr("Next") if self.number + 1 < len(HINTS) else self.tr("Done"))
        self.back_button.setEnabled(self.number > 0)
        self.setAccessibleName(self.tr("Tour, {}: {}").format(count, title))
        self.next_button.setAccessibleName(f"{self.next_button.text()}. {self.accessibleName()}")
        self.next_button.setAccessibleDescription(text)
        self.show()
        self.next_button.clearFocus()  # so that a screen reader reads the new description
        self.next_button.setFocus(Qt.FocusReason.TabFocusReason)
        self._place()

    def _place(self) -> None:
        """Put the frame around the target, and the hint beside it, within the window."""
        window, target = self.parentWidget(), self._target
        if window is None or target is None:
            return
        self.setFixedHeight(max(self.heightForWidth(WIDTH), self.sizeHint().height()))
        whole = window.rect()
        shown = target.isVisible()
        around = QRect(target.mapTo(window, QPoint(0, 0)), target.size()).intersected(whole) if shown else QRect()
        self.spot.setVisible(shown)
        self.spot.setGeometry(around.adjusted(-4, -4, 4, 4).intersected(whole))
        self.move(_beside(around, self.rect(), whole))
        self.spot.raise_()
        self.raise_()

    def eventFilter(self, watched: QObject | None, event: QEvent | None) -> bool:  # noqa: N802 - Qt's name
        """Follow the window's size."""
        if event is not None and event.type() == QEvent.Type.Resize:
            self._place()
        return super().eventFilter(watched, event)

    def end(self) -> None:
        """End the tour: back to the page and the control from where it began."""
        self._timer.stop()
        self._target = None  # nothing is placed any more, however long Qt takes to delete it
        self.spot.deleteLater()
        self.spot.hide()
        self.hide()
        self.deleteLater()
        self.stage.show_page(self._left)
        before = self._before
        if before is not None and before.isVisible() and not self.isAncestorOf(before):
            before.setFocus()


def toggle_tour(window: QWidget, preferences: Preferences) -> None:
    """Start the tour, or end the one that is on. From now on it does not start by itself."""
    preferences.layout["tour"] = True
    tours = [tour for tour in window.findChildren(Tour) if tour.isVisible()]
    for tour in tours:
        tour.end()
    if not tours:
        Tour(window)


def _beside(target: QRect, hint: QRect, whole: QRect) -> QPoint:
    """Where a hint goes: right of its target, left, below or above it, wherever there is room; else at the right edge, over it."""
    right, below = target.right() + GAP, target.bottom() + GAP
    left, above = target.left() - GAP - hint.width(), target.top() - GAP - hint.height()
    x = min(max(GAP, target.left()), whole.width() - hint.width() - GAP)
    y = min(max(GAP, target.top()), whole.height() - hint.height() - GAP)
    if right + hint.width() <= whole.width() - GAP:
        return QPoint(right, y)
    if left >= GAP:
        return QPoint(left, y)
    if below + hint.height() <= whole.height() - GAP:
        return QPoint(x, below)
    if above >= GAP:
        return QPoint(x, above)
    return QPoint(whole.width() - hint.width() - 2 * GAP, whole.height() - hint.height() - 10 * GAP)
