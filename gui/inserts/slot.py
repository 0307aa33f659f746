"""One slot: a switch (bypass, or start again after a failure) and a button with the effect's name that opens its editor."""

from __future__ import annotations

from PyQt6.QtCore import QCoreApplication, QEvent, QMimeData, QPoint, QSize, Qt, pyqtSignal
from PyQt6.QtGui import QContextMenuEvent, QDrag, QKeyEvent, QMouseEvent, QResizeEvent
from PyQt6.QtWidgets import QApplication, QHBoxLayout, QMenu, QPushButton, QSizePolicy, QWidget

from gui.effect_words import status_title
from gui.insert_moves import InsertMoves
from gui.inserts.desk import InsertDesk
from gui.inserts.status import MARKS, sentence_of, status_of
from gui.theme import stem_title
from gui.widgets.plain import plain
from gui.widgets.popup import pop_up
from gui.widgets.toggle import polish

MIME = "application/x-stemplay-insert"
HEIGHT = 24


class NameButton(QPushButton):
    """A button whose text is shortened to the available width.

    Signals:
        dragged(): the user drags it away.
        pressed_key(QKeyEvent): a key that a button does not use; ``accept`` it to hide it from other widgets.
    """

    dragged = pyqtSignal()
    pressed_key = pyqtSignal(object)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._whole = ""
        self._grabbed: QPoint | None = None
        self.setProperty("kind", "slot")
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)

    def show_text(self, text: str) -> None:
        """Show as much of the text as fits."""
        if text != self._whole:
            self._whole = text
            self._fit()

    def _fit(self) -> None:
        room = self.width() - 12
        self.setText(self.fontMetrics().elidedText(self._whole, Qt.TextElideMode.ElideRight, room).replace("&", "&&"))

    def sizeHint(self) -> QSize:  # noqa: N802 - Qt's names here and below
        return QSize(48, HEIGHT)

    def minimumSizeHint(self) -> QSize:  # noqa: N802
        return self.sizeHint()

    def resizeEvent(self, event: QResizeEvent | None) -> None:  # noqa: N802
        super().resizeEvent(event)
        self._fit()

    def changeEvent(self, event: QEvent | None) -> None:  # noqa: N802
        super().changeEvent(event)
        if event is not None and event.type() == QEvent.Type.FontChange:
            self._fit()

    def mousePressEvent(self, event: QMouseEvent | None) -> None:  # noqa: N802
        if event is not None and event.button() == Qt.MouseButton.LeftButton:
            self._grabbed = event.position().toPoint()
        super().mousePressEvent(event)

    def mouseMoveEvent(self, event: QMouseEvent | None) -> None:  # noqa: N802
        if event is not None and self._grabbed is not None:
            moved = event.position().toPoint() - self._grabbed
            if moved.manhattanLength() >= QApplication.startDragDistance():
                self._grabbed = None
                self.setDown(False)
                self.dragged.emit()
                return
        super().mouseMoveEvent(event)

    def mouseReleaseEvent(self, event: QMouseEvent | None) -> None:  # noqa: N802
        self._grabbed = None
        super().mouseReleaseEvent(event)

    def keyPressEvent(self, event: QKeyEvent | None) -> None:  # noqa: N802
        if event is not None:
            event.ignore()
            self.pressed_key.emit(event)
            if event.isAccepted():
                return
        super().keyPressEvent(event)


class InsertSlot(QWidget):
    """Slot ``number`` (from 0) of a place; empty slots offer to add an effect.

    Signals:
        shifted(int): its effect was moved by a key to this slot, which should get the focus.
    """

    shifted = pyqtSignal(int)

    def __init__(self, desk: InsertDesk, place: str, number: int, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.desk, self.place, self.number = desk, place, number
        self.moves: InsertMoves = desk.moves
        self.key = ""
        self._status = self._shown = ""
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(2)
        self.switch = QPushButton()
        self.switch.setProperty("kind", "slot-switch")
        self.switch.setFixedSize(22, HEIGHT)
        self.switch.clicked.connect(self._switch)
        self.name = NameButton()
        self.name.clicked.connect(self._open)
        self.name.dragged.connect(self._drag)
        self.name.pressed_key.connect(self._key)
        row.addWidget(self.switch)
        row.addWidget(self.name, 1)
        policy = self.name.sizePolicy()
        policy.setRetainSizeWhenHidden(True)
        self.name.setSizePolicy(policy)
        self.show_state()

    def show_state(self) -> None:
        """Show the slot's contents."""
        slots = self.moves.slots(self.place)
        entry = slots[self.number] if self.number < len(slots) else None
        self.key = entry.key if entry is not None else ""
        status, message = status_of(self.moves, self.place, self.key) if entry is not None else ("", "")
        report = self.moves.report(self.place, self.key)
        title = self.moves.title(self.place, self.key) if entry is not None else ""
        self.name.setVisible(self.number <= len(slots))  # one button for adding is enough
        shown = "\n".join((self.key, title, status, message, str(report.misses if report else 0)))
        if shown == self._shown:
            return
        self._shown = shown
        self.switch.setVisible(entry is not None)
        if entry is None:
            self._dress_empty()
        else:
            self._dress(title, status, sentence_of(status, message, report.misses if report else 0))
        for part in (self.switch, self.name):
            if part.property("status") != status:
                part.setProperty("status", status)
                polish(part)
        self._status = status

    def _dress_empty(self) -> None:
        self.name.show_text(self.tr("+ Effect"))
        self.name.setAccessibleName(self.tr("Add an effect to {}").format(stem_title(self.place)))
        self.name.setAccessibleDescription("")
        self.name.setToolTip(self.name.accessibleName())
        self.switch.setAccessibleName(self.tr("Switch of slot {0} of {1}").format(self.number + 1, stem_title(self.place)))

    def _dress(self, title: str, status: str, sentence: str) -> None:
        place = stem_title(self.place)
        self.name.show_text(title)
        self.name.setAccessibleName(self.tr("{0}, effect {1}: {2}").format(place, self.number + 1, title))
        self.name.setAccessibleDescription(sentence)
        keys = self.tr("Click: edit. Drag or Alt+↑, Alt+↓: move. B: bypass. Del: remove. Right click: menu.")
        self.name.setToolTip(plain(f"{title}: {sentence}\n{keys}"))
        act = {"bypassed": self.tr("Switch {0} of {1} on"), "failed": self.tr("Start {0} of {1} again"),
               "missing": self.tr("Start {0} of {1} again")}.get(status, self.tr("Bypass {0} of {1}"))  # fmt: skip
        self.switch.setText(MARKS.get(status, "?"))
        self.switch.setAccessibleName(act.format(title, place))
        self.switch.setAccessibleDescription(sentence)
        self.switch.setToolTip(plain(f"{sentence}\n{act.format(title, place)}"))

    @property
    def ailing(self) -> bool:
        """Whether its effect does not work."""
        return self._status in ("failed", "missing")

    # -- person to engine ---------------------------------------------------------------------------------------------------

    def _open(self) -> None:
        if self.key:
            self.desk.edit(self.place, self.key)
        else:
            self.desk.browse(self.place)

    def _switch(self) -> None:
        if self.ailing:
            self.moves.start_again(self.place, self.key)
        else:
            self.bypass()

    def bypass(self) -> None:
        """Switch the effect off or on."""
        entry = self.moves.find(self.place, self.key)
        if entry is not None:
            self.moves.bypass(self.place, self.key, not entry.bypass)

    def shift(self, by: int) -> None:
        """Move the effect up or down."""
        to = self.number + by
        if self.key and 0 <= to < len(self.moves.slots(self.place)) and self.moves.shift(self.place, self.key, to):
            self.shifted.emit(to)

    def _key(self, event: QKeyEvent) -> None:
        plain_key = event.modifiers() in (Qt.KeyboardModifier.NoModifier, Qt.KeyboardModifier.KeypadModifier)
        alt = event.modifiers() & Qt.KeyboardModifier.AltModifier
        if not self.key:
            return
        if event.key() in (Qt.Key.Key_Delete, Qt.Key.Key_Backspace) and plain_key:
            self.moves.remove(self.place, self.key)
        elif event.key() == Qt.Key.Key_B and plain_key:
            self.bypass()
        elif event.key() in (Qt.Key.Key_Up, Qt.Key.Key_Down) and alt:
            self.shift(-1 if event.key() == Qt.Key.Key_Up else 1)
        else:
            return
        event.accept()

    def _drag(self) -> None:
        if not self.key:
            return
        data = QMimeData()
        data.setData(MIME, f"{self.place}\n{self.key}".encode())
        drag = QDrag(self)
        drag.setMimeData(data)
        drag.setPixmap(self.name.grab())
        drag.exec(Qt.DropAction.MoveAction)

    def contextMenuEvent(self, event: QContextMenuEvent | None) -> None:  # noqa: N802 - Qt's name
        """Show the menu of the effect's actions; an empty slot leaves this to the strip."""
        if event is None or not self.key:
            super().contextMenuEvent(event)
            return
        pop_up(self.menu(), event.globalPos())

    def menu(self) -> QMenu:
        """The menu of all actions for the effect in this slot."""
        return slot_menu(self, self.desk, self.place, self.key, self)


def slot_menu(slot: InsertSlot | None, desk: InsertDesk, place: str, key: str, parent: QWidget) -> QMenu:
    """The menu of an insert; ``slot`` is where it is shown."""
    moves, (status, _) = desk.moves, status_of(desk.moves, place, key)
    slots = [entry.key for entry in moves.slots(place)]
    number, entry, report = slots.index(key), moves.find(place, key), moves.report(place, key)
    bypassed = entry is not None and entry.bypass
    menu = QMenu(f"{number + 1}. {moves.title(place, key)} ({status_title(status)})".replace("&", "&&"), parent)

    def shift(by: int) -> None:
        if slot is not None:
            slot.shift(by)
        else:
            moves.shift(place, key, number + by)

    items = (
        (_tr("Edit …"), True, lambda: desk.edit(place, key)),
        (_tr("Plugin's own window"), report is not None and report.editor, lambda: moves.open_editor(place, key)),
        (_tr("Switch on") if bypassed else _tr("Bypass"), True, lambda: moves.bypass(place, key, not bypassed)),
        (_tr("Start again"), status in ("failed", "missing"), lambda: moves.start_again(place, key)),
        (_tr("Replace …"), True, lambda: desk.browse(place, key)),
        (_tr("Move up"), number > 0, lambda: shift(-1)),
        (_tr("Move down"), number < len(slots) - 1, lambda: shift(1)),
        (_tr("Remove"), True, lambda: moves.remove(place, key)),
    )
    for text, possible, act in items:
        action = menu.addAction(text)
        assert action is not None
        action.setEnabled(possible)
        action.triggered.connect(lambda _, do=act: do())
    return menu


def _tr(text: str) -> str:
    return QCoreApplication.translate("InsertMenu", text)
