"""The supervisor with real engine processes, and with processes that misbehave in each way it must notice."""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import soundfile

from rtaudio.audio.format import StemplayError
from rtaudio.control.engine_process import Limits, StallDetector
from rtaudio.control.supervisor import Supervisor
from rtaudio.protocol.desired_state import DesiredState
from rtaudio.protocol.messages import command, to_dict
from rtaudio.protocol.reports import Snapshot
from rtaudio.protocol.settings import EngineConfig, MixerState, StemState

PATIENCE = 60.0

QUICK = Limits(ending=0.5, silent=30.0, stalled=30.0, starting=60.0, retry=0.1, backoff=(0.02, 0.05))
"""Tries again at once, but leaves a process on a busy machine its time."""

FAULTY = """
import sys, time
from rtaudio.control.engine_host import private_pipes
from rtaudio.control.ipc import read_message, write_message
incoming, outgoing = private_pipes()
start = read_message(incoming)["start"]
def tell(**report): write_message(outgoing, {"snapshot": report})
def run(seconds, advance=True, frames=0):
    for k in range(int(seconds / 0.02)):
        frames += 441 * advance
        tell(state="running", frames=frames, sequence=k, rate=44100, block=256, mixer=start["mixer"])
        time.sleep(0.02)
"""
"""The beginning of an engine that speaks the protocol; the fault follows."""


def wait_until(happened: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + PATIENCE
    while not happened():
        assert time.monotonic() < deadline, f"waited {PATIENCE:g} s for {what}"
        time.sleep(0.02)


@contextmanager
def supervised(config: EngineConfig, fault: str = "", limits: Limits | None = None) -> Iterator[Supervisor]:
    arguments = [sys.executable, "-c", FAULTY + fault] if fault else None
    supervisor = Supervisor(DesiredState(config), limits, arguments)
    supervisor.start()
    try:
        yield supervisor
    finally:
        supervisor.stop(20)


@pytest.fixture
def song(tmp_path: Path) -> Path:
    """A minute of a quiet ramp: the sample says where it is from."""
    path = tmp_path / "song.wav"
    ramp = np.linspace(0, 0.5, 60 * 8000, dtype=np.float32)
    soundfile.write(path, np.stack([ramp, ramp], axis=1), 8000, subtype="FLOAT")
    return path


def clock(**settings: object) -> EngineConfig:
    return EngineConfig(**{"input": "none", "output": "null", "model": "none", **settings})  # type: ignore[arg-type]


def test_a_killed_engine_is_replaced_and_everything_is_as_before(song: Path, tmp_path: Path) -> None:
    with supervised(clock(input=str(song))) as supervisor:
        wait_until(lambda: supervisor.snapshot().state == "running", "sound")
        supervisor.send(command("set_stem", stem="bass", field="gain_db", value=-12.5))
        supervisor.send(command("set_stem", stem="drums", field="solo", value=True))
        supervisor.send(command("set_mixer", field="master_db", value=-3.0))
        supervisor.send(command("set_loop", start_s=20.0, end_s=50.0))
        supervisor.send(command("seek", position_s=30.0))
        supervisor.send(command("record", directory=str(tmp_path / "takes"), format="wav"))
        wait_until(lambda: supervisor.snapshot().transport.position_s > 30.2, "the seek")
        wait_until(lambda: supervisor.snapshot().recording.seconds > 0, "the recording")
        wait_until(lambda: supervisor.snapshot().mixer.master_db == -3.0, "the faders")
        first = supervisor.engine_pid
        assert first is not None
        os.kill(first, getattr(signal, "SIGKILL", signal.SIGTERM))
        wait_until(lambda: supervisor.engine_pid not in (None, first), "another engine")
        wait_until(lambda: supervisor.snapshot().state == "running" and supervisor.snapshot().frames > 0, "sound again")
        report = supervisor.snapshot()
        assert report.restarts == 1 and "was restarted" in report.message
        assert report.mixer.stems["bass"].gain_db == -12.5 and report.mixer.stems["drums"].solo
        assert report.mixer.master_db == -3.0
        assert report.transport.playing and report.transport.loop == (20.0, 50.0)
        assert 30.0 <= report.transport.position_s < 50.0, "it goes on where it was"
        wait_until(lambda: supervisor.snapshot().recording.active, "the recording to go on")
    takes = sorted(path.name for path in (tmp_path / "takes").iterdir())
    assert "mix-2.wav" in takes, "a second take beside the first one, which is not touched"
    assert soundfile.info(tmp_path / "takes" / "mix-2.wav").frames > 0


def test_a_paused_song_stays_paused_where_it_was(song: Path) -> None:
    with supervised(clock(input=str(song))) as supervisor:
        supervisor.send(command("seek", position_s=12.0))
        supervisor.send(command("pause"))
        wait_until(lambda: supervisor.snapshot().state == "running", "the stream")
        wait_until(lambda: not supervisor.snapshot().transport.playing, "the pause")
        first = supervisor.engine_pid
        assert first is not None
        os.kill(first, getattr(signal, "SIGKILL", signal.SIGTERM))
        wait_until(lambda: supervisor.engine_pid not in (None, first), "another engine")
        wait_until(lambda: supervisor.snapshot().state == "running", "the stream again")
        report = supervisor.snapshot()
        assert not report.transport.playing and report.transport.position_s == pytest.approx(12.0, abs=0.1)


def test_a_refused_order_is_told_for_a_while(song: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with supervised(clock(input=str(song))) as supervisor:
        wait_until(lambda: supervisor.snapshot().state == "running", "the stream")
        supervisor.send(command("set_loop", start_s=100.0, end_s=200.0))
        wait_until(lambda: "The loop starts at 100.00 s" in supervisor.snapshot().message, "the refusal")
        monkeypatch.setattr("rtaudio.control.supervisor.NOTICE_S", 0.0)
        wait_until(lambda: "loop" not in supervisor.snapshot().message, "the end of its being told")
        assert supervisor.snapshot().state == "running"


def test_a_new_configuration_restarts_the_stream_and_keeps_the_faders(song: Path) -> None:
    with supervised(clock(input=str(song))) as supervisor:
        wait_until(lambda: supervisor.snapshot().state == "running", "sound")
        supervisor.send(command("set_stem", stem="vocals", field="mute", value=True))
        supervisor.send(command("configure", config=to_dict(clock(input=str(song), rate=48_000, block=512))))
        wait_until(lambda: supervisor.snapshot().rate == 48_000, "the new rate")
        report = supervisor.snapshot()
        assert report.block == 512 and report.mixer.stems["vocals"].mute
        assert report.restarts == 0, "what the user asked for is no accident"


def test_an_impossible_configuration_is_told_and_another_one_plays() -> None:
    with supervised(clock()) as supervisor:
        wait_until(lambda: supervisor.snapshot().frames > 0, "sound")  # what never sounded is no way back
        with pytest.raises(StemplayError, match="outside"):
            supervisor.send(command("configure", config=to_dict(clock(rate=9_999_999))))
        assert supervisor.desired.config.rate is None, "a refused command changes nothing"
        supervisor.send(command("configure", config=to_dict(clock(input="nowhere/song.wav"))))
        wait_until(lambda: "song.wav" in supervisor.snapshot().message, "the refusal")
        wait_until(lambda: supervisor.snapshot().state == "running", "sound as before")
        supervisor.send(command("configure", config=to_dict(clock(rate=48_000))))
        wait_until(lambda: supervisor.snapshot().rate == 48_000, "sound on other settings")


def test_settings_that_cannot_be_played_leave_the_sound_as_it_was(song: Path, tmp_path: Path) -> None:
    """What no check can foresee, such as a file that is no sound: the engine refuses, and the old settings play on."""
    (tmp_path / "noise.wav").write_bytes(b"this is no sound")
    with supervised(EngineConfig(input=str(song), output="null", model="none", loop=True)) as supervisor:
        wait_until(lambda: supervisor.snapshot().frames > 0, "sound")
        supervisor.send(command("set_stem", stem="bass", field="mute", value=True))
        before = supervisor.config
        supervisor.send(command("configure", config={**to_dict(before), "input": str(tmp_path / "noise.wav")}))
        wait_until(lambda: "previous settings" in supervisor.snapshot().message, "the sentence")
        assert "noise.wav" in supervisor.snapshot().message
        wait_until(lambda: supervisor.snapshot().state == "running", "the old sound")
        assert supervisor.config == before and supervisor.snapshot().transport.path == str(song)
        assert supervisor.snapshot().mixer.stems["bass"].mute


def test_a_stream_without_callbacks_is_replaced() -> None:
    with supervised(clock(), "run(0.2); run(60, advance=False, frames=4410)", replace(QUICK, stalled=0.3, reports=4)) as supervisor:
        wait_until(lambda: supervisor.snapshot().restarts >= 2, "two replacements")
        wait_until(lambda: "server or device stopped responding" in supervisor.snapshot().message, "the sentence")


def test_an_engine_that_says_nothing_more_is_replaced() -> None:
    with supervised(clock(), "run(0.2); time.sleep(600)", replace(QUICK, silent=0.5)) as supervisor:
        wait_until(lambda: supervisor.snapshot().restarts >= 2, "two replacements")
        wait_until(lambda: "engine stopped responding" in supervisor.snapshot().message, "the sentence")


def test_an_engine_that_never_gets_ready_is_given_up() -> None:
    fault = "[(tell(state='starting'), time.sleep(0.02)) for _ in range(9999)]"
    limits = replace(QUICK, starting=1.0)
    with supervised(clock(), fault, limits) as supervisor:
        wait_until(lambda: supervisor.snapshot().state == "stopped", "the end of trying")
        assert supervisor.snapshot().restarts == limits.attempts
        assert "too long" in supervisor.snapshot().message


def test_an_engine_that_dies_before_any_sound_is_given_up_with_its_last_words() -> None:
    with supervised(clock(), "sys.exit('no luck today')", QUICK) as supervisor:
        wait_until(lambda: supervisor.snapshot().state == "stopped", "the end of trying")
        assert "no luck today" in supervisor.snapshot().message


def test_an_engine_that_dies_after_sound_is_started_again_and_again() -> None:
    with supervised(clock(), "run(0.1); sys.exit(1)", QUICK) as supervisor:
        wait_until(lambda: supervisor.snapshot().restarts > 2 * QUICK.attempts, "many restarts")


def test_what_controllers_moved_inside_an_engine_is_there_after_its_death_and_no_order_is_undone() -> None:
    fault = """
run(0.4)
moved, state = start["mixer"], {"shares": {"3": {"flute": 1.0}}, "release_ms": 500.0}
moved["stems"]["bass"]["gain_db"], moved["dry"] = -7.0, 0.25
for k in range(30000):
    tell(state="running", frames=99999 + 441 * k, mixer=moved, instrument={"model": "x", "state": state})
    time.sleep(0.02)
"""
    with supervised(clock(), fault, Limits(ending=0.5)) as supervisor:
        supervisor.send(command("set_stem", stem="drums", field="mute", value=True))  # this engine obeys no order
        wait_until(lambda: supervisor.desired.mixer.dry == 0.25, "the controllers")
        desired = supervisor.desired
        assert desired.mixer.stems["bass"].gain_db == -7.0 and desired.mixer.stems["drums"].mute
        assert desired.instrument.shares == {"3": {"flute": 1.0}} and desired.instrument.release_ms == 500.0


def test_what_a_controller_moved_right_before_the_stop_is_kept() -> None:
    fault = """
run(0.2)
while read_message(incoming).get("op") != "shutdown": pass
start["mixer"]["dry"] = 0.75
tell(state="stopped", frames=99999, mixer=start["mixer"])
"""
    with supervised(clock(), fault) as supervisor:
        wait_until(lambda: supervisor.snapshot().state == "running", "sound")
    assert supervisor.desired.mixer.dry == 0.75, "as the engine's last word has it"


def test_a_missing_device_is_waited_for_and_orders_are_kept_meanwhile() -> None:
    fault = """
import json, os
if start["mixer"]["stems"]["drums"]["mute"]: run(600)
write_message(outgoing, {"error": "There is no device.", "kind": "device"}); sys.exit(3)
"""
    with supervised(clock(), fault, QUICK) as supervisor:
        wait_until(lambda: supervisor.snapshot().state == "waiting", "the waiting")
        assert supervisor.snapshot().message == "There is no device; sound resumes as soon as it is back."
        assert supervisor.snapshot().restarts == 0
        supervisor.send(command("set_stem", stem="drums", field="mute", value=True))
        wait_until(lambda: supervisor.snapshot().state == "running", "the device")
        assert supervisor.snapshot().mixer.stems["drums"].mute


def test_a_refusal_is_final_and_told_in_its_own_sentence() -> None:
    fault = 'write_message(outgoing, {"error": "This cannot be.", "kind": "refused"}); sys.exit(3)'
    with supervised(clock(), fault, QUICK) as supervisor:
        wait_until(lambda: supervisor.snapshot().state == "stopped", "the refusal")
        assert supervisor.snapshot().message == "This cannot be."
        time.sleep(0.3)
        assert supervisor.snapshot().restarts == 0


def test_an_engine_that_reads_no_orders_blocks_nobody() -> None:
    with supervised(clock(), "run(600)", Limits(ending=0.5)) as supervisor:
        wait_until(lambda: supervisor.snapshot().state == "running", "the start")
        started = time.monotonic()
        for _ in range(20_000):  # far more than a pipe holds
            supervisor.send(command("set_stem", stem="bass", field="gain_db", value=-1.0))
        assert time.monotonic() - started < PATIENCE
        engine = supervisor.engine_pid
        assert engine is not None
        # The engine cannot end cleanly; stop() has to be certain all the same (see the context manager).


def test_a_stall_is_told_from_a_process_without_cpu_time() -> None:
    detector = StallDetector(Limits(stalled=1.0, reports=5))

    def report(sequence: int, frames: int, state: str = "running", block: int = 256) -> Snapshot:
        return Snapshot(sequence=sequence, frames=frames, state=state, rate=44_100, block=block)

    assert not detector.stalled(report(1, 100), 0.0)
    assert not detector.stalled(report(2, 100), 5.0), "one old report shows a sleeping process, not a dead stream"
    assert not any(detector.stalled(report(2, 100), 5.0 + k) for k in range(9)), "the same report again proves nothing"
    for sequence in range(3, 6):
        assert not detector.stalled(report(sequence, 100), 14.0)
    assert detector.stalled(report(6, 100), 14.1)
    assert not detector.stalled(report(7, 101), 14.2), "any progress ends it"
    for sequence in range(8, 99):
        assert not detector.stalled(report(sequence, 101, "finished"), sequence), "a finished file may stand still"
    slow = StallDetector(Limits(stalled=1.0, reports=1))
    assert not slow.stalled(report(1, 0, block=44_100), 0.0)
    assert not slow.stalled(report(2, 0, block=44_100), 3.9), "a block may be longer than the limit"
    assert slow.stalled(report(3, 0, block=44_100), 4.1)


def test_the_desired_state_survives_json() -> None:
    mixer = MixerState(stems={"drums": StemState(-3.0, True, False, 0.5)}, dry=0.25)
    desired = DesiredState(clock(input_channels=(3, 4), routing={"vocals": [3, 4]}), mixer, False, 7.5, (1.0, 2.0))
    desired.apply(command("record", directory="x", format="flac"))
    assert DesiredState.from_json(desired.to_json()) == desired
    assert tuple(desired.mixer.stems) == ("drums", "bass", "other", "vocals"), "in the order of the model"


@pytest.mark.parametrize(
    ("op", "args", "words"),
    [
        ("set_stem", {"stem": "kazoo", "field": "mute", "value": True}, "drums, bass"),
        ("set_stem", {"stem": "drums", "field": "colour", "value": 1}, "gain_db"),
        ("set_stem", {"stem": "drums", "field": "gain_db", "value": "loud"}, "number"),
        ("set_stem", {"stem": "drums", "field": "gain_db", "value": float("nan")}, "number"),
        ("set_stem", {"stem": "drums", "field": "gain_db", "value": 99}, "up to 24"),
        ("set_stem", {"stem": "drums", "field": "mute", "value": 1}, "true or false"),
        ("set_mixer", {"field": "dry", "value": 2}, "up to 1"),
        ("set_mixer", {"field": "stems", "value": {}}, "no field 'stems'"),
        ("set_loop", {"start_s": 2, "end_s": 1}, "no length"),
        ("seek", {"position_s": -1}, "position"),
        ("record", {"directory": "x", "format": "mp3"}, "wav or flac"),
        ("configure", {"config": {"model": "no such model"}}, "no such model"),
        ("configure", {"config": {"colour": 1}}, "colour"),
        ("configure", {"config": {"model": "none", "routing": {"drums": [0]}}}, "3,4"),
    ],
)
def test_impossible_orders_are_refused_in_a_sentence_and_change_nothing(
    op: str, args: dict[str, object], words: str
) -> None:
    desired = DesiredState(clock())
    before = desired.to_json()
    with pytest.raises(StemplayError, match=words):
        desired.apply(command(op, **args))
    assert desired.to_json() == before
