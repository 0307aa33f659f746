"""The list of sounds: by family, with a search. A chosen sound plays at once."""

from __future__ import annotations

from PyQt6.QtCore import pyqtSignal
from PyQt6.QtWidgets import QComboBox, QListWidgetItem, QVBoxLayout, QWidget

from gui.instrument.catalogue import Sound, family_title
from gui.widgets.plain import PlainLabel
from gui.widgets.search import KEY, HeadedList, SearchField


class Browser(QWidget):
    """Sounds of the instrument.

    Signals:
        chosen(str): the user chose this sound.
    """

    chosen = pyqtSignal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._sounds: tuple[Sound, ...] = ()
        self._current = ""
        self.search = SearchField(self.tr("Search sounds"), self.tr("Search sounds"))
        self.family = QComboBox()
        self.family.setAccessibleName(self.tr("Family of sounds"))
        self.family.setMaxVisibleItems(20)
        self.list = HeadedList(self.tr("Sounds"))
        self.count = PlainLabel()
        self.count.setProperty("role", "small")
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(6)
        for widget in (self.search, self.family):
            layout.addWidget(widget)
        layout.addWidget(self.list, 1)
        layout.addWidget(self.count)
        self.search.textChanged.connect(self._fill)
        self.search.returnPressed.connect(self._choose_first)
        self.family.activated.connect(lambda _: self._fill())
        self.list.currentItemChanged.connect(self._picked)

    def offer(self, sounds: tuple[Sound, ...]) -> None:
        """Set the list of sounds."""
        self._sounds = sounds
        self.family.clear()
        self.family.addItem(self.tr("All families"), -1)
        for family in sorted({sound.family for sound in sounds}):
            self.family.addItem(family_title(family), family)
        self._fill()

    def show_current(self, name: str) -> None:
        """Mark the present sound ("" for a mixture) without emitting a signal."""
        if name == self._current:
            return
        self._current = name
        self._mark()

    def names(self) -> list[str]:
        """The sounds in the filtered list."""
        return self.list.keys()

    def _matches(self, sound: Sound) -> bool:
        family = self.family.currentData()
        if family not in (-1, None) and sound.family != family:
            return False
        return self.search.matches(f"{sound.title} {sound.name} {family_title(sound.family)}")

    def _fill(self) -> None:
        self.list.blockSignals(True)
        self.list.clear()
        found = sorted(
            filter(self._matches, self._sounds), key=lambda sound: sound.family
        )  # stable: the card's order within
        before = -1
        for sound in found:
            if sound.family != before:
                before = sound.family
                self.list.add_heading(family_title(before))
            self.list.add_entry(sound.title, sound.name)
        self.list.blockSignals(False)
        self._mark()
        self.count.setText(
            self.tr("{0} of {1} sounds").format(len(found), len(self._sounds))
            if found
            else self.tr("No sound has such a name.")
        )

    def _mark(self) -> None:
        self.list.blockSignals(True)
        if not self.list.mark(self._current):
            self.list.setCurrentRow(-1)
        self.list.blockSignals(False)

    def _picked(self, item: QListWidgetItem | None) -> None:
        if item is not None and item.data(KEY):
            self._current = item.data(KEY)
            self.chosen.emit(self._current)

    def _choose_first(self) -> None:
        names = self.names()
        if names:
            self._current = names[0]
            self._mark()
            self.chosen.emit(self._current)
