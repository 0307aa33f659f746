"""A piano on the screen with as many octaves as fit, played by mouse or touch. The velocity rises towards the lower end of a key."""

from __future__ import annotations

from dataclasses import dataclass

from PyQt6.QtCore import QEvent, QPointF, QRectF, QSize, Qt
from PyQt6.QtGui import (
    QColor,
    QFocusEvent,
    QHideEvent,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QPen,
    QTouchEvent,
)
from PyQt6.QtWidgets import QSizePolicy, QWidget

from gui import theme
from gui.instrument.notes import PIANO_KEYS, ComputerKeys, Notes

WHITE = (0, 2, 4, 5, 7, 9, 11)
BLACK_SHARE = 0.62
"""Ratio of the length of a black key to that of a white one."""

KEY_WIDTH = 30
SOFTEST = 16


@dataclass(frozen=True)
class Key:
    """One key: its MIDI note and its position."""

    note: int
    black: bool
    place: QRectF


class Keyboard(QWidget):
    """Plays through ``notes``; ``sounding`` (from the engine, so of MIDI keyboards too) are lit as well."""

    def __init__(self, notes: Notes, keys: ComputerKeys, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._notes, self._keys = notes, keys
        self.sounding: frozenset[int] = frozenset()
        self.range = (0, 127)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setAttribute(Qt.WidgetAttribute.WA_AcceptTouchEvents)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setMinimumSize(7 * 24, 112)
        self.setAccessibleName(self.tr("Piano keyboard"))
        self.setAccessibleDescription(
            self.tr(
                "Keys A W S E D F T G Y H U J K O L P play, Z and X change the octave, C and V the velocity, space is the pedal."
            )
        )
        notes.changed.connect(self.update)
        keys.moved.connect(self.update)

    def sizeHint(self) -> QSize:  # noqa: N802 - Qt's names here and below
        return QSize(36 * KEY_WIDTH, 150)

    # -- where the keys are -----------------------------------------------------------------------------------------------

    @property
    def octaves(self) -> int:
        """Number of visible octaves."""
        return max(1, min(9, self.width() // (7 * KEY_WIDTH)))

    @property
    def first(self) -> int:
        """The lowest visible note: a C, chosen so that the octave of the computer's keys is near the middle."""
        shown = self.octaves
        first = self._keys.base // 12 - (shown - 1) // 2
        return 12 * max(0, min(first, 10 - shown))

    def keys(self) -> list[Key]:
        """All visible keys, white ones first, in the order of painting."""
        whites = [
            note for note in range(self.first, self.first + 12 * self.octaves + 1) if note % 12 in WHITE and note < 128
        ]
        width, height = self.width() / len(whites), float(self.height())
        found = [Key(note, False, QRectF(i * width, 0, width, height)) for i, note in enumerate(whites)]
        for i, note in enumerate(whites[:-1]):
            if whites[i + 1] - note == 2:
                place = QRectF((i + 1) * width - 0.31 * width, 0, 0.62 * width, BLACK_SHARE * height)
                found.append(Key(note + 1, True, place))
        return found

    def key_at(self, point: QPointF) -> tuple[int, int] | None:
        """Note and velocity at a position; None outside the keys."""
        for key in reversed(self.keys()):
            if key.place.contains(point):
                depth = (point.y() - key.place.top()) / key.place.height()
                return key.note, round(SOFTEST + (127 - SOFTEST) * min(1.0, max(0.0, depth * 1.05)))
        return None

    def place_of(self, note: int) -> QPointF:
        """A point that belongs only to this key, near its lower end."""
        key = next(key for key in self.keys() if key.note == note)
        return QPointF(key.place.center().x(), key.place.bottom() - 0.1 * key.place.height())

    # -- mouse and fingers ------------------------------------------------------------------------------------------------

    def _touch(self, source: tuple[str, int], point: QPointF) -> None:
        found = self.key_at(point)
        if found is None:
            self._notes.release(source)
        elif self._notes.holds(source) != found[0]:
            self._notes.press(source, *found)

    def mousePressEvent(self, event: QMouseEvent | None) -> None:  # noqa: N802
        if event is not None and event.button() == Qt.MouseButton.LeftButton:
            self._touch(("mouse", 0), event.position())

    def mouseMoveEvent(self, event: QMouseEvent | None) -> None:  # noqa: N802
        if event is not None and event.buttons() & Qt.MouseButton.LeftButton:
            self._touch(("mouse", 0), event.position())

    def mouseReleaseEvent(self, event: QMouseEvent | None) -> None:  # noqa: N802
        if event is not None and event.button() == Qt.MouseButton.LeftButton:
            self._notes.release(("mouse", 0))

    def event(self, event: QEvent | None) -> bool:
        if isinstance(event, QTouchEvent):
            self._touches(event)
            event.accept()
            return True
        if isinstance(event, QKeyEvent) and event.type() == QEvent.Type.ShortcutOverride and event.key() == Qt.Key.Key_Space:
            event.accept()  # here it is the pedal, not the shortcut that plays
            return True
        return super().event(event)

    def _touches(self, event: QTouchEvent) -> None:
        if event.type() == QEvent.Type.TouchCancel:
            self._notes.release_kind("touch")
            return
        for point in event.points():
            self.finger(point.id(), point.state().name != "Released", self.mapFromGlobal(point.globalPosition()))

    def finger(self, number: int, down: bool, place: QPointF) -> None:
        """Handle touch point ``number`` at ``place``, pressed or released."""
        if down:
            self._touch(("touch", number), place)
        else:
            self._notes.release(("touch", number))

    def hideEvent(self, event: QHideEvent | None) -> None:  # noqa: N802
        self._notes.release_all()
        super().hideEvent(event)

    def focusInEvent(self, event: QFocusEvent | None) -> None:  # noqa: N802
        super().focusInEvent(event)
        self.update()

    # -- picture ----------------------------------------------------------------------------------------------------------

    def paintEvent(self, event: QPaintEvent | None) -> None:  # noqa: N802
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        held = self._notes.held
        for key in self.keys():
            self._paint_key(painter, key, key.note in held, key.note in self.sounding)
        if self.hasFocus():
            painter.setPen(QPen(QColor(theme.current().accent), 2))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawRoundedRect(QRectF(self.rect()).adjusted(1, 1, -1, -1), 4, 4)

    def _paint_key(self, painter: QPainter, key: Key, held: bool, sounding: bool) -> None:
        colour = QColor("#23272e" if key.black else "#f6f6f2")
        if not self.range[0] <= key.note <= self.range[1]:
            colour = QColor("#454a52" if key.black else "#c9cbd0")
        if held or sounding:
            colour = QColor(
                theme.stem_colour("instrument")
                if held
                else theme.blend(theme.stem_colour("instrument"), colour.name(), 0.35)
            )
        painter.setPen(QPen(QColor("#5b616b" if not key.black else "#0c0e11"), 1))
        painter.setBrush(colour)
        place = key.place.adjusted(0.5, -4, -0.5, -1)
        painter.drawRoundedRect(place, 4, 4)
        self._paint_words(painter, key, colour)

    def _paint_words(self, painter: QPainter, key: Key, colour: QColor) -> None:
        index = key.note - self._keys.base
        letter = PIANO_KEYS[index].upper() if 0 <= index < len(PIANO_KEYS) else ""
        painter.setPen(QColor("#15181d" if colour.lightnessF() > 0.5 else "#f2f4f7"))
        line = painter.fontMetrics().height()
        box = QRectF(key.place.left(), key.place.bottom() - 2 * line - 6, key.place.width(), line)
        if letter:
            painter.drawText(box.translated(0, 0 if not key.black else line), Qt.AlignmentFlag.AlignCenter, letter)
        if key.note % 12 == 0:
            font = painter.font()
            small = theme.font(8)
            painter.setFont(small)
            painter.drawText(box.translated(0, line), Qt.AlignmentFlag.AlignCenter, f"C{key.note // 12 - 1}")
            painter.setFont(font)
