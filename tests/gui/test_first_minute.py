"""The first minute: what an empty window offers, recent songs, the pages of the lab, and the tour."""

from __future__ import annotations

from pathlib import Path

import pytest
from PyQt6.QtCore import Qt
from PyQt6.QtTest import QTest
from PyQt6.QtWidgets import QApplication, QMenu, QWidget
from pytestqt.qtbot import QtBot

from gui.bridge import Bridge
from gui.pages import PAGES, first_page
from gui.pages.start import StartPage
from gui.pages.tabs import LabTab
from gui.player.demo import demo_song
from gui.player.player_model import player_model_of
from gui.player.recent import RecentMenu
from gui.store import Store
from gui.tour import HINTS, Tour
from gui.window import MainWindow
from rtaudio.protocol.reports import Transport
from rtaudio.protocol.settings import EngineConfig
from tests.gui.conftest import FakeSession

LEFT = Qt.MouseButton.LeftButton


@pytest.fixture
def session() -> FakeSession:
    return FakeSession(EngineConfig(input="none", instrument=""))


@pytest.fixture
def start(window: MainWindow, qtbot: QtBot) -> StartPage:
    """The page of an empty window."""
    assert window.page == "start", "an empty window offers something"
    with qtbot.waitActive(window):
        window.activateWindow()
    page = window.pages["start"]
    assert isinstance(page, StartPage)
    return page


def press(widget: QWidget) -> None:
    """With the keyboard, as a person who uses no mouse."""
    widget.setFocus()
    assert QApplication.focusWidget() is widget
    QTest.keyClick(widget, Qt.Key.Key_Return)


def test_the_demo_song_plays_in_the_mixer(start: StartPage, window: MainWindow, session: FakeSession, qtbot: QtBot) -> None:
    press(start.demo)
    qtbot.waitUntil(lambda: session.config.input == demo_song())
    assert session.commands[-1].op == "play"
    session.report.transport = Transport(demo_song(), True, 0.1, 40.0)
    window.bridge.poll()
    assert window.page == "mixer" and window.bridge.store.preferences.recent == [demo_song()]


def test_a_song_is_asked_for(start: StartPage, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[object] = []
    monkeypatch.setattr("gui.pages.start.choose_song", lambda model, parent: asked.append(parent))
    press(start.song)
    assert asked == [start.window()]


def test_the_microphone_is_opened_unheard(start: StartPage, window: MainWindow, session: FakeSession) -> None:
    session.report.state = "stopped"
    window.bridge.poll()
    press(start.microphone)
    assert session.started == 1 and session.config.input == "default" and window.page == "mixer"
    assert "headphones" in window.notice.text and not any(c.args.get("field") == "monitor" for c in session.commands)


def test_the_keyboard_loads_an_instrument(start: StartPage, window: MainWindow, session: FakeSession) -> None:
    press(start.keyboard)
    assert session.config.instrument == "sing-gm" and window.page == "instrument"


def test_choices_have_names_and_explanations_also_without_the_demo(
    bridge: Bridge, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gui.pages.start.demo_song", lambda: "")
    page = StartPage(bridge)
    qtbot.addWidget(page)
    choices = (page.demo, page.song, page.microphone, page.keyboard)
    assert len({choice.accessibleName() for choice in choices}) == 4 and all(choice.accessibleDescription() for choice in choices)
    assert not page.demo.isEnabled() and "not part of" in page.demo.accessibleDescription()


def test_recent_songs_are_listed_opened_and_forgotten(start: StartPage, window: MainWindow, session: FakeSession, tmp_path: Path) -> None:
    store, gone = window.bridge.store, str(tmp_path / "gone & away.wav")
    assert not start.recent.isVisible()
    store.remember_song(gone)
    store.remember_song(demo_song())
    start.show_recent()
    assert start.recent.isVisible() and [start.songs.item(k).text() for k in range(2)] == ["kimseye.ogg", "gone & away.wav"]
    start.songs.setCurrentRow(1)
    start.songs.setFocus()
    QTest.keyClick(start.songs, Qt.Key.Key_Return)
    assert "is not there" in window.notice.text and session.config.input == "none"
    start.songs.setCurrentRow(0)
    QTest.keyClick(start.songs, Qt.Key.Key_Return)
    assert player_model_of(window.bridge).pending == demo_song()
    press(start.clear_button)
    assert not start.recent.isVisible() and Store().preferences.recent == [], "it is gone from the disk, too"


def test_the_menu_has_the_recent_songs(window: MainWindow, tmp_path: Path) -> None:
    menu = window.menu.findChild(RecentMenu) or next(m for m in window.findChildren(RecentMenu))
    menu.aboutToShow.emit()
    assert [(action.text(), action.isEnabled()) for action in menu.actions()] == [("No song yet", False)]
    window.bridge.store.remember_song(str(tmp_path / "a & b.wav"))
    menu.aboutToShow.emit()
    song, _, clear = menu.actions()
    assert song.text() == "a && b.wav"
    song.trigger()
    assert "is not there" in window.notice.text
    clear.trigger()
    assert window.bridge.store.preferences.recent == []


@pytest.mark.parametrize(
    ("left", "empty", "shown"),
    [("", True, "start"), ("mixer", True, "start"), ("instrument", True, "instrument"), ("mixer", False, "mixer"),
     ("start", False, "mixer"), ("player", False, "player"), ("nonsense", False, "mixer")],
)  # fmt: skip
def test_only_an_empty_window_begins_with_the_start(left: str, empty: bool, shown: str) -> None:
    assert first_page(left, empty) == shown


def test_pages_for_research_are_behind_one_tab(window: MainWindow) -> None:
    lab = window.findChild(LabTab)
    assert lab is not None and {key for key, tab in window.tabs.items() if tab is lab} == {"listening", "curves"}
    assert {tab.text() for tab in window.tabs.values()} == {"Start", "Mixer", "Views", "Instrument", "Player", "Lab", "Help"}
    lab.click()
    popup = QApplication.activePopupWidget()
    assert isinstance(popup, QMenu) and [action.text() for action in popup.actions()] == ["Listening tests", "Training curves"]
    popup.close()
    assert window.tabs[window.page].isChecked() and not lab.isChecked(), "looking into the menu changes nothing"
    popup.actions()[1].trigger()
    assert window.page == "curves" and lab.isChecked()
    assert window._narrow.currentText() == "Lab: Training curves"


# ---------------------------------------------------------------- the tour


@pytest.fixture
def tour(start: StartPage, window: MainWindow) -> Tour:
    press(start.tour_button)
    return shown(window)


def shown(window: MainWindow) -> Tour:
    (tour,) = [tour for tour in window.findChildren(Tour) if tour.isVisible()]
    return tour


def test_the_tour_goes_through_the_window_with_the_keyboard(tour: Tour, window: MainWindow) -> None:
    seen = []
    for hint in HINTS:
        seen.append(window.page)
        focused = QApplication.focusWidget()
        assert focused is tour.next_button and hint.title in focused.accessibleName() and focused.accessibleDescription() == hint.text
        assert window.rect().contains(tour.geometry()) and tour.spot.isVisible()
        QTest.keyClick(focused, Qt.Key.Key_Return)
    assert seen == [hint.page for hint in HINTS] and set(seen) <= {page.key for page in PAGES}
    assert not tour.isVisible() and not tour.spot.isVisible() and window.page == "start"
    assert window.bridge.store.preferences.layout["tour"] is True


def test_the_tour_can_be_left_at_once_and_begun_again(tour: Tour, start: StartPage, window: MainWindow) -> None:
    QTest.keyClick(tour.next_button, Qt.Key.Key_Escape)
    assert not tour.isVisible() and QApplication.focusWidget() is start.tour_button
    QTest.keyClick(window, Qt.Key.Key_F1, Qt.KeyboardModifier.ShiftModifier)
    again = shown(window)
    QTest.mouseClick(again.skip_button, LEFT)
    assert not again.isVisible()


def test_the_sound_and_every_control_go_on_during_the_tour(tour: Tour, window: MainWindow, session: FakeSession) -> None:
    tour.show_hint(1)
    QTest.mouseClick(window.bypass, LEFT)
    assert session.desired.mixer.bypass and session.stopped == 0
    session.report.transport = Transport("song.wav", True, 1.0, 10.0)
    window.bridge.poll()
    QTest.keyClick(tour.next_button, Qt.Key.Key_Space)
    assert session.commands[-1].op == "pause" and tour.isVisible(), "Space plays, as everywhere"


@pytest.mark.parametrize("size", [(1240, 760), (900, 600), (640, 400)], ids=str)
def test_hints_stay_in_the_window(tour: Tour, window: MainWindow, size: tuple[int, int]) -> None:
    window.resize(*size)
    for number in range(len(HINTS)):
        tour.show_hint(number)
        QApplication.processEvents()
        tour._place()
        assert window.rect().contains(tour.geometry()), HINTS[number].title
        cut = [part for part in (tour.next_button, tour.skip_button, tour.back_button) if part.width() < part.sizeHint().width()]
        assert not cut


def test_a_first_start_begins_with_the_tour_and_the_second_does_not(bridge: Bridge, qtbot: QtBot) -> None:
    for expected in (True, False):
        window = MainWindow(bridge)
        qtbot.addWidget(window)
        window.show()
        if bridge.store.preferences.layout.get("tour") is not True:  # as gui.app asks
            window.start_tour()
        assert bool([t for t in window.findChildren(Tour) if t.isVisible()]) is expected

