"""Buttons of a MIDI controller: what they press, once for each press, and what is kept of it when the engine dies."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import numpy as np
import pytest
import soundfile

from rtaudio.audio.format import StemplayError
from rtaudio.control.session import Session
from rtaudio.control.supervisor import take_over
from rtaudio.midi.learned_buttons import LearnedButtons
from rtaudio.midi.learned_controls import MidiMap
from rtaudio.midi.message import MidiMessage
from rtaudio.protocol.checks import control_range
from rtaudio.protocol.controls import NUMBER, fixed_targets, is_button, learnable
from rtaudio.protocol.desired_state import DesiredState
from rtaudio.protocol.messages import command
from rtaudio.protocol.reports import Recording, Snapshot, Transport
from rtaudio.protocol.settings import EngineConfig, InstrumentState, MixerState, StemState
from tests.rtaudio.conftest import noise
from tests.rtaudio.control.test_session import wait_until
from tests.sing_fixture import tiny_instrument

STRIPS = ("drums", "vocals")
SONG = Transport("/songs/a b.wav", True, 3.0, 60.0)
PLACE = InstrumentState(record_folder=os.path.abspath("takes"), record_format="flac")


def pressed(target: str, presses: LearnedButtons | None = None, **there: object) -> list[tuple[str, dict[str, object]]]:
    state: dict[str, object] = {"mixer": MixerState(stems={"vocals": StemState(mute=True)}), "transport": SONG} | there
    commands = (presses or LearnedButtons()).commands(
        target, state["mixer"], state["transport"], state.get("recording", Recording()), state.get("place", PLACE)  # type: ignore[arg-type]
    )
    return [(order.op, order.args) for order in commands]


def test_every_button_is_known_and_nothing_else_is_one() -> None:
    buttons = [target for target in fixed_targets(["vocals"]) if learnable(target, STRIPS).kind != NUMBER]
    assert {"stem.vocals.mute", "mixer.monitor", "mixer.click", "transport.loop"} < set(buttons) and len(buttons) == 11
    for target in buttons:
        assert is_button(target) and control_range(target, STRIPS) is None
    for target in ("stem.vocals.gain_db", "mixer.dry", "transport", "transport.seek", "stem.mute", "", "mixer.bypass.x"):
        assert not is_button(target)
    with pytest.raises(StemplayError):
        control_range("stem.kazoo.mute", STRIPS)


def test_a_press_turns_what_is_on_off_and_what_is_off_on() -> None:
    assert pressed("stem.vocals.mute") == [("set_stem", {"stem": "vocals", "field": "mute", "value": False})]
    assert pressed("stem.vocals.solo") == [("set_stem", {"stem": "vocals", "field": "solo", "value": True})]
    assert pressed("mixer.bypass") == [("set_mixer", {"field": "bypass", "value": True})]
    assert pressed("mixer.limiter") == [("set_mixer", {"field": "limiter", "value": False})]
    assert pressed("transport.play") == [("pause", {})]
    assert pressed("transport.play", transport=Transport("a.wav", False, 3.0, 60.0)) == [("play", {})]
    assert pressed("transport.start") == [("seek", {"position_s": 0.0})]
    for target in ("transport.play", "transport.start", "transport.loop"):
        with pytest.raises(StemplayError, match="No song"):
            pressed(target, transport=Transport())


def test_the_loop_button_sets_a_then_b_then_ends_the_loop() -> None:
    presses, later = LearnedButtons(), Transport(SONG.path, True, 7.5, 60.0)
    assert pressed("transport.loop", presses) == []
    assert pressed("transport.loop", presses, transport=later) == [("set_loop", {"start_s": 3.0, "end_s": 7.5})]
    looping = Transport(SONG.path, True, 4.0, 60.0, (3.0, 7.5))
    assert pressed("transport.loop", presses, transport=looping) == [("set_loop", {"start_s": None, "end_s": None})]
    assert pressed("transport.loop", presses, transport=later) == [], "A again"
    other = Transport("/songs/other.wav", True, 9.0, 60.0)
    assert pressed("transport.loop", presses, transport=other) == [], "A of another song"
    assert pressed("transport.loop", presses, transport=Transport(other.path, True, 8.0, 60.0)) == [], "before A: a new A"


def test_the_record_button_records_only_where_a_folder_was_chosen() -> None:
    ((op, args),) = pressed("transport.record")
    folder = Path(str(args["directory"]))
    assert op == "record" and args["format"] == "flac"
    assert folder.parent == Path(PLACE.record_folder) and folder.name.startswith("a b 2")
    assert pressed("transport.record", recording=Recording(True, "x")) == [("stop_recording", {})]
    with pytest.raises(StemplayError, match="folder"):
        pressed("transport.record", place=InstrumentState())


def test_keys_press_buttons_and_move_nothing() -> None:
    kept = MidiMap()
    kept.learn("mixer.dry")
    assert kept.take(MidiMessage("note_on", 9, 36, 100)) is None and kept.learning, "a key is no fader"
    kept.learn("stem.drums.mute")
    assert kept.take(MidiMessage("note_off", 9, 36, 0)) is None
    assert kept.take(MidiMessage("note_on", 9, 36, 100)) == ("stem.drums.mute", 1.0)
    assert kept.take(MidiMessage("note_on", 9, 36, 0)) == ("stem.drums.mute", 0.0)
    assert kept.take(MidiMessage("control", 9, 36, 127)) is None, "the controller of the same number is another"
    again = MidiMap(kept.entries())
    assert again.entries() == [{"channel": 9, "note": 36, "target": "stem.drums.mute"}]
    assert again.take(MidiMessage("note_on", 9, 36, 1)) == ("stem.drums.mute", 1.0)


def desired(tmp_path: Path) -> DesiredState:
    return DesiredState(EngineConfig(input="none", instrument=str(tiny_instrument(tmp_path))), MixerState())


def test_what_is_no_button_and_no_folder_is_refused(tmp_path: Path) -> None:
    wanted = desired(tmp_path)
    wanted.apply(command("set_midi_map", entries=[{"channel": 0, "note": 36, "target": "transport.play"}]))
    for entry in (
        {"channel": 0, "note": 36, "target": "mixer.dry"},
        {"channel": 0, "note": 128, "target": "transport.play"},
        {"channel": 0, "target": "transport.play"},
        {"channel": 0, "control": 1, "target": "transport.fly"},
    ):
        with pytest.raises(StemplayError):
            wanted.apply(command("set_midi_map", entries=[entry]))
    wanted.apply(command("set_instrument", field="record_folder", value=str(tmp_path)))
    wanted.apply(command("set_instrument", field="record_format", value="flac"))
    for field, value in (("record_folder", "takes"), ("record_folder", 3), ("record_format", "mp3")):
        with pytest.raises(StemplayError):
            wanted.apply(command("set_instrument", field=field, value=value))


def test_what_buttons_started_is_wanted_of_the_next_engine(tmp_path: Path) -> None:
    wanted = desired(tmp_path)

    def told(playing: bool = True, position: float = 3.0, loop: object = None, take: Recording | None = None) -> Snapshot:
        report = Snapshot(state="running", transport=Transport("a.wav", playing, position, 60.0, loop))  # type: ignore[arg-type]
        report.recording = take or Recording()
        report.instrument.state.record_format = "flac"
        return report

    take = Recording(True, "/takes/1")
    take_over(wanted, told(), told(playing=False, loop=(1.0, 2.0), take=take))
    assert not wanted.playing and wanted.loop == (1.0, 2.0)
    assert wanted.recording == {"directory": "/takes/1", "format": "flac"}
    take_over(wanted, told(playing=False, take=take), told(playing=True))
    assert wanted.playing and wanted.recording is None
    wanted.recording = {"directory": "/takes/1", "format": "flac"}
    ending = told()
    ending.state = "stalled"
    take_over(wanted, told(take=take), ending)
    assert wanted.recording is not None, "an engine that ends is not a person who has had enough"
    take_over(wanted, told(), told(playing=False, position=60.0))
    assert wanted.playing, "a song that ends was not paused"


def test_buttons_act_in_a_real_engine_and_outlive_it(tmp_path: Path) -> None:
    song = tmp_path / "song.wav"
    soundfile.write(song, noise(44_100 * 20), 44_100)
    config = EngineConfig(
        input=str(song), output="null", model="none", instrument=str(tiny_instrument(tmp_path)), midi="none", analyse=False
    )
    with Session(config, MixerState()) as session:
        wait_until(lambda: session.snapshot().transport.playing, "sound")

        def press(control: int, times: int = 1) -> None:
            for _ in range(times):
                session.send(command("midi", data=[0xB0, control, 127]))
                session.send(command("midi", data=[0xB0, control, 0]))

        session.send(command("set_instrument", field="record_folder", value=str(tmp_path / "takes")))
        buttons = {20: "transport.play", 21: "stem.vocals.mute", 22: "transport.record", 23: "mixer.bypass"}
        for control, target in buttons.items():
            session.send(command("learn", target=target))
            press(control)
            wait_until(lambda: session.snapshot().instrument.learning == "", "the lesson")
        report = session.snapshot()
        assert report.transport.playing and not report.recording.active, "learning presses nothing"
        press(21)
        wait_until(lambda: session.snapshot().mixer.stems["vocals"].mute, "the mute")
        press(23, 2)
        press(22)
        wait_until(lambda: session.snapshot().recording.seconds > 0.2, "the recording")
        press(20)
        wait_until(lambda: not session.snapshot().transport.playing, "the pause")
        assert not session.snapshot().mixer.bypass, "twice is not at all"
        pid = session.engine_pid
        assert pid is not None
        os.kill(pid, signal.SIGKILL if hasattr(signal, "SIGKILL") else signal.SIGTERM)
        wait_until(lambda: session.engine_pid not in (None, pid) and session.snapshot().state == "running", "the next")
        wait_until(lambda: session.snapshot().recording.active, "its recording")
        report = session.snapshot()
        assert not report.transport.playing and report.mixer.stems["vocals"].mute
        press(22)
        wait_until(lambda: not session.snapshot().recording.active, "the end")
        session.send(command("set_instrument", field="record_folder", value=""))
        press(22)
        wait_until(lambda: "folder" in session.snapshot().message, "the sentence")
    (take,) = (tmp_path / "takes").iterdir()
    assert take.name.startswith("song 2")
    assert {"mix.wav", "mix-2.wav"} <= {path.name for path in take.iterdir()}, "one of each engine"
    assert np.abs(soundfile.read(take / "mix.wav")[0]).max() > 0.01
