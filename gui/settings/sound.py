"""Choices of input and output, sample rate and block size, with the resulting latency."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from PyQt6.QtWidgets import QFormLayout, QHBoxLayout, QPushButton, QWidget

from gui.jobs import Job
from gui.player.monitor import MonitorSwitch
from gui.settings.draft import Draft
from gui.settings.level import InputLevel
from gui.settings.lists import Choice, Entry
from gui.widgets.plain import PlainLabel
from models.names import is_file
from rtaudio.protocol.controls import COMPUTER
from rtaudio.protocol.reports import Snapshot

RATES = (44_100, 48_000, 88_200, 96_000)
BLOCKS = (32, 64, 128, 256, 512, 1024, 2048)


class SoundTab(QWidget):
    """See the module's docstring."""

    def __init__(self, draft: Draft, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.draft = draft
        self.tone: Job | None = None
        form = QFormLayout(self)
        form.setContentsMargins(16, 16, 16, 16)
        form.setVerticalSpacing(10)
        form.setHorizontalSpacing(16)
        self.output = Choice(self.tr("Output"), lambda value: draft.choose(output=value))
        self.tone_button = QPushButton(self.tr("Test tone"))
        self.tone_button.setToolTip(self.tr("Play a tone on the chosen output: left, right, both. Nothing is applied."))
        self.tone_button.clicked.connect(self._toggle_tone)
        form.addRow(self.tr("Output"), _row(self.output, self.tone_button))
        self.input = Choice(self.tr("Input"), lambda value: draft.choose(input=value, input_channels=()))
        form.addRow(self.tr("Input"), self.input)
        self.computer = PlainLabel()
        self.computer.setProperty("role", "muted")
        self.computer.setWordWrap(True)
        form.addRow("", self.computer)
        self.channels = Choice(self.tr("Input channels"), lambda value: draft.choose(input_channels=value))
        form.addRow(self.tr("Channels"), self.channels)
        self.level = InputLevel(draft)
        form.addRow(self.tr("Level"), self.level)
        self.monitor = MonitorSwitch(draft.bridge)
        self.monitor_text = PlainLabel()
        self.monitor_text.setProperty("role", "muted")
        self.monitor_text.setWordWrap(True)
        form.addRow(self.tr("Monitoring"), _row(self.monitor, self.monitor_text, stretch=1))
        self.rate = Choice(self.tr("Rate"), lambda value: draft.choose(rate=value))
        form.addRow(self.tr("Rate"), self.rate)
        self.block = Choice(self.tr("Block"), lambda value: draft.choose(block=value))
        form.addRow(self.tr("Block"), self.block)
        self.latency = PlainLabel()
        self.latency.setProperty("role", "key")
        self.latency_parts = PlainLabel()
        self.latency_parts.setProperty("role", "muted")
        self.latency_parts.setWordWrap(True)
        form.addRow(self.tr("Latency expected"), self.latency)
        form.addRow("", self.latency_parts)
        draft.bridge.snapshot_changed.connect(self._tell_monitoring)
        self._tell_monitoring(draft.bridge.snapshot)
        draft.changed.connect(self.show_draft)
        draft.expected_changed.connect(self.show_expected)
        self.show_draft()
        self.show_expected()

    def _tell_monitoring(self, snapshot: Snapshot) -> None:
        on = self.tr("On: a live input is heard through the mixer. With loudspeakers it may howl.")
        off = self.tr("Off: a live input is only metered and recorded, not heard.")
        text = on if snapshot.mixer.monitor else off
        if text != self.monitor_text.text():
            self.monitor_text.setText(text)

    # -- draft to screen ----------------------------------------------------------------------------------------------------

    def show_draft(self) -> None:
        """Show the draft's lists and choices."""
        draft, config = self.draft, self.draft.config
        gone = self.tr("{} (not there now)") if draft.listed else "{}"
        outputs = [
            *self._defaults("output"),
            *self._devices("output"),
            (self.tr("No sound card (silent clock)"), "null"),
        ]
        self.output.show_entries(outputs, config.output, gone)
        none: Entry = (self.tr("None"), "none")
        if self._is_file(config.input):
            gone = self.tr("Song: {}").format(Path(config.input).name.replace("{", "{{").replace("}", "}}"))
        entries = [none, *self._defaults("input"), (self.tr("What this computer plays"), COMPUTER), *self._devices("input")]
        self.input.show_entries(entries, config.input, gone)
        self.computer.setText(draft.no_computer)
        self.computer.setVisible(config.input == COMPUTER and bool(draft.no_computer))
        live = config.input != "none" and not self._is_file(config.input)
        self.channels.setEnabled(live)
        self.channels.show_entries(self._channel_entries(), config.input_channels, "{}")
        rates: list[Entry] = [(self._own_rate(), None), *((f"{rate / 1000:g} kHz", rate) for rate in RATES)]
        self.rate.show_entries(rates, config.rate, "{} Hz")
        blocks: list[Entry] = [(self.tr("The host's choice"), 0)]
        blocks += [(self.tr("{} frames").format(block), block) for block in BLOCKS]
        self.block.show_entries(blocks, config.block, self.tr("{} frames"))
        self.tone_button.setEnabled(self.tone is not None or draft.device(config.output, "output") is not None)

    def _is_file(self, text: str) -> bool:
        return text not in ("none", "default", COMPUTER) and self.draft.device(text, "input") is None and is_file(text)

    def _defaults(self, end: str) -> list[Entry]:
        meaning = self.draft.default[end]
        text = self.tr("System's choice: {}").format(meaning) if meaning else self.tr("System's choice")
        return [(text, "default")]

    def _devices(self, end: str) -> list[Entry]:
        return [
            (self.tr("{}  ({}, {} channels)").format(d["name"], d["host_api"], d[f"{end}s"]), d["label"])
            for d in self.draft.devices
            if d[f"{end}s"] > 0
        ]

    def _channel_entries(self) -> list[Entry]:
        device = self.draft.device(self.draft.config.input, "input")
        count = int(device["inputs"]) if device is not None else 0
        entries: list[Entry] = [(self.tr("The first two"), ())]
        entries += [(f"{k} + {k + 1}", (k, k + 1)) for k in range(1, min(count, 32), 2)]
        return entries + [(self.tr("{} (mono)").format(k), (k,)) for k in range(1, min(count, 32) + 1)]

    def _own_rate(self) -> str:
        device = self.draft.device(self.draft.config.output, "output")
        own = self.tr("The device's own")
        return f"{own} ({device['rate'] / 1000:g} kHz)" if device is not None else own

    def show_expected(self) -> None:
        """Show the latency of the choice, or why it is impossible."""
        draft = self.draft
        if draft.expected is None:
            self.latency.setText(self.tr("…") if not draft.problem else self.tr("Impossible"))
            self.latency_parts.setText(draft.problem)
            return
        facts = draft.expected
        latency, rate = facts["latency"], facts["rate"]
        measured = draft.round_trip()
        device = latency["device"] if measured is None else measured
        frames = latency["algorithmic"] + latency["resampler"] + latency["pipelining"] + device
        ms = 1000.0 / rate
        self.latency.setText(f"{frames * ms:.1f} ms")
        told = self.tr("measured") if measured is not None else self.tr("the host's estimate")
        parts = self.tr("model {:.1f} + rate conversion {:.1f} + its work {:.1f} + device {:.1f} ({})").format(
            latency["algorithmic"] * ms, latency["resampler"] * ms, latency["pipelining"] * ms, device * ms, told
        )
        self.latency_parts.setText(" ".join(filter(None, [parts, facts["remark"]])))

    # -- test tone ----------------------------------------------------------------------------------------------------------

    def _toggle_tone(self) -> None:
        if self.tone is not None:
            self.tone.cancel()
            return
        config = self.draft.config
        self.tone = self.draft.bridge.job("tone", output=config.output, rate=config.rate)
        self.tone.progress.connect(self._tone_at)
        self.tone.failed.connect(self.draft.told.emit)
        self.tone.ended.connect(self._tone_ended)
        self.tone_button.setText(self.tr("Stop"))

    def _tone_at(self, facts: dict[str, Any]) -> None:
        names = {"left": self.tr("Left"), "right": self.tr("Right"), "both": self.tr("Both")}
        self.tone_button.setText(names[facts["channel"]])

    def _tone_ended(self) -> None:
        self.tone = None
        self.tone_button.setText(self.tr("Test tone"))
        self.show_draft()

    def rest(self) -> None:
        """Stop the test tone and any measurement."""
        self.level.rest()
        if self.tone is not None:
            self.tone.cancel()


def _row(*widgets: QWidget, stretch: int = 0) -> QHBoxLayout:
    row = QHBoxLayout()
    row.setSpacing(8)
    for index, widget in enumerate(widgets):
        row.addWidget(widget, 1 if index == stretch else 0)
    return row
