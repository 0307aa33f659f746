"""Velocity of the keys, velocity curve, and the envelope of notes: attack and release."""

from __future__ import annotations

from collections.abc import Callable

from PyQt6.QtCore import QPointF, QRectF, Qt, pyqtSignal
from PyQt6.QtGui import QColor, QMouseEvent, QPainter, QPaintEvent, QPen, QPolygonF
from PyQt6.QtWidgets import QComboBox, QGridLayout, QLabel, QSizePolicy, QSlider, QWidget

from gui import theme
from gui.bridge import Bridge
from gui.instrument.notes import ComputerKeys
from gui.instrument.throttle import Throttle
from gui.widgets.learn import learnable
from gui.widgets.plain import PlainLabel
from rtaudio.protocol.settings import VELOCITY_CURVES, InstrumentState

STEPS = 1000
CURVES: dict[str, Callable[[float], float]] = {
    "linear": lambda touch: touch, "soft": lambda touch: touch**0.6, "hard": lambda touch: touch**1.6, "fixed": lambda touch: 100 / 127,
}  # fmt: skip
"""The same curves as in ``rtaudio/instrument/midi_dispatcher.py``; a test compares them."""

ECHO_S = 0.6
"""Seconds for which a slider ignores the engine after it was moved."""


def attack_ms(place: float) -> float:
    """Slider position to attack time: 0 to 2000 ms, finer at the beginning."""
    return 2000 * place**3


def release_ms(place: float) -> float:
    """Slider position to release time: 10 to 4000 ms, logarithmic."""
    return float(10 * 400**place)


class TimeSlider(QSlider):
    """A slider for a time, with its own scale. A double click sets ``rest``.

    Signals:
        asked(float): the time in ms that the user set.
    """

    asked = pyqtSignal(float)

    def __init__(self, scale: Callable[[float], float], rest: float, parent: QWidget | None = None) -> None:
        super().__init__(Qt.Orientation.Horizontal, parent)
        self._scale, self._rest = scale, rest
        self.setRange(0, STEPS)
        self.setSingleStep(10)
        self.setPageStep(100)
        self._showing = False
        self.valueChanged.connect(self._tell)

    @property
    def milliseconds(self) -> float:
        """The shown time."""
        return round(self._scale(self.value() / STEPS), 1)

    def show_ms(self, milliseconds: float) -> None:
        """Show a time without emitting a signal."""
        place = min(range(STEPS + 1), key=lambda step: abs(self._scale(step / STEPS) - milliseconds))
        self._showing = True
        self.setValue(place)
        self._showing = False

    def mouseDoubleClickEvent(self, event: QMouseEvent | None) -> None:  # noqa: N802 - Qt's name
        self.show_ms(self._rest)
        self.asked.emit(self._rest)

    def _tell(self) -> None:
        if not self._showing:
            self.asked.emit(self.milliseconds)


class EnvelopePanel(QWidget):
    """Sliders for velocity, attack and release, and the velocity curve."""

    def __init__(self, bridge: Bridge, keys: ComputerKeys, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._bridge, self._keys = bridge, keys
        self._grid = QGridLayout(self)
        self._grid.setContentsMargins(12, 12, 12, 12)
        self._grid.setHorizontalSpacing(10)
        self._grid.setVerticalSpacing(10)
        self._grid.setColumnStretch(1, 1)
        self._times: dict[str, tuple[TimeSlider, QLabel, Throttle]] = {}
        self._last: tuple[object, ...] = ()
        self._tips: dict[str, str] = {}
        self.attack = self._time("attack_ms", self.tr("Attack"), attack_ms, 0.0)
        self.release = self._time("release_ms", self.tr("Release"), release_ms, 250.0)
        self.velocity = QSlider(Qt.Orientation.Horizontal)
        self.velocity.setRange(1, 127)
        self.velocity.setValue(keys.velocity)
        self._velocity_text = self._row(self.tr("Key velocity"), self.velocity)
        self.velocity.setToolTip(self.tr("Velocity of the computer's keys. The mouse plays louder the lower it clicks on a key."))
        self.velocity.valueChanged.connect(self._set_velocity)
        keys.moved.connect(lambda: self.velocity.setValue(keys.velocity))
        self._velocity_text.setText(f"{keys.velocity}")
        self.curve = QComboBox()
        titles = {
            "linear": self.tr("Linear"), "soft": self.tr("Soft: easy to play loud"), "hard": self.tr("Hard: needs strength"),
            "fixed": self.tr("Fixed: always 100"),
        }  # fmt: skip
        for name in VELOCITY_CURVES:
            self.curve.addItem(titles.get(name, name), name)
        self._row(self.tr("Velocity curve"), self.curve)
        self.curve.activated.connect(
            lambda _: bridge.send("set_instrument", field="curve", value=self.curve.currentData())
        )
        self.picture = CurvePicture()
        self.curve.currentIndexChanged.connect(lambda _: self.picture.show_curve(self.curve.currentData()))
        self._grid.addWidget(self.picture, self._grid.rowCount(), 0, 1, 3)
        self._grid.setRowStretch(self._grid.rowCount() - 1, 1)

    def show_state(self, state: InstrumentState) -> None:
        """Show the engine's state."""
        shown = (state.attack_ms, state.release_ms, state.curve)
        busy = any(throttle.quiet_s < ECHO_S or slider.isSliderDown() for slider, _, throttle in self._times.values())
        if shown == self._last or busy:
            return
        self._last = shown
        for field, (slider, label, _) in self._times.items():
            slider.show_ms(getattr(state, field))
            label.setText(_ms(getattr(state, field)))
        self.curve.setCurrentIndex(self.curve.findData(state.curve))

    def allow_times(self, allowed: bool) -> None:
        """Whether attack and release have an effect; a plugin has envelopes of its own."""
        for field, (slider, label, _) in self._times.items():
            if slider.isEnabled() != allowed:
                slider.setEnabled(allowed)
                label.setEnabled(allowed)
                own = self.tr("A plugin has an envelope of its own.")
                slider.setToolTip(self._tips[field] if allowed else own)

    def _row(self, title: str, control: QWidget) -> QLabel:
        row = self._grid.rowCount()
        name, value = PlainLabel(title), PlainLabel()
        name.setProperty("role", "muted")
        name.setBuddy(control)
        control.setAccessibleName(title)
        value.setMinimumWidth(value.fontMetrics().horizontalAdvance("4000 ms"))
        value.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        control.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self._grid.addWidget(name, row, 0)
        self._grid.addWidget(control, row, 1, 1, 1 if isinstance(control, QSlider) else 2)
        if isinstance(control, QSlider):
            self._grid.addWidget(value, row, 2)
        return value

    def _time(self, field: str, title: str, scale: Callable[[float], float], rest: float) -> TimeSlider:
        slider = TimeSlider(scale, rest)
        label = self._row(title, slider)
        throttle = Throttle(lambda value: self._bridge.send("set_instrument", field=field, value=value), self)

        def ask(milliseconds: float) -> None:
            label.setText(_ms(milliseconds))
            throttle(milliseconds)

        slider.asked.connect(ask)
        learnable(slider, self._bridge, f"instrument.{field}")
        self._tips[field] = self.tr("Double click: {0}. Right click: MIDI learn.").format(_ms(rest))
        slider.setToolTip(self._tips[field])
        self._times[field] = (slider, label, throttle)
        return slider

    def _set_velocity(self, value: int) -> None:
        self._keys.velocity = value
        self._velocity_text.setText(f"{value}")


class CurvePicture(QWidget):
    """A plot of a velocity curve: key velocity on the horizontal axis, resulting velocity on the vertical one."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.curve = "linear"
        self.setMinimumHeight(90)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setAccessibleName(self.tr("Picture of the velocity curve"))

    def show_curve(self, curve: str) -> None:
        """Draw one of ``VELOCITY_CURVES``."""
        self.curve = curve
        self.update()

    def paintEvent(self, event: QPaintEvent | None) -> None:  # noqa: N802 - Qt's name
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        palette, line = theme.current(), self.fontMetrics().height()
        field = QRectF(self.rect()).adjusted(1, 4, -1, -line - 6)
        painter.setPen(QPen(QColor(palette.border), 1))
        painter.setBrush(QColor(palette.raised))
        painter.drawRoundedRect(field, 6, 6)
        points = [(x / 40, CURVES.get(self.curve, CURVES["linear"])(x / 40)) for x in range(41)]
        inner = field.adjusted(8, 8, -8, -8)
        path = [QPointF(inner.left() + x * inner.width(), inner.bottom() - y * inner.height()) for x, y in points]
        painter.setPen(QPen(QColor(palette.accent), 2))
        painter.drawPolyline(QPolygonF(path))
        painter.setPen(QColor(palette.muted_text))
        under = QRectF(field.left(), field.bottom() + 4, field.width(), line)
        painter.drawText(under, Qt.AlignmentFlag.AlignLeft, self.tr("soft touch"))
        painter.drawText(under, Qt.AlignmentFlag.AlignRight, self.tr("hard touch"))
        painter.drawText(inner, Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignTop, self.tr("loud"))


def _ms(value: float) -> str:
    return f"{value:.0f} ms" if value >= 10 or value == 0 else f"{value:.1f} ms"
