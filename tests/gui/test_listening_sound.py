"""The listening page's sound: switching and ends of sounds, and once on a real engine that writes a file."""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import soundfile
from pytestqt.qtbot import QtBot

from gui.bridge import Bridge, file_session
from gui.listening.player import ReelPlayer
from gui.listening.reel import CHECK, Piece
from gui.pages.listening import ListeningPage
from rtaudio.control.engine_factory import NO_DEVICE
from rtaudio.protocol.messages import command, to_dict
from tests.gui.conftest import FakeSession
from tests.gui.listening_fixture import RATE, tone, write_test
from tests.gui.listening_stage import Stage
from tests.jack import JackServer


def test_switching_goes_on_at_the_same_place(stage: Stage, tmp_path: Path) -> None:
    stage.open(write_test(tmp_path, "abx", 1, seconds=20))
    stage.begin()
    page = stage.page
    assert page.trials is not None and page.player is not None and page._reel is not None
    x, a = (page._reel.pieces[tmp_path / f"sounds/000{role}.wav"] for role in "XA")
    stage.click(page.trials.sound_buttons["X"])
    assert stage.sought == pytest.approx(x.start)
    page.player._clock = lambda: time.monotonic() + 3  # 3 s later the engine says it is at 7 s
    stage.session.report.transport.position_s = x.start + 7
    stage.look()
    page.player._clock = time.monotonic
    page.player._since = time.monotonic()
    stage.click(page.trials.sound_buttons["A"])
    assert stage.sought == pytest.approx(a.start + 7, abs=0.5)
    assert not page.trials.sound_buttons["X"].isChecked()


def test_a_sound_ends_at_its_end(bridge: Bridge, session: FakeSession, qtbot: QtBot, tmp_path: Path) -> None:
    now = [0.0]
    player = ReelPlayer(tmp_path, lambda _: session, clock=lambda: now[0])
    player.look()
    player.play(Piece(10.0, 2.0))
    now[0] = 1.0
    session.report.transport.position_s = 11.0
    with qtbot.assertNotEmitted(player.ended):
        player.look()
    now[0] = 1.9
    session.report.transport.position_s = 12.0
    with qtbot.waitSignal(player.ended):
        player.look()
    assert session.commands[-1].op == "pause" and player.position() == 0.0
    player.close()


@pytest.mark.parametrize(("state", "message"), [("waiting", "The device is gone."), ("running", NO_DEVICE)])
def test_no_sound_is_told(stage: Stage, tmp_path: Path, state: str, message: str) -> None:
    stage.session.report.state, stage.session.report.message = state, message
    stage.open(write_test(tmp_path))
    assert stage.page.check.status.text() == message
    assert not stage.page.check.check_button.isEnabled()


# ---------------------------------------------------------------- a real engine


def test_a_real_engine_plays_the_sounds_into_a_file(bridge: Bridge, qtbot: QtBot, tmp_path: Path) -> None:
    sheet = write_test(tmp_path / "test", "abx", 1, seconds=10)
    heard = tmp_path / "heard.wav"
    page = ListeningPage(bridge, make_session=lambda path: file_session(str(path), str(heard)))
    qtbot.addWidget(page)
    page.open_sheet(sheet)
    qtbot.waitUntil(lambda: page.check._ready)
    page.check.volume.setValue(-6)
    page.begin(headphones=True)
    assert page.trials is not None and page.player is not None and page._reel is not None
    engine = page.player._session
    for role, seconds in (("X", 0.7), ("B", 1.4)):
        page.trials.press(role)
        start = page._reel.pieces[tmp_path / f"test/sounds/000{role}.wav"].start
        qtbot.waitUntil(lambda: seconds < engine.snapshot().transport.position_s - start < 10)  # noqa: B023
    page.trials.press("B")
    qtbot.waitUntil(lambda: not engine.snapshot().transport.playing)
    assert page._reel is not None and CHECK in page._reel.pieces
    page.close_sound()
    audio, rate = soundfile.read(heard, always_2d=True)
    spectrum = np.abs(np.fft.rfft(audio[:, 0] * np.hanning(len(audio))))
    power = {hertz: spectrum[round(hertz * len(audio) / rate) + np.arange(-3, 4)].max() for hertz in (400, 500, 600)}
    assert rate == RATE
    assert min(power[400], power[600]) > 20 * power[500]  # X and B, never A
    assert np.abs(audio).max() == pytest.approx(0.25 / 2, rel=0.1)
    jumps = np.abs(np.diff(audio[:, 0])).max()
    assert jumps < 1.3 * 0.125 * 2 * np.pi * 600 / rate  # no click where B took over from X


@pytest.mark.jack
def test_the_live_engine_plays_on_beside_it(
    bridge: Bridge, qtbot: QtBot, tmp_path: Path, jack_server: JackServer
) -> None:
    """On one sound server: the test's engine is a client of its own and leaves no trace behind."""
    tone(tmp_path / "song.wav", 300, 60)
    live = file_session(str(tmp_path / "song.wav"), "default")
    live.send(command("configure", config=to_dict(replace(live.config, client_name="stemplay"))))
    live.start()
    page = ListeningPage(bridge, make_session=lambda path: file_session(str(path), "default"))
    qtbot.addWidget(page)
    try:
        qtbot.waitUntil(lambda: live.snapshot().state == "running")
        page.open_sheet(write_test(tmp_path / "test", seconds=3))
        qtbot.waitUntil(lambda: page.check._ready)
        page.begin(headphones=True)
        assert page.trials is not None and page.player is not None
        page.trials.press("sound")
        qtbot.waitUntil(lambda: page.player is not None and page.player.position() > 0.3)
        assert any(name.startswith("stemplay-listening") for name in jack_server.ports())
        before = live.snapshot().transport.position_s
        page.close_sound()
        qtbot.waitUntil(lambda: live.snapshot().transport.position_s > before + 0.2)
        assert live.snapshot().state == "running" and live.snapshot().restarts == 0
        assert not any(name.startswith("stemplay-listening") for name in jack_server.ports())
    finally:
        page.close_sound()
        live.stop()
