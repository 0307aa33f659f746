"""Where MIDI comes from: the choice of the input, what is open, and a sentence about what is missing."""

from __future__ import annotations

from typing import Any

from PyQt6.QtCore import Qt
from PyQt6.QtWidgets import QComboBox, QHBoxLayout, QLabel, QPushButton, QVBoxLayout, QWidget

from gui.bridge import Bridge
from gui.widgets.plain import PlainLabel
from rtaudio.protocol.reports import Snapshot


class PortPanel(QWidget):
    """Selects the MIDI input. Another choice restarts the engine's stream, which interrupts the sound for a moment."""

    def __init__(self, bridge: Bridge, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._bridge = bridge
        self._names: list[str] = []
        self.choice = QComboBox()
        self.choice.setAccessibleName(self.tr("MIDI input"))
        self.choice.setMinimumContentsLength(14)
        self.choice.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self.choice.activated.connect(self._choose)
        self.look = QPushButton(self.tr("Look again"))
        self.look.clicked.connect(self.refresh)
        self.open = _words()
        self.open.setTextFormat(Qt.TextFormat.PlainText)
        self.trouble = _words()
        note = _words(self.tr("Changing the input interrupts the sound for a moment."))
        note.setProperty("role", "small")
        title = PlainLabel(self.tr("MIDI input"))
        title.setProperty("role", "muted")
        title.setBuddy(self.choice)
        row = QHBoxLayout()
        row.addWidget(self.choice, 1)
        row.addWidget(self.look)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(12, 12, 12, 12)
        layout.setSpacing(8)
        layout.addWidget(title)
        layout.addLayout(row)
        layout.addWidget(note)
        layout.addWidget(self.open)
        layout.addWidget(self.trouble)
        layout.addStretch(1)
        self._fill()

    def refresh(self) -> None:
        """Request the list of present inputs; it arrives later."""
        self.look.setEnabled(False)
        job = self._bridge.job("midi_inputs")
        job.done.connect(self._found)
        job.failed.connect(self.trouble.setText)
        job.ended.connect(self._looked)

    def _looked(self) -> None:
        self.look.setEnabled(True)

    def show_snapshot(self, snapshot: Snapshot) -> None:
        """Show the engine's state."""
        report = snapshot.instrument
        ports = ", ".join(report.ports)
        self.open.setText(self.tr("Open: {0}").format(ports) if ports else self.tr("No input is open."))
        self.trouble.setText(report.midi)
        self.trouble.setVisible(bool(report.midi))

    def _found(self, answer: dict[str, Any]) -> None:
        self._names = [str(name) for name in answer.get("inputs", [])]
        self._fill()

    def _fill(self) -> None:
        wanted = self._bridge.config.midi
        fixed = {
            "default": self.tr("All inputs"), "none": self.tr("No MIDI"), "virtual": self.tr("An input of Stemplay's own (virtual)"),
        }  # fmt: skip
        self.choice.clear()
        for name, title in fixed.items():
            self.choice.addItem(title, name)
        for name in dict.fromkeys([*self._names, wanted]):
            if name not in fixed:
                self.choice.addItem(name, name)
        self.choice.setCurrentIndex(self.choice.findData(wanted))

    def _choose(self) -> None:
        wanted = self.choice.currentData()
        if wanted != self._bridge.config.midi and not self._bridge.configure(midi=wanted):
            self._fill()


def _words(text: str = "") -> QLabel:
    label = PlainLabel(text)
    label.setWordWrap(True)
    return label
