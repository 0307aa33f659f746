"""A pan knob: left, centre, right."""

from __future__ import annotations

import math

from PyQt6.QtCore import QPointF, QRectF, QSize, Qt
from PyQt6.QtGui import QColor, QPainter, QPaintEvent, QPen
from PyQt6.QtWidgets import QSizePolicy, QWidget

from gui import theme
from gui.widgets.slider import DragSlider

SWEEP = 270.0
"""Degrees from one end to the other."""


def pan_text(value: int) -> str:
    """``C``, ``L 30``, ``R 100``."""
    return "C" if value == 0 else f"{'L' if value < 0 else 'R'} {abs(value)}"


class PanKnob(DragSlider):
    """-100 (left) to 100 (right); drag up or right, double click for the centre."""

    def __init__(self, colour: str, parent: QWidget | None = None) -> None:
        super().__init__(-100, 100, 0, parent)
        self.setSingleStep(5)
        self.setPageStep(25)
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)
        self.colour, self.dimmed, self._side = colour, False, 36

    def set_small(self, small: bool) -> None:
        """Make the knob small, to fit beside a name."""
        self._side = 28 if small else 36
        self.updateGeometry()

    def sizeHint(self) -> QSize:  # noqa: N802
        return QSize(self._side, self._side)

    def minimumSizeHint(self) -> QSize:  # noqa: N802
        return self.sizeHint()

    def _distance(self, last: QPointF, now: QPointF) -> float:
        return (last.y() - now.y()) + (now.x() - last.x())

    def paintEvent(self, event: QPaintEvent | None) -> None:  # noqa: N802
        c = theme.current()
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        ring = QRectF(4, 4, self.width() - 8, self.height() - 8)
        pen = QPen(QColor(c.border), 3.5)
        pen.setCapStyle(Qt.PenCapStyle.RoundCap)
        painter.setPen(pen)
        painter.drawArc(ring, round((90 + SWEEP / 2) * 16), round(-SWEEP * 16))
        turned = self.value() / 100 * SWEEP / 2
        pen.setColor(QColor(theme.blend(self.colour, c.panel, 0.55 if self.dimmed else 0.0)))
        painter.setPen(pen)
        if self.value():
            painter.drawArc(ring, 90 * 16, round(-turned * 16))
        middle, angle = ring.center(), math.radians(turned - 90)
        reach = ring.width() / 2
        direction = QPointF(math.cos(angle), math.sin(angle))
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QColor(theme.blend(c.raised, c.text, 0.12)))
        painter.drawEllipse(middle, reach - 5, reach - 5)
        if self.hasFocus():
            painter.setPen(QPen(QColor(c.accent), 2))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawEllipse(middle, reach - 5, reach - 5)
        pen.setColor(QColor(c.muted_text if self.dimmed else c.text))
        pen.setWidthF(2.5)
        painter.setPen(pen)
        painter.drawLine(middle + direction * (reach * 0.25), middle + direction * (reach - 6.5))
