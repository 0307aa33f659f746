"""The song's page, its picture and the transport bar: every action reaches the engine, and a bad file disturbs nothing."""

from __future__ import annotations

from pathlib import Path

import pytest
from PyQt6.QtCore import QMimeData, QPoint, QPointF, Qt, QUrl
from PyQt6.QtGui import QDropEvent
from PyQt6.QtTest import QTest
from pytestqt.qtbot import QtBot

from gui import theme
from gui.bridge import Bridge
from gui.pages.player import PlayerPage
from gui.player.drop import SongDrop
from gui.player.monitor import MonitorSwitch, feedback_risk
from gui.player.player_model import player_model_of
from gui.player.times import clock, parse_clock
from gui.player.transport import TransportBar
from rtaudio.protocol.reports import Recording, Transport
from rtaudio.protocol.settings import EngineConfig
from tests.gui.conftest import FakeSession
from tests.gui.test_jobs import PATIENCE, write_song


def commands(session: FakeSession) -> list[tuple[str, dict[str, object]]]:
    return [(command.op, command.args) for command in session.commands]


@pytest.fixture
def song(tmp_path: Path) -> Path:
    return write_song(tmp_path / "song.wav", seconds=100.0, rate=8000)


@pytest.fixture
def page(bridge: Bridge, session: FakeSession, song: Path, qtbot: QtBot) -> PlayerPage:
    """The page of a song of 100 s that plays at 30 s."""
    bridge.configure(input=str(song))
    session.report.transport = Transport(str(song), True, 30.0, 100.0, None, 50.0)
    page = PlayerPage(bridge)
    qtbot.addWidget(page)
    page.resize(1000, 600)
    page.show()
    bridge.poll()
    session.commands.clear()
    return page


@pytest.fixture
def bar(page: PlayerPage, bridge: Bridge, qtbot: QtBot) -> TransportBar:
    bar = TransportBar(bridge)
    qtbot.addWidget(bar)
    bar.resize(1000, 44)
    bar.show()
    bridge.poll()
    return bar


def test_the_bar_plays_pauses_seeks_and_nudges(bar: TransportBar, bridge: Bridge, session: FakeSession) -> None:
    assert bar.position.text() == "0:30.0" and bar.length.text() == "1:40" and bar.slider.value() == 30_000
    bar.play_button.click()
    session.report.transport.playing = False
    bridge.poll()
    assert "Play" in bar.play_button.accessibleName()
    bar.play_button.click()
    bar.start_button.click()
    QTest.keyClick(bar.slider, Qt.Key.Key_Right)
    QTest.mouseClick(bar.slider, Qt.MouseButton.LeftButton, pos=QPoint(bar.slider.width() // 2, 13))
    ops = commands(session)
    assert ops[:3] == [("pause", {}), ("play", {}), ("seek", {"position_s": 0.0})]
    assert ops[3] == ("seek", {"position_s": 35.0})
    assert ops[4][0] == "seek" and ops[4][1]["position_s"] == pytest.approx(50.0, abs=0.5)


def test_a_handle_that_is_held_does_not_run_away(bar: TransportBar, bridge: Bridge, session: FakeSession) -> None:
    QTest.mousePress(bar.slider, Qt.MouseButton.LeftButton, pos=QPoint(bar.slider.width() // 2, 13))
    session.report.transport.position_s = 31.0
    bridge.poll()
    assert abs(bar.slider.sliderPosition() - 50_000) < 500 and not session.commands
    QTest.mouseRelease(bar.slider, Qt.MouseButton.LeftButton, pos=QPoint(bar.slider.width() // 2, 13))
    assert [command.op for command in session.commands] == ["seek"]


def test_a_loop_is_set_by_buttons_shown_and_ended(bar: TransportBar, bridge: Bridge, session: FakeSession) -> None:
    bar.a_button.click()
    assert not session.commands and bar.a_button.isChecked() and not bar.b_button.isChecked(), "B is waited for"
    session.report.transport.position_s = 40.0
    bridge.poll()
    bar.b_button.click()
    assert commands(session) == [("set_loop", {"start_s": 30.0, "end_s": 40.0})]
    session.report.transport.loop = (30.0, 40.0)
    bridge.poll()
    assert bar.a_button.isChecked() and bar.b_button.isChecked()
    bar.off_button.click()
    assert commands(session)[-1] == ("set_loop", {"start_s": None, "end_s": None})


def test_keys_work_wherever_the_focus_is(bar: TransportBar, session: FakeSession) -> None:
    for keys in ("Ctrl+Space", "Alt+Right", "Alt+Left", "Ctrl+Home", "Ctrl+[", "Ctrl+R"):
        QTest.keySequence(bar, keys)
    assert [command.op for command in session.commands] == ["pause", "seek", "seek", "seek", "record"]
    assert player_model_of(bar.bridge).mark == 30.0


def test_the_picture_seeks_by_click_and_loops_by_drag(page: PlayerPage, bridge: Bridge, session: FakeSession) -> None:
    wave = page.wave
    wide = wave.width()

    def at(share: float) -> QPoint:
        return QPoint(round(share * wide), 60)

    QTest.mouseClick(wave, Qt.MouseButton.LeftButton, pos=at(0.75))
    assert session.commands[-1].args["position_s"] == pytest.approx(75, abs=0.2)
    QTest.mousePress(wave, Qt.MouseButton.LeftButton, pos=at(0.6))
    QTest.mouseMove(wave, at(0.4))
    QTest.mouseMove(wave, at(0.2))
    QTest.mouseRelease(wave, Qt.MouseButton.LeftButton, pos=at(0.2))
    loop = session.commands[-1]
    assert loop.op == "set_loop" and loop.args["start_s"] == pytest.approx(20, abs=0.2)
    assert loop.args["end_s"] == pytest.approx(60, abs=0.2)
    session.report.transport.loop = (20.0, 60.0)
    bridge.poll()
    assert page.a_field.text() == "0:20.0" and page.b_field.text() == "1:00.0"
    QTest.mousePress(wave, Qt.MouseButton.LeftButton, pos=at(0.6))  # its edge
    QTest.mouseMove(wave, at(0.7))
    QTest.mouseMove(wave, at(0.9))
    QTest.mouseRelease(wave, Qt.MouseButton.LeftButton, pos=at(0.9))
    assert session.commands[-1].args["start_s"] == pytest.approx(20, abs=0.2)
    assert session.commands[-1].args["end_s"] == pytest.approx(90, abs=0.2)
    wave.setFocus()
    session.commands.clear()
    for key in (Qt.Key.Key_Left, Qt.Key.Key_Home, Qt.Key.Key_Space, Qt.Key.Key_Delete):
        QTest.keyClick(wave, key)
    assert [command.op for command in session.commands] == ["seek", "seek", "pause", "set_loop"]


def test_a_loop_is_typed(page: PlayerPage, session: FakeSession) -> None:
    for field, text in ((page.a_field, "0:10"), (page.b_field, "1:02.5")):
        field.setFocus()
        field.selectAll()
        QTest.keyClicks(field, text)
        QTest.keyClick(field, Qt.Key.Key_Return)
    assert commands(session)[-1] == ("set_loop", {"start_s": 10.0, "end_s": 62.5})


def test_the_picture_of_a_song_that_plays_is_made(page: PlayerPage, qtbot: QtBot) -> None:
    qtbot.waitUntil(lambda: page.player_model.picture.get("share") == 1.0, timeout=PATIENCE)
    assert len(page.player_model.peaks()) > 500
    assert "8 kHz" in page.facts.text() and "stereo" in page.facts.text() and "1:40" in page.facts.text()
    picture = page.wave.grab().toImage()
    middle = page.wave.height() // 2
    rows = [sum(picture.pixel(x, middle - 30) != picture.pixel(5, middle - 30) for x in part) for part in
            (range(0, 100), range(picture.width() - 200, picture.width() - 100))]  # fmt: skip
    assert rows[1] > 50 > rows[0], "the noise swells"


def test_a_dropped_song_is_loaded_and_remembered(
    page: PlayerPage, bridge: Bridge, session: FakeSession, tmp_path: Path, qtbot: QtBot
) -> None:
    other = write_song(tmp_path / "other song.wav")
    mime = QMimeData()
    mime.setUrls([QUrl.fromLocalFile(str(other))])
    drop = QDropEvent(
        QPointF(5, 5), Qt.DropAction.CopyAction, mime, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
    )
    taker = page.findChild(SongDrop)
    assert page.acceptDrops() and taker is not None and taker.eventFilter(page, drop)  # Qt drops only from a real drag
    qtbot.waitUntil(lambda: session.config.input == str(other), timeout=PATIENCE)
    assert [command.op for command in session.commands] == ["configure", "play"]
    assert bridge.store.preferences.recent == [str(other)]
    page.close_button.click()
    assert session.config.input == "none"


def test_a_file_that_is_no_song_is_told_and_the_old_one_plays_on(
    page: PlayerPage, bridge: Bridge, session: FakeSession, song: Path, tmp_path: Path, qtbot: QtBot
) -> None:
    (tmp_path / "letter.mp3").write_text("Dear Alexandre, ")
    page.player_model.open(tmp_path / "letter.mp3")
    qtbot.waitUntil(lambda: "letter.mp3" in page.message.text(), timeout=PATIENCE)
    assert page.message.isVisible() and page.message.text().endswith(".")
    assert not session.commands and session.config.input == str(song)
    session.report.transport.position_s = 31.0
    bridge.poll()
    qtbot.waitUntil(lambda: page.player_model.picture.get("path") == str(song), timeout=PATIENCE)  # its picture is there again
    assert "letter.mp3" in page.message.text(), "the sentence stays"


def test_the_title_is_that_of_the_song_whose_length_is_told(
    page: PlayerPage, bridge: Bridge, session: FakeSession, tmp_path: Path, qtbot: QtBot
) -> None:
    other = write_song(tmp_path / "other.wav", seconds=3.0, rate=8000)
    page.player_model.open(other)
    qtbot.waitUntil(lambda: session.config.input == str(other), timeout=PATIENCE)
    qtbot.waitUntil(lambda: "0:03" in page.facts.text(), timeout=PATIENCE)
    assert session.report.transport.path != str(other), "the engine has yet to load it"
    assert page.title.text() == "other.wav"


def test_recording_goes_where_it_should_and_tells_what_it_does(
    page: PlayerPage, bar: TransportBar, bridge: Bridge, session: FakeSession, tmp_path: Path
) -> None:
    page.recording.folder.setText(str(tmp_path / "takes"))
    page.recording.folder.editingFinished.emit()
    page.recording.format.setCurrentIndex(page.recording.format.findData("flac"))
    bar.record_button.click()
    op, args = commands(session)[-1]
    assert op == "record" and args["format"] == "flac"
    assert Path(str(args["directory"])).parent == tmp_path / "takes" and "song" in str(args["directory"])
    session.report.recording = Recording(True, str(args["directory"]), 75.0, 3)
    bridge.poll()
    assert bar.record_button.text() == "1:15" and "3" in bar.trouble.text() and bar.trouble.isVisible()
    assert "1:15" in page.recording.state.text() and "3" in page.recording.state.text()
    bar.record_button.click()
    assert session.commands[-1].op == "stop_recording"
    session.report.recording = Recording(False, str(args["directory"]), 80.0, 3, "The disk is full.")
    bridge.poll()
    assert page.recording.state.text() == "The disk is full." and bar.trouble.toolTip() == "The disk is full."
    bridge.send("set_stem", stem="drums", field="armed", value=False)
    session.report.recording = Recording()
    bridge.poll()
    assert "Drums" not in page.recording.state.text() and "Bass" in page.recording.state.text()


def test_without_a_song_a_live_input_is_monitored_when_asked(
    bridge: Bridge, session: FakeSession, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    bridge.configure(input="none")
    bridge.send("set_mixer", field="monitor", value=False)
    bar = TransportBar(bridge)
    qtbot.addWidget(bar)
    bar.show()
    bridge.poll()
    assert "no input" in bar.source.text() and not bar.monitor.isVisible()
    bridge.configure(input="ALSA:Built-in Mic", output="ALSA:Speakers")
    bridge.poll()
    assert bar.monitor.isVisible(), "as soon as there is an input"
    assert "Built-in Mic" in bar.source.text() and not bar.monitor.isChecked()
    answers = iter((False, True))
    monkeypatch.setattr(MonitorSwitch, "confirm", lambda self: next(answers))
    bar.monitor.click()
    assert not session.desired.mixer.monitor and not bar.monitor.isChecked()
    bar.monitor.click()
    assert session.desired.mixer.monitor
    bridge.poll()
    bar.monitor.click()
    assert not session.desired.mixer.monitor, "turning it off is never asked about"


@pytest.mark.parametrize(
    ("source", "target", "port", "risky"),
    [
        ("ALSA:Built-in Mic", "ALSA:Speakers", "", True),
        ("JACK:system", "JACK:system", "JACK Audio Connection Kit:system", True),
        ("ALSA:USB Mic", "ALSA:Speakers", "ALSA:USB Mic to ALSA:Speakers", True),
        ("ALSA:USB Mic", "ALSA:Headphones", "ALSA:USB Mic to ALSA:Headphones", False),
        ("ALSA:Scarlett inputs", "ALSA:Speakers", "ALSA:Scarlett inputs to ALSA:Speakers", False),
        ("ALSA:Mic", "null", "", False),
        ("none", "ALSA:Speakers", "ALSA:Speakers", False),
    ],
)
def test_it_is_known_what_may_howl(source: str, target: str, port: str, risky: bool) -> None:
    assert feedback_risk(EngineConfig(input=source, output=target), port) is risky


def test_times_are_written_and_read() -> None:
    assert [clock(0), clock(59.99, True), clock(83.4, True), clock(3661)] == ["0:00", "0:59.9", "1:23.4", "1:01:01"]
    assert [parse_clock(text) for text in ("83.4", "1:23,4", "1:01:01", "x", "", "-1", "1:2:3:4")] == [
        83.4, 83.4, 3661.0, None, None, None, None,
    ]  # fmt: skip


def test_a_drawing_is_made_once_and_again_for_another_theme(bar: TransportBar, bridge: Bridge, session: FakeSession) -> None:
    playing = bar.play_button.icon().cacheKey()  # by which Qt keeps scaled pictures of an icon
    session.report.transport = Transport(session.report.transport.path, False, 30.0, 100.0, None, 50.0)
    bridge.poll()
    assert bar.play_button.icon().cacheKey() != playing
    session.report.transport = Transport(session.report.transport.path, True, 30.0, 100.0, (1.0, 2.0), 50.0)
    bridge.poll()
    assert bar.play_button.icon().cacheKey() == playing
    before = theme.current().name
    try:
        theme.use("light" if before == "dark" else "dark")
        bar.player_model.changed.emit()
        assert bar.play_button.icon().cacheKey() != playing
    finally:
        theme.use(before)
