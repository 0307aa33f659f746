"""The song's waveform, with the analysed part, the loop and the playing position.

A click seeks, a drag sets the loop, and the edges of the loop can be dragged. Keys: arrows, Home and End move, A and B set the loop,
Delete ends it, Space plays.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from PyQt6.QtCore import QPointF, QRectF, QSize, Qt
from PyQt6.QtGui import QColor, QKeyEvent, QMouseEvent, QPainter, QPaintEvent, QPen, QPixmap, QPolygonF
from PyQt6.QtWidgets import QSizePolicy, QWidget

from gui import theme
from gui.player.player_model import PlayerModel
from gui.player.seek import STEP_MS
from gui.player.times import clock

RULER = 22
"""Height of the line of times above."""

FOOT = 5
"""Height of the line below that shows how far the song is analysed."""

DRAG_PX = 5
GRIP_PX = 6
STEPS_S = (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 1800, 3600)

Columns = npt.NDArray[np.float64]


class WaveView(QWidget):
    """See the module's docstring."""

    def __init__(self, player_model: PlayerModel, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.player_model = player_model
        self.setAccessibleName(self.tr("Picture of the song"))
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setMouseTracking(True)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setMinimumHeight(96)
        self._cache: tuple[object, QPixmap] | None = None
        self._pressed: float | None = None
        self._dragged: tuple[float, float] | None = None
        self._hover: float | None = None
        self._shown: tuple[object, ...] = ()
        player_model.picture_changed.connect(self.update)
        player_model.changed.connect(self.update)
        player_model.bridge.snapshot_changed.connect(self._follow)

    # -- places -------------------------------------------------------------------------------------------------------------

    @property
    def length(self) -> float:
        """Length of the song in seconds, which the width represents."""
        return self.player_model.transport.length_s

    def seconds_at(self, x: float) -> float:
        """The position in the song at a pixel."""
        return min(max(0.0, x / max(1, self.width())), 1.0) * self.length

    def x_of(self, seconds: float) -> float:
        """The pixel of a position."""
        return self.width() * seconds / self.length if self.length else 0.0

    def sizeHint(self) -> QSize:  # noqa: N802 - Qt's names here and below
        return QSize(800, 220)

    def _follow(self) -> None:
        """Repaint if something moved by a pixel."""
        transport = self.player_model.transport
        shown = (
            round(self.x_of(transport.position_s)), round(self.x_of(transport.analysed_s)), transport.loop, self.player_model.mark,
        )  # fmt: skip
        if shown != self._shown and self.isVisible():
            self._shown = shown
            self.setAccessibleDescription(
                self.tr("{} of {}").format(clock(transport.position_s), clock(transport.length_s))
            )
            self.update()

    # -- hands --------------------------------------------------------------------------------------------------------------

    def mousePressEvent(self, event: QMouseEvent | None) -> None:  # noqa: N802
        if event is None or event.button() != Qt.MouseButton.LeftButton or not self.player_model.has_song:
            return
        at = event.position().x()
        loop = self.player_model.transport.loop
        self._pressed = at
        if loop is not None:  # an edge that is gripped moves, the other one stays
            start, end = (self.x_of(x) for x in loop)
            if abs(at - start) <= GRIP_PX:
                self._pressed = end
            elif abs(at - end) <= GRIP_PX:
                self._pressed = start

    def mouseMoveEvent(self, event: QMouseEvent | None) -> None:  # noqa: N802
        if event is None:
            return
        at = event.position().x()
        self._hover = at
        if self._pressed is not None and (self._dragged is not None or abs(at - self._pressed) >= DRAG_PX):
            first, last = sorted((self._pressed, at))
            self._dragged = (self.seconds_at(first), self.seconds_at(last))
        edges = [self.x_of(x) for x in self.player_model.transport.loop or ()]
        near = any(abs(at - edge) <= GRIP_PX for edge in edges)
        self.setCursor(Qt.CursorShape.SizeHorCursor if near else Qt.CursorShape.ArrowCursor)
        self.update()

    def mouseReleaseEvent(self, event: QMouseEvent | None) -> None:  # noqa: N802
        pressed, dragged = self._pressed, self._dragged
        self._pressed = self._dragged = None
        if dragged is not None:
            self.player_model.set_loop(*dragged)
        elif pressed is not None and event is not None:
            self.player_model.seek(self.seconds_at(event.position().x()))
        self.update()

    def leaveEvent(self, event: object) -> None:  # noqa: N802
        self._hover = None
        self.update()

    def keyPressEvent(self, event: QKeyEvent | None) -> None:  # noqa: N802
        if event is None:
            return
        player_model, step = self.player_model, STEP_MS / 1000
        acts = {
            Qt.Key.Key_Left: lambda: player_model.nudge(-step), Qt.Key.Key_Right: lambda: player_model.nudge(step),
            Qt.Key.Key_Home: lambda: player_model.seek(0.0), Qt.Key.Key_End: lambda: player_model.seek(self.length),
            Qt.Key.Key_A: player_model.set_a, Qt.Key.Key_B: player_model.set_b, Qt.Key.Key_Delete: player_model.clear_loop,
            Qt.Key.Key_Space: player_model.toggle_play,
        }  # fmt: skip
        act = acts.get(Qt.Key(event.key()))
        if act is None or event.modifiers() & Qt.KeyboardModifier.ControlModifier:
            super().keyPressEvent(event)
        else:
            act()

    # -- painting -----------------------------------------------------------------------------------------------------------

    def paintEvent(self, event: QPaintEvent | None) -> None:  # noqa: N802
        painter = QPainter(self)
        painter.drawPixmap(0, 0, self._picture())
        colours, height = theme.current(), self.height()
        body = QRectF(0, RULER, self.width(), height - RULER - FOOT)
        self._paint_loop(painter, body)
        transport = self.player_model.transport
        painter.fillRect(QRectF(0, height - FOOT, self.width(), FOOT), QColor(colours.border))
        done = self.x_of(min(transport.analysed_s, self.length))
        painter.fillRect(QRectF(0, height - FOOT, done, FOOT), QColor(colours.good))
        if self.player_model.has_song and self.length:
            x = self.x_of(transport.position_s)
            painter.fillRect(QRectF(x - 1, RULER - 6, 2, height - RULER + 6), QColor(colours.text))
            painter.setBrush(QColor(colours.text))
            painter.setPen(Qt.PenStyle.NoPen)
            top = RULER - 6
            painter.drawPolygon(QPolygonF([QPointF(x - 6, top), QPointF(x + 6, top), QPointF(x, top + 8)]))
            self._paint_hover(painter)
        if self.hasFocus():
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.setPen(QPen(QColor(colours.accent), 1))
            painter.drawRect(0, 0, self.width() - 1, self.height() - 1)

    def _paint_loop(self, painter: QPainter, body: QRectF) -> None:
        colour = QColor(theme.current().warning)
        veil = QColor(colour)
        veil.setAlpha(48)
        loop = self._dragged or self.player_model.transport.loop
        if loop is not None:
            start, end = (self.x_of(x) for x in loop)
            painter.fillRect(QRectF(start, body.top(), end - start, body.height()), veil)
            for x, name in ((start, "A"), (end, "B")):
                painter.fillRect(QRectF(x - 1, body.top(), 2, body.height()), colour)
                self._flag(painter, x, name, colour, left=name == "B")
        elif self.player_model.mark is not None:
            x = self.x_of(self.player_model.mark)
            painter.fillRect(QRectF(x - 1, body.top(), 2, body.height()), colour)
            self._flag(painter, x, "A", colour, left=False)

    def _flag(self, painter: QPainter, x: float, name: str, colour: QColor, left: bool) -> None:
        box = QRectF(x - 17 if left else x + 1, RULER, 16, 16)
        painter.fillRect(box, colour)
        painter.setPen(QColor(theme.current().window))
        painter.setFont(theme.font(8.5, bold=True))
        painter.drawText(box, Qt.AlignmentFlag.AlignCenter, name)

    def _paint_hover(self, painter: QPainter) -> None:
        if self._hover is None:
            return
        colours = theme.current()
        text = clock(self.seconds_at(self._hover), True)
        painter.setFont(theme.font(8.5))
        width = painter.fontMetrics().horizontalAdvance(text) + 10
        left = min(max(0.0, self._hover + 8), self.width() - width)
        painter.fillRect(QRectF(self._hover, RULER, 1, self.height() - RULER - FOOT), QColor(colours.muted_text))
        box = QRectF(left, self.height() - FOOT - 22, width, 18)
        painter.fillRect(box, QColor(colours.raised))
        painter.setPen(QColor(colours.text))
        painter.drawText(box, Qt.AlignmentFlag.AlignCenter, text)

    def _picture(self) -> QPixmap:
        """Draw ruler and waveform; only when they have changed."""
        ratio = self.devicePixelRatioF()
        peaks = self.player_model.peaks() if self.player_model.picture.get("path") == self.player_model.transport.path else ()
        key = (
            self.size(),
            ratio,
            theme.current().name,
            id(peaks),
            len(peaks),
            round(self.length, 2),
            self.player_model.pending,
        )
        if self._cache is None or self._cache[0] != key:
            pixmap = QPixmap(round(self.width() * ratio), round(self.height() * ratio))
            pixmap.setDevicePixelRatio(ratio)
            pixmap.fill(QColor(theme.current().panel))
            painter = QPainter(pixmap)
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            self._draw_ruler(painter)
            self._draw_wave(painter, np.asarray(peaks, np.float64).reshape(-1, 3))
            painter.end()
            self._cache = (key, pixmap)
        return self._cache[1]

    def _draw_ruler(self, painter: QPainter) -> None:
        colours, length = theme.current(), self.length
        painter.setFont(theme.font(8.5))
        painter.setPen(QColor(colours.muted_text))
        if not length:
            return
        widest = painter.fontMetrics().horizontalAdvance(clock(length)) + 24
        step = next((s for s in STEPS_S if self.x_of(s) >= widest), STEPS_S[-1])
        for k in range(int(length / step) + 1):
            x = self.x_of(k * step)
            painter.fillRect(QRectF(x, RULER - 7, 1, 7), QColor(colours.border))
            if x + widest - 20 < self.width():
                painter.drawText(QPointF(x + 4, RULER - 8), clock(k * step))

    def _draw_wave(self, painter: QPainter, columns: Columns) -> None:
        colours = theme.current()
        top, bottom = RULER, self.height() - FOOT
        middle, half = (top + bottom) / 2, (bottom - top) / 2 - 4
        painter.fillRect(QRectF(0, middle, self.width(), 1), QColor(colours.border))
        if not len(columns):
            painter.setPen(QColor(colours.muted_text))
            painter.setFont(theme.font())
            text = self.tr("Looking through the song …") if self.player_model.pending else self.tr("The song is being loaded …")
            painter.drawText(QRectF(0, top, self.width(), bottom - top), Qt.AlignmentFlag.AlignCenter, text)
            return
        share = float(self.player_model.picture.get("share", 1.0))
        x = np.linspace(0.0, self.width() * share, len(columns) + 1)
        painter.setPen(Qt.PenStyle.NoPen)
        loud = max(0.25, float(np.abs(columns[:, :2]).max()))
        for low, high, colour in (
            (columns[:, 0], columns[:, 1], theme.blend(colours.accent, colours.panel, 0.45)),
            (-columns[:, 2], columns[:, 2], colours.accent),
        ):
            above, below = middle - half * np.clip(high / loud, -1, 1), middle - half * np.clip(low / loud, -1, 1)
            upper = [QPointF(a, b) for a, b in zip(x[:-1], above, strict=True)]
            lower = [QPointF(a, b) for a, b in zip(x[:-1][::-1], below[::-1], strict=True)]
            painter.setBrush(QColor(colour))
            painter.drawPolygon(QPolygonF([*upper, QPointF(x[-1], above[-1]), QPointF(x[-1], below[-1]), *lower]))
