"""The window's mixer: ahead of the engine by what is on its way, and undo."""

from __future__ import annotations

import copy

import pytest

from gui.bridge import Bridge
from gui.mixer_model import ECHO_S, MixerModel, mixer_model_of
from gui.undo import new_gesture
from rtaudio.protocol.settings import MixerState, StemState
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
def mixer_model(bridge: Bridge, clock: Clock) -> MixerModel:
    mixer_model = MixerModel(bridge, clock)
    bridge.poll()
    return mixer_model


def commands(session: FakeSession) -> list[tuple[str, str, object]]:
    return [(command.args.get("stem", ""), command.args["field"], command.args["value"]) for command in session.commands]


def test_there_is_one_desk_for_a_bridge(bridge: Bridge) -> None:
    assert mixer_model_of(bridge) is mixer_model_of(bridge)


def test_old_snapshots_do_not_undo_what_was_just_commanded(
    mixer_model: MixerModel, bridge: Bridge, session: FakeSession, clock: Clock
) -> None:
    old = copy.deepcopy(session.report.mixer)
    mixer_model.move("vocals", "gain_db", -9.0)
    session.report.mixer = old  # the engine has not heard of it yet
    bridge.poll()
    assert mixer_model.value("vocals", "gain_db") == -9.0
    session.report.mixer = session.desired.mixer
    bridge.poll()
    session.report.mixer = old  # from here on the engine's word counts: someone else moved it
    bridge.poll()
    assert mixer_model.value("vocals", "gain_db") == 0.0


def test_an_order_that_never_comes_back_is_given_up(
    mixer_model: MixerModel, bridge: Bridge, session: FakeSession, clock: Clock
) -> None:
    session.report.mixer = copy.deepcopy(session.report.mixer)  # an engine that does not obey
    mixer_model.move("vocals", "mute", True)
    bridge.poll()
    assert mixer_model.value("vocals", "mute") is True
    clock.now += 2 * ECHO_S
    bridge.poll()
    assert mixer_model.value("vocals", "mute") is False


def test_a_drag_is_one_step_of_undo(mixer_model: MixerModel, session: FakeSession) -> None:
    drag = new_gesture()
    for db in (-1.0, -2.0, -3.0):
        mixer_model.move("bass", "gain_db", db, drag)
    mixer_model.move("bass", "gain_db", -4.0)
    assert mixer_model.undo.count() == 2
    mixer_model.undo.undo()
    assert mixer_model.value("bass", "gain_db") == -3.0
    mixer_model.undo.undo()
    assert mixer_model.value("bass", "gain_db") == 0.0
    mixer_model.undo.redo()
    assert mixer_model.value("bass", "gain_db") == -3.0
    assert commands(session)[-3:] == [("bass", "gain_db", -3.0), ("bass", "gain_db", 0.0), ("bass", "gain_db", -3.0)]


def test_a_drag_that_comes_back_leaves_nothing_to_undo(mixer_model: MixerModel) -> None:
    drag = new_gesture()
    for db in (-1.0, -2.0, 0.0):
        mixer_model.move("bass", "gain_db", db, drag)
    assert not mixer_model.undo.canUndo()


def test_a_refused_move_is_no_step(mixer_model: MixerModel, session: FakeSession) -> None:
    assert not mixer_model.move("bass", "gain_db", 99.0)
    assert not mixer_model.move("kazoo", "mute", True)
    assert not mixer_model.undo.canUndo() and mixer_model.value("bass", "gain_db") == 0.0


def test_reset_is_one_step(mixer_model: MixerModel) -> None:
    mixer_model.move("bass", "mute", True)
    mixer_model.move("vocals", "pan", -0.5)
    mixer_model.move("", "master_db", -3.0)
    mixer_model.flatten()
    assert mixer_model.state.stems["bass"] == StemState() and mixer_model.state.master_db == 0.0
    mixer_model.undo.undo()
    assert mixer_model.state.stems["bass"].mute and mixer_model.state.stems["vocals"].pan == -0.5 and mixer_model.state.master_db == -3.0
    mixer_model.flatten()
    count = mixer_model.undo.count()
    mixer_model.flatten()
    assert mixer_model.undo.count() == count


def test_comparing_remembers_the_dry_share(mixer_model: MixerModel) -> None:
    mixer_model.move("", "dry", 0.3)
    mixer_model.compare(True)
    assert mixer_model.comparing and mixer_model.state.dry == 1.0
    mixer_model.compare(False)
    assert mixer_model.state.dry == 0.3


def test_other_strips_forget_the_moves_of_the_old_ones(mixer_model: MixerModel, bridge: Bridge, session: FakeSession) -> None:
    seen: list[list[str]] = []
    mixer_model.strips_changed.connect(seen.append)
    mixer_model.move("bass", "mute", True)
    session.report.mixer = MixerState(stems={"speech": StemState(), "noise": StemState()})
    bridge.poll()
    assert seen == [["speech", "noise"]] and not mixer_model.undo.canUndo()
