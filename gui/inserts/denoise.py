"""The button that puts the denoiser of voices on a live input, before its other effects."""

from __future__ import annotations

from PyQt6.QtWidgets import QWidget

from gui.insert_moves import INPUT, InsertMoves
from gui.widgets.toggle import Toggle
from rtaudio.protocol.parameters import DENOISE
from rtaudio.protocol.settings import InsertState


class DenoiseSwitch(Toggle):
    """On: the denoiser is in one of the input's slots and not bypassed. The editor of that slot has its amount."""

    def __init__(self, moves: InsertMoves, parent: QWidget | None = None) -> None:
        super().__init__("", "bypass", "", "", parent)
        self.moves = moves
        self.setText(self.tr("Denoise"))
        self.setAccessibleName(self.tr("Denoise the input"))
        self.setToolTip(
            self.tr("Keep the voice and remove noise, hum, clicks and music behind it. Adds about 25 ms of latency.")
        )
        self.clicked.connect(self._clicked)

    def _slots(self) -> list[InsertState]:
        return [entry for entry in self.moves.slots(INPUT) if entry.plugin == DENOISE]

    def show_state(self) -> None:
        """Show whether the input is denoised."""
        self.show_on(any(not entry.bypass for entry in self._slots()))

    def _clicked(self, on: bool) -> None:
        found = self._slots()
        if not on:
            for entry in found:
                self.moves.remove(INPUT, entry.key)
        elif found:
            self.moves.bypass(INPUT, found[0].key, False)
        else:
            self.moves.add(INPUT, DENOISE, first=True)
        self.show_state()
