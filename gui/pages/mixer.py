"""The mixer's page."""

from __future__ import annotations

from PyQt6.QtWidgets import QWidget

from gui.bridge import Bridge


class MixerPage(QWidget):
    """A strip for each stem, the instrument and the master."""

    def __init__(self, bridge: Bridge, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.bridge = bridge
