"""A scrolling picture: new columns appear at the right; axes show seconds and the meaning of the rows.

The pixels are in a ring buffer that is painted in two pieces, so that only the pixels of new columns are written.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pyqtgraph as pg
from PyQt6.QtCore import QPointF, QRectF, Qt, pyqtSignal
from PyQt6.QtGui import QColor, QFont, QImage, QPainter, QPaintEvent
from PyQt6.QtWidgets import QWidget

from gui import theme
from gui.views.frame_rate import FrameRateLimiter

Pixels = npt.NDArray[np.uint32]
Ticks = list[tuple[float, str]]


class RingImage(pg.GraphicsObject):  # type: ignore[misc]
    """``columns`` by ``rows`` pixels between ``-seconds - lag`` and ``-lag`` on the time axis, row 0 at the bottom."""

    def __init__(self, columns: int, rows: int, seconds: float, lag: float) -> None:
        super().__init__()
        self.columns, self.rows, self.seconds, self.lag = columns, rows, seconds, lag
        self.pixels: Pixels = np.zeros((rows, columns), np.uint32)
        self._image = QImage(self.pixels.data, columns, rows, 4 * columns, QImage.Format.Format_RGB32)  # type: ignore[call-overload]
        self.next = 0
        self.smooth = True

    def append(self, columns: Pixels) -> None:
        """Append columns ``(k, rows)``, replacing the oldest ones."""
        columns = columns[-self.columns :]
        first = min(len(columns), self.columns - self.next)
        self.pixels[:, self.next : self.next + first] = columns[:first].T
        self.pixels[:, : len(columns) - first] = columns[first:].T
        self.next = (self.next + len(columns)) % self.columns
        self.update()

    def boundingRect(self) -> QRectF:  # noqa: N802 (Qt's name)
        return QRectF(-self.seconds - self.lag, 0, self.seconds, self.rows)

    def paint(self, painter: QPainter | None, *_: Any) -> None:
        assert painter is not None
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform, self.smooth)
        old = self.columns - self.next
        width = self.seconds / self.columns
        left = -self.seconds - self.lag
        painter.drawImage(QRectF(left, 0, old * width, self.rows), self._image, QRectF(self.next, 0, old, self.rows))
        if self.next:
            painter.drawImage(
                QRectF(left + old * width, 0, self.next * width, self.rows),
                self._image,
                QRectF(0, 0, self.next, self.rows),
            )


class ScrollPlot(pg.PlotWidget):  # type: ignore[misc]
    """Axes around a ``RingImage``.

    Signals:
        pointed(float, float): the mouse is over this time (seconds, negative) and row. ``left()``: it left the picture.
    """

    pointed = pyqtSignal(float, float)
    left = pyqtSignal()

    def __init__(self, frame_rate: FrameRateLimiter, parent: QWidget | None = None) -> None:
        super().__init__(parent, enableMenu=False)
        self._frame_rate = frame_rate
        self.image: RingImage | None = None
        self._levels: list[pg.InfiniteLine] = []
        self.hideButtons()
        self.setMouseEnabled(False, False)
        self.getPlotItem().setContentsMargins(0, 10, 14, 0)
        self.getViewBox().setDefaultPadding(0)
        self.scene().sigMouseMoved.connect(self._moved)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)

    def show_ring(self, columns: int, rows: int, seconds: float, lag: float) -> RingImage:
        """Start a new, empty picture."""
        if self.image is not None:
            self.removeItem(self.image)
        self.image = RingImage(columns, rows, seconds, lag)
        self.addItem(self.image)
        self.setRange(xRange=(-seconds, 0), yRange=(0, rows), padding=0, disableAutoRange=True)
        self.getAxis("bottom").setTicks([[(-t, f"−{t:g}" if t else "0") for t in np.arange(0, seconds + 0.1, 1.0)]])
        return self.image

    def set_rows(self, name: str, ticks: Ticks) -> None:
        """Set the name and ticks of the vertical axis, ``(row, text)``."""
        self.setLabel("left", name)
        axis = self.getAxis("left")
        axis.setTicks([ticks])
        widest = max((self.fontMetrics().horizontalAdvance(text) for _, text in ticks), default=0)
        axis.setWidth(widest + self.fontMetrics().height() + 16)

    def paint_theme(self) -> None:
        """Apply the colours of the present palette."""
        palette = theme.current()
        self.setBackground(palette.panel)
        font = QFont(self.font())
        for side in ("left", "bottom"):
            axis = self.getAxis(side)
            axis.setPen(QColor(palette.border))
            axis.setTextPen(QColor(palette.muted_text))
            axis.setStyle(tickFont=font, tickLength=-4, hideOverlappingLabels=side == "left")
        self.setLabel("bottom", self.tr("seconds ago"), color=palette.muted_text)
        self.getAxis("left").label.setDefaultTextColor(QColor(palette.muted_text))

    def paintEvent(self, event: QPaintEvent | None) -> None:  # noqa: N802 (Qt's name)
        with self._frame_rate.work():
            super().paintEvent(event)

    def leaveEvent(self, event: Any) -> None:  # noqa: N802 (Qt's name)
        self.left.emit()
        super().leaveEvent(event)

    def _moved(self, place: QPointF) -> None:
        box = self.getViewBox()
        if self.image is None or not box.sceneBoundingRect().contains(place):
            self.left.emit()
            return
        point = box.mapSceneToView(place)
        self.pointed.emit(float(point.x()), float(point.y()))
