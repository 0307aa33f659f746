"""MIDI controllers that move parameters of inserts."""

from __future__ import annotations

from pathlib import Path

import pytest

from rtaudio.audio.format import StemplayError
from rtaudio.control.session import Session
from rtaudio.protocol.checks import control_range
from rtaudio.protocol.messages import command
from rtaudio.protocol.settings import EngineConfig, InsertState, MixerState, StemState
from tests.rtaudio.control.test_session import wait_until
from tests.sing_fixture import tiny_instrument


def test_parameters_of_inserts_have_the_whole_travel_of_a_controller() -> None:
    for target in ("insert.vocals.reverb-1.room", "insert.master.Amp-1.gain.left", "insert.input.gate-1.threshold"):
        assert control_range(target, ("drums", "vocals")) == (0.0, 1.0)
    for target in ("insert.kazoo.reverb-1.room", "insert.vocals.reverb-1", "insert", "insert.vocals." + "x" * 6000):
        with pytest.raises(StemplayError):
            control_range(target, ("drums", "vocals"))


def test_a_controller_moves_a_parameter_on_its_own_scale_in_a_real_engine(tmp_path: Path) -> None:
    mixer = MixerState({"vocals": StemState(inserts=[InsertState("highpass", "highpass-1")])}, inserts=[InsertState("pitch", "pitch-1")])
    config = EngineConfig(input="none", output="null", model="none", instrument=str(tiny_instrument(tmp_path)), midi="none")
    with Session(config, mixer) as session:
        wait_until(lambda: [r.status for r in session.snapshot().inserts.get("vocals", [])] == ["running"], "the filter")
        targets = {20: "insert.vocals.highpass-1.hz", 21: "insert.master.pitch-1.semitones", 22: "insert.vocals.gone-1.hz"}
        session.send(command("set_midi_map", entries=[{"channel": 0, "control": c, "target": t} for c, t in targets.items()]))
        for data in ([0xB0, 22, 90], [0xB0, 20, 127], [0xB0, 21, 0]):
            session.send(command("midi", data=data))
        wait_until(lambda: session.snapshot().mixer.inserts[0].values.get("semitones") == -12.0, "the pitch")
        assert session.snapshot().mixer.stems["vocals"].inserts[0].values == {"hz": pytest.approx(10_000.0)}
        session.send(command("midi", data=[0xB0, 20, 64]))
        wait_until(lambda: session.snapshot().mixer.stems["vocals"].inserts[0].values["hz"] < 1000.0, "half of it, as it is heard")
        session.send(command("set_inserts", strip="vocals", inserts=[]))
        session.send(command("midi", data=[0xB0, 20, 1]))  # of what is gone: nothing, and nothing breaks
        session.send(command("midi", data=[0xB0, 21, 127]))
        wait_until(lambda: session.snapshot().mixer.inserts[0].values["semitones"] == 12.0, "the pitch again")
