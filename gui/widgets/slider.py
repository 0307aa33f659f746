"""What faders and knobs share: dragging without a jump, fine steps with Shift, wheel, arrows, reset, gestures for undo."""

from __future__ import annotations

import time

from PyQt6.QtCore import QPointF, Qt, pyqtSignal
from PyQt6.QtGui import QKeyEvent, QMouseEvent, QWheelEvent
from PyQt6.QtWidgets import QAbstractSlider, QWidget

from gui.undo import new_gesture

GESTURE_S = 0.8
"""Wheel and key steps within this time belong to one gesture."""

FINE = 0.1
NOTCH = 120


class DragSlider(QAbstractSlider):
    """A draggable value. Actions of the user or of an assistive tool emit ``moved``; ``show_value`` emits nothing.

    Signals:
        moved(int, int): new value, and the number of the gesture that it belongs to.
        let_go(): a drag has ended, so the engine's value must be shown again.
    """

    moved = pyqtSignal(int, int)
    let_go = pyqtSignal()

    def __init__(self, low: int, high: int, rest: int, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.rest = rest
        self.setRange(low, high)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self._showing = False
        self._gesture, self._stepped = new_gesture(), -GESTURE_S
        self._grabbed: tuple[QPointF, float] | None = None
        self._place = 0.0
        self._wheel = 0.0
        self.valueChanged.connect(self._tell)

    # What a kind of control decides ------------------------------------------------------------------------------

    def place_of(self, value: int) -> float:
        """Position of a value on the travel, 0 to 1."""
        return (value - self.minimum()) / (self.maximum() - self.minimum())

    def value_at(self, place: float) -> int:
        """The value at a position of the travel."""
        return round(self.minimum() + place * (self.maximum() - self.minimum()))

    def travel(self) -> float:
        """Length of the travel in pixels."""
        return 160.0

    # ---------------------------------------------------------------------------------------------------------------

    def show_value(self, value: int) -> None:
        """Show the engine's value, unless the control is being dragged."""
        if self.isSliderDown() or value == self.value():
            return
        self._showing = True
        self.setValue(value)
        self._showing = False

    def reset(self) -> None:
        """Return to the rest position, as one step of undo."""
        self._gesture = new_gesture()
        self.setValue(self.rest)
        self._gesture = new_gesture()

    def _tell(self, value: int) -> None:
        self.update()
        if not self._showing:
            self.moved.emit(value, self._gesture)

    def _begin_step(self) -> None:
        now = time.monotonic()
        if now - self._stepped > GESTURE_S:
            self._gesture = new_gesture()
        self._stepped = now

    def mousePressEvent(self, event: QMouseEvent | None) -> None:  # noqa: N802 - Qt's names here and below
        if event is None or event.button() != Qt.MouseButton.LeftButton:
            return
        self._gesture = new_gesture()
        self._place = self.place_of(self.value())
        self._grabbed = (event.globalPosition(), self._place)  # global: a notice may push the whole page down meanwhile
        self.setSliderDown(True)
        self.update()

    def mouseMoveEvent(self, event: QMouseEvent | None) -> None:  # noqa: N802
        if event is None or self._grabbed is None:
            return
        last, _ = self._grabbed
        fine = FINE if event.modifiers() & Qt.KeyboardModifier.ShiftModifier else 1.0
        self._place += fine * self._distance(last, event.globalPosition()) / max(1.0, self.travel())
        self._grabbed = (event.globalPosition(), self._place)
        self.setValue(self.value_at(min(1.0, max(0.0, self._place))))

    def _distance(self, last: QPointF, now: QPointF) -> float:
        return last.y() - now.y()

    def mouseReleaseEvent(self, event: QMouseEvent | None) -> None:  # noqa: N802
        if self._grabbed is None:
            return
        self._grabbed = None
        self._gesture = new_gesture()
        self.setSliderDown(False)
        self.update()
        self.let_go.emit()

    def mouseDoubleClickEvent(self, event: QMouseEvent | None) -> None:  # noqa: N802
        if event is not None and event.button() == Qt.MouseButton.LeftButton:
            self.reset()

    def wheelEvent(self, event: QWheelEvent | None) -> None:  # noqa: N802
        if event is None:
            return
        event.accept()
        turned = event.angleDelta()
        fine = bool(event.modifiers() & Qt.KeyboardModifier.ShiftModifier)
        self._wheel += (turned.y() or turned.x()) / NOTCH
        notches = int(self._wheel)
        if notches:
            self._wheel -= notches
            self._begin_step()
            self.setValue(self.value() + notches * (1 if fine else self.singleStep()))

    def keyPressEvent(self, event: QKeyEvent | None) -> None:  # noqa: N802
        if event is None:
            return
        if event.key() in (Qt.Key.Key_Delete, Qt.Key.Key_Backspace):
            self.reset()
            return
        self._begin_step()
        super().keyPressEvent(event)
