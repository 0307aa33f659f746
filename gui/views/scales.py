"""Legends of the views' colours: a bar in dB for the spectrogram, a scale of words for the rainbowgram."""

from __future__ import annotations

import numpy as np
from PyQt6.QtCore import QRectF, QSize, Qt
from PyQt6.QtGui import QColor, QImage, QPainter, QPaintEvent
from PyQt6.QtWidgets import QSizePolicy, QWidget

from gui import theme
from gui.views.live import colour_map, packed
from models.rainbowgram import colours


class ColourBar(QWidget):
    """Colours from bottom to top with the texts beside them.

    Args:
        kind: ``level`` (dB down to ``-range_db``) or ``hue`` (a tone below, in and above its bin).
    """

    def __init__(self, kind: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.kind, self.range_db = kind, 80.0
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Expanding)
        self.setAccessibleName(
            self.tr("Colours of levels in dB") if kind == "level" else self.tr("Colours of tones beside their bin")
        )

    def sizeHint(self) -> QSize:  # noqa: N802 (Qt's name)
        widest = max((text for _, text in self._marks()), key=len)
        return QSize(26 + self.fontMetrics().horizontalAdvance(widest), 120)

    def _marks(self) -> list[tuple[float, str]]:
        if self.kind == "hue":
            return [(0.0, self.tr("below")), (0.5, self.tr("in tune")), (1.0, self.tr("above"))]
        step = 20 if self.range_db > 40 else 10
        levels = range(0, -round(self.range_db) - 1, -step)
        return [(1 + level / self.range_db, f"{level} dB".replace("-", "−")) for level in levels]

    def paintEvent(self, event: QPaintEvent | None) -> None:  # noqa: N802 (Qt's name)
        painter = QPainter(self)
        place = np.linspace(1, 0, 128)
        pixels = packed(colours(np.ones(128), place - 0.5)) if self.kind == "hue" else packed(colour_map()(place))
        column = np.ascontiguousarray(pixels[:, None])
        image = QImage(column.data, 1, 128, 4, QImage.Format.Format_RGB32)  # type: ignore[call-overload]
        margin = self.fontMetrics().height()
        bar = QRectF(2, margin, 12, self.height() - 2 * margin)
        painter.drawImage(bar, image)
        palette = theme.current()
        painter.setPen(QColor(palette.border))
        painter.drawRect(bar)
        painter.setPen(QColor(palette.muted_text))
        for share, text in self._marks():
            y = bar.bottom() - share * bar.height()
            box = QRectF(20, y - margin, self.width() - 20, 2 * margin)
            painter.drawText(box, Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft, text)
