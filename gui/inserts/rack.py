"""The slots of a strip, and the strip of a live input, which has only slots."""

from __future__ import annotations

from PyQt6.QtCore import QPoint, Qt, pyqtSignal
from PyQt6.QtGui import QDragEnterEvent, QDragLeaveEvent, QDropEvent
from PyQt6.QtWidgets import QFrame, QMenu, QPushButton, QSizePolicy, QVBoxLayout, QWidget

from gui import theme
from gui.insert_moves import INPUT
from gui.inserts.denoise import DenoiseSwitch
from gui.inserts.desk import InsertDesk
from gui.inserts.instrument import InstrumentButton
from gui.inserts.slot import HEIGHT, MIME, InsertSlot, slot_menu
from gui.widgets.plain import PlainLabel, plain
from gui.widgets.popup import pop_up
from gui.widgets.toggle import polish
from rtaudio.protocol.parameters import MAX_SLOTS
from rtaudio.protocol.reports import Snapshot


class InsertRack(QFrame):
    """The slots of ``place``. ``show_rows`` sets how many are visible; in a low window a button with a menu replaces them."""

    def __init__(self, desk: InsertDesk, place: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.desk, self.place, self.moves = desk, place, desk.moves
        self.compact, self._narrow, self._rows = False, False, 1
        self.beside: InstrumentButton | None = None
        """What else the button with the menu stands for: on the strip of the instrument, the plugin that plays."""
        self.setProperty("rack", True)
        self.setAcceptDrops(True)
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Fixed)
        self.setAccessibleName(self.tr("Effects of {}").format(theme.stem_title(place)))
        self._column = column = QVBoxLayout(self)
        column.setContentsMargins(6, 0, 6, 0)
        column.setSpacing(2)
        self.slots = [InsertSlot(desk, place, number) for number in range(MAX_SLOTS)]
        for slot in self.slots:
            slot.shifted.connect(lambda number: self.slots[number].name.setFocus())
            column.addWidget(slot)
        self.small = QPushButton()
        self.small.setProperty("kind", "slots")
        self.small.setFixedHeight(HEIGHT)
        self.small.clicked.connect(self._open_menu)
        column.addWidget(self.small)
        self.show_rows(1)
        self.show_state()

    @property
    def filled(self) -> int:
        """Number of filled slots."""
        return len(self.moves.slots(self.place))

    def show_rows(self, rows: int) -> None:
        """Show this many slots, filled or not."""
        self._rows = rows
        for slot in self.slots:
            slot.setVisible(slot.number < rows and not self.compact)
        self.small.setVisible(self.compact)

    def set_compact(self, compact: bool, narrow: bool = False) -> None:
        """Show one button for all slots, or not; ``narrow``: a small one."""
        self.compact, self._narrow = compact, narrow
        self._column.setContentsMargins(*((0, 0, 0, 0) if narrow else (6, 0, 6, 0)))
        self.show_rows(self._rows)
        self.show_state()

    def show_state(self) -> None:
        """Show the contents of the slots."""
        for slot in self.slots:
            slot.show_state()
        some, none = (self.tr("FX {}"), self.tr("+ FX")) if self._narrow else (self.tr("Effects {}"), self.tr("+ Effect"))
        ailing = any(slot.ailing for slot in self.slots) or (self.beside is not None and self.beside.ailing)
        text = (some.format(self.filled) if self.filled else none) + (" !" if ailing else "")
        if text != self.small.text():
            self.small.setText(text)
            told = "; ".join(slot.name.accessibleName() + ", " + slot.name.accessibleDescription() for slot in self.slots if slot.key)
            self.small.setAccessibleName(self.accessibleName())
            self.small.setAccessibleDescription(told)
            self.small.setToolTip(plain("\n".join(part for part in (self.accessibleName(), told) if part)))
            self.small.setProperty("status", "failed" if ailing else "")
            polish(self.small)

    def menu(self) -> QMenu:
        """The menu of all effects of the place, each with its actions."""
        menu = QMenu(self)
        menu.setAccessibleName(self.accessibleName())
        if self.beside is not None:
            menu.addMenu(self.beside.menu_of_actions(menu))
        for entry in self.moves.slots(self.place):
            menu.addMenu(slot_menu(None, self.desk, self.place, entry.key, menu))
        add = menu.addAction(self.tr("Add an effect …"))
        assert add is not None
        add.setEnabled(self.filled < MAX_SLOTS)
        add.triggered.connect(lambda: self.desk.browse(self.place))
        return menu

    def _open_menu(self) -> None:
        if self.filled or self.beside is not None:
            pop_up(self.menu(), self.small.mapToGlobal(QPoint(0, self.small.height())))
        else:
            self.desk.browse(self.place)

    # -- drag and drop ------------------------------------------------------------------------------------------------------

    def dragEnterEvent(self, event: QDragEnterEvent | None) -> None:  # noqa: N802 - Qt's names here and below
        data = event.mimeData() if event is not None else None
        if event is not None and data is not None and data.hasFormat(MIME):
            event.acceptProposedAction()
            self._light(True)

    def dragLeaveEvent(self, event: QDragLeaveEvent | None) -> None:  # noqa: N802
        self._light(False)

    def dropEvent(self, event: QDropEvent | None) -> None:  # noqa: N802
        """An effect from this place or from another is dropped."""
        self._light(False)
        data = event.mimeData() if event is not None else None
        if event is None or data is None or not data.hasFormat(MIME):
            return
        place, _, key = bytes(data.data(MIME).data()).decode().partition("\n")
        event.acceptProposedAction()
        self.moves.carry(place, key, self.place, self._number_at(event.position().toPoint()))

    def _number_at(self, point: QPoint) -> int:
        """The slot at a point, or the nearest one."""
        shown = [slot for slot in self.slots if not slot.isHidden()]
        below = sum(point.y() > slot.geometry().bottom() for slot in shown)
        return min(below, self.filled) if shown else self.filled

    def _light(self, lit: bool) -> None:
        self.setProperty("drop", lit)
        polish(self)


class _Column(QVBoxLayout):
    """Ignore the height of wrapped texts, which would keep all strips at their preferred height in a window that is too low for it."""

    def hasHeightForWidth(self) -> bool:  # noqa: N802 - Qt's name
        return False


class InputStrip(QFrame):
    """Effects on a live input, before it is separated. It is there unless a song plays, and says what is missing until it is heard.

    Signals:
        input_wanted(): the user wants to choose an input.
    """

    input_wanted = pyqtSignal()

    def __init__(self, desk: InsertDesk, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.desk = desk
        self.title = theme.stem_title(INPUT)
        self.setProperty("card", True)
        self.setMinimumWidth(128)
        self.setMaximumWidth(188)
        self.setAccessibleName(self.title)
        bar = QFrame()
        bar.setFixedHeight(5)
        corner = f"{theme.RADIUS - 1}px"
        bar.setStyleSheet(
            f"background: {theme.stem_colour(INPUT)}; border: 0; border-top-left-radius: {corner}; border-top-right-radius: {corner};"
        )
        self.name = PlainLabel(self.title)
        self.name.setProperty("role", "heading")
        self.name.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.name.setContentsMargins(0, 2, 0, 0)
        self.note, self.hint = PlainLabel(" "), PlainLabel()
        for label in (self.note, self.hint):
            label.setProperty("role", "small")
            label.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.hint.setWordWrap(True)
        self.hint.setMinimumHeight(3 * self.hint.fontMetrics().height())
        self.hint.setAlignment(Qt.AlignmentFlag.AlignHCenter | Qt.AlignmentFlag.AlignTop)
        self.rack = InsertRack(desk, INPUT)
        self.choose = QPushButton(self.tr("Choose …"))
        self.choose.setAccessibleName(self.tr("Choose an input"))
        self.choose.setToolTip(self.tr("Choose a microphone or another input in the settings"))
        self.choose.clicked.connect(self.input_wanted.emit)
        self.denoise = DenoiseSwitch(desk.moves)
        column = _Column(self)
        column.setContentsMargins(1, 1, 1, 12)
        column.setSpacing(6)
        for part in (bar, self.name, self.note, self.rack, self.hint):
            column.addWidget(part)
        self._switches = QVBoxLayout()
        self._switches.setContentsMargins(8, 0, 8, 0)
        self._switches.addWidget(self.choose)
        self._switches.addWidget(self.denoise)
        column.addLayout(self._switches)
        column.addStretch(1)
        self.monitor: QWidget | None = None

    def add_monitor(self, switch: QWidget) -> None:
        """Put the switch that lets the input be heard where its effects are."""
        self.monitor = switch
        self._switches.addWidget(switch)

    def show_snapshot(self, snapshot: Snapshot) -> None:
        """Show the strip unless a song plays, and say whether the input is heard."""
        song, there = bool(snapshot.transport.path), self.desk.moves.bridge.config.input != "none"
        if song != self.isHidden():
            self.setVisible(not song)
        self.choose.setVisible(not there)
        self.denoise.setVisible(there)
        if self.monitor is not None:
            self.monitor.setVisible(there)
        told = self.tr("on the live input, before it is separated")
        if not there:
            told = self.tr("for a microphone or another input")
        elif not snapshot.mixer.monitor:
            told = self.tr("not heard: Monitor is off")
        if told != self.hint.text():
            self.hint.setText(told)
        self.denoise.show_state()

    def set_compact(self, compact: bool) -> None:
        """Show fewer rows if the window is low, as on the other strips."""
        self.note.setVisible(not compact)
