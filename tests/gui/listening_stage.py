"""A listening page on a session that only remembers, with what a listener does as methods."""

from __future__ import annotations

from pathlib import Path

from PyQt6.QtCore import Qt
from PyQt6.QtWidgets import QWidget
from pytestqt.qtbot import QtBot

from gui.bridge import Bridge
from gui.pages.listening import ListeningPage
from tests.gui.conftest import FakeSession


class Stage:
    """A page on a fake session of its own, with what a listener does as methods."""

    def __init__(self, bridge: Bridge, qtbot: QtBot) -> None:
        self.qtbot = qtbot
        self.session = FakeSession()
        self.page = ListeningPage(bridge, make_session=self._make)
        qtbot.addWidget(self.page)
        self.page.resize(1000, 800)
        self.page.show()

    def _make(self, path: Path) -> FakeSession:
        self.session.report.transport.path = str(path)
        return self.session

    def open(self, sheet: Path) -> None:
        self.page.start.open_test(sheet.parent.parent)
        self.page.start.picker.setCurrentIndex(
            self.page.start.picker.findText(sheet.stem, Qt.MatchFlag.MatchStartsWith)
        )
        self.click(self.page.start.go)
        self.qtbot.waitUntil(lambda: self.page.player is not None)
        self.look()

    def begin(self, headphones: bool = True) -> None:
        self.click(self.page.check.devices.buttons[0 if headphones else 1])
        self.click(self.page.check.check_button)
        self.click(self.page.check.begin_button)

    def look(self) -> None:
        """What the player's timer does."""
        assert self.page.player is not None
        self.page.player.look()

    def click(self, widget: QWidget) -> None:
        assert widget.isEnabled()
        self.qtbot.mouseClick(widget, Qt.MouseButton.LeftButton)

    def key(self, key: Qt.Key) -> None:
        self.qtbot.keyClick(self.page.trials.focusWidget() or self.page.trials, key)  # type: ignore[union-attr]

    def commands(self) -> list[str]:
        return [command.op for command in self.session.commands]

    @property
    def sought(self) -> float:
        return float([command for command in self.session.commands if command.op == "seek"][-1].args["position_s"])
