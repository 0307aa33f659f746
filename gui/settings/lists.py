"""Combo boxes whose lists may change while they are open."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from PyQt6.QtWidgets import QComboBox, QSizePolicy

from gui.widgets.plain import plain

Entry = tuple[str, Any]
"""The shown text, and the value that it stands for."""


class Choice(QComboBox):
    """A list of entries; ``chosen(value)`` is called when a person takes one."""

    def __init__(self, name: str, chosen: Callable[[Any], object]) -> None:
        super().__init__()
        self.setAccessibleName(name)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self.setMinimumContentsLength(14)
        self._entries: list[Entry] = []
        self._chosen = chosen
        self.activated.connect(self._taken)

    def _taken(self, index: int) -> None:
        self._chosen(self._entries[index][1])

    def show_entries(self, entries: Sequence[Entry], value: Any, missing: str = "{}") -> None:
        """Show ``entries`` with ``value`` in sight; a value that is none of them gets an entry in the words of ``missing``."""
        entries = list(entries)
        if value not in [entry[1] for entry in entries]:
            entries.append((missing.format(value), value))
        if entries != self._entries:
            self._entries = entries
            self.clear()
            for text, _ in entries:
                self.addItem(text)
        index = [entry[1] for entry in entries].index(value)
        if index != self.currentIndex():
            self.setCurrentIndex(index)
        self.setToolTip(plain(self.currentText()))

    def values(self) -> list[Any]:
        """What can be chosen now."""
        return [value for _, value in self._entries]

    def take(self, value: Any) -> None:
        """Choose as a person would."""
        index = self.values().index(value)
        self.setCurrentIndex(index)
        self._taken(index)
