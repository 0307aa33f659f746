"""Effects in the mixer model: orders, undo, and what the engine has not confirmed yet."""

from __future__ import annotations

import copy

import pytest

from gui import effect_words
from gui.bridge import Bridge
from gui.insert_moves import InsertMoves, new_key
from gui.mixer_model import ECHO_S, MixerModel
from gui.undo import new_gesture
from rtaudio.protocol.parameters import EFFECTS, MAX_SLOTS
from rtaudio.protocol.settings import InsertState
from tests.gui.conftest import FakeSession
from tests.gui.test_mixer_model import Clock

ROOM = EFFECTS["reverb"].parameter("room")


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def model(bridge: Bridge, clock: Clock) -> MixerModel:
    model = MixerModel(bridge, clock)
    bridge.poll()
    return model


@pytest.fixture
def moves(model: MixerModel) -> InsertMoves:
    return model.inserts


def plugins(session: FakeSession, place: str) -> list[str]:
    mixer = session.desired.mixer
    slots = {"master": mixer.inserts, "input": mixer.input_inserts}.get(place)
    return [entry.plugin for entry in (mixer.stems[place].inserts if slots is None else slots)]


def test_effects_are_added_everywhere_moved_removed_and_all_of_it_undone(
    model: MixerModel, moves: InsertMoves, session: FakeSession
) -> None:
    for place in ("vocals", "instrument", "master", "input"):
        assert moves.add(place, "reverb") == "reverb-1" and plugins(session, place) == ["reverb"]
    moves.add("vocals", "compressor")
    moves.add("vocals", "eq")
    moves.shift("vocals", "eq-1", 0)
    assert plugins(session, "vocals") == ["eq", "reverb", "compressor"]
    moves.remove("vocals", "reverb-1")
    moves.carry("vocals", "eq-1", "master", 0)
    assert plugins(session, "vocals") == ["compressor"] and plugins(session, "master") == ["eq", "reverb"]
    model.undo.undo()
    assert plugins(session, "vocals") == ["eq", "compressor"] and plugins(session, "master") == ["reverb"], "one step"
    for _ in range(5):
        model.undo.undo()
    assert plugins(session, "vocals") == ["reverb"]
    for _ in range(6):
        model.undo.redo()
    assert plugins(session, "vocals") == ["compressor"] and plugins(session, "master") == ["eq", "reverb"]


def test_a_removed_effect_comes_back_with_its_values(model: MixerModel, moves: InsertMoves, session: FakeSession) -> None:
    key = moves.add("bass", "reverb")
    moves.turn("bass", key, ROOM, 0.8)
    moves.bypass("bass", key, True)
    moves.remove("bass", key)
    model.undo.undo()
    assert session.desired.mixer.stems["bass"].inserts == [InsertState("reverb", key, True, {"room": 0.8})]
    model.undo.undo()
    assert session.desired.mixer.stems["bass"].inserts[0].bypass is False


def test_a_turn_of_a_parameter_is_one_step_and_goes_back_to_the_default(
    model: MixerModel, moves: InsertMoves, session: FakeSession
) -> None:
    key = moves.add("bass", "reverb")
    steps, drag = model.undo.count(), new_gesture()
    for value in (0.6, 0.7, 0.8):
        moves.turn("bass", key, ROOM, value, drag)
    assert model.undo.count() == steps + 1 and moves.value("bass", key, ROOM) == 0.8
    assert model.undo.undoText() == "Reverb: Room size"
    model.undo.undo()
    assert session.commands[-1].args == {"strip": "bass", "key": key, "parameter": "room", "value": ROOM.default}


def test_undoing_the_order_keeps_what_a_controller_has_moved_since(
    model: MixerModel, moves: InsertMoves, bridge: Bridge, session: FakeSession
) -> None:
    key = moves.add("bass", "reverb")
    moves.add("bass", "eq")
    moves.shift("bass", key, 1)
    bridge.send("set_parameter", strip="bass", key=key, parameter="room", value=0.9)
    bridge.poll()
    model.undo.undo()
    assert plugins(session, "bass") == ["reverb", "eq"] and session.desired.mixer.stems["bass"].inserts[0].values == {"room": 0.9}


def test_old_snapshots_do_not_undo_what_was_just_ordered(
    moves: InsertMoves, bridge: Bridge, session: FakeSession, clock: Clock
) -> None:
    old = copy.deepcopy(session.report.mixer)
    key = moves.add("vocals", "reverb")
    moves.turn("vocals", key, ROOM, 0.9)
    moves.bypass("vocals", key, True)
    session.report.mixer = old
    bridge.poll()
    assert [(e.key, e.bypass, e.values) for e in moves.slots("vocals")] == [(key, True, {"room": 0.9})]
    clock.now += 2 * ECHO_S
    bridge.poll()
    assert moves.slots("vocals") == [], "an engine that does not obey has the last word"
    assert not moves.ahead


def test_a_fifth_effect_is_refused_in_a_sentence(moves: InsertMoves, bridge: Bridge, session: FakeSession) -> None:
    told: list[str] = []
    bridge.refused.connect(told.append)
    for _ in range(MAX_SLOTS):
        assert moves.add("drums", "gain")
    assert moves.add("drums", "gain") == "" and told == ["Drums has 4 slots for effects, and all are taken."]
    assert len(plugins(session, "drums")) == MAX_SLOTS
    moves.add("bass", "eq")
    assert not moves.carry("bass", "eq-1", "drums", 0) and plugins(session, "bass") == ["eq"], "nothing is lost on a full strip"


def test_slots_with_other_values_are_loaded_afresh(moves: InsertMoves, session: FakeSession) -> None:
    """A plugin that stays keeps values that the new list does not name: it has to go first."""
    key = moves.add("bass", "reverb")
    moves.turn("bass", key, ROOM, 0.9)
    session.commands.clear()
    moves.arrange("bass", [InsertState("reverb", key), InsertState("eq", "eq-1")])
    assert [[entry["key"] for entry in command.args["inserts"]] for command in session.commands] == [["eq-1"], [key, "eq-1"]]
    assert session.desired.mixer.stems["bass"].inserts[0].values == {}


@pytest.mark.parametrize(
    ("plugin", "key"),
    [("reverb", "reverb-2"), ("/a b/My Plug.vst3", "My-Plug-1"), ("lv2:http://x.org/y#Amp", "Amp-1"), ("python:echo", "echo-1"),
     ("/", "plugin-1")],
)  # fmt: skip
def test_keys_are_short_and_new(plugin: str, key: str) -> None:
    assert new_key(plugin, ["reverb-1", "eq-1"]) == key


def test_every_word_of_the_built_in_effects_can_be_translated() -> None:
    used = {
        word for e in EFFECTS.values()
        for word in (e.name, e.category, e.summary, *(p.name for p in e.parameters), *(label for p in e.parameters for label in p.labels))
    }  # fmt: skip
    assert used == set(effect_words.WORDS)


def test_plugins_have_titles() -> None:
    assert effect_words.plugin_title("reverb") == "Reverb"
    assert effect_words.plugin_title("/usr/lib/vst3/Big Reverb.vst3") == "Big Reverb"
    assert effect_words.plugin_title("lv2:http://example.org/amp") == "amp"
