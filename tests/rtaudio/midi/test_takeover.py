"""Controllers that take over softly, and that show where their controls are."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rtaudio.audio.format import StemplayError
from rtaudio.control.session import Session
from rtaudio.midi.learned_controls import NEAR, MidiMap
from rtaudio.midi.message import MidiMessage
from rtaudio.protocol.messages import command
from rtaudio.protocol.settings import EngineConfig, InsertState, MixerState, StemState
from tests.rtaudio.control.test_session import wait_until
from tests.sing_fixture import tiny_instrument

ENTRY = {"channel": 0, "control": 20, "target": "mixer.dry"}


def turn(value: int, control: int = 20) -> MidiMessage:
    return MidiMessage("control", 0, control, value)


class Knob:
    """A map with one knob, and the control that it moves."""

    def __init__(self, takeover: str = "pickup", there: float | None = 0.5) -> None:
        self.map = MidiMap([ENTRY | {"takeover": takeover}])
        self.there = there

    def turn(self, value: int) -> float | None:
        found = self.map.take(turn(value), lambda target: self.there)
        assert found is not None and found[0] == "mixer.dry"
        if found[1] is not None:
            self.there = found[1]
            self.map.settle(turn(value), self.there)
        return found[1]


def test_a_knob_has_no_effect_until_it_reaches_its_control() -> None:
    knob = Knob()
    assert [knob.turn(value) for value in (0, 20, 40, 60)] == [None] * 4 and knob.there == 0.5
    assert knob.turn(63) == 63 / 127 and knob.turn(100) == 100 / 127  # reached, and it follows from now on, also in leaps
    knob.there = 0.1  # somebody else has moved it
    assert knob.turn(98) is None and knob.turn(40) is None and knob.there == 0.1
    assert knob.turn(5) == 5 / 127  # passed


def test_a_knob_that_jumps_over_its_control_has_passed_it() -> None:
    knob = Knob()
    assert knob.turn(10) is None and knob.turn(90) == 90 / 127
    assert Knob().turn(90) is None  # the first position says nothing of where it came from


def test_without_soft_takeover_it_jumps_and_an_unknown_place_is_taken_at_once() -> None:
    assert Knob("jump").turn(127) == 1.0
    assert Knob(there=None).turn(127) == 1.0


@given(st.floats(0, 1), st.lists(st.integers(0, 127), max_size=40))
def test_a_control_never_leaps_farther_than_the_knob_moved(there: float, turns: list[int]) -> None:
    knob, last = Knob(there=there), None
    for value in turns:
        before = knob.there
        knob.turn(value)
        assert before is not None and knob.there is not None
        moved = abs(value - last) / 127 if last is not None else 0.0
        assert abs(knob.there - before) <= moved + NEAR + 1e-9
        last = value


def test_what_is_learned_takes_over_as_it_is_set_and_is_kept() -> None:
    kept = MidiMap(takeover="pickup")
    kept.learn("mixer.dry")
    assert kept.take(turn(127), lambda target: 0.0) == ("mixer.dry", 1.0)  # the one that is learned moves it at once
    assert kept.entries() == [ENTRY | {"takeover": "pickup"}]
    assert MidiMap(kept.entries()).take(turn(127), lambda target: 0.0) == ("mixer.dry", None)
    kept.learn("mixer.bypass")
    kept.take(turn(127, 21))
    assert kept.entries()[1] == {"channel": 0, "control": 21, "target": "mixer.bypass"}  # buttons have nothing to pick up


def test_lights_show_what_controllers_do_not_show_already() -> None:
    there: dict[str, float | None] = {"mixer.dry": 0.5, "mixer.bypass": 1.0, "transport.start": None}
    others = [{"channel": 3, "note": 40, "target": "mixer.bypass"}, {"channel": 0, "control": 22, "target": "transport.start"}]
    kept = MidiMap([ENTRY, *others])
    assert kept.lights(there.get) == [[0xB0, 20, 64], [0x93, 40, 127]]
    assert kept.lights(there.get) == []
    kept.take(turn(100))
    there["mixer.dry"] = 100 / 127
    assert kept.lights(there.get) == []  # it is where the knob is
    there["mixer.dry"], there["mixer.bypass"] = 0.0, 0.0
    assert kept.lights(there.get) == [[0xB0, 20, 0], [0x93, 40, 0]]
    assert len(kept.lights(there.get, afresh=True)) == 2


def test_entries_with_another_takeover_are_refused(tmp_path: Path) -> None:
    config = EngineConfig(input="none", output="null", model="none", instrument=str(tiny_instrument(tmp_path)), midi="none")
    session = Session(config)
    for wrong in ([ENTRY | {"takeover": "leap"}], [ENTRY | {"takeover": 1}]):
        with pytest.raises(StemplayError, match="pickup or jump"):
            session.send(command("set_midi_map", entries=wrong))
    with pytest.raises(StemplayError, match="pickup or jump"):
        session.send(command("set_instrument", field="takeover", value="leap"))


def test_in_a_real_engine_a_mouse_and_a_knob_do_not_fight(tmp_path: Path) -> None:
    mixer = MixerState({"vocals": StemState(inserts=[InsertState("pitch", "pitch-1")])})
    config = EngineConfig(input="none", output="null", model="none", instrument=str(tiny_instrument(tmp_path)), midi="none")
    with Session(config, mixer) as session:
        wait_until(lambda: [r.status for r in session.snapshot().inserts.get("vocals", [])] == ["running"], "the pitch")
        wanted = {20: "mixer.dry", 21: "insert.vocals.pitch-1.semitones", 22: "instrument.release_ms", 23: "transport.tempo"}
        entries = [{"channel": 0, "control": c, "target": t, "takeover": "pickup"} for c, t in wanted.items()]
        session.send(command("set_midi_map", entries=entries))
        session.send(command("set_mixer", field="dry", value=0.5))
        for data in ([0xB0, 20, 0], [0xB0, 20, 30], [0xB0, 22, 127], [0xB0, 23, 127], [0xB0, 21, 127]):
            session.send(command("midi", data=data))
        for data in ([0xB0, 21, 60], [0xB0, 21, 70]):  # passes 0 semitones, which is at 63.5
            session.send(command("midi", data=data))
        wait_until(lambda: session.snapshot().mixer.stems["vocals"].inserts[0].values.get("semitones") is not None, "the knob")
        report = session.snapshot()
        assert report.mixer.dry == 0.5 and report.instrument.state.release_ms == 250.0 and report.transport.tempo == 120.0
        for data in ([0xB0, 21, 90], [0xB0, 20, 80], [0xB0, 23, 20]):  # on its step, 5 semitones, it follows on
            session.send(command("midi", data=data))
        wait_until(lambda: session.snapshot().transport.tempo == pytest.approx(40 + 200 * 20 / 127), "the tempo")
        report = session.snapshot()
        assert report.mixer.stems["vocals"].inserts[0].values["semitones"] == 5.0 and report.mixer.dry == pytest.approx(80 / 127)
