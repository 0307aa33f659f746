"""The level of an input that no engine uses yet, measured by a short-lived child process."""

from __future__ import annotations

import math
from typing import Any

from PyQt6.QtCore import QRectF, QSize
from PyQt6.QtGui import QColor, QPainter, QPaintEvent
from PyQt6.QtWidgets import QHBoxLayout, QSizePolicy, QWidget

from gui import theme
from gui.jobs import Job
from gui.settings.draft import Draft
from gui.widgets.toggle import Toggle

FLOOR_DB = -60.0


def decibels(level: float) -> float:
    """A linear level in dB, ``FLOOR_DB`` at least."""
    return max(FLOOR_DB, 20 * math.log10(level)) if level > 0 else FLOOR_DB


class LevelBar(QWidget):
    """One thin bar for each channel, from -60 dB to full scale; beyond -1 dB it is red."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.levels: list[float] = []
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setAccessibleName(self.tr("Level of the input"))

    def sizeHint(self) -> QSize:  # noqa: N802 - Qt's name
        return QSize(120, 22)

    def show_levels(self, levels: list[float]) -> None:
        """Linear peaks, one a channel."""
        old = self.levels if len(self.levels) == len(levels) else levels
        self.levels = [max(new, 0.8 * before) for new, before in zip(levels, old, strict=True)]
        self.setAccessibleDescription(self.tr("{:.0f} dB").format(decibels(max(levels, default=0.0))))
        self.update()

    def paintEvent(self, event: QPaintEvent | None) -> None:  # noqa: N802
        colours, painter = theme.current(), QPainter(self)
        count = max(1, len(self.levels))
        height = (self.height() - 3 * (count - 1)) / count
        for k in range(count):
            top = k * (height + 3)
            painter.fillRect(QRectF(0, top, self.width(), height), QColor(colours.border))
            if k < len(self.levels):
                db = decibels(self.levels[k])
                colour = colours.bad if db > -1 else colours.warning if db > -9 else colours.good
                painter.fillRect(QRectF(0, top, self.width() * (1 - db / FLOOR_DB), height), QColor(colour))


class InputLevel(QWidget):
    """A switch and the level bar. It measures the chosen input before it is applied; another choice stops it."""

    def __init__(self, draft: Draft, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.draft = draft
        self.job: Job | None = None
        self._listened: tuple[object, ...] = ()
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(8)
        self.bar = LevelBar()
        self.switch = Toggle(
            self.tr("Show level"), "plain", self.tr("Show the level of the input"),
            self.tr("Listen to the chosen input now, without applying it."),
        )  # fmt: skip
        self.switch.clicked.connect(lambda on: self.listen() if on else self.rest())
        row.addWidget(self.bar, 1)
        row.addWidget(self.switch)
        draft.changed.connect(self._dress)
        self._dress()

    def _choice(self) -> tuple[object, ...]:
        config = self.draft.config
        return (config.input, config.input_channels, config.rate)

    def listen(self) -> None:
        """Start measuring."""
        self._listened, config = self._choice(), self.draft.config
        self.job = self.draft.bridge.job(
            "meter", input=config.input, channels=list(config.input_channels), rate=config.rate
        )
        self.job.progress.connect(self._take)
        self.job.failed.connect(self.draft.told.emit)
        self.job.ended.connect(self.rest)
        self.switch.setChecked(True)

    def rest(self) -> None:
        """Stop measuring."""
        job, self.job = self.job, None
        if job is not None:
            job.cancel()
        self.switch.setChecked(False)
        self.bar.levels = []
        self.bar.update()

    def _take(self, facts: dict[str, Any]) -> None:
        self.bar.show_levels(facts["peak"])

    def _dress(self) -> None:
        if self.job is not None and self._listened != self._choice():
            self.rest()
        self.switch.setEnabled(self.draft.device(self.draft.config.input, "input") is not None)
