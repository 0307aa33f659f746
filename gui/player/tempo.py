"""Tempo and key of the song: two values in the transport bar, with undo."""

from __future__ import annotations

import time
from collections.abc import Callable

from PyQt6.QtCore import QObject, QRectF, QSize, Qt, pyqtSignal
from PyQt6.QtGui import QColor, QFontMetrics, QPainter, QPaintEvent, QPen
from PyQt6.QtWidgets import QSizePolicy, QWidget

from gui import theme
from gui.bridge import Bridge
from gui.mixer_model import ECHO_S, mixer_model_of
from gui.undo import Move, Value, new_gesture
from gui.widgets.slider import DragSlider
from rtaudio.protocol.controls import row
from rtaudio.protocol.reports import Snapshot

SPEED, KEY = "speed", "key"
NEUTRAL = {SPEED: 1.0, KEY: 0.0}
COMMANDS = {SPEED: ("set_speed", "speed"), KEY: ("set_key", "semitones")}


class SongTempo(QObject):
    """Tempo (as a ratio) and key (semitones) of the song: those of the engine, or commanded and not confirmed yet.

    Signals:
        changed(): a value has changed.
    """

    changed = pyqtSignal()

    def __init__(self, bridge: Bridge, clock: Callable[[], float] = time.monotonic) -> None:
        super().__init__(bridge)
        self.bridge, self.clock = bridge, clock
        self.values = dict(NEUTRAL)
        self._ahead: dict[str, tuple[float, float]] = {}
        bridge.snapshot_changed.connect(self._take)
        self._take(bridge.snapshot)

    def move(self, field: str, value: float, gesture: int = 0) -> None:
        """Send a value, as a step of undo. Moves with the same ``gesture`` (not 0) are one step."""
        found = row(f"transport.{field}")
        assert found is not None
        value = min(max(value, found.limits[0]), found.limits[1])
        before = self.values[field]
        if value == before or not self.bridge.snapshot.transport.path or not self._put("", field, value):
            return
        text = self.tr("Tempo") if field == SPEED else self.tr("Key")
        mixer_model_of(self.bridge).undo.push(Move(self._put, "", field, before, value, gesture or new_gesture(), text))

    def step(self, field: str, by: float) -> None:
        """Move a value from where it is: a ratio or semitones."""
        self.move(field, round(self.values[field] + by, 2))

    def _put(self, strip: str, field: str, value: Value) -> bool:
        operation, argument = COMMANDS[field]
        number = float(value)  # type: ignore[arg-type]
        if not self.bridge.snapshot.transport.path or not self.bridge.send(operation, **{argument: number}):
            return False
        self._ahead[field] = (number, self.clock())
        self.values[field] = number
        self.changed.emit()
        return True

    def _take(self, snapshot: Snapshot) -> None:
        fresh = {SPEED: snapshot.transport.speed, KEY: snapshot.transport.key}
        for field, (value, since) in list(self._ahead.items()):
            if fresh[field] == value or self.clock() - since > ECHO_S:
                del self._ahead[field]
            else:
                fresh[field] = value
        if fresh != self.values:
            self.values = fresh
            self.changed.emit()


def song_tempo_of(bridge: Bridge) -> SongTempo:
    """The tempo and key of a bridge, made when it is first asked for."""
    found = bridge.findChild(SongTempo)
    return found if isinstance(found, SongTempo) else SongTempo(bridge)


def speed_text(ratio: float) -> str:
    """``75 %``."""
    return f"{100 * ratio:.0f} %"


def key_text(semitones: float) -> str:
    """``+2``, ``-3``, ``0``; a fraction where it has one."""
    return "0" if not semitones else f"{semitones:+g}"


class SongValue(DragSlider):
    """A value with its name above it: drag up and down, wheel, arrows, double click for the song's own."""

    def __init__(self, tempo: SongTempo, field: str, name: str, hint: str, parent: QWidget | None = None) -> None:
        found = row(f"transport.{field}")
        assert found is not None
        self._unit = 100.0 if field == SPEED else 1.0
        low, high = (round(self._unit * limit) for limit in found.limits)
        super().__init__(low, high, round(self._unit * NEUTRAL[field]), parent)
        self.tempo, self.field, self.name = tempo, field, name
        self.setSingleStep(1)
        self.setPageStep(5 if field == SPEED else 12)
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)
        self.setAccessibleName(name)
        self.setToolTip(hint)
        self.moved.connect(lambda value, gesture: tempo.move(field, value / self._unit, gesture))
        self.let_go.connect(self.follow)
        tempo.changed.connect(self.follow)
        self.follow()

    def follow(self) -> None:
        """Show the song's value."""
        self.show_value(round(self._unit * self.tempo.values[self.field]))
        self.setAccessibleDescription(self.text())
        self.update()

    def text(self) -> str:
        """The value as a person reads it."""
        return (speed_text if self.field == SPEED else key_text)(self.tempo.values[self.field])

    def _small(self) -> QFontMetrics:
        font = self.font()
        font.setPointSizeF(font.pointSizeF() * 0.8)
        return QFontMetrics(font)

    def sizeHint(self) -> QSize:  # noqa: N802 - Qt's name
        widest = max(self.fontMetrics().horizontalAdvance("150 %"), self._small().horizontalAdvance(self.name))
        return QSize(widest + 16, self.fontMetrics().height() + self._small().height() + 4)

    def minimumSizeHint(self) -> QSize:  # noqa: N802
        return self.sizeHint()

    def paintEvent(self, event: QPaintEvent | None) -> None:  # noqa: N802
        colours, painter = theme.current(), QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        if self.hasFocus():
            painter.setPen(QPen(QColor(colours.accent), 1))
            painter.drawRoundedRect(QRectF(self.rect()).adjusted(0.5, 0.5, -0.5, -0.5), 5, 5)
        upper = QRectF(0, 2, self.width(), self._small().height())
        lower = QRectF(0, upper.bottom(), self.width(), self.fontMetrics().height())
        font = self.font()
        font.setPointSizeF(font.pointSizeF() * 0.8)
        painter.setFont(font)
        painter.setPen(QColor(colours.muted_text if self.isEnabled() else colours.border))
        painter.drawText(upper, Qt.AlignmentFlag.AlignCenter, self.name)
        painter.setFont(self.font())
        moved = self.tempo.values[self.field] != NEUTRAL[self.field]
        painter.setPen(QColor(colours.border if not self.isEnabled() else colours.accent if moved else colours.text))
        painter.drawText(lower, Qt.AlignmentFlag.AlignCenter, self.text())
