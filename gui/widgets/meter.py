"""Peak and RMS meter side by side, with peak hold and a clip lamp that stays lit until it is clicked."""

from __future__ import annotations

import math
import time
from collections.abc import Callable

from PyQt6.QtCore import QRectF, QSize, Qt
from PyQt6.QtGui import QColor, QPainter, QPaintEvent
from PyQt6.QtWidgets import QAbstractButton, QSizePolicy, QWidget

from gui import theme
from gui.widgets import taper
from gui.widgets.fader import MARGIN
from rtaudio.protocol.reports import Meter

FALL_DB_S = 24.0
"""Fall rate of a bar in dB a second, as for programme meters."""

HOLD_S = 1.5
GAP, LAMP = 1, 9
WIDTHS = (30, 46)
"""Smallest and largest width of a meter, which has four bars."""


class Ballistics:
    """Ballistics of one bar: it rises at once and falls slowly, and a mark holds the peak. No Qt."""

    def __init__(self) -> None:
        self.level = self.held = -math.inf
        self._held_at = self._at = 0.0

    def feed(self, db: float, now: float) -> None:
        """Take a new value at the time ``now`` in seconds."""
        fallen = self.level - FALL_DB_S * max(0.0, now - self._at)
        self._at = now
        self.level = max(db, fallen if fallen > taper.FLOOR_DB else -math.inf)
        if self.level >= self.held or now - self._held_at > HOLD_S:
            self.held, self._held_at = self.level, now


class LevelMeter(QAbstractButton):
    """Meter of one strip: peak bars (a channel each), RMS bars, clip lamp. A click or Enter resets the lamp."""

    def __init__(self, colour: str, parent: QWidget | None = None, clock: Callable[[], float] = time.monotonic) -> None:
        super().__init__(parent)
        self.colour, self.dimmed, self._clock = colour, False, clock
        self.peaks: list[Ballistics] = [Ballistics(), Ballistics()]
        self.rms: list[Ballistics] = [Ballistics(), Ballistics()]
        self.clipped = False
        self._engine_clipped = False
        self._shown: tuple[object, ...] = ()
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setMaximumWidth(WIDTHS[1])
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.clicked.connect(self.clear_clip)

    def feed(self, meter: Meter) -> None:
        """Show the engine's newest values; repaints only if a pixel changes."""
        now = self._clock()
        for bars, values in ((self.peaks, meter.peak), (self.rms, meter.rms)):
            while len(bars) < min(2, len(values)):
                bars.append(Ballistics())
            for index, bar in enumerate(bars):
                bar.feed(taper.to_db(values[index]) if index < len(values) else -math.inf, now)
        if max(meter.peak, default=0.0) > 1.0 or (meter.clipped and not self._engine_clipped):
            self.clipped = True
        elif self._engine_clipped and not meter.clipped:
            self.clipped = False  # the counters were reset
        self._engine_clipped = meter.clipped
        reach = self._reach()
        shown = (
            self.clipped,
            *(round(reach * taper.place(x)) for b in (*self.peaks, *self.rms) for x in (b.level, b.held)),
        )
        if shown != self._shown:
            self._shown = shown
            self.update()
            if self.hasFocus():
                self.setAccessibleDescription(f"{taper.written(self.held_db())} dB")

    def clear_clip(self) -> None:
        """Reset the clip lamp and the held peaks."""
        self.clipped = False
        for bar in (*self.peaks, *self.rms):
            bar.held = bar.level
        self.update()

    def held_db(self) -> float:
        """The highest held peak."""
        return max(bar.held for bar in self.peaks)

    def sizeHint(self) -> QSize:  # noqa: N802
        return QSize(WIDTHS[0], 220)

    def minimumSizeHint(self) -> QSize:  # noqa: N802
        return QSize(self.sizeHint().width(), 84)

    def _reach(self) -> float:
        return float(self.height() - 2 * MARGIN)

    def paintEvent(self, event: QPaintEvent | None) -> None:  # noqa: N802
        painter = QPainter(self)
        c = theme.current()
        x, width = 1.0, (self.width() - 2 - 4 * GAP) / 4
        for bars, share in ((self.peaks, 0.0), (self.rms, 0.35)):
            for bar in bars[:2]:
                self._paint_bar(painter, QRectF(x, 0.0, width, 0.0), bar, share)
                x += width + GAP
            x += 2 * GAP
        lamp = QRectF(1, 0, self.width() - 2, LAMP)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(QColor(c.bad if self.clipped else c.border))
        painter.setBrush(QColor(c.bad) if self.clipped else Qt.BrushStyle.NoBrush)
        painter.drawRoundedRect(lamp.adjusted(0.5, 0.5, -0.5, -0.5), 2, 2)
        if self.clipped:
            painter.setPen(QColor(c.on_accent))
            painter.setFont(theme.font(5.5, bold=True))
            painter.drawText(lamp, Qt.AlignmentFlag.AlignCenter, "CLIP")
        if self.hasFocus():
            painter.setPen(QColor(c.accent))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawRoundedRect(QRectF(0.5, 0.5, self.width() - 1, self.height() - 1), 3, 3)

    def _paint_bar(self, painter: QPainter, column: QRectF, bar: Ballistics, pale: float) -> None:
        c, x, width = theme.current(), column.x(), column.width()
        bottom, reach = float(self.height() - MARGIN), self._reach()
        painter.fillRect(QRectF(x, MARGIN, width, reach), QColor(theme.blend(c.panel, c.border, 0.55)))
        own = theme.blend(self.colour, c.panel, 0.65 if self.dimmed else pale)
        zones = (
            (0.0, taper.place(-3.0), own),
            (taper.place(-3.0), taper.place(0.0), theme.AMBER),
            (taper.place(0.0), 1.0, c.bad),
        )
        top = taper.place(bar.level)
        for low, high, colour in zones:
            if top > low:
                end = min(top, high)
                painter.fillRect(QRectF(x, bottom - reach * end, width, reach * (end - low)), QColor(colour))
        if bar.held > taper.FLOOR_DB:
            y = bottom - reach * taper.place(bar.held)
            painter.fillRect(QRectF(x, y, width, 2), QColor(c.text if not self.dimmed else c.muted_text))
