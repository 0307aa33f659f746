"""The monitoring switch of a live input, with a warning about howling."""

from __future__ import annotations

import re

from PyQt6.QtWidgets import QMessageBox, QWidget

from gui.bridge import Bridge
from gui.widgets.toggle import Toggle
from rtaudio.protocol.controls import COMPUTER
from rtaudio.protocol.reports import Snapshot
from rtaudio.protocol.settings import EngineConfig

MICROPHONE = re.compile(r"\b(mic|mics|microphone|built-?in|internal|webcam|camera|array|capture)\b", re.IGNORECASE)
QUIET = re.compile(r"\b(headphones?|headset|earphones?|earbuds|airpods|loopback|line)\b", re.IGNORECASE)


def feedback_risk(config: EngineConfig, port: str = "") -> bool:
    """Whether the output may feed back into the input: a microphone without headphones, or input and output of one device.

    Names are all there is to go by; ``port`` is what the engine says it plays on, ``INPUT to OUTPUT`` where these differ.
    """
    if config.input == "none" or config.output == "null":
        return False
    if config.input == COMPUTER:
        return "JACK" not in port  # there our own sound is left out
    source, _, target = port.partition(" to ") if " to " in port else (config.input, "", config.output)
    if QUIET.search(source) or QUIET.search(target or config.output):
        return False
    same = source == target or " to " not in port or "default" in (config.input, config.output)
    return same or MICROPHONE.search(source) is not None


class MonitorSwitch(Toggle):
    """On: the live input is heard, separated or not. Off (the default): it is only metered and recorded."""

    def __init__(self, bridge: Bridge, parent: QWidget | None = None) -> None:
        super().__init__("", "bypass", "", "", parent)
        self.setText(self.tr("Monitor"))
        self.setAccessibleName(self.tr("Monitor the input"))
        self.setToolTip(
            self.tr("Hear the live input through the mixer. Off: it is only metered and recorded, not heard.")
        )
        self.bridge = bridge
        self.clicked.connect(self._clicked)
        bridge.snapshot_changed.connect(self.show_snapshot)
        self.show_snapshot(bridge.snapshot)

    def show_snapshot(self, snapshot: Snapshot) -> None:
        """Show the engine's state."""
        self.show_on(snapshot.mixer.monitor)

    def _clicked(self, on: bool) -> None:
        if on and feedback_risk(self.bridge.config, self.bridge.snapshot.port) and not self.confirm():
            self.setChecked(False)
            return
        self.bridge.send("set_mixer", field="monitor", value=on)

    def confirm(self) -> bool:
        """Ask before switching on, because it may howl."""
        box = QMessageBox(self.window())
        box.setIcon(QMessageBox.Icon.Warning)
        box.setWindowTitle(self.tr("Monitor the input"))
        box.setText(self.tr("This may howl: the microphone may hear the loudspeakers."))
        box.setInformativeText(
            self.tr("Use headphones, or turn the master down first. Panic (Shift+Esc) ends any howl.")
        )
        yes = box.addButton(self.tr("Monitor"), QMessageBox.ButtonRole.AcceptRole)
        box.addButton(QMessageBox.StandardButton.Cancel)
        box.exec()
        box.deleteLater()
        return box.clickedButton() is yes
