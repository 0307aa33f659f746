"""The instrument in the engine: events at their samples, priming, learned controllers, and the commands, without a sound card."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

from rtaudio.audio.format import StemplayError
from rtaudio.control.session import Session
from rtaudio.instrument.midi_dispatcher import MidiDispatcher, curved
from rtaudio.instrument.model import InstrumentModel
from rtaudio.instrument.note_cache import note_batches, primed_states, sounds_in_memory
from rtaudio.instrument.player import LIMIT, InstrumentPlayer
from rtaudio.instrument.synth import CACHE_BYTES, Synth
from rtaudio.midi.message import MidiMessage
from rtaudio.protocol.desired_state import DesiredState
from rtaudio.protocol.messages import command
from rtaudio.protocol.settings import EngineConfig, InstrumentState
from tests.sing_fixture import NAMES, tiny_instrument

ROOT = Path(__file__).resolve().parents[3]
RATE, BLOCK = 16_000, 128


@pytest.fixture(scope="module")
def directory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_instrument(tmp_path_factory.mktemp("tiny"))


@pytest.fixture(scope="module")
def model(directory: Path) -> InstrumentModel:
    return InstrumentModel(directory)


def note(pitch: int, at: float, velocity: int = 100) -> MidiMessage:
    return MidiMessage("note_on", 0, pitch, velocity, at)


def eventually(happened: Callable[[], Any], patience: float = 60.0) -> Any:
    deadline = time.monotonic() + patience
    while not (result := happened()):
        assert time.monotonic() < deadline
        time.sleep(0.02)
    return result


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def test_every_note_is_heard_the_same_time_after_it_was_struck(model: InstrumentModel) -> None:
    """Whatever its place in the block: constant latency, no jitter."""
    rng = np.random.default_rng(0)
    for _ in range(8):
        clock = Clock()
        player = InstrumentPlayer(Synth(model, RATE, 4), 2, BLOCK, True, clock)
        struck = 0.05 + rng.uniform(0, 0.05)
        player.push(note(60, struck))
        heard = []
        for block in range(40):
            clock.now = block * BLOCK / RATE
            out = np.zeros((BLOCK, 2), np.float32)
            player.read(out)
            heard.append(out)
            tick = player._ticks.get()
            assert tick is not None
            clock.now += BLOCK / RATE - 0.003  # the thread would have slept until now
            player._serve(*tick)
        sound = np.concatenate(heard)
        onset = int(np.flatnonzero(np.abs(sound[:, 0]))[0])
        assert abs(onset - round((struck + player.delay) * RATE)) <= 1
        assert player.misses == 0 and player.late == 0
        alone = Synth(model, RATE, 4)
        assert np.abs(sound[onset:, :] - alone.render(len(sound) - onset, [(0, note(60, 0))])).max() < 1e-5


def test_a_block_that_is_not_ready_is_silent_counted_and_gives_more_time(model: InstrumentModel) -> None:
    clock = Clock()
    player = InstrumentPlayer(Synth(model, RATE, 4), 2, BLOCK, True, clock)
    before = player.delay
    out = np.ones((BLOCK, 2), np.float32)
    for _ in range(3):
        player.read(out)
    assert player.misses == 2 and not out.any()
    assert player.delay > before


def test_a_flood_drops_notes_but_nothing_that_ends_them(model: InstrumentModel) -> None:
    player = InstrumentPlayer(Synth(model, RATE, 4), 2, BLOCK, False)
    for _ in range(LIMIT + 10):
        player.push(note(60, 0.0))
    player.push(MidiMessage("note_off", 0, 60))
    player.push(MidiMessage("control", 0, 64, 0))
    assert player.dropped == 10 and len(player._events) == LIMIT + 2


def test_a_failure_silences_the_instrument_and_is_told(model: InstrumentModel) -> None:
    player = InstrumentPlayer(Synth(model, RATE, 4), 2, BLOCK, True)

    def fail(synth: Synth) -> None:
        raise RuntimeError("the cable broke")

    player.enqueue(fail)
    player.start()
    try:
        out = np.zeros((BLOCK, 2), np.float32)

        def told() -> str:
            player.read(out)
            return player.message

        assert "the cable broke" in eventually(told)
        player.push(note(60, time.monotonic()))

        def sounds() -> bool:
            player.read(out)
            time.sleep(0.001)
            return bool(np.abs(out).max() > 0)

        eventually(sounds)  # it lives on
    finally:
        player.stop()


def test_all_notes_of_a_sound_are_primed_within_the_memory_and_as_if_played(model: InstrumentModel) -> None:
    sound = model.instrument_weights({"flute": 1})
    batches = list(note_batches(model, sound))
    assert len({(v.tobytes(), p.tobytes()) for vs, ps in batches for v, p in zip(vs, ps, strict=True)}) == 37 * 53
    states = primed_states(model, sound, *batches[0])
    assert 61 * 53 * next(iter(states.values())).nbytes < CACHE_BYTES
    synth = Synth(model, RATE, 4)
    synth.set_instrument(0, sound)
    cold = synth.render(2000, [(0, note(66, 0, 51))])
    primed = Synth(model, RATE, 4)
    primed.set_instrument(0, sound)
    for velocities, pitches in batches:
        primed.keep(primed_states(model, sound, velocities, pitches))
    held = len(primed._cache)
    assert np.abs(primed.render(2000, [(0, note(66, 0, 51))]) - cold).max() < 1e-5
    assert len(primed._cache) == held  # found, not computed


def test_velocity_curves_keep_the_ends_and_the_order() -> None:
    for curve in ("linear", "soft", "hard"):
        values = [curved(velocity, curve) for velocity in range(1, 128)]
        assert values == sorted(values) and values[0] >= 1 and values[-1] == 127
    assert curved(40, "soft") > curved(40, "linear") > curved(40, "hard")
    assert {curved(v, "fixed") for v in (1, 64, 127)} == {100}


def test_a_learned_controller_moves_a_fader_and_the_release(directory: Path) -> None:
    config = EngineConfig(input="none", model="none", instrument=str(directory), midi="none")
    dispatcher = MidiDispatcher(config, InstrumentState(), RATE, 2, BLOCK, False)
    moved: list[tuple[str, float]] = []
    dispatcher.start(lambda target, value: moved.append((target, value)))
    try:
        dispatcher.learn("stem.instrument.gain_db")
        assert dispatcher.report().learning == "stem.instrument.gain_db"
        dispatcher.receive([0xB0, 20, 127])
        dispatcher.learn("instrument.release_ms")
        dispatcher.receive([0xB0, 21, 0])
        dispatcher.receive([0xB0, 20, 0])
        assert moved == [("stem.instrument.gain_db", 6.0), ("stem.instrument.gain_db", -60.0)]
        report = dispatcher.report()
        assert report.state.release_ms == 10.0 and report.received == 3 and len(report.state.midi_map) == 2
        again = MidiDispatcher(config, report.state, RATE, 2, BLOCK, False)
        again.start(lambda target, value: moved.append((target, value)))
        again.receive([0xB0, 20, 127])
        again.stop()
        assert moved[-1] == ("stem.instrument.gain_db", 6.0)
        with pytest.raises(StemplayError, match=r"cannot move 'mixer\.flavour'"):
            dispatcher.learn("mixer.flavour")
        dispatcher.forget("")
        assert dispatcher.report().state.midi_map == []
    finally:
        dispatcher.stop()
    ours = ("stemplay-note-cache", "stemplay-midi", "stemplay-instrument")
    assert not [thread.name for thread in threading.enumerate() if thread.name.startswith(ours)]


def test_a_program_change_disturbs_nobody_who_copies_the_sounds_for_a_report(directory: Path) -> None:
    config = EngineConfig(input="none", model="none", instrument=str(directory), midi="none")
    dispatcher = MidiDispatcher(config, InstrumentState(), RATE, 2, BLOCK, False)
    dispatcher.set_sound(0, {NAMES[0]: 1.0})
    number = min(dispatcher._synth.programs)
    for _ in dispatcher._state.shares.items():  # as in ``copy.deepcopy``: raises if the dictionary grows meanwhile
        dispatcher.receive([0xC5, number])
        dispatcher.set_sound(6, {NAMES[0]: 1.0})
    assert set(dispatcher.report().state.shares) == {"0", "5", "6"}


def test_orders_that_cannot_be_are_refused_in_one_sentence(directory: Path) -> None:
    desired = DesiredState(EngineConfig(input="none", model="none", instrument=str(directory)))
    for order, words in [
        (command("set_sound", channel=16, shares={"flute": 1}), "channel must be 0 to 15"),
        (command("set_sound", channel=0, shares={"kazoo": 1}), "no instrument 'kazoo'"),
        (command("set_sound", channel=0, shares={"flute": 0}), "share above 0"),
        (command("set_sound", channel=0, shares={"flute": -1}), "share of flute"),
        (command("set_instrument", field="curve", value="steep"), "velocity curve"),
        (command("set_instrument", field="release_ms", value=0), "release_ms"),
        (command("set_instrument", field="colour", value=1), "no field 'colour'"),
        (command("midi", data=[300]), "list of bytes"),
        (command("learn", target="stem.kazoo.pan"), "cannot move"),
    ]:
        with pytest.raises(StemplayError, match=words):
            desired.apply(order)
    with pytest.raises(StemplayError, match="no instrument"):
        DesiredState(EngineConfig(input="none", model="none")).apply(command("midi", data=[0x90, 60, 100]))


def test_a_session_plays_what_it_is_sent_and_panic_silences_it(directory: Path, tmp_path: Path) -> None:
    out = tmp_path / "out.wav"
    session = Session(
        EngineConfig(input="none", output=str(out), model="none", instrument=str(directory), midi="none", rate=RATE)
    )
    session.start()
    try:
        eventually(lambda: session.snapshot().state == "running")
        session.send(command("set_sound", channel=0, shares={"flute": 2, "organ": 1}))
        for pitch in (60, 64, 67):
            session.send(command("midi", data=[0x90, pitch, 100]))
        report = eventually(lambda: (s := session.snapshot()).instrument.notes == 3 and s)
        assert report.instrument.state.shares["0"] == {"flute": 2.0, "organ": 1.0}
        assert report.instrument.instruments == list(NAMES)
        eventually(lambda: max(session.snapshot().meters["instrument"].peak, default=0) > 1e-3)
        session.send(command("set_midi_map", entries=[{"channel": 0, "control": 20, "target": "mixer.dry"}]))
        session.send(command("midi", data=[0xB0, 20, 127]))
        eventually(lambda: session.snapshot().mixer.dry == 1.0)
        session.send(command("set_mixer", field="dry", value=0.0))
        eventually(lambda: session.snapshot().mixer.dry == 0.0)  # an engine that is stuck obeys nothing more
        session.send(command("panic"))
        eventually(lambda: session.snapshot().instrument.notes == 0)
        eventually(lambda: max(session.snapshot().master.rms, default=1) == 0)
    finally:
        session.stop()
    sound, _ = soundfile.read(out)
    assert np.isfinite(sound).all() and np.abs(sound).max() > 1e-3


def play(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "rtaudio", "play", *arguments],
        cwd=ROOT, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip


def test_play_without_sound_card_and_keyboard_says_so_and_plays_its_time(directory: Path, tmp_path: Path) -> None:
    out = tmp_path / "out.wav"
    done = play("--model", str(directory), "-o", str(out), "--midi", "none", "--seconds", "0.5", "--json")
    assert done.returncode == 0, done.stderr
    known = json.loads(done.stdout)
    assert known["instrument"]["model"] == "tiny" and known["seconds"] >= 0.5 and known["restarts"] == 0
    assert soundfile.info(out).duration >= 0.5


def test_play_refuses_what_is_not_there(directory: Path) -> None:
    for arguments, words in [
        (["--instrument", "kazoo"], "no instrument 'kazoo'"),
        (["--instrument", "flute=much"], "share of flute"),
        (["--midi", "Keystation 88"], "no MIDI input 'Keystation 88'"),
        (["--instrument", ""], "no instrument ''"),
        (["--voices", "0"], "0 voices"),
        (["--rate", "-5"], "sample rate of -5 Hz"),
        (["--output", "nowhere/x.mp3"], "output"),
        (["--seconds", "0"], "--seconds"),
        (["--release", "0"], "--release"),
    ]:
        done = play("--model", str(directory), *arguments)
        assert done.returncode == 2 and words in done.stderr and "Traceback" not in done.stderr
        assert len(done.stderr.strip().splitlines()) == 1
    done = play("--model", "demucs-live")
    assert done.returncode == 2 and "not an instrument" in done.stderr


def test_every_chosen_sound_is_primed_the_latest_first_and_what_is_there_is_not_computed_again(
    directory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    computed: list[bytes] = []

    def counted(model: InstrumentModel, sound: Any, velocities: Any, pitches: Any) -> Any:
        computed.append(sound.tobytes())
        return primed_states(model, sound, velocities, pitches)

    monkeypatch.setattr("rtaudio.instrument.note_cache.primed_states", counted)
    config = EngineConfig(input="none", model="none", instrument=str(directory), midi="none")
    dispatcher = MidiDispatcher(config, InstrumentState(shares={"3": {"flute": 1.0}}), RATE, 2, BLOCK, False)
    dispatcher._synth.programs[40] = 3
    out = np.zeros((BLOCK, 2), np.float32)

    def primed() -> bool:
        dispatcher.player.read(out)  # obeys commands
        return dispatcher.report().primed >= 1.0

    dispatcher.start(lambda target, value: None)
    try:
        eventually(primed)
        dispatcher.receive([0xC5, 40])
        assert dispatcher.report().state.shares["5"] == {"bass": 1.0}
        eventually(primed)
        dispatcher.player.read(out)
        sounds = [dispatcher._sounds._model.instrument_weights({name: 1}).tobytes() for name in ("organ", "flute", "bass")]
        assert list(dict.fromkeys(computed)) == sounds
        for sound, (low, high) in zip(sounds, ((36, 84), (48, 84), (36, 60)), strict=True):
            assert sum(key[0] == sound for key in dispatcher._synth._cache) == 53 * (high - low + 1)
        assert dispatcher._synth.cache_bytes <= CACHE_BYTES and sounds_in_memory(dispatcher._sounds._model) >= 3
        before = len(computed)
        dispatcher.set_sound(0, {"flute": 1.0})
        eventually(primed)
        assert len(computed) == before
    finally:
        dispatcher.stop()
