"""Settings: devices, latency, models, instrument. Choices can be tried; the sound does not change until Apply."""

from __future__ import annotations

from PyQt6.QtWidgets import QDialog, QHBoxLayout, QPushButton, QScrollArea, QTabWidget, QVBoxLayout, QWidget

from gui.bridge import Bridge
from gui.settings.control import ControlTab
from gui.settings.draft import Draft
from gui.settings.models import InstrumentTab, ModelTab
from gui.settings.roundtrip import RoundTripTab
from gui.settings.sound import SoundTab
from gui.widgets.plain import PlainLabel
from rtaudio.protocol.reports import Snapshot


class SettingsDialog(QDialog):
    """See the module's docstring."""

    def __init__(self, bridge: Bridge, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.bridge = bridge
        self.draft = Draft(bridge, self)
        self.setWindowTitle(self.tr("Settings"))
        self.resize(680, 600)
        column = QVBoxLayout(self)
        column.setContentsMargins(16, 14, 16, 14)
        column.setSpacing(10)
        self.tabs = QTabWidget()
        self.sound, self.model = SoundTab(self.draft), ModelTab(self.draft)
        self.instrument, self.round_trip = InstrumentTab(self.draft), RoundTripTab(self.draft)
        self.control = ControlTab(self.draft)
        for widget, title in (
            (self.sound, self.tr("Sound")), (self.model, self.tr("Model")),
            (self.instrument, self.tr("Instrument and MIDI")), (self.control, self.tr("Control")), (self.round_trip, self.tr("Round trip")),
        ):  # fmt: skip
            area = QScrollArea()
            area.setWidgetResizable(True)
            area.setWidget(widget)
            self.tabs.addTab(area, title)
        column.addWidget(self.tabs, 1)
        self.message = PlainLabel()
        self.message.setWordWrap(True)
        column.addWidget(self.message)
        column.addLayout(self._make_buttons())
        self.draft.told.connect(self.tell)
        self.draft.changed.connect(self._dress)
        self.draft.expected_changed.connect(self._warn)
        self.draft.applied.connect(self._applied)
        bridge.refused.connect(self.tell)
        bridge.snapshot_changed.connect(self._hear)
        self._waiting = False
        self._warned = ""
        self._dress()
        self.draft.refresh()

    def _make_buttons(self) -> QHBoxLayout:
        row = QHBoxLayout()
        self.refresh_button = QPushButton(self.tr("Look again"))
        self.refresh_button.setToolTip(self.tr("Look again for devices, MIDI inputs and models"))
        self.refresh_button.clicked.connect(self.draft.refresh)
        self.apply_button = QPushButton(self.tr("Apply"))
        self.apply_button.setProperty("kind", "primary")
        self.apply_button.clicked.connect(self.draft.apply)
        self.close_button = QPushButton(self.tr("Close"))
        self.close_button.clicked.connect(self.reject)
        row.addWidget(self.refresh_button)
        row.addStretch(1)
        row.addWidget(self.close_button)
        row.addWidget(self.apply_button)
        return row

    def tell(self, sentence: str) -> None:
        """Show a message."""
        self.message.setText(sentence)
        self.message.setVisible(bool(sentence))

    def _warn(self) -> None:
        """Show a warning about the present choice before Apply."""
        warning = self.draft.expected["warning"] if self.draft.expected is not None else ""
        if warning or self.message.text() == self._warned:
            self.tell(warning)
        self._warned = warning

    def _dress(self) -> None:
        self.apply_button.setEnabled(self.draft.dirty)
        self.message.setVisible(bool(self.message.text()))

    def _applied(self) -> None:
        self.sound.rest()
        self._waiting = True
        self.tell(self.tr("The engine is restarting with these settings …"))

    def _hear(self, snapshot: Snapshot) -> None:
        """Show the result of Apply. If the engine cannot play the settings, it returns to the previous ones by itself."""
        if not self._waiting or snapshot.state == "starting":
            return
        self.draft.follow()
        if snapshot.state in ("running", "finished") and not snapshot.message:
            self._waiting = False
            self.tell(self.tr("Applied."))
        elif snapshot.message and snapshot.message != self.message.text():
            self.tell(snapshot.message)

    def done(self, result: int) -> None:
        """Stop all tests when the dialog closes."""
        self.sound.rest()
        self.round_trip.rest()
        self.draft.rest()
        super().done(result)
