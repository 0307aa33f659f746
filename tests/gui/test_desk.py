"""The window's mixer: ahead of the engine by what is on its way, and undo."""

from __future__ import annotations

import copy

import pytest

from gui.bridge import Bridge
from gui.mixer_model import ECHO_S, Desk, desk_of
from gui.undo import new_gesture
from rtaudio.protocol.messages import MixerState, StemState
from tests.gui.conftest import FakeSession


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def desk(bridge: Bridge, clock: Clock) -> Desk:
    desk = Desk(bridge, clock)
    bridge.poll()
    return desk


def orders(session: FakeSession) -> list[tuple[str, str, object]]:
    return [(order.args.get("stem", ""), order.args["field"], order.args["value"]) for order in session.orders]


def test_there_is_one_desk_for_a_bridge(bridge: Bridge) -> None:
    assert desk_of(bridge) is desk_of(bridge)


def test_old_snapshots_do_not_undo_what_was_just_ordered(
    desk: Desk, bridge: Bridge, session: FakeSession, clock: Clock
) -> None:
    old = copy.deepcopy(session.report.mixer)
    desk.move("vocals", "gain_db", -9.0)
    session.report.mixer = old  # the engine has not heard of it yet
    bridge.poll()
    assert desk.value("vocals", "gain_db") == -9.0
    session.report.mixer = session.desired.mixer
    bridge.poll()
    session.report.mixer = old  # from here on the engine's word counts: someone else moved it
    bridge.poll()
    assert desk.value("vocals", "gain_db") == 0.0


def test_an_order_that_never_comes_back_is_given_up(
    desk: Desk, bridge: Bridge, session: FakeSession, clock: Clock
) -> None:
    session.report.mixer = copy.deepcopy(session.report.mixer)  # an engine that does not obey
    desk.move("vocals", "mute", True)
    bridge.poll()
    assert desk.value("vocals", "mute") is True
    clock.now += 2 * ECHO_S
    bridge.poll()
    assert desk.value("vocals", "mute") is False


def test_a_drag_is_one_step_of_undo(desk: Desk, session: FakeSession) -> None:
    drag = new_gesture()
    for db in (-1.0, -2.0, -3.0):
        desk.move("bass", "gain_db", db, drag)
    desk.move("bass", "gain_db", -4.0)
    assert desk.undo.count() == 2
    desk.undo.undo()
    assert desk.value("bass", "gain_db") == -3.0
    desk.undo.undo()
    assert desk.value("bass", "gain_db") == 0.0
    desk.undo.redo()
    assert desk.value("bass", "gain_db") == -3.0
    assert orders(session)[-3:] == [("bass", "gain_db", -3.0), ("bass", "gain_db", 0.0), ("bass", "gain_db", -3.0)]


def test_a_drag_that_comes_back_leaves_nothing_to_undo(desk: Desk) -> None:
    drag = new_gesture()
    for db in (-1.0, -2.0, 0.0):
        desk.move("bass", "gain_db", db, drag)
    assert not desk.undo.canUndo()


def test_a_refused_move_is_no_step(desk: Desk, session: FakeSession) -> None:
    assert not desk.move("bass", "gain_db", 99.0)
    assert not desk.move("kazoo", "mute", True)
    assert not desk.undo.canUndo() and desk.value("bass", "gain_db") == 0.0


def test_reset_is_one_step(desk: Desk) -> None:
    desk.move("bass", "mute", True)
    desk.move("vocals", "pan", -0.5)
    desk.move("", "master_db", -3.0)
    desk.flatten()
    assert desk.state.stems["bass"] == StemState() and desk.state.master_db == 0.0
    desk.undo.undo()
    assert desk.state.stems["bass"].mute and desk.state.stems["vocals"].pan == -0.5 and desk.state.master_db == -3.0
    desk.flatten()
    count = desk.undo.count()
    desk.flatten()
    assert desk.undo.count() == count


def test_comparing_remembers_the_dry_share(desk: Desk) -> None:
    desk.move("", "dry", 0.3)
    desk.compare(True)
    assert desk.comparing and desk.state.dry == 1.0
    desk.compare(False)
    assert desk.state.dry == 0.3


def test_other_strips_forget_the_moves_of_the_old_ones(desk: Desk, bridge: Bridge, session: FakeSession) -> None:
    seen: list[list[str]] = []
    desk.strips_changed.connect(seen.append)
    desk.move("bass", "mute", True)
    session.report.mixer = MixerState(stems={"speech": StemState(), "noise": StemState()})
    bridge.poll()
    assert seen == [["speech", "noise"]] and not desk.undo.canUndo()
