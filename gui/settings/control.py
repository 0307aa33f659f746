"""Control from outside: OSC, MIDI output and clock, Ableton Link, and the tempo that these share."""

from __future__ import annotations

from PyQt6.QtWidgets import QCheckBox, QDoubleSpinBox, QFormLayout, QLineEdit, QWidget

from gui.settings.draft import Draft
from gui.settings.lists import Choice, Entry
from gui.widgets.plain import PlainLabel
from rtaudio.protocol.controls import TEMPO
from rtaudio.protocol.reports import Snapshot


class ControlTab(QWidget):
    """See the module's docstring. The tempo changes at once, everything else with Apply."""

    def __init__(self, draft: Draft, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.draft = draft
        form = QFormLayout(self)
        form.setContentsMargins(16, 16, 16, 16)
        form.setVerticalSpacing(10)
        form.setHorizontalSpacing(16)
        self.osc = QLineEdit()
        self.osc.setAccessibleName(self.tr("OSC port"))
        self.osc.setPlaceholderText(self.tr("off"))
        self.osc.editingFinished.connect(lambda: draft.choose(osc=self.osc.text().strip()))
        form.addRow(self.tr("OSC"), self.osc)
        self.osc_state = _words()
        form.addRow("", self.osc_state)
        self.output = Choice(self.tr("MIDI output"), self._choose_output)
        form.addRow(self.tr("MIDI output"), self.output)
        self.clock = QCheckBox(self.tr("Send MIDI clock, start, stop and position"))
        self.clock.clicked.connect(lambda on: draft.choose(midi_clock=on))
        form.addRow("", self.clock)
        self.output_state = _words(self.tr("Controllers that were learned show their values through this output, too."))
        form.addRow("", self.output_state)
        self.link = QCheckBox(self.tr("Share tempo and beat with other programs"))
        self.link.setAccessibleName(self.tr("Ableton Link"))
        self.link.clicked.connect(lambda on: draft.choose(link=on))
        form.addRow(self.tr("Ableton Link"), self.link)
        self.link_start = QCheckBox(self.tr("Share start and stop, too"))
        self.link_start.setAccessibleName(self.tr("Ableton Link: start and stop"))
        self.link_start.clicked.connect(lambda on: draft.choose(link_start=on))
        form.addRow("", self.link_start)
        self.link_state = _words()
        form.addRow("", self.link_state)
        self.tempo = QDoubleSpinBox()
        self.tempo.setRange(*TEMPO)
        self.tempo.setDecimals(1)
        self.tempo.setSuffix(self.tr(" BPM"))
        self.tempo.setFixedWidth(140)
        self.tempo.setKeyboardTracking(False)
        self.tempo.setAccessibleName(self.tr("Tempo"))
        self.tempo.valueChanged.connect(lambda value: draft.bridge.send("set_tempo", bpm=value))
        form.addRow(self.tr("Tempo"), self.tempo)
        form.addRow("", _words(self.tr("Of MIDI clock, Link, and echoes that are in time. It changes at once.")))
        draft.bridge.snapshot_changed.connect(self.show_snapshot)
        draft.changed.connect(self.show_draft)
        self.show_snapshot(draft.bridge.snapshot)
        self.show_draft()

    def _choose_output(self, name: str) -> None:
        clock = {"midi_clock": False} if name == "none" else {}
        self.draft.choose(midi_out=name, **clock)

    def show_draft(self) -> None:
        """Show the draft's lists and choices."""
        draft, config = self.draft, self.draft.config
        if not self.osc.hasFocus():
            self.osc.setText(config.osc)
        ports: list[Entry] = [
            (self.tr("None"), "none"), (self.tr("All outputs, also those plugged in later"), "default"),
            (self.tr("A port of Stemplay's own, for other programs"), "virtual"), *((name, name) for name in draft.midi_outputs),
        ]  # fmt: skip
        self.output.show_entries(ports, config.midi_out, self.tr("{} (not there now)"))
        self.clock.setEnabled(config.midi_out != "none")
        self.clock.setChecked(config.midi_clock)
        self.link.setChecked(config.link)
        self.link_start.setChecked(config.link_start)
        self.link_start.setEnabled(config.link)

    def show_snapshot(self, snapshot: Snapshot) -> None:
        """Show what is shared now."""
        sync, remote = snapshot.sync, snapshot.remote
        if not self.tempo.hasFocus() and abs(self.tempo.value() - snapshot.transport.tempo) > 0.05:
            self.tempo.blockSignals(True)
            self.tempo.setValue(snapshot.transport.tempo)
            self.tempo.blockSignals(False)
        if remote.address:
            told = self.tr("Listens at {0}: {1} packets, {2} refused. {3}")
            _show(self.osc_state, told.format(remote.address, remote.received, remote.refused, remote.message).strip())
        else:
            hint = self.tr("A port such as 9000 listens on this computer only, 0.0.0.0:9000 on every network that it is in.")
            _show(self.osc_state, remote.message or hint)
        if sync.outputs or sync.message:
            _show(self.output_state, self.tr("Open: {0}").format(", ".join(sync.outputs)) if sync.outputs else sync.message)
        _show(self.link_state, self.tr("{0} other programs in the session").format(sync.peers) if sync.link else "")
        self.link_state.setVisible(sync.link)


def _words(text: str = "") -> PlainLabel:
    label = PlainLabel(text)
    label.setProperty("role", "muted")
    label.setWordWrap(True)
    return label


def _show(label: PlainLabel, text: str) -> None:
    if label.text() != text:
        label.setText(text)
