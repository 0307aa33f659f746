"""The part of the song's picture that stands still: times, waveforms, lanes. It is kept as a pixmap and painted only where it changes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from PyQt6.QtCore import QPointF, QRectF, Qt
from PyQt6.QtGui import QColor, QPainter, QPixmap

from gui import theme
from gui.player.lanes.geometry import RULER, Geometry
from gui.player.lanes.peaks import Columns, Peaks
from gui.player.lanes.picture import lane_picture
from gui.player.lanes.source import MIX, StemSource
from gui.player.lanes.viewport import Viewport
from gui.player.times import clock

STEPS_S = (0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 1800, 3600)
SCALES = (0.2, 0.28, 0.4, 0.56, 0.8, 1.0)
"""Levels that may fill a lane; a song that is quieter than the first is drawn smaller."""


@dataclass(frozen=True)
class LaneStyle:
    """How a lane is painted: name of its stem, colour, whether the stem is heard, and the name that people read."""

    name: str
    colour: str
    heard: bool = True
    title: str = ""


class Canvas:
    """The standing picture of a part of the song.

    Args:
        source: what is known of the song. ``viewport``: what is in sight.
    """

    def __init__(self, source: StemSource, viewport: Viewport) -> None:
        self.source, self.viewport = source, viewport
        self.painted = 0
        """How often a part of the picture was painted, for tests."""
        self._key: tuple[object, ...] = ()
        self._pixmap = QPixmap()
        self._known = 0.0

    def pixmap(self, geometry: Geometry, lanes: Sequence[LaneStyle], ratio: float) -> QPixmap:
        """The picture. If only more of the stems is known than at the last call, only that part is painted."""
        viewport, source = self.viewport, self.source
        coarse = source.player_model.peaks() if source.mix is None else ()
        key = (
            geometry, tuple(lanes), ratio, theme.current(), viewport.first_s, viewport.span_s, viewport.length_s, source.mix,
            source.stems, source.share >= 1.0, coarse, self._scale(source.stems),
        )  # fmt: skip
        known = source.stems.known_s if source.stems is not None else 0.0
        if key != self._key:
            self._key = key
            self._pixmap = QPixmap(round(geometry.width * ratio), round(geometry.height * ratio))
            self._pixmap.setDevicePixelRatio(ratio)
            self._pixmap.fill(QColor(theme.current().panel))
            self._paint(geometry, lanes, ratio, 0, geometry.width)
        elif known > self._known:
            first, last = (min(max(0.0, viewport.x_of(s)), float(geometry.width)) for s in (self._known, known))
            if last > first:
                self._paint(geometry, lanes, ratio, max(0, int(first) - 2), geometry.width)
        self._known = known
        return self._pixmap

    def _paint(self, geometry: Geometry, lanes: Sequence[LaneStyle], ratio: float, left: int, right: int) -> None:
        self.painted += 1
        colours, body = theme.current(), geometry.body
        painter = QPainter(self._pixmap)
        if left == 0:
            self._paint_ruler(painter, geometry)
        painter.fillRect(QRectF(left, body.top(), right - left, body.height()), QColor(colours.panel))
        split = left
        stems = self.source.stems
        if stems is not None and lanes:
            known = self.viewport.x_of(stems.known_s) if self.source.share < 1.0 else right
            split = int(min(max(left, known), right))
            for number, lane in enumerate(lanes):
                area = geometry.lane(number)
                columns = self._columns(stems, lane.name, left, split, ratio)
                self._blit(painter, area, left, columns, ratio, self._scale(stems), lane.colour, lane.heard)
                if number:
                    painter.fillRect(QRectF(left, area.top(), split - left, 1), QColor(colours.border))
        if split < right:
            self._paint_mix(painter, geometry, split, right, ratio)
        painter.end()

    def _paint_mix(self, painter: QPainter, geometry: Geometry, left: int, right: int, ratio: float) -> None:
        """The mix, over the height of all lanes, where stems are not known."""
        mix, body = self.source.mix, geometry.body
        columns = self._columns(mix, MIX, left, right, ratio) if mix is not None else self._coarse(left, right, ratio)
        colour = theme.current().accent if self.source.stems is None else theme.current().muted_text
        painter.fillRect(QRectF(left, round(body.center().y()), right - left, 1), QColor(theme.current().border))
        self._blit(painter, body, left, columns, ratio, self._scale(mix), colour)

    @staticmethod
    def _scale(peaks: Peaks | None) -> float:
        """The level that fills a lane, the same for all lanes: a little more than the loudest, in steps, so that it seldom changes."""
        loudest = peaks.loudest if peaks is not None else 1.0
        return next((step for step in SCALES if step >= loudest), 1.0)

    @staticmethod
    def _blit(
        painter: QPainter, area: QRectF, left: int, columns: Columns, ratio: float, scale: float, colour: str, heard: bool = True
    ) -> None:
        if not len(columns):
            return
        height = round(area.height() * ratio) - 1
        image = lane_picture(columns, max(1, height), colour, theme.current().panel, heard=heard, scale=scale)
        image.setDevicePixelRatio(ratio)
        painter.drawImage(QPointF(left, area.top() + 1 / ratio), image)

    def _columns(self, peaks: Peaks, name: str, left: int, right: int, ratio: float) -> Columns:
        """A column for each pixel of the screen from ``left`` to ``right``."""
        first, last = (self.viewport.first_s + x / max(1, self.viewport.width) * self.viewport.span_s for x in (left, right))
        return peaks.columns(name, first, last, round((right - left) * ratio))

    def _coarse(self, left: int, right: int, ratio: float) -> Columns:
        """Columns of the overview, while the song is being read."""
        model = self.source.player_model
        found = model.peaks() if model.picture.get("path") == model.transport.path else ()
        rows = np.asarray(found, np.float32).reshape(-1, 3)
        span = float(model.picture.get("share", 1.0)) * self.viewport.length_s
        count = round((right - left) * ratio)
        if not len(rows) or not span or count < 1:
            return np.zeros((0, 3), np.float32)
        times = self.viewport.first_s + (left + (np.arange(count) + 0.5) / ratio) / max(1, self.viewport.width) * self.viewport.span_s
        at = (times / span * len(rows)).astype(np.int64)
        picked: Columns = rows[at[at < len(rows)]]
        return picked

    def _paint_ruler(self, painter: QPainter, geometry: Geometry) -> None:
        colours, viewport = theme.current(), self.viewport
        painter.setFont(theme.font(8.5))
        if not viewport.span_s:
            return
        pixel_s = viewport.span_s / max(1, viewport.width)
        widest = painter.fontMetrics().horizontalAdvance(clock(viewport.length_s, True)) + 24
        step = next((s for s in STEPS_S if s / pixel_s >= widest), STEPS_S[-1])
        for number in range(int(viewport.first_s / step), int(viewport.last_s / step) + 1):
            x = viewport.x_of(number * step)
            painter.fillRect(QRectF(x, RULER - 7, 1, 7), QColor(colours.border))
            if x + widest - 20 < geometry.width:
                painter.setPen(QColor(colours.muted_text))
                painter.drawText(QPointF(x + 4, RULER - 8), clock(number * step + 1e-3, tenths=step < 1))


def paint_note(painter: QPainter, area: QRectF, text: str) -> None:
    """A sentence in the middle of an empty picture."""
    painter.setPen(QColor(theme.current().muted_text))
    painter.setFont(theme.font())
    painter.drawText(area, Qt.AlignmentFlag.AlignCenter, text)
