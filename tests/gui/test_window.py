"""The main window: what must always be in reach, what must always be seen."""

from __future__ import annotations

import ast
import gc
import time
from pathlib import Path

import pytest
from PyQt6.QtCore import Qt
from PyQt6.QtTest import QTest
from PyQt6.QtWidgets import QApplication, QLineEdit, QMenu, QWidget
from pytestqt.qtbot import QtBot

from gui import theme
from gui.app import _Complaint
from gui.bridge import Bridge
from gui.pages import PAGES
from gui.pages.mixer import MixerPage
from gui.player.deck import deck_of
from gui.player.transport import TransportBar
from gui.widgets.notice import NoticeBar
from gui.window import MainWindow
from rtaudio.protocol.messages import Latency, Recording, Transport
from tests.gui.conftest import FakeSession

LEFT = Qt.MouseButton.LeftButton
CONTROL = Qt.KeyboardModifier.ControlModifier


@pytest.fixture
def window(bridge: Bridge, qtbot: QtBot) -> MainWindow:
    bridge.poll()
    window = MainWindow(bridge)
    qtbot.addWidget(window)
    window.show()
    bridge.poll()
    return window


def test_bypass_and_panic_reach_the_session(window: MainWindow, session: FakeSession) -> None:
    QTest.mouseClick(window.bypass, LEFT)
    assert session.desired.mixer.bypass and not window.mixer_model.undo.canUndo()
    QTest.mouseClick(window.panic, LEFT)
    assert session.orders[-1].op == "panic"


def test_start_and_stop(window: MainWindow, bridge: Bridge, session: FakeSession) -> None:
    assert window.power.text() == "Stop"
    QTest.mouseClick(window.power, LEFT)
    assert session.stopped == 1
    session.report.state = "stopped"
    bridge.poll()
    assert window.power.text() == "Start"
    QTest.mouseClick(window.power, LEFT)
    assert session.started == 1


def test_the_status_bar_tells_what_a_musician_asks(window: MainWindow, bridge: Bridge, session: FakeSession) -> None:
    report = session.report
    report.port, report.rate, report.block, report.xruns, report.misses = "JACK:system", 48_000, 128, 3, 7
    report.latency = Latency(256, 0, 128, 576.0, 48_000)
    report.dsp_load, report.realtime = {"p50": 0.125, "p99": 0.5}, "granted: SCHED_FIFO, priority 60"
    bridge.poll()
    shown = {key: button.text() for key, button in window.status.items.items()}
    assert shown | {"model": ""} == {
        "state": "● Playing", "device": "JACK:system", "rate": "48 kHz", "block": "128 frames", "latency": "20.0 ms",
        "dsp": "DSP 12 %", "model": "", "xruns": "Xruns 3", "misses": "Misses 7", "realtime": "Realtime",
    }  # fmt: skip
    assert all(button.toolTip() and button.accessibleName() for button in window.status.items.values())


def test_a_model_is_not_blamed_for_what_other_programs_take(
    window: MainWindow, bridge: Bridge, session: FakeSession
) -> None:
    item = window.status.items["model"]
    for own, cure in ((0.2, "other programs take the processor"), (0.9, "A smaller model or a larger block helps.")):
        session.report.model_load = {"p50": 0.98, "p99": 1.7, "own": own}
        bridge.poll()
        assert cure in item.toolTip()
        assert ("other programs" in item.toolTip()) == (own < 0.5) and item.property("level") == "bad"


@pytest.mark.parametrize("look", ["dark", "light"])
def test_a_song_that_is_paused_is_not_said_to_play(
    window: MainWindow, bridge: Bridge, session: FakeSession, qapp: QApplication, look: str
) -> None:
    theme.apply(qapp, look)
    try:
        state = window.status.items["state"]
        for playing, shown, level in ((True, "● Playing", "good"), (False, "❙❙ Paused", "plain")):
            session.report.transport = Transport("/song.wav", playing, 3.0, 60.0)
            bridge.poll()
            assert (state.text(), state.property("level")) == (shown, level)
        assert state.accessibleName() == "Paused" and "Play continues" in state.toolTip()
        assert "instrument" not in state.toolTip()
        paused = state.grab().toImage()
        session.report.instrument.model = "sing-gm"
        bridge.poll()
        assert "instrument can be played" in state.toolTip(), "its notes sound while the song stands"
        assert paused == state.grab().toImage(), "only the hint has more to say"
        session.report.state = "finished"
        bridge.poll()
        assert state.text() == "■ Finished"
        session.report.state, session.report.transport = "running", Transport()
        bridge.poll()
        assert state.text() == "● Playing", "a live input cannot be paused"
    finally:
        theme.apply(qapp, "dark")


def test_a_counter_that_grows_again_after_its_reset_has_room_at_once(
    window: MainWindow, bridge: Bridge, session: FakeSession
) -> None:
    for session.report.xruns, session.report.misses in ((12_345, 7), (0, 0), (1, 23_456), (98_765, 1)):
        bridge.poll()  # no event is processed: a painting that comes first must not cut digits off
        counters = [window.status.items["xruns"], window.status.items["misses"]]
        assert all(item.width() >= item.sizeHint().width() for item in counters), [item.text() for item in counters]


@pytest.mark.parametrize("counter", ["xruns", "misses"])
def test_a_click_clears_the_counters(window: MainWindow, session: FakeSession, counter: str) -> None:
    QTest.mouseClick(window.status.items[counter], LEFT)
    assert session.orders[-1].op == "reset_counters"


@pytest.mark.parametrize(
    ("state", "message", "sentence"),
    [
        ("stalled", "", "The audio device has stopped asking for sound"),
        ("waiting", "The device X is gone; sound goes on as soon as it is there.", "The device X is gone"),
        ("stopped", "There is no file 'a.wav'.", "There is no file 'a.wav'. Start tries again."),
    ],
)
def test_a_red_state_explains_itself(
    window: MainWindow, bridge: Bridge, session: FakeSession, state: str, message: str, sentence: str
) -> None:
    session.report.state, session.report.message = state, message
    bridge.poll()
    assert window.notice.text.startswith(sentence)
    assert window.status.items["state"].property("level") == "bad"
    session.report.state, session.report.message = "running", ""
    bridge.poll()
    assert window.notice.text == "" and window.status.items["state"].property("level") == "good"


def test_a_restart_is_told_and_stays_in_sight(window: MainWindow, bridge: Bridge, session: FakeSession) -> None:
    session.report.restarts, session.report.message = 1, "The audio engine died and was started again."
    session.report.state = "starting"
    bridge.poll()
    session.report.state, session.report.message = "running", ""
    bridge.poll()
    assert (
        window.notice.text
        == "The engine was restarted, with the same mixer. The audio engine died and was started again."
    )
    assert window.status.items["restarts"].text() == "Restarts 1"
    QTest.mouseClick(window.notice.close_button, LEFT)
    assert window.notice.text == ""


def test_a_notice_lies_over_the_page_and_is_never_cut(window: MainWindow, bridge: Bridge, session: FakeSession) -> None:
    session.report.message = (
        "The model is too slow here, and there is much more to say about this, at some length. " * 3
    )
    for width, height in ((1240, 760), (500, 600), (1000, 640)):
        window.resize(width, height)
        bridge.poll()
        for _ in range(5):
            QApplication.processEvents()
        assert window.stack.geometry().contains(window.notice.geometry())
        label = window.notice.label
        assert label.height() >= label.heightForWidth(label.width())


def test_what_the_player_told_goes_when_it_is_out_of_date(window: MainWindow) -> None:
    deck = deck_of(window.bridge)
    deck.told.emit("letter.mp3 is not a sound file.")
    assert window.notice.text == "letter.mp3 is not a sound file."
    deck.told.emit("")
    assert window.notice.text == ""
    window.notice.tell("Something else.")
    deck.told.emit("")
    assert window.notice.text == "Something else."


def test_a_busy_processor_is_told_only_of_sound(window: MainWindow, bridge: Bridge, session: FakeSession) -> None:
    session.report.dsp_load = {"p50": 1.2, "p99": 1.5}
    session.report.resting = True
    bridge.poll()
    assert window.notice.text == ""
    session.report.resting = False
    bridge.poll()
    assert "more time than there is" in window.notice.text


def test_space_plays_wherever_no_text_is_typed_and_return_presses_what_has_the_focus(
    window: MainWindow, bridge: Bridge, session: FakeSession, qtbot: QtBot
) -> None:
    bridge.configure(input="none")
    session.report.transport = Transport("song.wav", True, 1.0, 10.0)
    bridge.poll()
    window.activateWindow()
    for widget in (window.tabs["mixer"], window.bypass, window):
        session.orders.clear()
        widget.setFocus()
        qtbot.keyClick(widget, Qt.Key.Key_Space)
        assert [order.op for order in session.orders] == ["pause"], widget
    window.bypass.setFocus()
    session.orders.clear()
    qtbot.keyClick(window.bypass, Qt.Key.Key_Return)
    assert [(order.op, order.args.get("field")) for order in session.orders] == [("set_mixer", "bypass")]
    window.show_page("player")
    field = window.pages["player"].findChild(QLineEdit)
    assert field is not None
    field.setFocus()
    field.clear()
    session.orders.clear()
    qtbot.keyClick(field, Qt.Key.Key_Space)
    assert field.text() == " " and not session.orders


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
        assert session.orders[-1].args == {"target": target}


def test_the_engine_is_told_where_a_button_records(
    window: MainWindow, bridge: Bridge, session: FakeSession, tmp_path: Path
) -> None:
    bridge.store.preferences.recording_folder, bridge.store.preferences.recording_format = str(tmp_path), "flac"
    session.report.instrument.model = "sing-gm"
    bridge.poll()
    told = {order.args["field"]: order.args["value"] for order in session.orders if order.op == "set_instrument"}
    assert told == {"record_folder": str(tmp_path), "record_format": "flac"}
    session.orders.clear()
    bridge.poll()
    assert not session.orders, "once"


def test_restarts_before_the_window_opened_are_no_news(bridge: Bridge, session: FakeSession, qtbot: QtBot) -> None:
    session.report.restarts = 4
    bridge.poll()
    window = MainWindow(bridge)
    qtbot.addWidget(window)
    bridge.poll()
    assert window.notice.text == ""


def test_a_dismissed_trouble_stays_away_until_it_is_another(
    window: MainWindow, bridge: Bridge, session: FakeSession
) -> None:
    session.report.message = "The model is too slow here."
    bridge.poll()
    window.notice.dismiss()
    bridge.poll()
    assert window.notice.text == ""
    session.report.recording = Recording(error="The disk is full.")
    bridge.poll()
    assert window.notice.text == "The disk is full."


def test_dismissing_an_event_brings_the_trouble_that_it_hid(
    window: MainWindow, bridge: Bridge, session: FakeSession
) -> None:
    session.report.state, session.report.message = "waiting", "The device X is missing."
    bridge.poll()
    window.notice.tell("The file session.json cannot be read.")
    window.notice.dismiss()
    assert window.notice.text == "The device X is missing.", "nobody has read it yet"
    window.notice.dismiss()
    assert window.notice.text == ""


def test_a_notice_moves_nothing_on_the_page(window: MainWindow, bridge: Bridge, session: FakeSession) -> None:
    heights = set()
    for share in range(2, 12):
        session.report.message = (
            f"The model is too slow here: {share}% of the sound plays unseparated." if share % 2 else ""
        )
        bridge.poll()
        QApplication.processEvents()
        heights.add(window.stack.height())
    assert len(heights) == 1, "it floats over the page"
    window.notice.dismiss()
    session.report.message = "The model is too slow here: 50% of the sound plays unseparated."
    bridge.poll()
    assert window.notice.text == "", "what was dismissed at 11 % is not news at 50 %"


def test_refused_orders_are_told(window: MainWindow, bridge: Bridge) -> None:
    bridge.send("set_stem", stem="kazoo", field="mute", value=True)
    assert "kazoo" in window.notice.text


def test_pages_are_made_when_they_are_shown_and_keys_go_through_them(window: MainWindow, qtbot: QtBot) -> None:
    assert list(window.pages) == ["mixer"]
    with qtbot.waitActive(window):
        window.activateWindow()
    seen = []
    for _ in PAGES:
        QTest.keyClick(window, Qt.Key.Key_PageDown, CONTROL)
        seen.append(window.page)
    assert seen == [page.key for page in (*PAGES[1:], PAGES[0])]
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
    assert entry.text() != "-12" and not session.orders, "while typing it is the text's"
    QTest.keyClicks(entry, "-12")
    QTest.keyClick(entry, Qt.Key.Key_Return)
    assert session.desired.mixer.stems["vocals"].gain_db == -12.0
    QTest.keyClick(entry, Qt.Key.Key_Z, CONTROL)
    assert session.desired.mixer.stems["vocals"].gain_db == 0.0


def test_an_error_of_the_window_is_told_and_the_window_stays(
    window: MainWindow, capsys: pytest.CaptureFixture[str]
) -> None:
    error = ValueError("a bug")
    _Complaint(window)(ValueError, error, None)
    assert "a bug" in window.notice.text and window.isVisible()
    assert "ValueError" in capsys.readouterr().err


def test_time_that_the_model_lacks_is_given_by_one_click_and_only_then(
    window: MainWindow, bridge: Bridge, session: FakeSession
) -> None:
    button = window.notice.action
    assert not button.isVisible()
    report = session.report
    report.rate, report.block, report.latency, report.offer = 48_000, 128, Latency(256, 0, 128, 576.0, 48_000), 16 / 3
    bridge.poll()
    assert window.notice.text.startswith("Now and then the model is late")
    assert button.isVisible() and button.text() == "Give it 2.7 ms more" == button.accessibleName()
    assert all(order.op != "set_deadline" for order in session.orders)
    QTest.mouseClick(button, LEFT)
    assert session.orders[-1].op == "set_deadline" and session.orders[-1].args == {"ms": 16 / 3}
    report.offer = 0.0
    bridge.poll()
    assert not button.isVisible()


def test_no_timer_outlives_what_it_would_call() -> None:
    """PyQt keeps a lambda alive no longer than the collector likes, and calling it then ends the process; a bound method is dropped."""
    found = []
    for path in Path("gui").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "connect":
                signal = node.func.value
                lasting = isinstance(signal, ast.Attribute) and signal.attr in {
                    "timeout",
                    "snapshot_changed",
                    "refused",
                }
                if lasting and any(isinstance(argument, ast.Lambda) for argument in node.args):
                    found.append(f"{path}:{node.lineno}")
    assert not found


def test_a_notice_may_go_while_it_lingers(qapp: QApplication, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gui.widgets.notice.LINGER_MS", 20)
    for _ in range(5):
        parent = QWidget()
        parent.notice, parent.itself = NoticeBar(parent), parent  # type: ignore[attr-defined] # a circle, as windows make
        parent.notice.stand("late", "warning")  # type: ignore[attr-defined]
        parent.notice.stand("")  # type: ignore[attr-defined]
        parent.deleteLater()
        del parent
        gc.collect()
        until = time.monotonic() + 0.05
        while time.monotonic() < until:
            QApplication.processEvents()  # as between two tests: without an event loop nothing that is condemned goes
