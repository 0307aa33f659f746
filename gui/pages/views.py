"""The page of live views: choose what is drawn and of which source, and stop it to look closely."""

from __future__ import annotations

from PyQt6.QtCore import QEvent, Qt, QTimer
from PyQt6.QtGui import QHideEvent, QShowEvent
from PyQt6.QtWidgets import (
    QButtonGroup,
    QComboBox,
    QFrame,
    QHBoxLayout,
    QPushButton,
    QScrollArea,
    QStackedWidget,
    QVBoxLayout,
    QWidget,
)

from gui import theme
from gui.bridge import Bridge
from gui.shortcuts import VIEWS, bind
from gui.views.frame_rate import FASTEST_MS
from gui.views.live import LiveView, RainbowView, SpectrogramView, WaveformView
from gui.views.scales import ColourBar
from gui.widgets.flow import FlowLayout
from gui.widgets.plain import PlainLabel
from rtaudio.protocol.reports import Snapshot

SILENT_LOOKS = 30
"""Number of frames without sound after which the page says so."""


class ViewsPage(QWidget):
    """Spectrogram, rainbowgram and waveform of the mix, the input or a strip, while they sound."""

    def __init__(self, bridge: Bridge, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.bridge = bridge
        self._sources: tuple[str, ...] = ()
        self._silent = 0
        self.views: dict[str, LiveView] = {
            "spectrogram": SpectrogramView(bridge),
            "rainbowgram": RainbowView(bridge),
            "waveform": WaveformView(bridge),
        }
        self._bars = {"spectrogram": ColourBar("level"), "rainbowgram": ColourBar("hue")}
        self.stack = QStackedWidget()
        for name, view in self.views.items():
            self.stack.addWidget(self._framed(name, view))
            view.pointed.connect(self._point)
        self._build()
        bind(self, {"freeze": self.freeze.toggle}, VIEWS)
        self._timer = QTimer(self)
        self._timer.timeout.connect(self.look)
        bridge.snapshot_changed.connect(self._follow)
        self._follow(bridge.snapshot)
        self.show_view("spectrogram")

    @property
    def view(self) -> LiveView:
        """The visible view."""
        return list(self.views.values())[self.stack.currentIndex()]

    def show_view(self, name: str) -> None:
        """``spectrogram``, ``rainbowgram`` or ``waveform``."""
        self.stack.setCurrentIndex(list(self.views).index(name))
        self.buttons[name].setChecked(True)
        for widget in (self.scale_pair, self.range_pair):
            widget.setVisible(name == "spectrogram")
        self._choose_source_in_list(self.view.follower.source)
        self.view.frozen = self.freeze.isChecked()
        self.readout.clear()

    def look(self) -> None:
        """Draw new columns; called by the timer."""
        heard = self.view.advance()
        self._silent = 0 if heard else self._silent + 1
        if not self.readout.text() or self._silent:
            self._tell_silence()
        self._timer.setInterval(self.view.frame_rate.look())

    # -- building ---------------------------------------------------------------------------------------------------------

    def _framed(self, name: str, view: LiveView) -> QWidget:
        frame = QWidget()
        row = QHBoxLayout(frame)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(8)
        row.addWidget(view, 1)
        if name in self._bars:
            row.addWidget(self._bars[name])
        return frame

    def _build(self) -> None:
        self.buttons: dict[str, QPushButton] = {}
        group = QButtonGroup(self)
        top = FlowLayout(gap=6, row_gap=6)
        titles = {
            "spectrogram": self.tr("Spectrogram"), "rainbowgram": self.tr("Rainbowgram"), "waveform": self.tr("Waveform"),
        }  # fmt: skip
        for name, title in titles.items():
            button = self.buttons[name] = QPushButton(title)
            button.setCheckable(True)
            button.clicked.connect(lambda _, name=name: self.show_view(name))
            group.addButton(button)
            top.addWidget(button)
        self.source = self._choice(top, self.tr("Source"), [])[0]
        self.source.currentIndexChanged.connect(self._choose_source)
        self.scale, self.scale_pair = self._choice(
            top,
            self.tr("Frequency"),
            [(self.tr("Logarithmic, 30 Hz to 20 kHz"), "log"), (self.tr("Mel, to 8 kHz"), "mel")],
        )
        self.scale.currentIndexChanged.connect(self._choose_scale)
        self.range, self.range_pair = self._choice(
            top, self.tr("Range"), [(f"{decibels} dB", decibels) for decibels in (40, 60, 80, 100)]
        )
        self.range.setCurrentIndex(2)
        self.range.currentIndexChanged.connect(self._choose_range)
        self.freeze = QPushButton(self.tr("Freeze"))
        self.freeze.setCheckable(True)
        self.freeze.setToolTip(self.tr("Freeze the picture; the sound continues."))
        self.freeze.toggled.connect(self._freeze)
        top.push(self.freeze)
        self.readout = PlainLabel()
        self.readout.setAccessibleName(self.tr("What is under the mouse"))
        self.readout.setMinimumHeight(self.readout.fontMetrics().height() + 4)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(12, 12, 12, 8)
        layout.setSpacing(8)
        layout.addLayout(top)
        self.stack.setMinimumHeight(260)
        scroll = QScrollArea()  # in a window that is too small for a picture
        scroll.setWidgetResizable(True)
        scroll.setFrameShape(QFrame.Shape.NoFrame)
        scroll.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        scroll.setWidget(self.stack)
        layout.addWidget(scroll, 1)
        layout.addWidget(self.readout)

    def _choice(self, row: FlowLayout, title: str, items: list[tuple[str, object]]) -> tuple[QComboBox, QWidget]:
        label, box = PlainLabel(title), QComboBox()
        label.setBuddy(box)
        box.setAccessibleName(title)
        box.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToContents)
        for text, value in items:
            box.addItem(text, value)
        pair = QWidget()
        together = QHBoxLayout(pair)
        together.setContentsMargins(12, 0, 0, 0)
        together.addWidget(label)
        together.addWidget(box)
        row.addWidget(pair)
        return box, pair

    # -- choosing ---------------------------------------------------------------------------------------------------------

    def _follow(self, snapshot: Snapshot) -> None:
        """Update the list of sources to the engine's strips."""
        sources = ("mix", "input", *snapshot.mixer.stems)
        if sources == self._sources:
            return
        self._sources = sources
        self.source.blockSignals(True)
        self.source.clear()
        for name in sources:
            self.source.addItem(self._title(name), name)
        self.source.blockSignals(False)
        self._choose_source_in_list(self.view.follower.source)

    def _title(self, name: str) -> str:
        known = {"mix": self.tr("Mix"), "input": self.tr("Input")}
        return known.get(name) or theme.stem_title(name)

    def _choose_source_in_list(self, name: str) -> None:
        index = self.source.findData(name)
        if index < 0:  # the rainbowgram of an engine without instrument
            index = self.source.findData("mix")
            self.view.choose("mix")
        self.source.blockSignals(True)
        self.source.setCurrentIndex(index)
        self.source.blockSignals(False)

    def _choose_source(self) -> None:
        self.view.choose(self.source.currentData())

    def _choose_scale(self) -> None:
        view = self.views["spectrogram"]
        assert isinstance(view, SpectrogramView)
        view.set_scale(self.scale.currentData())

    def _choose_range(self) -> None:
        view, decibels = self.views["spectrogram"], float(self.range.currentData())
        assert isinstance(view, SpectrogramView)
        view.set_range(decibels)
        self._bars["spectrogram"].range_db = decibels
        self._bars["spectrogram"].updateGeometry()
        self._bars["spectrogram"].update()

    def _freeze(self, held: bool) -> None:
        self.freeze.setText(self.tr("Go on") if held else self.tr("Freeze"))
        for view in self.views.values():
            view.frozen = held

    # -- telling ----------------------------------------------------------------------------------------------------------

    def _point(self, words: str) -> None:
        self.readout.setText(words)

    def _tell_silence(self) -> None:
        state = self.bridge.snapshot.state
        if self._silent < SILENT_LOOKS:
            return
        self.readout.setText(
            self.tr("Nothing is drawn: the engine does not run.")
            if state in ("stopped", "waiting", "starting", "finished")
            else self.tr("Nothing is drawn: this engine does not provide its sound for pictures.")
        )

    def showEvent(self, event: QShowEvent | None) -> None:  # noqa: N802 (Qt's name)
        super().showEvent(event)
        self._timer.start(FASTEST_MS)

    def hideEvent(self, event: QHideEvent | None) -> None:  # noqa: N802 (Qt's name)
        super().hideEvent(event)
        self._timer.stop()

    def changeEvent(self, event: QEvent | None) -> None:  # noqa: N802 (Qt's name)
        super().changeEvent(event)
        if event is not None and event.type() in (QEvent.Type.PaletteChange, QEvent.Type.StyleChange):
            for view in self.views.values():
                view.follow_theme()
            for bar in self._bars.values():
                bar.update()
