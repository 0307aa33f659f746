"""Controls for one parameter of an effect: a slider, a field to type into, a list of choices, a switch."""

from __future__ import annotations

import math
import re

from PyQt6.QtCore import QPointF, QRectF, QSize, Qt, pyqtSignal
from PyQt6.QtGui import QColor, QKeyEvent, QMouseEvent, QPainter, QPaintEvent, QPen, QWheelEvent
from PyQt6.QtWidgets import QComboBox, QSizePolicy, QWidget

from gui import theme
from gui.widgets.entry import NumberEntry
from gui.widgets.slider import DragSlider
from rtaudio.protocol.parameters import Parameter

FINEST = 1000
"""Number of positions of a slider without steps."""
HANDLE = 14


def read(text: str, unit: str) -> float | None:
    """The number that the user typed (``350``, ``0,5``, ``1.2 kHz``, ``2 s``), or None."""
    found = re.fullmatch(r"([+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?)\s*(.*)", text.strip().lower().replace("−", "-").replace(",", "."))
    if found is None:
        return None
    thousand = (unit == "Hz" and found[2] in ("k", "khz")) or (unit == "ms" and found[2] == "s")
    value = float(found[1]) * (1000 if thousand else 1)
    return value if math.isfinite(value) else None


class ParameterSlider(DragSlider):
    """A horizontal slider; a double click sets the default.

    Signals:
        turned(float, int): a value that the user set, and the gesture that it belongs to.
    """

    turned = pyqtSignal(float, int)

    def __init__(self, parameter: Parameter, parent: QWidget | None = None) -> None:
        self.parameter = parameter
        self._places = parameter.steps - 1 if parameter.steps > 1 else FINEST
        super().__init__(0, self._places, self.place(parameter.default), parent)
        self.setOrientation(Qt.Orientation.Horizontal)
        self.setSingleStep(1 if parameter.steps > 1 else 10)
        self.setPageStep(max(1, self._places // 10))
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.moved.connect(self._told)

    def place(self, value: float) -> int:
        """The position of a value on the slider."""
        return round(self.parameter.normal(value) * self._places)

    def show_number(self, value: float) -> None:
        """Show a value, unless the user is dragging the slider."""
        self.show_value(self.place(value))

    def travel(self) -> float:
        return float(self.width() - HANDLE)

    def sizeHint(self) -> QSize:  # noqa: N802 - Qt's names here and below
        return QSize(160, 24)

    def minimumSizeHint(self) -> QSize:  # noqa: N802
        return QSize(80, 24)

    def _distance(self, last: QPointF, now: QPointF) -> float:
        return now.x() - last.x()

    def _told(self, place: int, gesture: int) -> None:
        parameter = self.parameter
        self.turned.emit(parameter.default if place == self.rest else parameter.value(place / self._places), gesture)

    def paintEvent(self, event: QPaintEvent | None) -> None:  # noqa: N802
        c = theme.current()
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        middle, travel = self.height() / 2, self.travel()
        places = self._places or 1
        x, rest = (HANDLE / 2 + travel * at / places for at in (self.value(), self.rest))
        painter.setBrush(QColor(c.border))
        painter.drawRoundedRect(QRectF(HANDLE / 2, middle - 2, travel, 4), 2, 2)
        painter.setBrush(QColor(c.accent))
        start = HANDLE / 2 + travel * self.parameter.normal(0.0) if self.parameter.low < 0 < self.parameter.high else HANDLE / 2
        painter.drawRoundedRect(QRectF(min(start, x), middle - 2, abs(x - start), 4), 2, 2)
        painter.setBrush(QColor(c.muted_text))
        painter.drawRect(QRectF(rest - 0.75, middle - 7, 1.5, 14))
        painter.setBrush(QColor(c.text))
        painter.setPen(QPen(QColor(c.accent), 2) if self.hasFocus() else QPen(QColor(c.panel), 1))
        painter.drawEllipse(QPointF(x, middle), HANDLE / 2 - 1, HANDLE / 2 - 1)


class ValueEntry(NumberEntry):
    """Shows a parameter's value with its unit, and takes one in its range."""

    def __init__(self, parameter: Parameter, parent: QWidget | None = None) -> None:
        def typed(text: str) -> float | None:
            number = read(text, parameter.unit)
            return None if number is None else parameter.on_step(number)

        super().__init__(parameter.text, typed, parameter.default, parent)


class ChoiceBox(QComboBox):
    """A parameter whose steps have names. Double click or Del sets the default.

    Signals:
        turned(float): a value that the user chose.
    """

    turned = pyqtSignal(float)

    def __init__(self, parameter: Parameter, labels: tuple[str, ...], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.parameter = parameter
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setMinimumContentsLength(8)
        self.addItems(labels)
        self._last = max(1, len(labels) - 1)
        self.activated.connect(lambda index: self.turned.emit(parameter.value(index / self._last)))

    def show_number(self, value: float) -> None:
        """Show a value."""
        self.setCurrentIndex(round(self.parameter.normal(value) * self._last))

    def keyPressEvent(self, event: QKeyEvent | None) -> None:  # noqa: N802
        if event is not None and event.key() in (Qt.Key.Key_Delete, Qt.Key.Key_Backspace):
            self.turned.emit(self.parameter.default)
            return
        super().keyPressEvent(event)

    def mouseDoubleClickEvent(self, event: QMouseEvent | None) -> None:  # noqa: N802
        self.turned.emit(self.parameter.default)

    def wheelEvent(self, event: QWheelEvent | None) -> None:  # noqa: N802
        """The mouse wheel scrolls the editor, unless the list has the focus."""
        if event is not None and not self.hasFocus():
            event.ignore()
            return
        super().wheelEvent(event)
