"""Menus and dialogs that are made for one occasion are gone afterwards."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from PyQt6.QtCore import QCoreApplication, QEvent, QPoint, Qt
from PyQt6.QtGui import QContextMenuEvent
from PyQt6.QtTest import QTest
from PyQt6.QtWidgets import QApplication, QMenu, QWidget
from pytestqt.qtbot import QtBot

from gui.bridge import Bridge
from gui.pages.mixer import MixerPage
from gui.pages.player import PlayerPage
from gui.player.recent import RecentMenu
from gui.presets import PresetMenu
from gui.widgets.popup import pop_up
from tests.gui.conftest import FakeSession


def menus(widget: QWidget) -> int:
    QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete.value)
    return len(widget.findChildren(QMenu))


def close() -> None:
    popup = QApplication.activePopupWidget()
    assert isinstance(popup, QMenu)
    popup.close()


def test_a_chosen_action_is_done_before_the_menu_is_gone(qtbot: QtBot) -> None:
    parent = QWidget()
    qtbot.addWidget(parent)
    done = []
    menu = QMenu(parent)
    menu.addAction("Do it", lambda: done.append(1))
    pop_up(menu, QPoint(0, 0))
    QTest.keyClick(menu, Qt.Key.Key_Down)
    QTest.keyClick(menu, Qt.Key.Key_Return)
    assert done == [1] and menus(parent) == 0


@pytest.fixture
def mixer(bridge: Bridge, session: FakeSession, qtbot: QtBot) -> MixerPage:
    page = MixerPage(bridge)
    qtbot.addWidget(page)
    page.show()
    bridge.poll()
    return page


def test_context_menus_of_a_strip_do_not_pile_up(mixer: MixerPage) -> None:
    before = menus(mixer)
    for _ in range(3):
        QApplication.sendEvent(mixer.strips["bass"], QContextMenuEvent(QContextMenuEvent.Reason.Keyboard, QPoint(1, 1), QPoint(1, 1)))
        close()
    assert menus(mixer) == before


def test_the_menu_of_recent_songs_does_not_pile_up(bridge: Bridge, session: FakeSession, qtbot: QtBot) -> None:
    bridge.store.preferences.recent = ["/music/a song.wav"]
    page = PlayerPage(bridge)
    qtbot.addWidget(page)
    page.show()
    before = menus(page)
    for _ in range(3):
        page._show_recent()
        popup = QApplication.activePopupWidget()
        assert isinstance(popup, RecentMenu) and popup.actions()[0].text() == "a song.wav"
        close()
    assert menus(page) == before


@pytest.mark.parametrize("act", [lambda menu: menu.fill(), lambda menu: menu.aboutToShow.emit()])
def test_the_menu_of_presets_keeps_its_two_submenus(bridge: Bridge, qtbot: QtBot, act: Callable[[PresetMenu], None]) -> None:
    menu = PresetMenu(bridge)
    qtbot.addWidget(menu)
    for _ in range(3):
        act(menu)
    assert menus(menu) == 2 and [action.text() for action in menu.actions() if action.menu()] == ["Rename", "Delete"]
