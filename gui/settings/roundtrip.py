"""The loopback wizard: measure how long sound takes from the chosen output back to the chosen input."""

from __future__ import annotations

from typing import Any

from PyQt6.QtWidgets import QFormLayout, QHBoxLayout, QProgressBar, QPushButton, QSpinBox, QVBoxLayout, QWidget

from gui.jobs import Job
from gui.settings.draft import Draft
from gui.widgets.plain import PlainLabel
from rtaudio.audio.format import StemplayError


class RoundTripTab(QWidget):
    """The wizard of this module. The measurement is stored for the pair of devices, the rate and the block size."""

    def __init__(self, draft: Draft, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.draft = draft
        self.job: Job | None = None
        self._key = ""
        column = QVBoxLayout(self)
        column.setContentsMargins(16, 16, 16, 16)
        column.setSpacing(10)
        steps = (
            self.tr(
                "Connect an output of the sound card to an input with a cable, or hold the microphone to the loudspeaker."
            ),
            self.tr("Turn both to a middle level. Eight short chirps will be played on the chosen output."),
            self.tr("Press Measure. The result replaces the host's estimate wherever this pair of devices is used."),
        )
        for number, text in enumerate(steps, 1):
            label = PlainLabel(f"{number}.  {text}")
            label.setWordWrap(True)
            column.addWidget(label)
        form = QFormLayout()
        form.setHorizontalSpacing(16)
        self.pair = PlainLabel()
        self.pair.setWordWrap(True)
        self.pair.setProperty("role", "muted")
        form.addRow(self.tr("Devices"), self.pair)
        self.channel = QSpinBox()
        self.channel.setRange(1, 64)
        self.channel.setFixedWidth(96)
        self.channel.setAccessibleName(self.tr("Input channel of the cable"))
        form.addRow(self.tr("Input channel"), self.channel)
        column.addLayout(form)
        row = QHBoxLayout()
        self.button = QPushButton(self.tr("Measure"))
        self.button.clicked.connect(self._toggle)
        self.forget = QPushButton(self.tr("Forget the measurement"))
        self.forget.clicked.connect(self._forget)
        row.addWidget(self.button)
        row.addWidget(self.forget)
        row.addStretch(1)
        column.addLayout(row)
        self.bar = QProgressBar()
        self.bar.setRange(0, 100)
        self.bar.setAccessibleName(self.tr("Progress of the measurement"))
        column.addWidget(self.bar)
        self.result = PlainLabel()
        self.result.setWordWrap(True)
        column.addWidget(self.result)
        column.addStretch(1)
        draft.changed.connect(self.show_draft)
        draft.expected_changed.connect(self.show_draft)
        self.show_draft()

    def show_draft(self) -> None:
        """Show the devices to measure, and the earlier measurement."""
        draft, facts = self.draft, self.draft.expected
        live = facts is not None and all(draft.device(facts[end], end) is not None for end in ("input", "output"))
        self.button.setEnabled(live or self.job is not None)
        if facts is None:
            self.pair.setText(draft.problem or self.tr("…"))
        elif live:
            self.pair.setText(
                self.tr("{output} to {input}, {rate} Hz, {block} frames").format(
                    output=facts["output"], input=facts["input"], rate=facts["rate"], block=facts["block"]
                )
            )
        else:
            self.pair.setText(self.tr("Choose an input and an output device first, in the tab Sound."))
        known = draft.round_trip()
        self.forget.setVisible(known is not None)
        if self.job is None and known is not None and facts is not None:
            self.result.setText(
                self.tr("Measured: {:.2f} ms ({:.0f} samples); the host estimates {:.2f} ms.").format(
                    1000 * known / facts["rate"], known, 1000 * facts["latency"]["device"] / facts["rate"]
                )
            )
        self.bar.setVisible(self.job is not None)

    def _toggle(self) -> None:
        if self.job is not None:
            self.job.cancel()
            self.result.setText(self.tr("Cancelled."))
            return
        facts, config = self.draft.expected, self.draft.config
        if facts is None:
            return
        self._key = self.draft.round_trip_key()
        self.result.setText(self.tr("Listening for the chirps …"))
        self.job = self.draft.bridge.job(
            "loopback", input=facts["input"], output=facts["output"], rate=facts["rate"], block=config.block,
            channel=self.channel.value(),
        )  # fmt: skip
        self.job.progress.connect(self._progress)
        self.job.done.connect(self._found)
        self.job.failed.connect(self.result.setText)
        self.job.ended.connect(self._ended)
        self.bar.setValue(0)
        self.button.setText(self.tr("Cancel"))
        self.show_draft()

    def _progress(self, told: dict[str, Any]) -> None:
        self.bar.setValue(round(100 * told["share"]))

    def _found(self, facts: dict[str, Any]) -> None:
        self._store(self._key, facts["samples"])

    def _forget(self) -> None:
        self._store(self.draft.round_trip_key(), None)
        self.result.setText("")

    def _store(self, key: str, samples: float | None) -> None:
        store = self.draft.bridge.store
        if samples is None:
            store.preferences.round_trips.pop(key, None)
        else:
            store.preferences.round_trips[key] = samples
        try:
            store.save_preferences()
        except StemplayError as error:
            self.draft.told.emit(str(error))
        self.draft.expected_changed.emit()

    def _ended(self) -> None:
        self.job = None
        self.button.setText(self.tr("Measure"))
        self.show_draft()

    def rest(self) -> None:
        """End a measurement."""
        if self.job is not None:
            self.job.cancel()
