"""The song in lanes, in the real window on a real engine: stems are found, muted in their lanes, looped, marked, and known again."""

from __future__ import annotations

import io
import shutil
from pathlib import Path

import numpy as np
import pytest
import soundfile
from PyQt6.QtCore import QPoint, Qt
from PyQt6.QtGui import QColor
from PyQt6.QtTest import QTest
from PyQt6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from gui import theme
from gui.bridge import Bridge
from gui.pages.player import PlayerPage
from gui.window import MainWindow
from rtaudio.control.session import Session
from rtaudio.jobs import Report
from rtaudio.jobs.lanes import lanes
from rtaudio.protocol.settings import EngineConfig
from tests.jack import ROOT

MODEL = "demucs-open"
SECONDS = 3.0


@pytest.fixture
def song(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Three seconds of the demo song. They are separated here, for a process of the lowest priority may wait for long among tests."""
    sound, rate = soundfile.read(ROOT / "demo" / "kimseye.ogg", frames=round(SECONDS * 44_100), start=440_000, always_2d=True)
    soundfile.write(tmp_path / "song.wav", sound, rate)
    monkeypatch.setattr("rtaudio.jobs.lanes.yield_to_others", lambda: True)
    lanes(Report(io.StringIO()), str(tmp_path / "song.wav"), MODEL)
    return tmp_path / "song.wav"


def colours_of(page: PlayerPage, lane: int) -> set[str]:
    """The colours of a lane's middle line."""
    wave = page.wave
    image = wave.canvas.pixmap(wave.places, wave.lanes, 1.0).toImage()
    y = round(wave.places.lane(lane).center().y())
    return {QColor(image.pixel(x, y)).name() for x in range(0, image.width(), 2)}


def test_stems_are_seen_muted_looped_marked_and_known_again(
    song: Path, tmp_path: Path, qtbot: QtBot, qapp: QApplication, runtime_directory: Path
) -> None:
    theme.apply(qapp, "dark")
    config = EngineConfig(input=str(song), output="null", model=MODEL, instrument="", midi="none", loop=True, analyse=False)
    bridge = Bridge(Session(config))
    window = MainWindow(bridge)
    qtbot.addWidget(window)
    window.resize(1240, 760)
    window.show_page("player")
    window.show()
    page = window.pages["player"]
    assert isinstance(page, PlayerPage) and bridge.start()
    marks, source = page.board.marks, page.board.source
    try:
        qtbot.waitUntil(lambda: bridge.snapshot.transport.length_s > 0 and source.share == 1.0 and bool(marks.key))
        for number, stem in enumerate(("drums", "bass", "other", "vocals")):
            assert page.board.heads.heads[number].strip == stem and theme.stem_colour(stem) in colours_of(page, number), stem
        QTest.mouseClick(page.board.heads.heads[3], Qt.MouseButton.LeftButton, pos=QPoint(30, 8))
        qtbot.waitUntil(lambda: bridge.snapshot.mixer.stems["vocals"].mute)
        qtbot.waitUntil(lambda: np.max(bridge.snapshot.meters["vocals"].peak) == 0.0)  # it is not heard
        assert theme.stem_colour("vocals") not in colours_of(page, 3), "its lane is faint"
        QTest.keySequence(window, "Ctrl+Z")
        qtbot.waitUntil(lambda: not bridge.snapshot.mixer.stems["vocals"].mute)
        y = round(page.wave.places.body.center().y())
        QTest.mousePress(page.wave, Qt.MouseButton.LeftButton, pos=QPoint(round(page.wave.x_of(0.5)), y))
        for seconds in (1.0, 1.5):
            QTest.mouseMove(page.wave, QPoint(round(page.wave.x_of(seconds)), y))
        QTest.mouseRelease(page.wave, Qt.MouseButton.LeftButton, pos=QPoint(round(page.wave.x_of(1.5)), y))
        qtbot.waitUntil(lambda: bridge.snapshot.transport.loop is not None and bridge.snapshot.transport.loop[0] > 0.4)
        QTest.keySequence(window, "Ctrl+L")
        QTest.keySequence(window, "Ctrl+M")
        loop, marker = marks.loops[0], marks.markers[0]
        assert (loop.start_s, loop.end_s) == pytest.approx((0.5, 1.5), abs=0.01)
        moved = tmp_path / "moved" / "other name.wav"
        moved.parent.mkdir()
        shutil.move(song, moved)
        page.player_model.open(moved)
        qtbot.waitUntil(lambda: bridge.snapshot.transport.path == str(moved) and source.share == 1.0 and bool(marks.key))
        assert bridge.snapshot.transport.loop is None and marks.loops == [loop] and marks.markers == [marker]
        page.tools.loops.activated.emit(1)
        wanted = pytest.approx((0.5, 1.5), abs=0.01)
        qtbot.waitUntil(lambda: bridge.snapshot.transport.loop == wanted)
        assert list(moved.parent.iterdir()) == [moved], "nothing is written beside the song"
    finally:
        bridge.stop()
        window.hide()
        bridge.close()
