"""Morphing: the channel plays a mixture of four sounds, given by a point between them."""

from __future__ import annotations

from PyQt6.QtCore import pyqtSignal
from PyQt6.QtWidgets import QComboBox, QGridLayout, QWidget

from gui.instrument.catalogue import Sound, shares_text
from gui.instrument.pad import CORNERS, MorphPad, bilinear, place_of
from gui.widgets.plain import PlainLabel


class MorphPanel(QWidget):
    """The morph pad with a sound selector at each corner.

    Signals:
        morphed(dict): shares by instrument name that the user set.
    """

    morphed = pyqtSignal(dict)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.pad = MorphPad()
        self.readout = PlainLabel()
        self.readout.setProperty("role", "muted")
        self.readout.setAccessibleName(self.tr("What the pad plays"))
        self.readout.setWordWrap(True)
        self.readout.setMinimumHeight(2 * self.readout.fontMetrics().lineSpacing())
        self.corners = tuple(QComboBox() for _ in CORNERS)
        names = (
            self.tr("Sound top left"), self.tr("Sound top right"), self.tr("Sound bottom left"), self.tr("Sound bottom right"),
        )  # fmt: skip
        grid = QGridLayout(self)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setSpacing(6)
        for number, (box, name) in enumerate(zip(self.corners, names, strict=True)):
            box.setAccessibleName(name)
            box.setMinimumContentsLength(8)
            box.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
            box.setMaxVisibleItems(24)
            box.activated.connect(lambda _: self._tell())
            grid.addWidget(box, 2 * (number // 2), number % 2)
        grid.addWidget(self.pad, 1, 0, 1, 2)
        grid.addWidget(self.readout, 3, 0, 1, 2)
        grid.setRowStretch(1, 1)
        self.pad.moved.connect(lambda x, y: self._tell())

    def offer(self, sounds: tuple[Sound, ...]) -> None:
        """Set the sounds to choose from. The corners start with sounds far apart in the list."""
        for number, box in enumerate(self.corners):
            kept = box.currentData()
            box.clear()
            for sound in sounds:
                box.addItem(sound.title, sound.name)
            index = box.findData(kept)
            box.setCurrentIndex(index if index >= 0 else number * (len(sounds) - 1) // 3 if sounds else -1)

    def shares(self) -> dict[str, float]:
        """Shares for the pad's present position; the shares of the same sound in two corners are added."""
        found: dict[str, float] = {}
        for box, share in zip(self.corners, bilinear(self.pad.x_place, self.pad.y_place), strict=True):
            if box.currentData() is not None and share > 0:
                found[box.currentData()] = round(found.get(box.currentData(), 0.0) + share, 4)
        return found

    def show_shares(self, shares: dict[str, float]) -> None:
        """Show the channel's sound. A single sound leaves the pad unchanged."""
        self.readout.setText(shares_text(shares))
        mixed = [name for name, share in sorted(shares.items(), key=lambda item: -item[1]) if share > 0]
        if not 2 <= len(mixed) <= len(CORNERS):
            return
        names = [box.currentData() for box in self.corners]
        if not set(mixed) <= set(names):
            names = (mixed + [name for name in names if name not in mixed])[: len(CORNERS)]
            for box, name in zip(self.corners, names, strict=True):
                box.setCurrentIndex(box.findData(name))
        first = {name: names.index(name) for name in mixed}
        weights = tuple(shares.get(name, 0.0) if first.get(name) == i else 0.0 for i, name in enumerate(names))
        assert len(weights) == 4
        self.pad.show_place(*place_of(weights))

    def _tell(self) -> None:
        shares = self.shares()
        if shares:
            self.readout.setText(shares_text(shares))
            self.morphed.emit(shares)
