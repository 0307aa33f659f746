"""The status bar: facts about the engine, each with an explanation; a click on a counter resets it."""

from __future__ import annotations

from PyQt6.QtCore import Qt, pyqtSignal
from PyQt6.QtWidgets import QFrame, QPushButton, QWidget

from gui.health import MARKS, Fact
from gui.widgets.flow import FlowLayout
from gui.widgets.plain import plain
from gui.widgets.toggle import polish

CLEARS = ("xruns", "misses")


class StatusBar(QFrame):
    """Signals:
    cleared(): the user requests a reset of the counters.
    asked(Fact): the user clicked an item to see its explanation.
    """

    cleared = pyqtSignal()
    asked = pyqtSignal(object)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setProperty("role", "footer")
        self.setAccessibleName(self.tr("Status of the engine"))
        self._flow = FlowLayout(self, gap=2, row_gap=0)
        self._flow.setContentsMargins(12, 3, 12, 3)
        self.items: dict[str, QPushButton] = {}
        self._facts: dict[str, Fact] = {}

    def show_facts(self, facts: list[Fact]) -> None:
        """Show the facts; only changed items are updated."""
        shown = {fact.key: fact for fact in facts}
        if shown == self._facts:
            return
        for key, fact in shown.items():
            if self._facts.get(key) != fact:
                self._write(self.items.get(key) or self._make(key), fact)
        for key in self._facts.keys() - shown.keys():
            self.items[key].hide()
        self._facts = shown
        self._flow.activate()  # now: a longer number would be painted in the room of the old one first

    def _make(self, key: str) -> QPushButton:
        button = QPushButton()
        button.setProperty("status", True)
        button.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        button.clicked.connect(lambda: self._clicked(key))
        self.items[key] = button
        self._flow.addWidget(button)
        return button

    def _write(self, button: QPushButton, fact: Fact) -> None:
        button.setText(fact.text)
        button.setToolTip(plain(fact.sentence))
        button.setAccessibleName(fact.text.lstrip(f"{MARKS} "))
        button.setAccessibleDescription(fact.sentence)
        if button.property("level") != fact.level:
            button.setProperty("level", fact.level)
            polish(button)
        button.show()
        self._flow.invalidate()

    def _clicked(self, key: str) -> None:
        if key in CLEARS:
            self.cleared.emit()
        elif key in self._facts:
            self.asked.emit(self._facts[key])
