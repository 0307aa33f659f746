"""The application's icon: four faders in the colours of the stems, drawn at every size that desktops ask for."""

from __future__ import annotations

from PyQt6.QtCore import QRectF, Qt
from PyQt6.QtGui import QColor, QIcon, QPainter, QPixmap

from gui import theme

SIZES = (16, 24, 32, 48, 64, 128, 256)
STEMS = ("drums", "bass", "other", "vocals")
LEVELS = (0.35, 0.62, 0.48, 0.2)
"""Positions of the four knobs, from the top."""


def app_icon() -> QIcon:
    """The icon. Qt's application must exist."""
    made = QIcon()
    for size in SIZES:
        pixmap = QPixmap(size, size)
        pixmap.fill(Qt.GlobalColor.transparent)
        painter = QPainter(pixmap)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.scale(size / 32, size / 32)
        _draw(painter)
        painter.end()
        made.addPixmap(pixmap)
    return made


def _draw(painter: QPainter) -> None:
    """Draw the icon on a grid of 32 units."""
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(QColor("#1b1f26"))
    painter.drawRoundedRect(QRectF(0, 0, 32, 32), 7, 7)
    for k, (stem, level) in enumerate(zip(STEMS, LEVELS, strict=True)):
        x, colour = 7.0 + 6.0 * k, QColor(theme.stem_colour(stem))
        top = 5 + 22 * level
        painter.setBrush(QColor("#3a404a"))
        painter.drawRoundedRect(QRectF(x - 0.75, 5, 1.5, 22), 0.75, 0.75)
        painter.setBrush(colour)
        painter.drawRoundedRect(QRectF(x - 0.75, top, 1.5, 27 - top), 0.75, 0.75)
        painter.drawRoundedRect(QRectF(x - 2.4, top - 2, 4.8, 4), 1.2, 1.2)
