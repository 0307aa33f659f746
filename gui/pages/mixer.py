"""The mixer's page: a strip for each stem, the instrument and the master; A/B and dry/wet above them."""

from __future__ import annotations

from PyQt6.QtCore import QPoint, Qt, pyqtSignal
from PyQt6.QtGui import QResizeEvent
from PyQt6.QtWidgets import QFrame, QHBoxLayout, QPushButton, QScrollArea, QSlider, QVBoxLayout, QWidget

from gui.bridge import Bridge
from gui.insert_moves import INPUT, MASTER, PLAYED
from gui.inserts.desk import InsertDesk
from gui.inserts.instrument import InstrumentButton, instrument_title
from gui.inserts.rack import InputStrip, InsertRack
from gui.mixer_model import MixerModel, mixer_model_of
from gui.player.monitor import MonitorSwitch
from gui.shortcuts import bind
from gui.undo import new_gesture
from gui.widgets.click_strip import ClickStrip
from gui.widgets.compare import CompareButton
from gui.widgets.flow import FlowLayout
from gui.widgets.learn import learn_menu
from gui.widgets.plain import PlainLabel
from gui.widgets.popup import pop_up
from gui.widgets.strip import BaseStrip, MasterStrip, Strip
from rtaudio.protocol.parameters import MAX_SLOTS
from rtaudio.protocol.reports import Meter, Snapshot
from rtaudio.protocol.settings import MixerState

SILENT = Meter()

NARROW, LOW = 720, 430
"""Sizes of the page in pixels below which it shortens texts, and strips use fewer rows."""
CLICK_ROOM = 1080
"""Width from which the strip of a click that is off is shown."""
SLOTS_LOW, SLOT_ROW = 390, 28
"""Pixels of the page, and for each slot that strips show, below which a menu replaces the slots."""


class MixerPage(QWidget):
    """The mixer. Its strips depend on the model.

    Signals:
        settings_wanted(): the user wants to choose an input.
    """

    settings_wanted = pyqtSignal()

    def __init__(self, bridge: Bridge, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.bridge = bridge
        self.mixer_model: MixerModel = mixer_model_of(bridge)
        self.setAccessibleName(self.tr("Mixer"))
        self.strips: dict[str, Strip] = {}
        self.racks: dict[str, InsertRack] = {}
        self.instrument_button: InstrumentButton | None = None
        self._rows = 1
        self.desk = InsertDesk(self.mixer_model, self)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(self._make_bar())
        column.addWidget(self._make_rack(), 1)
        self.rebuild()
        self.mixer_model.strips_changed.connect(self.rebuild)
        self.mixer_model.changed.connect(self.show_state)
        bridge.snapshot_changed.connect(self.feed)
        bind(self, {"compare": lambda: self.compare.click(), "mute_strip": self._mute, "solo_strip": self._solo})

    # -- parts ----------------------------------------------------------------------------------------------------

    def _make_bar(self) -> QWidget:
        bar = QWidget()
        flow = FlowLayout(bar, gap=16, row_gap=8)
        flow.setContentsMargins(20, 14, 20, 6)
        self.compare = CompareButton()
        self.compare.clicked.connect(self.mixer_model.compare)
        flow.addWidget(self.compare)
        flow.addWidget(self._make_wet())
        self.undo_button = self._button(self.tr("Undo"), self.tr("Undo the last mixer move (Ctrl+Z)"))
        self.redo_button = self._button(self.tr("Redo"), self.tr("Redo the last undone move (Ctrl+Shift+Z)"))
        for button, act, possible in (
            (self.undo_button, self.mixer_model.undo.undo, self.mixer_model.undo.canUndoChanged),
            (self.redo_button, self.mixer_model.undo.redo, self.mixer_model.undo.canRedoChanged),
        ):
            button.clicked.connect(act)
            possible.connect(button.setEnabled)
            button.setEnabled(False)
        self.flatten = self._button(
            self.tr("Reset"), self.tr("All faders to 0 dB, all pans to the centre, no mute and no solo")
        )
        self.flatten.clicked.connect(self._flatten)
        tools = QWidget()
        row = QHBoxLayout(tools)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(4)
        for button in (self.undo_button, self.redo_button, self.flatten):
            row.addWidget(button)
        flow.push(tools)
        return bar

    def _button(self, text: str, tip: str) -> QPushButton:
        button = QPushButton(text)
        button.setProperty("kind", "flat")
        button.setToolTip(tip)
        button.setAccessibleName(text)
        return button

    def _make_wet(self) -> QWidget:
        box = QWidget()
        row = QHBoxLayout(box)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(8)
        self.wet = QSlider(Qt.Orientation.Horizontal)
        self.wet.setRange(0, 100)
        self.wet.setValue(100)
        self.wet.setSingleStep(1)
        self.wet.setPageStep(10)
        self.wet.setFixedWidth(140)
        self.wet.setAccessibleName(self.tr("Dry/wet: share of the separated stems in percent"))
        self.wet.setToolTip(self.tr("How much of the separated stems against the original mix is heard"))
        self._wet_gesture = new_gesture()
        self._showing = False
        self.wet.sliderPressed.connect(self._new_wet_gesture)
        self.wet.sliderReleased.connect(self._wet_released)
        self.wet.valueChanged.connect(self._wet_moved)
        self.wet.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        self.wet.customContextMenuRequested.connect(self._learn_wet)
        self.wet_label = PlainLabel("100 %")
        self.wet_label.setMinimumWidth(self.wet_label.fontMetrics().horizontalAdvance("100 %  "))
        self.wet_names = [PlainLabel(self.tr("Dry")), PlainLabel(self.tr("Wet"))]
        for label in self.wet_names:
            label.setProperty("role", "muted")
        for part in (self.wet_names[0], self.wet, self.wet_names[1], self.wet_label):
            row.addWidget(part)
        return box

    def _make_rack(self) -> QWidget:
        self.rack = QScrollArea()
        self.rack.setWidgetResizable(True)
        self.rack.setFrameShape(QFrame.Shape.NoFrame)
        self.rack.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.rack.setAccessibleName(self.tr("Strips"))
        return self.rack

    def rebuild(self, _: object = None) -> None:
        """Make the strips of the model."""
        board = QWidget()
        row = QHBoxLayout(board)
        row.setContentsMargins(20, 8, 20, 16)
        row.setSpacing(12)
        row.addStretch(1)
        self.input_strip = InputStrip(self.desk)
        self.input_strip.add_monitor(MonitorSwitch(self.bridge))
        self.input_strip.input_wanted.connect(self.settings_wanted.emit)
        row.addWidget(self.input_strip, 100)
        self.strips = {name: Strip(self.mixer_model, name) for name in self.mixer_model.strips}
        self.master = MasterStrip(self.mixer_model)
        for number, (name, strip) in enumerate(self.strips.items()):
            if name == "instrument" and number:
                row.addSpacing(4)
            row.addWidget(strip, 100)
        row.addSpacing(4)
        self.click_strip = ClickStrip(self.mixer_model)
        row.addWidget(self.click_strip, 60)
        self._show_click(self.bridge.snapshot)
        row.addWidget(self.master, 100)
        row.addStretch(1)
        self._add_racks()
        self.rack.setWidget(board)
        self.input_strip.show_snapshot(self.bridge.snapshot)
        self._fit()
        self.show_state(self.mixer_model.state)

    def _add_racks(self) -> None:
        self.racks = {name: InsertRack(self.desk, name) for name in self.strips} | {MASTER: InsertRack(self.desk, MASTER)}
        for name, rack in self.racks.items():
            (self.master if name == MASTER else self.strips[name]).add_rack(rack)
        self.racks[INPUT] = self.input_strip.rack
        self.instrument_button = InstrumentButton(self.desk) if PLAYED[0] in self.strips else None
        if self.instrument_button is not None:
            self.strips[PLAYED[0]].add_corner(self.instrument_button)
            self.racks[PLAYED[0]].beside = self.instrument_button

    def show_inserts(self) -> None:
        """Show the effects. All strips have as many slots in sight as the one with most needs, so that their faders stay alike."""
        rows = min(MAX_SLOTS, 1 + max(rack.filled for rack in self.racks.values()))
        if rows != self._rows:
            self._rows = rows
            self._fit()
        for rack in self.racks.values():
            rack.show_rows(rows)
            rack.show_state()
        self.show_instrument()

    def show_instrument(self) -> None:
        """Show what plays on the strip of the instrument."""
        if self.instrument_button is not None:
            self.instrument_button.show_state()
            self.strips[PLAYED[0]].show_subtitle(instrument_title(self.bridge))

    def resizeEvent(self, event: QResizeEvent | None) -> None:  # noqa: N802 - Qt's name
        """Adapt to a small window, or to 200 % scale, so that the faders keep enough room."""
        super().resizeEvent(event)
        self._fit()

    def _fit(self) -> None:
        narrow, low = self.width() < NARROW, self.height() < LOW
        for label in self.wet_names:
            label.setVisible(not narrow)
        self.wet.setFixedWidth(96 if narrow else 140)
        for strip in self._all():
            strip.set_compact(low)
        self.input_strip.set_compact(low)
        for rack in self.racks.values():
            rack.set_compact(low or self.height() < SLOTS_LOW + SLOT_ROW * self._rows, low and rack is not self.input_strip.rack)

    # -- engine to screen -----------------------------------------------------------------------------------------

    def show_state(self, state: MixerState) -> None:
        """Show the mixer model's state on every control."""
        for strip in self._all():
            strip.show_state(state)
        self.show_inserts()
        self.compare.setChecked(self.mixer_model.comparing)
        if not self.wet.isSliderDown():
            self._showing = True
            self.wet.setValue(round(100 * (1.0 - state.dry)))
            self._showing = False
        self.wet_label.setText(f"{round(100 * (1.0 - state.dry))} %")

    def feed(self, snapshot: Snapshot) -> None:
        """Show the meters of a snapshot; nothing is drawn while the page is hidden."""
        if not self.isVisible():
            return
        sounding = snapshot.state in ("running", "finished")
        self.input_strip.show_snapshot(snapshot)
        self._show_click(snapshot)
        for rack in self.racks.values():
            rack.show_state()
        self.show_instrument()
        for name, strip in self.strips.items():
            strip.feed(snapshot.meters.get(name, SILENT) if sounding else SILENT)
            strip.show_recording(snapshot.recording.active)
        for each in self._all():
            each.show_learning(snapshot.instrument.learning)
        self.master.feed(snapshot.master if sounding else SILENT)
        self.master.show_reduction(snapshot.limiter_db if sounding else 0.0)

    def _show_click(self, snapshot: Snapshot) -> None:
        """The click's strip is there where there is a beat and room, or a click that is on; its switch is on the player's page, too."""
        beat = bool(snapshot.transport.path) or snapshot.sync.link
        wanted = self.mixer_model.state.click or (beat and self.width() >= CLICK_ROOM)
        if self.click_strip.isHidden() == wanted:
            self.click_strip.setVisible(wanted)

    def _all(self) -> list[BaseStrip]:
        return [*self.strips.values(), self.click_strip, self.master]

    # -- person to engine -----------------------------------------------------------------------------------------

    def _new_wet_gesture(self) -> None:
        self._wet_gesture = new_gesture()

    def _wet_released(self) -> None:
        self._new_wet_gesture()
        self.show_state(self.mixer_model.state)

    def _wet_moved(self, percent: int) -> None:
        if not self._showing:
            gesture = self._wet_gesture if self.wet.isSliderDown() else new_gesture()
            self.mixer_model.move("", "dry", 1.0 - percent / 100, gesture, self.tr("Dry/wet"))

    def _learn_wet(self, place: QPoint) -> None:
        pop_up(learn_menu(self, self.bridge, {"mixer.dry": self.tr("dry/wet")}), self.wet.mapToGlobal(place))

    def _mute(self, number: int) -> None:
        if number < len(self.strips):
            list(self.strips.values())[number].mute.click()

    def _solo(self, number: int) -> None:
        if number < len(self.strips):
            list(self.strips.values())[number].solo.click()

    def _flatten(self) -> None:
        self.mixer_model.flatten()
