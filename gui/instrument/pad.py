"""The morph pad: a point between four sounds, whose shares are bilinear in its position."""

from __future__ import annotations

from PyQt6.QtCore import QPointF, QRectF, QSize, Qt, pyqtSignal
from PyQt6.QtGui import QColor, QKeyEvent, QLinearGradient, QMouseEvent, QPainter, QPaintEvent, QPen
from PyQt6.QtWidgets import QSizePolicy, QWidget

from gui import theme

STEP, LEAP = 0.02, 0.1
CORNERS = ("top left", "top right", "bottom left", "bottom right")
Shares = tuple[float, float, float, float]


def bilinear(x: float, y: float) -> Shares:
    """Shares of the corners (in ``CORNERS``' order) at ``x`` from the left and ``y`` from the top, 0 to 1; they add up to 1."""
    return (1 - x) * (1 - y), x * (1 - y), (1 - x) * y, x * y


def place_of(shares: Shares) -> tuple[float, float]:
    """The position for these shares, exact or nearest: inverse of ``bilinear``."""
    total = sum(shares) or 1.0
    return (shares[1] + shares[3]) / total, (shares[2] + shares[3]) / total


class MorphPad(QWidget):
    """A square with a movable point.

    Signals:
        moved(float, float): the user moved the point.
    """

    moved = pyqtSignal(float, float)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.x_place, self.y_place = 0.5, 0.5
        self.dragging = False
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setCursor(Qt.CursorShape.CrossCursor)
        self.setMinimumSize(120, 120)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setAccessibleName(self.tr("Morph pad"))
        self.show_place(0.5, 0.5)

    def sizeHint(self) -> QSize:  # noqa: N802 - Qt's names here and below
        return QSize(300, 300)

    def show_place(self, x: float, y: float) -> None:
        """Show a position without emitting a signal."""
        self.x_place, self.y_place = min(1.0, max(0.0, x)), min(1.0, max(0.0, y))
        percent = [
            f"{share:.0%} {name}" for share, name in zip(bilinear(self.x_place, self.y_place), CORNERS, strict=True)
        ]
        self.setAccessibleDescription(", ".join(percent))
        self.update()

    def _move(self, x: float, y: float) -> None:
        self.show_place(x, y)
        self.moved.emit(self.x_place, self.y_place)

    def _field(self) -> QRectF:
        return QRectF(self.rect()).adjusted(10, 10, -10, -10)

    def _drag(self, point: QPointF) -> None:
        field = self._field()
        self._move((point.x() - field.left()) / field.width(), (point.y() - field.top()) / field.height())

    def mousePressEvent(self, event: QMouseEvent | None) -> None:  # noqa: N802
        if event is not None and event.button() == Qt.MouseButton.LeftButton:
            self.dragging = True
            self._drag(event.position())

    def mouseMoveEvent(self, event: QMouseEvent | None) -> None:  # noqa: N802
        if event is not None and self.dragging:
            self._drag(event.position())

    def mouseReleaseEvent(self, event: QMouseEvent | None) -> None:  # noqa: N802
        self.dragging = False
        self.update()

    def mouseDoubleClickEvent(self, event: QMouseEvent | None) -> None:  # noqa: N802
        self._move(0.5, 0.5)

    def keyPressEvent(self, event: QKeyEvent | None) -> None:  # noqa: N802
        if event is None:
            return
        step = LEAP if event.modifiers() & Qt.KeyboardModifier.ShiftModifier else STEP
        steps = {
            Qt.Key.Key_Left: (-step, 0.0), Qt.Key.Key_Right: (step, 0.0), Qt.Key.Key_Up: (0.0, -step), Qt.Key.Key_Down: (0.0, step),
        }  # fmt: skip
        if event.key() in (Qt.Key.Key_Home, Qt.Key.Key_Delete):
            self._move(0.5, 0.5)
        elif Qt.Key(event.key()) in steps:
            dx, dy = steps[Qt.Key(event.key())]
            self._move(self.x_place + dx, self.y_place + dy)
        else:
            super().keyPressEvent(event)

    def paintEvent(self, event: QPaintEvent | None) -> None:  # noqa: N802
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        palette, field = theme.current(), self._field()
        painter.setPen(QPen(QColor(palette.accent if self.hasFocus() else palette.border), 1))
        painter.setBrush(QColor(palette.raised))
        painter.drawRoundedRect(field, 8, 8)
        self._tint(painter, field)
        point = QPointF(field.left() + self.x_place * field.width(), field.top() + self.y_place * field.height())
        painter.setPen(QPen(QColor(palette.border), 1, Qt.PenStyle.DashLine))
        painter.drawLine(QPointF(point.x(), field.top()), QPointF(point.x(), field.bottom()))
        painter.drawLine(QPointF(field.left(), point.y()), QPointF(field.right(), point.y()))
        painter.setPen(QPen(QColor(palette.text), 2))
        painter.setBrush(QColor(theme.stem_colour("instrument")))
        painter.drawEllipse(point, 9, 9)

    def _tint(self, painter: QPainter, field: QRectF) -> None:
        """Paint a soft colour in each corner, stronger for a larger share."""
        painter.setPen(Qt.PenStyle.NoPen)
        corners = (field.topLeft(), field.topRight(), field.bottomLeft(), field.bottomRight())
        names = ("bass", "vocals", "other", "drums")
        for corner, name, share in zip(corners, names, bilinear(self.x_place, self.y_place), strict=True):
            colour, clear = QColor(theme.stem_colour(name)), QColor(theme.stem_colour(name))
            colour.setAlpha(round(60 + 150 * share))
            clear.setAlpha(0)
            gradient = QLinearGradient(corner, field.center())
            gradient.setColorAt(0.0, colour)
            gradient.setColorAt(1.0, clear)
            painter.setBrush(gradient)
            painter.drawRoundedRect(field, 8, 8)
