"""The A/B button: original mix or separated stems."""

from __future__ import annotations

from PyQt6.QtCore import QRectF, QSize, Qt
from PyQt6.QtGui import QColor, QPainter, QPaintEvent, QPen
from PyQt6.QtWidgets import QAbstractButton, QSizePolicy, QWidget

from gui import theme


class CompareButton(QAbstractButton):
    """Checked plays A, the original mix; else B, the separated stems. The half that is heard is filled."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setCheckable(True)
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)
        self.setAccessibleName(self.tr("A/B: original mix or separated stems"))
        self.setToolTip(self.tr("Compare the original mix with the sum of the stems (Ctrl+D)"))
        self.toggled.connect(self._describe)
        self._describe(False)

    def halves(self) -> tuple[str, str]:
        """What the two halves say."""
        return self.tr("A  Original"), self.tr("B  Stems")

    def _describe(self, original: bool) -> None:
        self.setAccessibleDescription(self.halves()[0 if original else 1])

    def sizeHint(self) -> QSize:  # noqa: N802 - Qt's name
        metrics = self.fontMetrics()
        width = max(metrics.horizontalAdvance(text) for text in self.halves()) + 28
        return QSize(2 * width, metrics.height() + 14)

    def paintEvent(self, event: QPaintEvent | None) -> None:  # noqa: N802
        c = theme.current()
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        frame = QRectF(self.rect()).adjusted(0.5, 0.5, -0.5, -0.5)
        painter.setPen(QPen(QColor(c.accent if self.hasFocus() else c.border), 1))
        painter.setBrush(QColor(c.raised))
        painter.drawRoundedRect(frame, 6, 6)
        half = frame.width() / 2
        for index, text in enumerate(self.halves()):
            place = QRectF(frame.left() + index * half, frame.top(), half, frame.height())
            heard = (index == 0) == self.isChecked()
            if heard:
                painter.setPen(Qt.PenStyle.NoPen)
                painter.setBrush(QColor(c.accent))
                painter.drawRoundedRect(place.adjusted(2, 2, -2, -2), 4, 4)
            painter.setFont(theme.font(bold=heard))
            painter.setPen(QColor(c.on_accent if heard else c.muted_text))
            painter.drawText(place, Qt.AlignmentFlag.AlignCenter, text)
