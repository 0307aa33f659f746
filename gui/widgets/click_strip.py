"""The strip of the click in the mixer: on or off, level, and bars that are counted in before a song."""

from __future__ import annotations

from PyQt6.QtCore import Qt
from PyQt6.QtWidgets import QComboBox, QHBoxLayout, QWidget

from gui.mixer_model import MixerModel
from gui.widgets.plain import PlainLabel
from gui.widgets.strip import BaseStrip
from gui.widgets.toggle import Toggle
from rtaudio.protocol.settings import MixerState

WIDTH = (96, 128)
MOST_BARS = 4


class ClickStrip(BaseStrip):
    """See the module's docstring. The click is past the mix, so this strip has no meter, and recordings have none of it."""

    def __init__(self, mixer_model: MixerModel, parent: QWidget | None = None) -> None:
        super().__init__(mixer_model, "", "click_db", parent)
        self.title = self.tr("Click")
        self.name.setText(self.title)
        self.setAccessibleName(self.title)
        self.setMinimumWidth(WIDTH[0])
        self.setMaximumWidth(WIDTH[1])
        self.fader.setAccessibleName(self.tr("{} level").format(self.title))
        self.entry.setAccessibleName(self.tr("{} level in dB, to type").format(self.title))
        self.fader.setToolTip(self.tr("Level of the click: drag, wheel or arrows; it is past the mix and in no recording"))
        self._add_body()
        self.meter.hide()
        self.count = QComboBox()
        self.count.setAccessibleName(self.tr("Count-in"))
        self.count.setToolTip(self.tr("Bars of clicks before a song starts"))
        for bars in range(MOST_BARS + 1):
            self.count.addItem(self.tr("Off") if not bars else self.tr("1 bar") if bars == 1 else self.tr("{} bars").format(bars))
        self.count.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self.count.setMinimumContentsLength(5)
        label = PlainLabel(self.tr("Count-in"))
        label.setProperty("role", "small")
        label.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.column.addWidget(label)
        self.count.activated.connect(lambda bars: self._send_command("count_in", float(bars)))
        tip = self.tr("A click at the beats of the song, of Link or of the tempo")
        self.switch = Toggle(self.tr("Click"), "good", self.tr("Click"), tip)
        self.switch.clicked.connect(lambda on: self._send_command("click", on))
        for widget in (self.count, self.switch):
            row = QHBoxLayout()
            row.setContentsMargins(8, 2, 8, 0)
            row.addWidget(widget)
            self.column.addLayout(row)
        self.name.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.show_state(mixer_model.state)

    def show_state(self, state: MixerState) -> None:
        self._show_gain(state.click_db)
        self.switch.show_on(state.click)
        if not self.count.hasFocus() or self.count.currentIndex() != round(state.count_in):
            self.count.setCurrentIndex(min(MOST_BARS, max(0, round(state.count_in))))
        self.note.setText(self.tr("move a control …") if self._learning else " ")
        self._dim(not state.click)

    def targets(self) -> dict[str, str]:
        return {"mixer.click": self.tr("click"), "mixer.click_db": self.tr("level of the click"), "mixer.count_in": self.tr("count-in")}
