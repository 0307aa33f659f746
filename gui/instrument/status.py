"""The status line of the instrument: voices, load, latency. Problems are shown in words, not by colour alone."""

from __future__ import annotations

from PyQt6.QtWidgets import QFrame, QLabel, QWidget

from gui.widgets.flow import FlowLayout
from gui.widgets.plain import PlainLabel
from gui.widgets.toggle import polish
from rtaudio.protocol.reports import Snapshot


class InstrumentStatus(QFrame):
    """Labelled facts about the instrument."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.labels: dict[str, QLabel] = {}
        flow = FlowLayout(self, gap=18, row_gap=2)
        flow.setContentsMargins(4, 11, 4, 0)
        self.setMinimumHeight(11 + 2 * (self.fontMetrics().height() + 2))  # two rows, where it is narrow
        tips = {
            "voices": self.tr("Notes sounding now."),
            "load": self.tr("Share of the available time that the notes take, median and 99th percentile."),
            "latency": self.tr("From a key to its sound, without the sound card's own buffers."),
            "primed": self.tr(
                "Share of the notes in the note cache; the others cost more when they are first struck."
            ),
            "stolen": self.tr("Notes that were cut off because all voices were in use."),
            "late": self.tr("Messages that arrived too late to be played on time."),
            "missed": self.tr("Blocks that were not ready in time and are silent."),
        }
        for name, tip in tips.items():
            label = self.labels[name] = PlainLabel()
            label.setToolTip(tip)
            label.setProperty("role", "small")
            flow.addWidget(label)

    def show_snapshot(self, snapshot: Snapshot, voices: int) -> None:
        """Show the engine's state. ``voices``: the largest number of voices."""
        report = snapshot.instrument
        plugin = bool(report.slot.plugin)
        load = report.load
        keys, notes = self.tr("Keys down {0}").format(report.notes), self.tr("Voices {0} of {1}").format(report.notes, voices)
        texts = {
            "voices": keys if plugin else notes,
            "load": self.tr("Load {0:.0%} ({1:.0%})").format(load.get("p50", 0.0), load.get("p99", 0.0)),
            "latency": self.tr("{0:.1f} ms to sound").format(report.delay_ms),
            "primed": self.tr("{0:.0%} prepared").format(report.primed),
            "stolen": self.tr("Stolen {0}").format(report.stolen),
            "late": self.tr("Late {0}").format(report.late),
            "missed": self.tr("Missed {0}").format(report.misses),
        }
        worrying = {"load": load.get("p99", 0.0) > 0.9, "late": report.late > 0, "missed": report.misses > 0}
        for name, text in texts.items():
            label = self.labels[name]
            if name in ("primed", "stolen") and label.isHidden() != plugin:  # a plugin has no note cache and voices of its own
                label.setHidden(plugin)
            if label.text() != text:
                label.setText(text)
            role = "key" if worrying.get(name) else "small"
            if label.property("role") != role:
                label.setProperty("role", role)
                polish(label)
                label.updateGeometry()  # bold words are wider
