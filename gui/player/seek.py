"""A slider through the song, with the loop drawn on it."""

from __future__ import annotations

from PyQt6.QtCore import QRectF, QSize, Qt, pyqtSignal
from PyQt6.QtGui import QColor, QMouseEvent, QPainter, QPaintEvent, QPen
from PyQt6.QtWidgets import QSizePolicy, QSlider, QWidget

from gui import theme
from gui.player.times import clock

STEP_MS = 5000


class SeekSlider(QSlider):
    """In milliseconds. ``wanted(float)`` is a place in seconds that a person chose; while it is dragged the song stays put."""

    wanted = pyqtSignal(float)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(Qt.Orientation.Horizontal, parent)
        self.loop: tuple[float, float] | None = None
        self.mark: float | None = None
        self.setSingleStep(STEP_MS)
        self.setPageStep(3 * STEP_MS)
        self.setAccessibleName(self.tr("Position in the song"))
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setMinimumWidth(60)
        self.actionTriggered.connect(self._acted)
        self.sliderReleased.connect(lambda: self.wanted.emit(self.value() / 1000))

    def show_place(self, position_s: float, length_s: float) -> None:
        """Follow the song, unless the handle is being dragged."""
        self.setMaximum(max(0, round(1000 * length_s)))
        if not self.isSliderDown():
            self.setValue(round(1000 * position_s))
        self.setAccessibleDescription(self.tr("{} of {}").format(clock(self.value() / 1000), clock(length_s)))
        self.update()

    def _acted(self, action: int) -> None:
        if QSlider.SliderAction(action) != QSlider.SliderAction.SliderMove:
            self.wanted.emit(self.sliderPosition() / 1000)

    def mousePressEvent(self, event: QMouseEvent | None) -> None:  # noqa: N802 - Qt's name
        """Move the handle to the clicked position."""
        if event is None or event.button() != Qt.MouseButton.LeftButton or self.maximum() <= 0:
            return
        self.setSliderDown(True)
        self._drag(event)

    def mouseMoveEvent(self, event: QMouseEvent | None) -> None:  # noqa: N802
        if event is not None and self.isSliderDown():
            self._drag(event)

    def mouseReleaseEvent(self, event: QMouseEvent | None) -> None:  # noqa: N802
        if self.isSliderDown():
            self.setSliderDown(False)

    def _drag(self, event: QMouseEvent) -> None:
        line = self._line()
        share = min(max(0.0, (event.position().x() - line.left()) / max(1.0, line.width())), 1.0)
        self.setSliderPosition(round(share * self.maximum()))

    def _line(self) -> QRectF:
        return QRectF(9, self.height() / 2 - 2, max(1, self.width() - 18), 4)

    def _x(self, seconds: float) -> float:
        line = self._line()
        return line.left() + line.width() * min(1.0, 1000 * seconds / max(1, self.maximum()))

    def sizeHint(self) -> QSize:  # noqa: N802
        return QSize(240, 26)

    def minimumSizeHint(self) -> QSize:  # noqa: N802
        return QSize(60, 26)

    def paintEvent(self, event: QPaintEvent | None) -> None:  # noqa: N802
        colours, line = theme.current(), self._line()
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QColor(colours.border))
        painter.drawRoundedRect(line, 2, 2)
        at = self._x(self.sliderPosition() / 1000)
        painter.setBrush(QColor(colours.accent if self.isEnabled() else colours.border))
        painter.drawRoundedRect(QRectF(line.left(), line.top(), at - line.left(), line.height()), 2, 2)
        painter.setBrush(QColor(colours.warning))
        if self.loop is not None:
            start, end = (self._x(x) for x in self.loop)
            painter.drawRect(QRectF(start, line.top() - 5, max(2.0, end - start), 3))
        elif self.mark is not None:
            painter.drawRect(QRectF(self._x(self.mark) - 1, line.top() - 6, 2, 16))
        if self.isEnabled() and self.maximum() > 0:
            painter.setBrush(QColor(colours.text))
            painter.setPen(QPen(QColor(colours.accent), 2) if self.hasFocus() else Qt.PenStyle.NoPen)
            painter.drawEllipse(QRectF(at - 7, self.height() / 2 - 7, 14, 14))
