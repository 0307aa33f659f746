"""Tempo and key in the transport bar: mouse, keys, undo, the engine's word, and what the session and the export keep of them."""

from __future__ import annotations

import pytest
from PyQt6.QtCore import Qt
from PyQt6.QtTest import QTest
from pytestqt.qtbot import QtBot

from gui.bridge import Bridge
from gui.mixer_model import mixer_model_of
from gui.player.export import ExportDialog
from gui.player.transport import TransportBar
from gui.session_store import SessionStore
from rtaudio.protocol.reports import Transport
from tests.gui.conftest import FakeSession


@pytest.fixture
def bar(bridge: Bridge, session: FakeSession, qtbot: QtBot) -> TransportBar:
    session.report.transport = Transport("/song.wav", True, 30.0, 100.0, (10.0, 20.0), 50.0)
    bar = TransportBar(bridge)
    qtbot.addWidget(bar)
    bar.resize(1000, 44)
    bar.show()
    bridge.poll()
    session.commands.clear()
    return bar


def told(session: FakeSession) -> list[float]:
    return [next(iter(command.args.values())) for command in session.commands]


def test_wheel_keys_and_double_click_move_tempo_and_key(bar: TransportBar, session: FakeSession) -> None:
    QTest.keyClick(bar.speed, Qt.Key.Key_Down)
    QTest.keyClick(bar.speed, Qt.Key.Key_PageDown)
    QTest.keyClick(bar.key, Qt.Key.Key_Up)
    QTest.keyClick(bar.key, Qt.Key.Key_End)
    assert [command.op for command in session.commands] == ["set_speed", "set_speed", "set_key", "set_key"]
    assert told(session) == [0.99, 0.94, 1.0, 12.0]
    assert bar.speed.text() == "94 %" and bar.key.accessibleDescription() == "+12"
    session.commands.clear()
    QTest.mouseDClick(bar.speed, Qt.MouseButton.LeftButton)
    QTest.keyClick(bar.key, Qt.Key.Key_Delete)
    assert told(session) == [1.0, 0.0]


def test_shortcuts_step_by_five_percent_and_a_semitone_and_stay_in_range(bar: TransportBar, session: FakeSession) -> None:
    handlers = bar.handlers()
    for _ in range(12):
        handlers["slower"]()
    handlers["key_down"]()
    assert min(told(session)[:-1]) == 0.5 and told(session)[-1] == -1.0 and len(session.commands) == 11


def test_moves_are_undone_and_a_drag_is_one_step(bar: TransportBar, bridge: Bridge, session: FakeSession) -> None:
    undo = mixer_model_of(bridge).undo
    for value in (0.9, 0.8, 0.7):
        bar.tempo.move("speed", value, gesture=4711)
    bar.tempo.move("key", 2.0)
    undo.undo()
    assert bar.tempo.values == {"speed": 0.7, "key": 0.0} and undo.undoText() == "Tempo"
    undo.undo()
    assert bar.tempo.values == {"speed": 1.0, "key": 0.0} and told(session)[-1] == 1.0
    undo.redo()
    assert bar.tempo.values["speed"] == 0.7


def test_the_engine_moves_them_too_and_without_a_song_nothing_is_sent(bar: TransportBar, bridge: Bridge, session: FakeSession) -> None:
    session.report.transport.speed, session.report.transport.key = 0.8, -3.0  # a controller did
    bridge.poll()
    assert bar.speed.value() == 80 and bar.key.text() == "-3"
    session.report.transport = Transport()
    bridge.poll()
    bar.tempo.move("speed", 0.6)
    assert not session.commands and not bar.speed.isEnabled()


def test_the_session_keeps_them(bar: TransportBar, bridge: Bridge, session: FakeSession) -> None:
    session.report.transport.speed, session.report.transport.key = 0.8, -3.0
    bridge.poll()
    kept = SessionStore(bridge).present()
    assert (kept.speed, kept.key) == (0.8, -3.0)


def test_an_export_is_as_heard_with_its_markers(
    bar: TransportBar, bridge: Bridge, session: FakeSession, qtbot: QtBot
) -> None:
    session.report.transport.speed, session.report.transport.key = 0.5, 2.0
    bridge.poll()
    dialog = ExportDialog(bridge, None)
    qtbot.addWidget(dialog)
    dialog.project.setCurrentIndex(1)
    assert dialog.heard.text() == "Tempo 50 %, key +2" and dialog.heard.isChecked()
    assert dialog._tempo() == {"tempo": 0.5, "key": 2.0}
    assert [region[:2] for region in dialog._plan()["regions"]] == [(20.0, 40.0)]
    dialog.heard.setChecked(False)
    assert dialog._tempo() == {"tempo": 1.0, "key": 0.0} and dialog._plan()["regions"][0][0] == 10.0
