"""The door between window and engine."""

from __future__ import annotations

from pytestqt.qtbot import QtBot

from gui.bridge import Bridge
from tests.gui.conftest import FakeSession


def test_an_order_reaches_the_session(bridge: Bridge, session: FakeSession) -> None:
    assert bridge.send("set_stem", stem="vocals", field="mute", value=True)
    assert session.commands[-1].op == "set_stem"
    assert session.desired.mixer.stems["vocals"].mute


def test_an_impossible_command_is_told_in_a_sentence(bridge: Bridge, session: FakeSession, qtbot: QtBot) -> None:
    with qtbot.waitSignal(bridge.refused) as told:
        assert not bridge.send("set_stem", stem="kazoo", field="mute", value=True)
    assert "kazoo" in told.args[0]
    assert not session.commands


def test_snapshots_are_handed_on(bridge: Bridge, session: FakeSession, qtbot: QtBot) -> None:
    session.report.xruns = 3
    with qtbot.waitSignal(bridge.snapshot_changed) as told:
        bridge.poll()
    assert told.args[0].xruns == bridge.snapshot.xruns == 3
