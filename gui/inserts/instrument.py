"""What plays the instrument: a button on its strip of the mixer, and the choice of another model or plugin."""

from __future__ import annotations

from PyQt6.QtCore import QPoint
from PyQt6.QtWidgets import QMenu, QPushButton, QWidget

from gui.bridge import Bridge
from gui.effect_words import plugin_title
from gui.insert_moves import PLAYED
from gui.inserts.browser import InstrumentBrowser
from gui.inserts.desk import InsertDesk
from gui.inserts.library import library_of
from gui.inserts.status import sentence_of, status_of
from gui.mixer_model import mixer_model_of
from gui.theme import stem_title
from gui.widgets.plain import plain
from gui.widgets.popup import pop_up
from gui.widgets.toggle import polish
from rtaudio.protocol.insert_checks import is_foreign


def instrument_title(bridge: Bridge) -> str:
    """How a person reads what plays; "" without an instrument."""
    name = bridge.config.instrument
    if not is_foreign(name):
        return bridge.snapshot.instrument.model or plugin_title(name) if name else ""
    slot = bridge.snapshot.instrument.slot
    return plugin_title(name, slot if slot.plugin == name else None)


def use_instrument(bridge: Bridge, name: str) -> None:
    """Let this model or plugin play. The engine starts again with it, which takes a second or two. It can be undone."""
    mixer_model_of(bridge).inserts.play(name)


def choose_instrument(bridge: Bridge, parent: QWidget) -> InstrumentBrowser:
    """Let the user choose another instrument."""
    browser = InstrumentBrowser(library_of(bridge), bridge.config.instrument, parent)
    browser.chosen.connect(lambda name: use_instrument(bridge, name))
    browser.finished.connect(browser.deleteLater)
    browser.show()
    return browser


class InstrumentButton(QPushButton):
    """Says by its sign whether the instrument works. A click opens a menu; after a failure it starts the plugin again."""

    def __init__(self, desk: InsertDesk, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.desk, self.moves = desk, desk.moves
        self.bridge = desk.mixer_model.bridge
        self.browser: InstrumentBrowser | None = None
        self._shown = ""
        self.setProperty("kind", "slot-switch")
        self.setFixedSize(22, 20)
        self.clicked.connect(self._press)
        self.show_state()

    @property
    def ailing(self) -> bool:
        """Whether the plugin does not work."""
        return self._state()[0] in ("failed", "missing")

    def _state(self) -> tuple[str, str]:
        return status_of(self.moves, *PLAYED) if self.moves.find(*PLAYED) is not None else ("running", "")

    def show_state(self) -> None:
        """Show what plays, and how it is."""
        (status, message), title = self._state(), instrument_title(self.bridge)
        shown = "\n".join((status, message, title))
        if shown == self._shown:
            return
        self._shown = shown
        self.setText({"failed": "↻", "missing": "↻", "loading": "…"}.get(status, "♪"))
        act = self.tr("Start {} again") if self.ailing else self.tr("Instrument {}: choose another, or change it")
        self.setAccessibleName(act.format(title))
        told = sentence_of(status, message)
        self.setAccessibleDescription(told)
        self.setToolTip(plain(f"{title}: {told}\n{self.accessibleName()}"))
        self.setProperty("status", status)
        polish(self)

    def menu_of_actions(self, parent: QWidget | None = None) -> QMenu:
        """What can be done with the instrument."""
        title, report = instrument_title(self.bridge).replace("&", "&&") or stem_title(PLAYED[0]), self.moves.report(*PLAYED)
        menu = QMenu(title, parent or self)
        plays = self.moves.find(*PLAYED) is not None
        items = (
            (self.tr("Choose an instrument …"), True, self.choose),
            (self.tr("Edit …"), plays, lambda: self.desk.edit(*PLAYED)),
            (
                self.tr("Plugin's own window"),
                report is not None and report.editor,
                lambda: self.moves.open_editor(*PLAYED),
            ),
            (self.tr("Start again"), self.ailing, lambda: self.moves.start_again(*PLAYED)),
        )
        for text, possible, act in items:
            action = menu.addAction(text)
            assert action is not None
            action.setEnabled(possible)
            action.triggered.connect(lambda _, do=act: do())
        return menu

    def choose(self) -> None:
        """Let the user choose another instrument."""
        self.browser = choose_instrument(self.bridge, self.window() or self)

    def _press(self) -> None:
        if self.ailing:
            self.moves.start_again(*PLAYED)
        else:
            pop_up(self.menu_of_actions(), self.mapToGlobal(QPoint(0, self.height())))
