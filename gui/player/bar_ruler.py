"""Bars, beats and chords of the song, as a ruler beneath its picture.

A click goes to the bar, a drag loops the bars that it crosses. Keys: Left and Right go from bar to bar, Home and End to the first and last,
L loops the bar, Delete ends the loop.
"""

from __future__ import annotations

from bisect import bisect_right
from typing import Protocol

from PyQt6.QtCore import QPointF, QRectF, QSize, Qt
from PyQt6.QtGui import QColor, QKeyEvent, QMouseEvent, QPainter, QPaintEvent, QPen
from PyQt6.QtWidgets import QSizePolicy, QWidget

from gui import theme
from gui.player.song_facts import SongFacts
from rtaudio.protocol.reports import Snapshot
from rtaudio.protocol.song_map import SongMap, chord_text

BARS, CHORDS = 18, 20
"""Heights of the two lines."""
ROOM = 30
"""Least pixels between two numbers of bars; a chord is written where its name has room."""
BEAT_ROOM = 5
"""Least pixels between the marks of two beats."""


class Scale(Protocol):
    """Where the song's seconds are: the picture above."""

    def x_of(self, seconds: float) -> float: ...

    def seconds_at(self, x: float) -> float: ...


class BarRuler(QWidget):
    """See the module's docstring. ``scale`` is the picture whose width the ruler shares."""

    def __init__(self, facts: SongFacts, scale: Scale, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.facts, self.scale = facts, scale
        self.setAccessibleName(self.tr("Bars and chords"))
        self.setToolTip(self.tr("Click: go to the bar. Drag: loop these bars. Arrows: from bar to bar. L: loop the bar."))
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setFixedHeight(BARS + CHORDS + 2)
        self._pressed: float | None = None
        self._at = -1
        facts.changed.connect(self._changed)
        facts.bridge.snapshot_changed.connect(self._follow)
        self._changed()

    @property
    def song(self) -> SongMap | None:
        """What is known of the song."""
        return self.facts.found

    def sizeHint(self) -> QSize:  # noqa: N802 - Qt's names here and below
        return QSize(800, BARS + CHORDS + 2)

    def _changed(self) -> None:
        found = self.song
        self.setVisible(found is not None and bool(found.beats or found.chords))
        self._at = -1
        self._follow(self.facts.bridge.snapshot)
        self.update()

    def _follow(self, snapshot: Snapshot) -> None:
        """Say where the song is, beat by beat."""
        found = self.song
        if found is None or not self.isVisible():
            return
        at = bisect_right(found.beats, snapshot.transport.position_s)
        if at != self._at:
            self._at = at
            self.setAccessibleDescription(self.facts.place_words(snapshot.transport.position_s))
            self.update()

    # -- hands --------------------------------------------------------------------------------------------------------------

    def _edges(self) -> list[float]:
        """Starts of the bars, and the end of the song."""
        found = self.song
        return [*found.downbeats, found.seconds] if found is not None else []

    def _bar(self, seconds: float) -> int:
        """Index of the bar at a place: that of the first for what is before it."""
        return max(0, bisect_right(self._edges()[:-1], seconds + 1e-3) - 1)

    def go(self, bar: int) -> None:
        """Go to the start of a bar, counted from 0."""
        edges = self._edges()
        if len(edges) > 1:
            self.facts.player_model.seek(edges[min(max(0, bar), len(edges) - 2)])

    def loop(self, first: int, last: int) -> None:
        """Loop from the start of a bar to the end of another."""
        edges = self._edges()
        if len(edges) > 1:
            first, last = max(0, min(first, last)), min(max(first, last), len(edges) - 2)
            self.facts.player_model.set_loop(edges[first], edges[last + 1])

    def mousePressEvent(self, event: QMouseEvent | None) -> None:  # noqa: N802
        if event is not None and event.button() == Qt.MouseButton.LeftButton:
            self._pressed = event.position().x()

    def mouseReleaseEvent(self, event: QMouseEvent | None) -> None:  # noqa: N802
        pressed, self._pressed = self._pressed, None
        if event is None or pressed is None:
            return
        first, last = (self._bar(self.scale.seconds_at(x)) for x in sorted((pressed, event.position().x())))
        if abs(event.position().x() - pressed) < ROOM / 3:
            self.go(last)
        else:
            self.loop(first, last)

    def keyPressEvent(self, event: QKeyEvent | None) -> None:  # noqa: N802
        if event is None:
            return
        here = self._bar(self.facts.player_model.transport.position_s)
        acts = {
            Qt.Key.Key_Left: lambda: self.go(here - 1), Qt.Key.Key_Right: lambda: self.go(here + 1),
            Qt.Key.Key_Home: lambda: self.go(0), Qt.Key.Key_End: lambda: self.go(len(self._edges())),
            Qt.Key.Key_L: lambda: self.loop(here, here), Qt.Key.Key_Delete: self.facts.player_model.clear_loop,
        }  # fmt: skip
        act = acts.get(Qt.Key(event.key()))
        if act is None or event.modifiers() & Qt.KeyboardModifier.ControlModifier:
            super().keyPressEvent(event)
        else:
            act()

    # -- painting -----------------------------------------------------------------------------------------------------------

    def paintEvent(self, event: QPaintEvent | None) -> None:  # noqa: N802
        found = self.song
        painter = QPainter(self)
        colours = theme.current()
        painter.fillRect(self.rect(), QColor(colours.panel))
        if found is None:
            return
        painter.setFont(theme.font(8.5))
        self._paint_bars(painter, found)
        self._paint_chords(painter, found)
        if self.hasFocus():
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.setPen(QPen(QColor(colours.accent), 1))
            painter.drawRect(0, 0, self.width() - 1, self.height() - 1)

    def _paint_bars(self, painter: QPainter, found: SongMap) -> None:
        colours = theme.current()
        places = [self.scale.x_of(beat) for beat in found.beats]
        if len(places) > 1 and (places[-1] - places[0]) / (len(places) - 1) >= BEAT_ROOM:
            for x in places:
                painter.fillRect(QRectF(x, BARS - 5, 1, 5), QColor(colours.border))
        free = -1.0
        for number, start in enumerate(found.downbeats, 1):
            x = self.scale.x_of(start)
            if not -ROOM <= x <= self.width():
                continue
            written = x >= free
            painter.fillRect(QRectF(x, 0 if written else BARS - 7, 1, BARS if written else 7), QColor(colours.muted_text))
            if written:
                free = x + ROOM
                painter.setPen(QColor(colours.muted_text))
                painter.drawText(QPointF(x + 3, BARS - 7), str(number))

    def _paint_chords(self, painter: QPainter, found: SongMap) -> None:
        colours, metrics = theme.current(), painter.fontMetrics()
        here = self.facts.player_model.transport.position_s
        for start, end, name in found.chords:
            left, right = self.scale.x_of(start), self.scale.x_of(end)
            text = chord_text(name)
            if not text or right < 0 or left > self.width():
                continue
            box = QRectF(left + 0.5, BARS + 1, max(1.0, right - left - 1), CHORDS - 2)
            now = start <= here < end
            painter.fillRect(box, QColor(colours.accent if now else colours.raised))
            if metrics.horizontalAdvance(text) + 4 <= box.width():
                painter.setPen(QColor(colours.on_accent if now else colours.text))
                painter.drawText(box, Qt.AlignmentFlag.AlignCenter, text)
