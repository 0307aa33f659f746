"""The heads of the lanes: name, mute and solo of each stem, beside its waveform. They move the mixer's strips, with undo."""

from __future__ import annotations

from PyQt6.QtCore import QRect, Qt
from PyQt6.QtGui import QColor, QKeyEvent, QMouseEvent, QPainter, QPaintEvent
from PyQt6.QtWidgets import QHBoxLayout, QWidget

from gui import theme
from gui.mixer_model import MixerModel
from gui.player.lanes.geometry import Geometry
from gui.widgets.plain import ElidedLabel
from gui.widgets.toggle import Toggle
from rtaudio.protocol.settings import MixerState

WIDTH = 136
BAR = 5
"""Width of the stripe in the stem's colour."""


class LaneHead(QWidget):
    """One head. A click on it mutes the stem, with Shift held it solos it; M and S do the same for the head that has the focus within."""

    def __init__(self, mixer_model: MixerModel, strip: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.mixer_model, self.strip = mixer_model, strip
        self.title, self.colour = mixer_model.title(strip), mixer_model.colour(strip)
        self.setAccessibleName(self.tr("Lane {}").format(self.title))
        self.setToolTip(self.tr("A click mutes, Shift and a click solos"))
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.name = ElidedLabel(self.title)
        self.mute = Toggle("M", "mute", self.tr("Mute {}").format(self.title))
        self.solo = Toggle("S", "solo", self.tr("Solo {}").format(self.title))
        self.mute.clicked.connect(lambda on: self.act("mute", on))
        self.solo.clicked.connect(lambda on: self.act("solo", on))
        row = QHBoxLayout(self)
        row.setContentsMargins(BAR + 7, 0, 6, 0)
        row.setSpacing(4)
        row.addWidget(self.name, 1)
        for button in (self.mute, self.solo):
            button.setFixedSize(26, 22)
            row.addWidget(button)
        self.show_state(mixer_model.state)

    def act(self, field: str, on: bool | None = None) -> None:
        """Set mute or solo; without a value, the other one."""
        if self.strip in self.mixer_model.state.stems:
            value = not self.mixer_model.value(self.strip, field) if on is None else on
            self.mixer_model.move(self.strip, field, value)
        self.show_state(self.mixer_model.state)

    def show_state(self, state: MixerState) -> None:
        """Show the mixer's state."""
        own = state.stems.get(self.strip)
        for button, on in ((self.mute, own is not None and own.mute), (self.solo, own is not None and own.solo)):
            button.setEnabled(own is not None)
            button.show_on(on)

    def mousePressEvent(self, event: QMouseEvent | None) -> None:  # noqa: N802 - Qt's names
        if event is not None and event.button() == Qt.MouseButton.LeftButton:
            self.act("solo" if event.modifiers() & Qt.KeyboardModifier.ShiftModifier else "mute")

    def keyPressEvent(self, event: QKeyEvent | None) -> None:  # noqa: N802
        keys = {Qt.Key.Key_M: "mute", Qt.Key.Key_S: "solo"}
        if event is not None and event.modifiers() == Qt.KeyboardModifier.NoModifier and Qt.Key(event.key()) in keys:
            self.act(keys[Qt.Key(event.key())])
        else:
            super().keyPressEvent(event)

    def paintEvent(self, event: QPaintEvent | None) -> None:  # noqa: N802
        painter = QPainter(self)
        painter.fillRect(0, 0, BAR, self.height(), QColor(self.colour))
        painter.fillRect(0, 0, self.width(), 1, QColor(theme.current().border))
        painter.fillRect(self.width() - 1, 0, 1, self.height(), QColor(theme.current().border))


class HeadColumn(QWidget):
    """The heads of all lanes, each beside its lane."""

    def __init__(self, mixer_model: MixerModel, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.mixer_model = mixer_model
        self.heads: list[LaneHead] = []
        self.setFixedWidth(WIDTH)
        self.setAccessibleName(self.tr("Lanes"))

    def show_strips(self, strips: list[str]) -> None:
        """Make the heads of these strips."""
        known = [(head.strip, head.title, head.colour) for head in self.heads]
        if known == [(strip, self.mixer_model.title(strip), self.mixer_model.colour(strip)) for strip in strips]:
            return
        for head in self.heads:
            head.hide()
            head.deleteLater()
        self.heads = [LaneHead(self.mixer_model, strip, self) for strip in strips]
        for head in self.heads:
            head.show()

    def show_state(self, state: MixerState) -> None:
        """Show the mixer's state."""
        for head in self.heads:
            head.show_state(state)

    def place(self, geometry: Geometry, top: int) -> None:
        """Put each head beside its lane; ``top``: where the picture begins."""
        for number, head in enumerate(self.heads):
            lane = geometry.lane(number)
            head.setGeometry(QRect(0, top + int(lane.top()), self.width(), int(lane.height())))
