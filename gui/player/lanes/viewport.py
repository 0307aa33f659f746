"""What part of the song is in sight: zoom and scrolling, shared by everything that is drawn above one time axis."""

from __future__ import annotations

from PyQt6.QtCore import QObject, pyqtSignal

CLOSEST_S = 2.0
"""Shortest part of a song that fills the width."""
ZOOM_STEP = 1.5
FOLLOW_AT = 0.94
"""Share of the width at which the picture turns to its next page while it follows the playhead."""
FOLLOW_TO = 0.04
"""Share of the width at which the playhead then stands."""


class Viewport(QObject):
    """Seconds ``first_s`` to ``last_s`` of a song of ``length_s`` on a width in pixels.

    It follows the playhead page by page: between two turns of a page nothing but the playhead moves, so nothing else is painted. After the
    user has scrolled, it waits until the playhead is in sight again.

    Signals:
        changed(): another part of the song is in sight.
    """

    changed = pyqtSignal()

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.length_s, self.first_s, self.span_s = 0.0, 0.0, 0.0
        self.width = 1
        self.following = True
        self._away = False

    @property
    def last_s(self) -> float:
        """End of the part in sight."""
        return self.first_s + self.span_s

    @property
    def zoomed(self) -> bool:
        """Whether less than the whole song is in sight."""
        return self.span_s < self.length_s

    @property
    def zoom(self) -> float:
        """How many times the song is wider than the picture; 1 if all of it is in sight."""
        return self.length_s / self.span_s if self.span_s else 1.0

    def x_of(self, seconds: float) -> float:
        """The pixel of a position, maybe outside the width."""
        return self.width * (seconds - self.first_s) / self.span_s if self.span_s else 0.0

    def seconds_at(self, x: float) -> float:
        """The position at a pixel, within the song."""
        return min(max(0.0, self.first_s + x / max(1, self.width) * self.span_s), self.length_s)

    def set_length(self, seconds: float) -> None:
        """Another song, or its exact length: a new song is shown as a whole."""
        if seconds == self.length_s:
            return
        whole = not self.zoomed or abs(seconds - self.length_s) > 1.0
        self.length_s = seconds
        if whole:
            self.first_s, self.span_s, self._away = 0.0, seconds, False
            self.changed.emit()
        else:
            self._show(self.first_s, self.span_s)

    def fit(self) -> None:
        """Show the whole song."""
        self._show(0.0, self.length_s)

    def zoom_by(self, factor: float, at_s: float) -> None:
        """Zoom in (``factor`` > 1) or out; the position ``at_s`` stays where it is."""
        if not self.span_s:
            return
        span = min(max(self.span_s / factor, min(CLOSEST_S, self.length_s)), self.length_s)
        share = min(max(0.0, (at_s - self.first_s) / self.span_s), 1.0)
        self._show(at_s - share * span, span)

    def show_part(self, first_s: float, last_s: float) -> None:
        """Show a part of the song, a loop for one, with some room on both sides."""
        span = min(max((last_s - first_s) * 1.2, min(CLOSEST_S, self.length_s)), self.length_s)
        self._show((first_s + last_s - span) / 2, span)

    def scroll_to(self, first_s: float) -> None:
        """Begin at this position. Following waits until the playhead is in sight."""
        self._away = True
        self._show(first_s, self.span_s)

    def reveal(self, seconds: float) -> None:
        """Scroll so that a position is in sight, if it is not."""
        self._away = False
        if not self.first_s <= seconds <= self.last_s:
            self._show(seconds - FOLLOW_TO * self.span_s, self.span_s)

    def follow(self, seconds: float, playing: bool) -> None:
        """Follow the playhead."""
        if not (self.following and self.zoomed and playing):
            return
        inside = self.first_s <= seconds <= self.last_s
        if self._away:
            self._away = not inside
            return
        share = (seconds - self.first_s) / self.span_s
        if (not inside or share > FOLLOW_AT) and (self.last_s < self.length_s or seconds < self.first_s):
            self._show(seconds - FOLLOW_TO * self.span_s, self.span_s)

    def _show(self, first_s: float, span_s: float) -> None:
        first_s = min(max(0.0, first_s), max(0.0, self.length_s - span_s))
        if (first_s, span_s) != (self.first_s, self.span_s):
            self.first_s, self.span_s = first_s, span_s
            self.changed.emit()
