"""A plugin in the instrument's strip: real LV2 instruments, played by the MIDI path of the engine."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import threading
import time
from dataclasses import replace

import numpy as np
import pytest

from rtaudio.audio.format import StemplayError
from rtaudio.control.session import Session
from rtaudio.instrument.plugin_synth import PluginSynth
from rtaudio.midi.message import MidiMessage
from rtaudio.plugins.rack import pack_state
from rtaudio.plugins.scan import installed
from rtaudio.plugins.vst3 import PedalboardPlugin
from rtaudio.protocol.messages import command
from rtaudio.protocol.reports import Snapshot
from rtaudio.protocol.settings import EngineConfig, InsertState, InstrumentState

PIANO, RATE = "lv2:http://drobilla.net/plugins/mda/EPiano", 44_100

needs_mda = pytest.mark.skipif(PIANO not in installed(), reason="mda-lv2 and liblilv-0-0 are not installed")


def on(note: int, velocity: int = 100) -> MidiMessage:
    return MidiMessage("note_on", 0, note, velocity)


def test_a_vst3_instrument_sounds_from_note_on_to_note_off_to_the_sample(beep: str) -> None:
    synth = PluginSynth(beep, RATE, realtime=False)
    try:
        sound = np.concatenate([
            synth.render(1000, [(321, on(69))]), synth.render(5000), synth.render(700, [(123, MidiMessage("note_off", 0, 69))]),
        ])  # fmt: skip
        heard = np.flatnonzero(np.abs(sound[:, 0]) > 1e-3)
        assert (heard[0], heard[-1]) == (321, pytest.approx(6122, abs=2))
        expected = 0.5 * np.cos(2 * np.pi * 440 * np.arange(5000) / RATE)
        np.testing.assert_allclose(sound[321:5321, 0], expected, atol=1e-3)
    finally:
        synth.close()


def test_a_vst3_instrument_keeps_time_in_calls_of_any_length(beep: str) -> None:
    """pedalboard is told seconds, and rounds them down to frames in 32 bits: 7 frames at 44.1 kHz became 6."""
    plugin = PedalboardPlugin(beep)
    plugin.prepare(RATE, 256, 2)
    sizes = [7, 14, 23, 28, 45, 251, *range(1, 257, 5)]
    for start in (7, 14, 23, 28, 45):
        plugin.reset()
        plugin.queue_midi([(start, bytes((0x90, 69, 100)))])
        parts = [np.zeros((n, 2), np.float32) for n in (60, *sizes)]
        assert all(plugin.process(part) for part in parts)
        sound = np.concatenate(parts)[:, 0]
        assert not sound[:start].any()
        np.testing.assert_allclose(sound[start:], 0.5 * np.cos(2 * np.pi * 440 * np.arange(len(sound) - start) / RATE), atol=1e-3)


def test_the_midi_controllers_of_a_vst3_instrument_reach_it_and_are_no_parameters(beep: str) -> None:
    """There are 2,080, and a host that shows them as parameters needs a minute to ask for all their texts."""
    synth = PluginSynth(beep, RATE, realtime=False)
    try:
        assert synth.plugin.parameters == ()
        assert np.abs(synth.render(4096, [(0, on(69))])[-256:]).max() > 0.1
        synth.render(256, [(0, MidiMessage("control", 0, 123, 0))])  # all notes off
        assert not synth.render(4096)[-256:].any()
    finally:
        synth.close()


@needs_mda
def test_a_note_is_in_tune_and_begins_at_its_sample() -> None:
    synth = PluginSynth(PIANO, RATE, realtime=False)
    try:
        sound = np.concatenate([synth.render(1000, [(321, on(69))]), synth.render(40_000)])
        assert int(np.flatnonzero(np.abs(sound[:, 0]) > 1e-4)[0]) == 321 + synth.latency
        spectrum = np.abs(np.fft.rfft(sound[2000:34_768, 0] * np.hanning(32_768)))
        assert spectrum.argmax() * RATE / 32_768 == pytest.approx(440, abs=2)
        assert synth.keys == [[0, 69]] and synth.active == 1
        synth.render(256, [(0, MidiMessage("note_off", 0, 69))])
        assert synth.keys == []
    finally:
        synth.close()


@needs_mda
def test_the_sustain_pedal_and_panic_work() -> None:
    levels = {}
    for pedal in (0, 127):
        synth = PluginSynth(PIANO, RATE, realtime=False)
        try:
            synth.render(256, [(0, MidiMessage("control", 0, 64, pedal)), (1, on(60))])
            synth.render(RATE // 4, [(0, MidiMessage("note_off", 0, 60))])
            levels[pedal] = float(np.abs(synth.render(2000)).max())
            synth.panic()
            assert not synth.render(4096).any()
            assert np.abs(synth.render(4096, [(0, on(60))])).max() > 0.01
        finally:
            synth.close()
    assert levels[127] > 5 * levels[0] + 1e-4


@needs_mda
@pytest.mark.skipif(sys.platform == "win32", reason="SIGSTOP")
def test_a_note_is_not_late_where_its_block_is_found_before_its_message_is_read() -> None:
    """A host that is behind finds the next block by itself, while the block's MIDI messages wait in its socket."""
    synth = PluginSynth(PIANO, RATE, realtime=False)
    try:
        synth.render(512)
        plugin = synth.plugin
        assert plugin is not None and plugin._process is not None and plugin._socket is not None
        os.kill(plugin._process.pid, signal.SIGSTOP)
        os.waitpid(plugin._process.pid, os.WUNTRACED)  # until it has stopped
        plugin._socket.send(b"p")  # this wakes it first
        threading.Timer(0.3, os.kill, (plugin._process.pid, signal.SIGCONT)).start()
        sound = np.concatenate([synth.render(256, [(100, on(69))]), synth.render(2000)])
        assert int(np.flatnonzero(np.abs(sound[:, 0]) > 1e-4)[0]) == 100 + synth.latency
    finally:
        synth.close()


@needs_mda
def test_an_effect_is_refused_as_an_instrument() -> None:
    with pytest.raises(StemplayError, match="MDA Delay is an effect, not an instrument"):
        PluginSynth("lv2:http://drobilla.net/plugins/mda/Delay", RATE, realtime=True)


def plays(report: Snapshot) -> bool:
    return report.state == "running" and report.instrument.slot.status == "running"


def wait(session: Session, condition: object, seconds: float = 300.0) -> Snapshot:
    until = time.monotonic() + seconds
    while not condition(report := session.snapshot()):  # type: ignore[operator]
        assert time.monotonic() < until, (report.state, report.message, report.instrument)
        time.sleep(0.03)
    return report


def loud(report: Snapshot) -> bool:
    return report.state == "running" and max(report.meters["instrument"].peak, default=0.0) > 0.01


@needs_mda
def test_keys_play_it_in_a_live_engine_and_a_crash_is_told_and_mended() -> None:
    config = EngineConfig(input="none", output="null", model="none", instrument=PIANO, midi="none", analyse=False)
    with Session(config) as session:
        wait(session, plays)
        session.send(command("midi", data=[0x90, 60, 110]))
        report = wait(session, loud)
        assert report.instrument.model == "MDA ePiano" and report.instrument.keys == [[0, 60]]
        with pytest.raises(StemplayError, match="There is no instrument 'flute'"):
            session.send(command("set_sound", channel=0, shares={"flute": 1.0}))
        hosts = subprocess.run(["pgrep", "-P", str(session.engine_pid), "-f", "plugins.host"], capture_output=True, text=True, check=True)
        os.kill(int(hosts.stdout.split()[0]), signal.SIGKILL)
        wait(session, lambda report: report.message == "MDA ePiano crashed (SIGKILL) and is silent.")
        session.send(command("restart_insert", strip="instrument", key="instrument"))
        wait(session, lambda report: not report.message and report.instrument.slot.status == "running")
        session.send(command("midi", data=[0x90, 62, 110]))
        assert wait(session, loud).restarts == 0


@needs_mda
def test_play_takes_a_plugin_as_its_model() -> None:
    def play(*args: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "rtaudio", "play", "--output", "null", "--midi", "none", "--seconds", "1", "--json", *args],
            capture_output=True, text=True, timeout=100, check=False, stdin=subprocess.DEVNULL,
        )  # fmt: skip

    done = play("--model", PIANO)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["instrument"]["model"] == "MDA ePiano"
    wrong = play("--model", PIANO, "--instrument", "flute")
    assert wrong.returncode == 2 and "has sounds of its own" in wrong.stderr
    missing = play("--model", "lv2:urn:none")
    assert missing.returncode != 0 and "no LV2 plugin urn:none" in missing.stdout + missing.stderr


JX10 = "lv2:http://drobilla.net/plugins/mda/JX10"


def tail(synth: PluginSynth) -> float:
    """Loudness of a note a second after its beginning."""
    synth.render(256, [(0, on(60))])
    synth.render(RATE)
    return float(np.abs(synth.render(4000)).max())


@needs_mda
def test_it_begins_with_its_saved_values_takes_others_and_keeps_what_it_does_not_know() -> None:
    levels = []
    for decay in (0.1, 0.9):
        state = InsertState(PIANO, "instrument", values={"env_decay": decay, "of_another_version": 3.0})
        synth = PluginSynth(PIANO, RATE, realtime=True, state=state)
        try:
            levels.append(tail(synth))
            assert synth.state.values["of_another_version"] == 3.0 and synth.report().status == "running"
            with pytest.raises(StemplayError, match="no parameter"):
                synth.set_parameter("nonsense", 1.0)
            synth.set_parameter("env_release", 0.25)
            synth.turn("treble_boost", 1.0)
            assert synth.state.values["treble_boost"] == 1.0 and synth.state.values["env_release"] == 0.25
            assert synth.plugin is not None and synth.plugin.get("env_release") == 0.25
            synth.restore(InsertState(PIANO, "instrument", values={"treble_boost": 0.75}))
            assert (synth.plugin.get("treble_boost"), synth.plugin.get("env_release")) == (0.75, 0.5), "what is not named is at its default"
        finally:
            synth.close()
    assert levels[1] > 1.5 * levels[0]


@needs_mda
@pytest.mark.parametrize(
    ("plugin", "state", "sentence"),
    [("lv2:urn:none", "", "no LV2 plugin urn:none"), ("/nowhere/Gone.vst3", "", "Gone"), ("lv2:http://drobilla.net/plugins/mda/Delay", "",
     "is an effect, not an instrument"), (PIANO, "damaged", "The saved state of .* is damaged"), (PIANO, pack_state(b"x"), "")],
)  # fmt: skip
def test_a_hole_is_silent_and_says_why(plugin: str, state: str, sentence: str) -> None:
    synth = PluginSynth(plugin, RATE, realtime=True, state=InsertState(plugin, "instrument", values={"x": 1.0}, state=state), hole=True)
    try:
        until = time.monotonic() + 300
        while synth.report().status == "loading":
            assert time.monotonic() < until
            time.sleep(0.02)
        assert not synth.render(700, [(3, on(60))])[:3].any()
        report = synth.report()
        if sentence:
            assert report.status == "missing" and report.message == synth.message and not synth.keys
            assert re.search(sentence, report.message), report.message
            assert synth.state == InsertState(plugin, "instrument", values={"x": 1.0}, state=state), "nothing is lost"
            with pytest.raises(StemplayError):
                synth.turn("x", 0.5)
            with pytest.raises(StemplayError):
                synth.open_editor()
        synth.panic()
    finally:
        synth.close()


@needs_mda
def test_it_is_loaded_again_while_it_is_played_and_no_key_hangs() -> None:
    """The player goes on in its thread while another asks for a restart, several times."""
    synth = PluginSynth(PIANO, RATE, realtime=True, state=InsertState(PIANO, values={"env_decay": 0.9}), hole=True)
    stop, faults = threading.Event(), []

    def play() -> None:
        while not stop.is_set():
            try:
                if not np.isfinite(synth.render(256, [(0, on(60))])).all():
                    faults.append("not finite")
            except Exception as error:
                faults.append(repr(error))
            time.sleep(0.003)

    player = threading.Thread(target=play)
    player.start()
    try:
        for _ in range(3):
            synth.restart()
            assert not synth.keys or synth.plugin is not None
            until = time.monotonic() + 300
            while synth.report().status != "running":
                assert time.monotonic() < until, synth.message
                time.sleep(0.01)
            assert synth.plugin is not None and synth.plugin.get("env_decay") == 0.9
    finally:
        stop.set()
        player.join(10)
        synth.close()
    assert not faults and synth.keys == [] and synth.report().status in ("loading", "missing", "running")


@needs_mda
def test_another_instrument_comes_while_one_is_played_and_a_missing_one_lets_the_rest_play() -> None:
    config = EngineConfig(input="none", output="null", model="none", instrument=PIANO, midi="none", analyse=False)
    saved = InstrumentState(plugin=InsertState(PIANO, "instrument", values={"env_decay": 0.875}))
    with Session(config, instrument=saved) as session:
        wait(session, plays)
        session.send(command("midi", data=[0xB0, 64, 127]))
        session.send(command("midi", data=[0x90, 60, 110]))
        report = wait(session, loud)
        assert report.instrument.state.plugin.values == {"env_decay": 0.875}
        session.send(command("set_parameter", strip="instrument", key="instrument", parameter="treble_boost", value=0.75))
        session.send(command("set_midi_map", entries=[{"channel": 0, "control": 20, "target": "insert.instrument.instrument.hardness"}]))
        session.send(command("midi", data=[0xB0, 20, 127]))
        wait(session, lambda report: report.instrument.state.plugin.values == {"env_decay": 0.875, "treble_boost": 0.75, "hardness": 1.0})
        session.send(command("configure", config=vars(replace(config, instrument=JX10))))
        report = wait(session, lambda report: plays(report) and report.instrument.model == "MDA JX10")
        assert report.instrument.keys == [] and report.instrument.state.plugin == InsertState(JX10, "instrument"), "no stuck note"
        session.send(command("midi", data=[0x80, 60, 0]))  # the key is let go only now
        session.send(command("midi", data=[0x90, 62, 110]))
        wait(session, loud)
        session.send(command("configure", config=vars(replace(config, instrument="lv2:urn:none"))))
        report = wait(session, lambda report: report.state == "running" and report.instrument.slot.status == "missing")
        assert "no LV2 plugin urn:none" in report.message and report.restarts == 0
        frames = report.frames
        wait(session, lambda report: report.frames > frames + RATE // 10)
        session.send(command("configure", config=vars(config)))
        assert wait(session, plays).instrument.state.plugin.values == {}
