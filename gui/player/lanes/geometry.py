"""Where things lie in the picture of the song: rows of times, markers and loops above, the lanes, and the line of the analysis below."""

from __future__ import annotations

from dataclasses import dataclass

from PyQt6.QtCore import QRectF

RULER = 22
"""Height of the row of times."""
ROW = 17
"""Height of the row of markers, and of that of named loops; each is there only if there are any."""
FOOT = 5
"""Height of the line that shows how far the song is analysed."""
LEAST_LANE = 26


@dataclass(frozen=True)
class Geometry:
    """Sizes in pixels. ``lanes``: their number."""

    width: int
    height: int
    lanes: int = 1
    markers: bool = False
    loops: bool = False

    @property
    def marker_row(self) -> QRectF:
        """The row of the markers' names; empty without markers."""
        return QRectF(0, RULER, self.width, ROW if self.markers else 0)

    @property
    def loop_row(self) -> QRectF:
        """The row of named loops; empty without any."""
        return QRectF(0, self.marker_row.bottom(), self.width, ROW if self.loops else 0)

    @property
    def body(self) -> QRectF:
        """All lanes."""
        top = self.loop_row.bottom()
        return QRectF(0, top, self.width, max(1.0, self.height - FOOT - top))

    def lane(self, number: int) -> QRectF:
        """One lane, on whole pixels."""
        body, count = self.body, max(1, self.lanes)
        top = body.top() + round(number * body.height() / count)
        return QRectF(0, top, self.width, body.top() + round((number + 1) * body.height() / count) - top)

    def lane_at(self, y: float) -> int | None:
        """The lane at a height."""
        return next((n for n in range(self.lanes) if self.lane(n).top() <= y < self.lane(n).bottom()), None)
