"""What moves on the song's picture: playhead, loops, markers, the chosen lane and the pointer. Cheap to paint, for it is painted often."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from PyQt6.QtCore import QPointF, QRectF, Qt
from PyQt6.QtGui import QColor, QPainter, QPen, QPolygonF

from gui import theme
from gui.player.lanes.geometry import FOOT, ROW, RULER, Geometry
from gui.player.lanes.viewport import Viewport
from gui.player.times import clock
from gui.song_notes import Marker, SavedLoop

HEAD = 7
"""Half of the playhead's width."""
FLAG = 150
"""Greatest width of a marker's name."""
HINT = 64
"""Room beside the pointer for the time under it."""


class Overlay:
    """Paints onto one area of the picture.

    Args:
        painter: clipped to the part that has to be painted.
    """

    def __init__(self, painter: QPainter, geometry: Geometry, viewport: Viewport, clip: QRectF) -> None:
        self.painter, self.geometry, self.viewport, self.clip = painter, geometry, viewport, clip
        self.colours = theme.current()

    def _seen(self, left: float, right: float) -> bool:
        return right >= self.clip.left() and left <= self.clip.right()

    def loop(self, loop: tuple[float, float] | None, mark: float | None) -> None:
        """The loop that is being played, or point A while B is missing."""
        body, colour = self.geometry.body, QColor(self.colours.warning)
        veil = QColor(colour)
        veil.setAlpha(48)
        if loop is not None:
            start, end = (self.viewport.x_of(x) for x in loop)
            self.painter.fillRect(QRectF(start, body.top(), end - start, body.height()).intersected(self.clip), veil)
        for seconds, name in ((loop[0], "A"), (loop[1], "B")) if loop is not None else ((mark, "A"),):
            if seconds is not None:
                self._edge(self.viewport.x_of(seconds), name, colour, left=name == "B")

    def _edge(self, x: float, name: str, colour: QColor, left: bool) -> None:
        if not self._seen(x - 20, x + 20):
            return
        body = self.geometry.body
        self.painter.fillRect(QRectF(x - 1, body.top(), 2, body.height()), colour)
        box = QRectF(x - 17 if left else x + 1, body.top(), 16, 16)
        self.painter.fillRect(box, colour)
        self.painter.setPen(QColor(self.colours.window))
        self.painter.setFont(theme.font(8.5, bold=True))
        self.painter.drawText(box, Qt.AlignmentFlag.AlignCenter, name)

    def loops(self, loops: Sequence[SavedLoop], playing: SavedLoop | None) -> None:
        """Bars of the named loops."""
        row = self.geometry.loop_row
        self.painter.setFont(theme.font(8.5))
        for loop in loops if row.height() else ():
            box = self.loop_box(loop)
            if self._seen(box.left(), box.right()):
                on = loop == playing
                self.painter.fillRect(box, QColor(self.colours.warning if on else self.colours.raised))
                self.painter.setPen(QColor(self.colours.warning))
                self.painter.setBrush(Qt.BrushStyle.NoBrush)
                self.painter.drawRect(box)
                self._text(box.adjusted(4, 0, -2, 0), loop.name, self.colours.window if on else self.colours.text)

    def loop_box(self, loop: SavedLoop) -> QRectF:
        """The bar of a loop."""
        left, right = (self.viewport.x_of(s) for s in (loop.start_s, loop.end_s))
        return QRectF(left, self.geometry.loop_row.top() + 1, max(4.0, right - left), ROW - 3)

    def markers(self, markers: Sequence[Marker], chosen: Marker | None, dragged: tuple[Marker, float] | None) -> None:
        """Flags and lines of the markers."""
        self.painter.setFont(theme.font(8.5))
        body = self.geometry.body
        for marker, box in self.marker_boxes(markers, dragged):
            on = marker == chosen
            line = QColor(self.colours.accent if on else self.colours.text)
            line.setAlpha(255 if on else 120)
            self.painter.fillRect(QRectF(box.left(), box.top(), 1, body.bottom() - box.top()), line)
            self.painter.fillRect(box, QColor(self.colours.accent if on else self.colours.raised))
            self._text(box.adjusted(4, 0, -2, 0), marker.name, self.colours.on_accent if on else self.colours.text)

    def marker_boxes(self, markers: Sequence[Marker], dragged: tuple[Marker, float] | None) -> Iterator[tuple[Marker, QRectF]]:
        """The flags of the markers in sight, each no wider than the way to the next one."""
        row = self.geometry.marker_row
        placed = [(dragged[1] if dragged is not None and marker == dragged[0] else marker.at_s, marker) for marker in markers]
        if dragged is not None:
            placed.sort(key=lambda pair: pair[0])
        for number, (seconds, marker) in enumerate(placed):
            x = self.viewport.x_of(seconds)
            if self._seen(x - 1, x + FLAG):
                room = self.viewport.x_of(placed[number + 1][0]) - x - 2 if number + 1 < len(placed) else FLAG
                name = self.painter.fontMetrics().horizontalAdvance(marker.name) + 10
                yield marker, QRectF(x, row.top() + 1, max(8.0, min(name, FLAG, room)), ROW - 3)

    def _text(self, box: QRectF, text: str, colour: str) -> None:
        self.painter.setPen(QColor(colour))
        shown = self.painter.fontMetrics().elidedText(text, Qt.TextElideMode.ElideRight, int(box.width()))
        self.painter.drawText(box, Qt.AlignmentFlag.AlignVCenter, shown)

    def analysed(self, seconds: float) -> None:
        """The line below: how far the song is analysed."""
        top = self.geometry.height - FOOT
        self.painter.fillRect(QRectF(0, top, self.geometry.width, FOOT), QColor(self.colours.border))
        self.painter.fillRect(QRectF(0, top, max(0.0, self.viewport.x_of(seconds)), FOOT), QColor(self.colours.good))

    def playhead(self, seconds: float) -> None:
        """The position of the sound."""
        x, top = self.viewport.x_of(seconds), RULER - 6
        if not self._seen(x - HEAD, x + HEAD):
            return
        self.painter.fillRect(QRectF(x - 1, top, 2, self.geometry.height - top), QColor(self.colours.text))
        self.painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        self.painter.setBrush(QColor(self.colours.text))
        self.painter.setPen(Qt.PenStyle.NoPen)
        self.painter.drawPolygon(QPolygonF([QPointF(x - 6, top), QPointF(x + 6, top), QPointF(x, top + 8)]))
        self.painter.setRenderHint(QPainter.RenderHint.Antialiasing, on=False)

    def pointer(self, x: float) -> None:
        """The time under the mouse."""
        text = clock(self.viewport.seconds_at(x), tenths=True)
        self.painter.setFont(theme.font(8.5))
        width = self.painter.fontMetrics().horizontalAdvance(text) + 10
        left = min(max(0.0, x + 8), self.geometry.width - width)
        height = self.geometry.height
        self.painter.fillRect(QRectF(x, RULER, 1, height - RULER - FOOT), QColor(self.colours.muted_text))
        box = QRectF(left, height - FOOT - 22, width, 18)
        self.painter.fillRect(box, QColor(self.colours.raised))
        self.painter.setPen(QColor(self.colours.text))
        self.painter.drawText(box, Qt.AlignmentFlag.AlignCenter, text)

    def frame(self, lane: int | None, focused: bool) -> None:
        """The ring of the focus, and the lane that keys apply to."""
        if not focused:
            return
        self.painter.setBrush(Qt.BrushStyle.NoBrush)
        self.painter.setPen(QPen(QColor(self.colours.accent), 1))
        self.painter.drawRect(0, 0, self.geometry.width - 1, self.geometry.height - 1)
        if lane is not None:
            self.painter.setPen(QPen(QColor(self.colours.accent), 2))
            self.painter.drawRect(self.geometry.lane(lane).adjusted(2, 2, -2, -2))
