"""A detached engine that is stopped and started again: everything is as it was heard last, whoever had moved it."""

from __future__ import annotations

import queue
from pathlib import Path
from typing import Any, cast

import numpy as np
import pytest
import soundfile

from rtaudio.control.daemon_client import DaemonClient
from rtaudio.control.ipc import Connection, Message
from rtaudio.control.session import Session
from rtaudio.protocol.desired_state import DesiredState
from rtaudio.protocol.messages import command, to_dict
from rtaudio.protocol.reports import Snapshot, Transport
from rtaudio.protocol.settings import EngineConfig
from tests.rtaudio.control.test_session import CLOCK, wait_until
from tests.sing_fixture import tiny_instrument

KNOBS = {20: "stem.bass.gain_db", 21: "stem.drums.gain_db", 22: "mixer.dry", 23: "instrument.release_ms"}
"""Controllers of the first channel and what they were taught to move."""


@pytest.fixture
def song(tmp_path: Path) -> Path:
    """A minute of a quiet tone."""
    path = tmp_path / "song.wav"
    tone = 0.1 * np.sin(np.arange(60 * 8000) / 10)
    soundfile.write(path, np.stack([tone, tone], axis=1), 8000)
    return path


def test_faders_that_midi_moved_and_those_of_the_window_are_as_they_were_heard_last(
    daemon: Path, tmp_path: Path, song: Path
) -> None:
    config = EngineConfig(
        input=str(song), output="null", model="none", instrument=str(tiny_instrument(tmp_path)), midi="none"
    )
    session = Session(config, detached=True)

    def turn(control: int, value: int) -> None:
        session.send(command("midi", data=[0xB0, control, value]))

    session.start()
    wait_until(lambda: session.snapshot().transport.position_s > 1.0, "sound")
    entries = [{"channel": 0, "control": control, "target": target} for control, target in KNOBS.items()]
    session.send(command("set_midi_map", entries=entries))
    session.send(command("set_stem", stem="bass", field="gain_db", value=-3.0))
    for control, value in ((20, 0), (21, 0), (23, 127)):
        turn(control, value)
    wait_until(lambda: session.snapshot().mixer.stems["drums"].gain_db == -60.0, "the controllers")
    session.send(command("set_stem", stem="drums", field="gain_db", value=-6.0))  # later than its controller
    turn(22, 127)  # and at once:
    session.stop()
    stopped = session.snapshot()
    assert stopped.state == "stopped" and stopped.transport.position_s > 1.0
    session.send(command("set_stem", stem="other", field="pan", value=0.5))
    assert session.snapshot().mixer.stems["other"].pan == 0.5, "a fader that is moved meanwhile stays where it is put"
    session.start()
    assert not session.joined
    wait_until(lambda: session.snapshot().frames > 0 and session.snapshot().state == "running", "sound again")
    report = session.snapshot()
    stems = report.mixer.stems
    assert stems["bass"].gain_db == -60.0, "where the controller had left it"
    assert stems["drums"].gain_db == -6.0, "where the window had put it after the controller"
    assert report.mixer.dry == 1.0, "what was turned right before the stop"
    assert stems["other"].pan == 0.5 and report.instrument.state.release_ms == 4000.0
    assert {entry["control"] for entry in report.instrument.state.midi_map} == set(KNOBS)
    assert report.transport.position_s >= stopped.transport.position_s, "the song goes on from there"
    session.stop()


@pytest.mark.parametrize("detached", [True, False])
def test_start_tries_again_what_was_given_up(daemon: Path, tmp_path: Path, song: Path, detached: bool) -> None:
    config = EngineConfig(input=str(tmp_path / "later.wav"), output="null", model="none")
    session = Session(config, detached=detached)
    session.start()
    wait_until(lambda: session.snapshot().state == "stopped" and "later.wav" in session.snapshot().message, "a refusal")
    song.rename(tmp_path / "later.wav")
    session.start()
    wait_until(lambda: session.snapshot().frames > 0, "sound")
    engine = session.engine_pid
    session.start()
    frames = session.snapshot().frames
    wait_until(lambda: session.snapshot().frames > frames, "sound that goes on")
    assert session.engine_pid == engine and session.snapshot().message == "", "who plays already is left alone"
    session.stop()


class Talk:
    """A daemon's end of a conversation: what the test tells is received, then it hangs up."""

    def __init__(self) -> None:
        self.told: queue.SimpleQueue[Message | None] = queue.SimpleQueue()
        self.told.put({"hello": {"desired": None}})
        self.sent: list[Message] = []

    def receive(self, timeout: float) -> Message | None:
        try:
            message = self.told.get(timeout=timeout)
        except queue.Empty:
            return None
        if message is None:
            raise EOFError
        return message

    def send(self, message: Message) -> None:
        self.sent.append(message)

    def close(self) -> None:
        pass


def desired(config: EngineConfig = CLOCK, **commands: Any) -> Message:
    """What a daemon tells of its state: faders of the mixer as in ``commands``."""
    state = DesiredState(config)
    for field, value in commands.items():
        state.apply(command("set_mixer", field=field, value=value))
    return state.to_json()


def test_an_order_that_is_on_its_way_counts_until_the_daemon_has_it() -> None:
    talk = Talk()
    link = DaemonClient(cast(Connection, talk))
    for value in (-3.0, -6.0):
        link.enqueue(command("set_mixer", field="master_db", value=value))
    link.follow()
    found: list[DesiredState] = []

    def told() -> bool:
        state = link.desired()
        found.extend([state] if state is not None else [])
        return state is not None

    talk.told.put({"desired": desired(master_db=-3.0, dry=0.5), "obeyed": 1})
    wait_until(told, "the state after the first order")
    assert (found[-1].mixer.master_db, found[-1].mixer.dry) == (-6.0, 0.5)
    assert link.desired() is None, "nothing new"
    talk.told.put({"desired": desired(master_db=-9.0), "obeyed": 2})
    wait_until(told, "the state after both, and after a controller")
    assert found[-1].mixer.master_db == -9.0
    talk.told.put(None)
    wait_until(lambda: not link.alive, "the end")
    assert link.desired() is None


@pytest.mark.parametrize(("state", "position"), [("running", 7.5), ("finished", 0.0)])
def test_a_daemon_that_dies_without_a_word_has_told_where_the_song_was(song: Path, state: str, position: float) -> None:
    talk = Talk()
    link = DaemonClient(cast(Connection, talk))
    link.follow()
    playing = EngineConfig(input=str(song), output="null", model="none")
    report = to_dict(Snapshot(state=state, transport=Transport(str(song), True, 7.5, 60.0)))
    talk.told.put({"desired": desired(playing), "obeyed": 0})
    talk.told.put({"snapshot": report, "engine_pid": 1, "obeyed": 0})
    talk.told.put(None)
    wait_until(lambda: not link.alive, "the end")
    found = link.desired()
    assert found is not None and found.position_s == position
