"""Bars, chords, key and tempo in the window: the ruler by mouse and keyboard, loops that snap, the click's strip."""

from __future__ import annotations

from pathlib import Path

import pytest
from PyQt6.QtCore import QPoint, Qt
from pytestqt.qtbot import QtBot

from gui.bridge import Bridge
from gui.mixer_model import mixer_model_of
from gui.pages.player import PlayerPage
from gui.store import Store
from gui.widgets.click_strip import ClickStrip
from rtaudio.protocol.reports import Snapshot, Transport
from rtaudio.protocol.settings import MixerState, StemState
from rtaudio.protocol.song_map import SongMap, to_json
from tests.gui.conftest import FakeSession

MAP = SongMap(
    20.0, 120.0, True, 4, [0.5 + 0.5 * k for k in range(39)], [k % 4 + 1 for k in range(39)], "A minor", 0.3,
    [(0.5, 4.5, "A:min"), (4.5, 20.0, "F:maj7")],
)  # fmt: skip


@pytest.fixture
def page(qtbot: QtBot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> PlayerPage:
    session = FakeSession()
    session.report = Snapshot(
        state="running", transport=Transport("/song.wav", True, 5.0, 20.0), mixer=MixerState(stems={"drums": StemState()})
    )
    bridge = Bridge(session, store=Store(tmp_path))
    monkeypatch.setattr(bridge, "job", lambda name, **args: (_ for _ in ()).throw(AssertionError(name)))
    bridge.snapshot = session.report
    shown = PlayerPage(bridge)
    qtbot.addWidget(shown)
    shown.resize(1000, 600)
    shown.show()
    shown.song_facts._path = "/song.wav"
    shown.song_facts._take("/song.wav", {**to_json(MAP), "path": "/song.wav", "kept": ""})
    return shown


def sent(page: PlayerPage, op: str) -> list[dict[str, object]]:
    return [cmd.args for cmd in page.bridge.session.commands if cmd.op == op]  # type: ignore[attr-defined]


def test_the_engine_is_told_the_beats_and_the_user_tempo_and_key(page: PlayerPage) -> None:
    assert sent(page, "set_beats") == [{"beats": MAP.beats, "numbers": MAP.numbers}]
    assert page.song_facts.words() == "120.0 BPM  ·  4/4  ·  A minor"
    assert page.song_facts.place_words(5.0) == "bar 3, beat 2, Fmaj7"
    assert page.ruler.isVisible() and page.ruler.accessibleName()


def test_the_ruler_goes_and_loops_by_mouse_and_keyboard(page: PlayerPage, qtbot: QtBot) -> None:
    ruler = page.ruler
    qtbot.mouseClick(ruler, Qt.MouseButton.LeftButton, pos=QPoint(round(page.wave.x_of(9.0)), 8))
    qtbot.keyClick(ruler, Qt.Key.Key_Right)
    qtbot.keyClick(ruler, Qt.Key.Key_Left)
    qtbot.keyClick(ruler, Qt.Key.Key_Home)
    assert [args["position_s"] for args in sent(page, "seek")] == [8.5, 6.5, 2.5, 0.5]
    qtbot.keyClick(ruler, Qt.Key.Key_L)
    assert sent(page, "set_loop") == [{"start_s": 4.5, "end_s": 6.5}]


def test_loops_snap_to_bars_until_that_is_switched_off(page: PlayerPage) -> None:
    page.player_model.set_loop(4.1, 8.9)
    assert sent(page, "set_loop")[-1] == {"start_s": 4.5, "end_s": 8.5}
    page.snapping.click()
    page.player_model.set_loop(4.1, 8.9)
    assert sent(page, "set_loop")[-1] == {"start_s": 4.1, "end_s": 8.9}
    assert not page.bridge.store.preferences.snap_to_bars


def test_the_clicks_strip_sends_what_is_set(page: PlayerPage, qtbot: QtBot) -> None:
    strip = ClickStrip(mixer_model_of(page.bridge))
    qtbot.addWidget(strip)
    strip.switch.click()
    strip.count.setCurrentIndex(2)
    strip.count.activated.emit(2)
    assert [(args["field"], args["value"]) for args in sent(page, "set_mixer")] == [("click", True), ("count_in", 2.0)]
    assert strip.targets().keys() == {"mixer.click", "mixer.click_db", "mixer.count_in"}
