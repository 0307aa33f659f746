"""The main window: what must always be in reach, what must always be seen."""

from __future__ import annotations

from pathlib import Path

import pytest
from PyQt6.QtCore import Qt
from PyQt6.QtTest import QTest
from PyQt6.QtWidgets import QApplication, QLineEdit, QMenu
from pytestqt.qtbot import QtBot

from gui import theme
from gui.bridge import Bridge
from gui.pages import PAGES
from gui.pages.mixer import MixerPage
from gui.player.transport import TransportBar
from gui.window import MainWindow
from rtaudio.protocol.reports import Transport
from tests.gui.conftest import FakeSession

LEFT = Qt.MouseButton.LeftButton
CONTROL = Qt.KeyboardModifier.ControlModifier


def test_bypass_and_panic_reach_the_session(window: MainWindow, session: FakeSession) -> None:
    QTest.mouseClick(window.bypass, LEFT)
    assert session.desired.mixer.bypass and not window.mixer_model.undo.canUndo()
    QTest.mouseClick(window.panic, LEFT)
    assert session.commands[-1].op == "panic"


def test_start_and_stop(window: MainWindow, bridge: Bridge, session: FakeSession) -> None:
    assert window.power.text() == "Stop"
    QTest.mouseClick(window.power, LEFT)
    assert session.stopped == 1
    session.report.state = "stopped"
    bridge.poll()
    assert window.power.text() == "Start"
    QTest.mouseClick(window.power, LEFT)
    assert session.started == 1


def test_space_plays_wherever_no_text_is_typed_and_return_presses_what_has_the_focus(
    window: MainWindow, bridge: Bridge, session: FakeSession, qtbot: QtBot
) -> None:
    bridge.configure(input="none")
    session.report.transport = Transport("song.wav", True, 1.0, 10.0)
    bridge.poll()
    window.activateWindow()
    for widget in (window.tabs["mixer"], window.bypass, window):
        session.commands.clear()
        widget.setFocus()
        qtbot.keyClick(widget, Qt.Key.Key_Space)
        assert [command.op for command in session.commands] == ["pause"], widget
    window.bypass.setFocus()
    session.commands.clear()
    qtbot.keyClick(window.bypass, Qt.Key.Key_Return)
    assert [(command.op, command.args.get("field")) for command in session.commands] == [("set_mixer", "bypass")]
    window.show_page("player")
    field = window.pages["player"].findChild(QLineEdit)
    assert field is not None
    field.setFocus()
    field.clear()
    session.commands.clear()
    qtbot.keyClick(field, Qt.Key.Key_Space)
    assert field.text() == " " and not session.commands


def test_every_button_of_the_transport_can_be_learnt(
    window: MainWindow, bridge: Bridge, session: FakeSession, qtbot: QtBot
) -> None:
    session.report.instrument.model = "sing-gm"
    bridge.poll()
    bar = window.findChild(TransportBar)
    assert bar is not None
    for widget, target in (
        (bar.play_button, "transport.play"), (bar.start_button, "transport.start"), (bar.a_button, "transport.loop"),
        (bar.record_button, "transport.record"), (bar.monitor, "mixer.monitor"), (window.bypass, "mixer.bypass"),
    ):  # fmt: skip
        widget.customContextMenuRequested.emit(widget.rect().center())
        popup = QApplication.activePopupWidget()
        assert isinstance(popup, QMenu)
        popup.actions()[0].trigger()
        popup.close()
        assert session.commands[-1].args == {"target": target}


def test_the_engine_is_told_where_a_button_records(
    window: MainWindow, bridge: Bridge, session: FakeSession, tmp_path: Path
) -> None:
    bridge.store.preferences.recording_folder, bridge.store.preferences.recording_format = str(tmp_path), "flac"
    session.report.instrument.model = "sing-gm"
    bridge.poll()
    told = {command.args["field"]: command.args["value"] for command in session.commands if command.op == "set_instrument"}
    assert told == {"record_folder": str(tmp_path), "record_format": "flac"}
    session.commands.clear()
    bridge.poll()
    assert not session.commands, "once"


def test_pages_are_made_when_they_are_shown_and_keys_go_through_them(window: MainWindow, qtbot: QtBot) -> None:
    assert list(window.pages) == ["mixer"]
    with qtbot.waitActive(window):
        window.activateWindow()
    seen = []
    for _ in PAGES:
        QTest.keyClick(window, Qt.Key.Key_PageDown, CONTROL)
        seen.append(window.page)
    keys = [page.key for page in PAGES]
    assert seen == keys[keys.index("mixer") + 1 :] + keys[: keys.index("mixer") + 1]
    QTest.keyClick(window, Qt.Key.Key_F1)
    assert window.page == "help" and window.tabs["help"].isChecked()


def test_undo_from_the_keyboard_on_any_page(window: MainWindow, session: FakeSession, qtbot: QtBot) -> None:
    window.mixer_model.move("vocals", "mute", True)
    window.show_page("help")
    with qtbot.waitActive(window):
        window.activateWindow()
    QTest.keyClick(window, Qt.Key.Key_Z, CONTROL)
    assert not session.desired.mixer.stems["vocals"].mute
    QTest.keyClick(window, Qt.Key.Key_Z, CONTROL | Qt.KeyboardModifier.ShiftModifier)
    assert session.desired.mixer.stems["vocals"].mute


def test_closing_ends_the_sound(window: MainWindow, session: FakeSession) -> None:
    window.close()
    assert session.stopped == 1 and session.closed == 1


def test_closing_leaves_the_sound_if_so_wished(window: MainWindow, session: FakeSession) -> None:
    assert window.keep_action is not None
    window.keep_action.trigger()
    window.close()
    assert session.stopped == 0 and session.closed == 1


@pytest.mark.parametrize("width", [float("inf"), float("nan"), "wide", None, [3]])
def test_a_size_that_is_no_number_opens_the_window_all_the_same(bridge: Bridge, qtbot: QtBot, width: object) -> None:
    bridge.store.preferences.layout = {"width": width, "height": 700}
    window = MainWindow(bridge)
    qtbot.addWidget(window)
    assert window.width() > 300


def test_theme_size_and_page_are_as_they_were_left(bridge: Bridge, qtbot: QtBot, qapp: QApplication) -> None:
    bridge.poll()
    theme.apply(qapp, "dark")
    window = MainWindow(bridge)
    qtbot.addWidget(window)
    window.show()
    window.resize(700, 500)
    window.show_page("help")
    window.toggle_theme()
    window.close()
    later = Bridge(FakeSession())
    again = MainWindow(later)
    qtbot.addWidget(again)
    assert (later.store.preferences.theme, again.page, again.size()) == ("light", "help", window.size())
    theme.apply(qapp, "dark")


@pytest.mark.parametrize("name", ["dark", "light"])
def test_texts_have_contrast(name: str) -> None:
    """WCAG AA: 4.5 to 1 for text on what it stands on."""
    palette = theme.PALETTES[name]
    for text in (palette.text, palette.muted_text, palette.bad, palette.warning):
        for ground in (palette.window, palette.panel):
            assert contrast(text, ground) >= 4.5, (text, ground)
    assert contrast(palette.on_accent, palette.accent) >= 4.5 and contrast(theme.ON_AMBER, theme.AMBER) >= 4.5


def contrast(one: str, other: str) -> float:
    def luminance(colour: str) -> float:
        parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
        red, green, blue = (x / 12.92 if x <= 0.04045 else ((x + 0.055) / 1.055) ** 2.4 for x in parts)
        return 0.2126 * red + 0.7152 * green + 0.0722 * blue

    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


def test_undo_right_after_typing_a_level(window: MainWindow, session: FakeSession, qtbot: QtBot) -> None:
    """A text field has an undo of its own, which must not swallow the mixer's."""
    mixer = window.pages["mixer"]
    assert isinstance(mixer, MixerPage)
    entry = mixer.strips["vocals"].entry
    with qtbot.waitActive(window):
        window.activateWindow()
    entry.setFocus()
    entry.selectAll()
    QTest.keyClicks(entry, "-12")
    QTest.keyClick(entry, Qt.Key.Key_Z, CONTROL)
    assert entry.text() != "-12" and not session.commands, "while typing it is the text's"
    QTest.keyClicks(entry, "-12")
    QTest.keyClick(entry, Qt.Key.Key_Return)
    assert session.desired.mixer.stems["vocals"].gain_db == -12.0
    QTest.keyClick(entry, Qt.Key.Key_Z, CONTROL)
    assert session.desired.mixer.stems["vocals"].gain_db == 0.0
