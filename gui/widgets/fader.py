"""A fader in dB with a musical taper."""

from __future__ import annotations

import math

from PyQt6.QtCore import QPointF, QRectF, QSize, Qt, pyqtSignal
from PyQt6.QtGui import QColor, QPainter, QPaintEvent, QPen
from PyQt6.QtWidgets import QSizePolicy, QWidget

from gui import theme
from gui.widgets import taper
from gui.widgets.slider import DragSlider

SILENT = round(taper.FLOOR_DB * 10)
"""The slider's value (tenths of a dB) that means -inf."""

MARGIN = 12
"""Margin above and below the travel, so that the cap stays inside; the meter uses the same."""

CAP = QSize(30, 20)


def tenths(db: float) -> int:
    """Convert dB to the slider's value."""
    return max(SILENT, min(round(taper.TOP_DB * 10), round(db * 10))) if math.isfinite(db) else SILENT


def decibels(value: int) -> float:
    """Inverse of ``tenths``."""
    return -math.inf if value <= SILENT else value / 10


class Fader(DragSlider):
    """Vertical fader, -inf to +6 dB.

    Signals:
        moved_db(float, int): the level that the user set, and the gesture to which it belongs.
    """

    moved_db = pyqtSignal(float, int)

    def __init__(self, colour: str, parent: QWidget | None = None) -> None:
        super().__init__(SILENT, round(taper.TOP_DB * 10), 0, parent)
        self.setOrientation(Qt.Orientation.Vertical)
        self.setSingleStep(5)
        self.setPageStep(30)
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Expanding)
        self.colour, self.dimmed = colour, False
        self.moved.connect(lambda value, gesture: self.moved_db.emit(decibels(value), gesture))

    def show_db(self, db: float) -> None:
        """Show a level, unless the fader is being dragged."""
        self.show_value(tenths(db))

    def place_of(self, value: int) -> float:
        return taper.place(decibels(value))

    def value_at(self, place: float) -> int:
        return tenths(taper.level(place))

    def travel(self) -> float:
        return float(self.height() - 2 * MARGIN)

    def sizeHint(self) -> QSize:  # noqa: N802
        return QSize(70, 220)

    def minimumSizeHint(self) -> QSize:  # noqa: N802
        return QSize(70, 84)

    def paintEvent(self, event: QPaintEvent | None) -> None:  # noqa: N802
        c = theme.current()
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        bottom, middle = float(self.height() - MARGIN), self.width() - CAP.width() / 2 - 3.0
        y = bottom - self.travel() * self.place_of(self.value())
        self._paint_scale(painter, bottom, middle)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QColor(c.border))
        painter.drawRoundedRect(QRectF(middle - 2, MARGIN, 4, self.travel()), 2, 2)
        painter.setBrush(QColor(theme.blend(self.colour, c.panel, 0.7 if self.dimmed else 0.3)))
        painter.drawRoundedRect(QRectF(middle - 2, y, 4, bottom - y), 2, 2)
        self._paint_cap(painter, middle, y)

    def _paint_scale(self, painter: QPainter, bottom: float, middle: float) -> None:
        c = theme.current()
        painter.setFont(theme.font(7.5))
        height = painter.fontMetrics().height()
        marks: list[tuple[str, float]] = [
            (f"{db:+d}" if db > 0 else str(db).replace("-", "−"), taper.place(db)) for db in taper.TICKS_DB
        ]
        last = math.inf
        for text, place in [("−∞", 0.0), *reversed(marks)]:
            y = bottom - self.travel() * place
            strong = text == "0"
            painter.setPen(QPen(QColor(c.muted_text if strong else c.border), 1))
            painter.drawLine(QPointF(middle - 20, y), QPointF(middle - 5, y))
            if last - y < height * 0.82:
                continue  # no room for this number
            last = y
            painter.setPen(QColor(c.text if strong else c.muted_text))
            painter.drawText(
                QRectF(0, y - height / 2, middle - 23, height),
                Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter,
                text,
            )

    def _paint_cap(self, painter: QPainter, middle: float, y: float) -> None:
        c = theme.current()
        cap = QRectF(middle - CAP.width() / 2, y - CAP.height() / 2, CAP.width(), CAP.height())
        dark = c.name == "dark"
        body = theme.blend(c.raised, c.text, 0.22 if dark else 0.0) if not self.dimmed else c.raised
        if self.isSliderDown():
            body = theme.blend(body, c.text, 0.15)
        painter.setBrush(QColor(body))
        edge = QColor(c.accent) if self.hasFocus() else QColor(theme.blend(c.border, c.text, 0.25))
        painter.setPen(QPen(edge, 2 if self.hasFocus() else 1))
        painter.drawRoundedRect(cap.adjusted(0.5, 0.5, -0.5, -0.5), 5, 5)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QColor(theme.blend(self.colour, c.panel, 0.5 if self.dimmed else 0.0)))
        painter.drawRoundedRect(QRectF(cap.left() + 6, y - 1.5, cap.width() - 12, 3), 1.5, 1.5)
