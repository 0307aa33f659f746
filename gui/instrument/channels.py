"""The channel map: the sound of each of the sixteen MIDI channels, and which channel this page plays and changes."""

from __future__ import annotations

from PyQt6.QtCore import Qt, pyqtSignal
from PyQt6.QtWidgets import QListWidget, QListWidgetItem, QVBoxLayout, QWidget

from gui.instrument.catalogue import shares_text
from gui.widgets.plain import plain
from rtaudio.protocol.reports import InstrumentReport

CHANNELS = 16


def shares_of(report: InstrumentReport, channel: int) -> dict[str, float]:
    """The sound of a channel; the first instrument until one is chosen; none of a plugin, which has sounds of its own."""
    if report.slot.plugin:
        return {}
    found = report.state.shares.get(str(channel))
    return found or ({report.instruments[0]: 1.0} if report.instruments else {})


class ChannelMap(QWidget):
    """Sixteen lines.

    Signals:
        chosen(int): the user selected this channel, counted from 0.
    """

    chosen = pyqtSignal(int)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.list = QListWidget()
        self.list.setAccessibleName(self.tr("MIDI channels and their sounds"))
        self.list.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        for channel in range(CHANNELS):
            self.list.addItem(QListWidgetItem(f"{channel + 1}"))
        self.list.setCurrentRow(0)
        self.list.setToolTip(
            self.tr("The list of sounds, the pad and the keys apply to the selected line.")
        )
        layout = QVBoxLayout(self)
        layout.setContentsMargins(12, 12, 12, 12)
        layout.addWidget(self.list)
        self.list.currentRowChanged.connect(self.chosen.emit)

    def show_report(self, report: InstrumentReport) -> None:
        """Show the engine's state."""
        for channel in range(CHANNELS):
            item = self.list.item(channel)
            number = f"{channel + 1}".rjust(2, "\u2007")
            text = f"{number}   {shares_text(shares_of(report, channel))}"
            if item is not None and item.text() != text:
                item.setText(text)
                item.setToolTip(plain(text))

    def show_channel(self, channel: int) -> None:
        """Mark a line without emitting a signal."""
        self.list.blockSignals(True)
        self.list.setCurrentRow(channel)
        self.list.blockSignals(False)
