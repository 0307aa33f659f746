"""What the window tells: status bar, counters, notices, and errors of its own."""

from __future__ import annotations

import ast
import gc
import time
from pathlib import Path

import pytest
from PyQt6.QtCore import Qt
from PyQt6.QtTest import QTest
from PyQt6.QtWidgets import QApplication, QWidget
from pytestqt.qtbot import QtBot

from gui import theme
from gui.app import _Complaint
from gui.bridge import Bridge
from gui.player.player_model import player_model_of
from gui.widgets.notice import NoticeBar
from gui.window import MainWindow
from rtaudio.protocol.reports import InsertReport, Latency, Recording, Transport
from tests.gui.conftest import FakeSession

LEFT = Qt.MouseButton.LeftButton
CONTROL = Qt.KeyboardModifier.ControlModifier


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
    assert session.commands[-1].op == "reset_counters"


@pytest.mark.parametrize(
    ("state", "message", "sentence"),
    [
        ("stalled", "", "The audio device has stopped asking for sound"),
        ("waiting", "The device X is gone; sound resumes as soon as it is back.", "The device X is gone"),
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
    session.report.restarts, session.report.message = 1, "The audio engine crashed and was restarted."
    session.report.state = "starting"
    bridge.poll()
    session.report.state, session.report.message = "running", ""
    bridge.poll()
    assert (
        window.notice.text
        == "The engine was restarted, with the same mixer. The audio engine crashed and was restarted."
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
    player_model = player_model_of(window.bridge)
    player_model.told.emit("letter.mp3 is not a sound file.")
    assert window.notice.text == "letter.mp3 is not a sound file."
    player_model.told.emit("")
    assert window.notice.text == ""
    window.notice.tell("Something else.")
    player_model.told.emit("")
    assert window.notice.text == "Something else."


def test_a_busy_processor_is_told_only_of_sound(window: MainWindow, bridge: Bridge, session: FakeSession) -> None:
    session.report.dsp_load = {"p50": 1.2, "p99": 1.5}
    session.report.resting = True
    bridge.poll()
    assert window.notice.text == ""
    session.report.resting = False
    bridge.poll()
    assert "more time than there is" in window.notice.text


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


def test_refused_commands_are_told(window: MainWindow, bridge: Bridge) -> None:
    bridge.send("set_stem", stem="kazoo", field="mute", value=True)
    assert "kazoo" in window.notice.text


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
    assert all(command.op != "set_deadline" for command in session.commands)
    QTest.mouseClick(button, LEFT)
    assert session.commands[-1].op == "set_deadline" and session.commands[-1].args == {"ms": 16 / 3}
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


def test_the_share_of_effects_in_the_latency_is_told(window: MainWindow, bridge: Bridge, session: FakeSession) -> None:
    session.report.latency = Latency(0, 0, 0, 0.0, 48_000, inserts=96)
    bridge.poll()
    assert "effects and plugins for 2.0 ms" in window.status.items["latency"].toolTip()


def test_a_plugin_that_failed_is_told_as_long_as_it_fails(window: MainWindow, bridge: Bridge, session: FakeSession) -> None:
    report = InsertReport("Amp-1", "/x/Amp.vst3", "Amp", "failed", "The plugin crashed; its strip plays without it.")
    session.report.inserts = {"vocals": [report]}
    bridge.poll()
    assert window.notice.text == "Vocals, Amp: The plugin crashed; its strip plays without it."
    report.status, report.message = "running", ""
    session.report.inserts = {"vocals": [report]}
    bridge.poll()
    window.notice.dismiss()
    assert window.notice.text == ""
