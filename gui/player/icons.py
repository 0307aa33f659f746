"""Small drawings for buttons, in the colours of the theme. A button with one still has its accessible name."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache

from PyQt6.QtCore import QPointF, QRectF, Qt
from PyQt6.QtGui import QColor, QIcon, QPainter, QPainterPath, QPen, QPixmap, QPolygonF

from gui import theme

SIZE = 24
"""The grid of the drawings; pictures are twice as large, for screens of 200 %."""


def icon(name: str, colour: str = "") -> QIcon:
    """The drawing ``name`` of ``DRAWINGS``, in the text's colour unless told otherwise."""
    colours = theme.current()
    return _drawn(name, colour or colours.text, theme.blend(colours.muted_text, colours.window, 0.5))


@lru_cache(maxsize=64)
def _drawn(name: str, colour: str, disabled: str) -> QIcon:
    """Drawn once: Qt keeps the scaled pictures of each icon that was ever shown, up to 10 MiB (``QPixmapCache``)."""
    made = QIcon()
    for mode, paint in ((QIcon.Mode.Normal, colour), (QIcon.Mode.Disabled, disabled)):
        pixmap = QPixmap(2 * SIZE, 2 * SIZE)
        pixmap.fill(Qt.GlobalColor.transparent)
        painter = QPainter(pixmap)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.scale(2, 2)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QColor(paint))
        DRAWINGS[name](painter, QColor(paint))
        painter.end()
        made.addPixmap(pixmap, mode)
    return made


def _triangle(painter: QPainter, *points: tuple[float, float]) -> None:
    painter.drawPolygon(QPolygonF([QPointF(x, y) for x, y in points]))


def _play(painter: QPainter, colour: QColor) -> None:
    _triangle(painter, (7, 4), (7, 20), (20, 12))


def _pause(painter: QPainter, colour: QColor) -> None:
    painter.drawRoundedRect(QRectF(6, 4, 4.5, 16), 1, 1)
    painter.drawRoundedRect(QRectF(13.5, 4, 4.5, 16), 1, 1)


def _start(painter: QPainter, colour: QColor) -> None:
    painter.drawRoundedRect(QRectF(4, 5, 2.6, 14), 1, 1)
    _triangle(painter, (20, 5), (20, 19), (8, 12))


def _back(painter: QPainter, colour: QColor) -> None:
    _triangle(painter, (12, 5), (12, 19), (3, 12))
    _triangle(painter, (21, 5), (21, 19), (12, 12))


def _forward(painter: QPainter, colour: QColor) -> None:
    _triangle(painter, (3, 5), (3, 19), (12, 12))
    _triangle(painter, (12, 5), (12, 19), (21, 12))


def _record(painter: QPainter, colour: QColor) -> None:
    painter.drawEllipse(QRectF(5, 5, 14, 14))


def _stop(painter: QPainter, colour: QColor) -> None:
    painter.drawRoundedRect(QRectF(6, 6, 12, 12), 2, 2)


def _open(painter: QPainter, colour: QColor) -> None:
    path = QPainterPath(QPointF(3, 19))
    for x, y in ((3, 5.5), (9.5, 5.5), (11.5, 8), (20, 8), (20, 10.5)):
        path.lineTo(x, y)
    path.moveTo(3, 19)
    for x, y in ((6, 10.5), (22, 10.5), (19, 19), (3, 19)):
        path.lineTo(x, y)
    painter.setBrush(Qt.BrushStyle.NoBrush)
    painter.setPen(QPen(colour, 1.8, Qt.PenStyle.SolidLine, Qt.PenCapStyle.RoundCap, Qt.PenJoinStyle.RoundJoin))
    painter.drawPath(path)


def _line(painter: QPainter, colour: QColor) -> None:
    painter.setBrush(Qt.BrushStyle.NoBrush)
    painter.setPen(QPen(colour, 1.6, Qt.PenStyle.SolidLine, Qt.PenCapStyle.RoundCap, Qt.PenJoinStyle.RoundJoin))


def _demo(painter: QPainter, colour: QColor) -> None:
    """Two notes."""
    painter.drawEllipse(QRectF(3, 15.5, 6.5, 5))
    painter.drawEllipse(QRectF(14, 13, 6.5, 5))
    _line(painter, colour)
    for start, end in (((9, 18), (9, 5.5)), ((20, 15.5), (20, 3)), ((9, 5.5), (20, 3)), ((9, 8.5), (20, 6))):
        painter.drawLine(QPointF(*start), QPointF(*end))


def _microphone(painter: QPainter, colour: QColor) -> None:
    painter.drawRoundedRect(QRectF(9, 2.5, 6, 11), 3, 3)
    _line(painter, colour)
    painter.drawArc(QRectF(5.5, 5, 13, 12), 180 * 16, 180 * 16)
    painter.drawLine(QPointF(12, 17), QPointF(12, 21))
    painter.drawLine(QPointF(8, 21), QPointF(16, 21))


def _keyboard(painter: QPainter, colour: QColor) -> None:
    for x in (6.6, 11.2, 15.8):
        painter.drawRect(QRectF(x, 5, 2.4, 7.5))
    _line(painter, colour)
    painter.drawRoundedRect(QRectF(2.5, 5, 19, 14), 1.5, 1.5)
    for x in (7.8, 12.4, 17):
        painter.drawLine(QPointF(x, 12.5), QPointF(x, 19))


DRAWINGS: dict[str, Callable[[QPainter, QColor], None]] = {
    "play": _play, "pause": _pause, "start": _start, "back": _back, "forward": _forward, "record": _record, "stop": _stop,
    "open": _open, "demo": _demo, "microphone": _microphone, "keyboard": _keyboard,
}  # fmt: skip
