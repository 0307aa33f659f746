"""Sessions attached and detached, and the private socket they meet on."""

from __future__ import annotations

import io
import os
import stat
import sys
import threading
import time
from collections.abc import Callable, Iterator
from multiprocessing import connection as mpc
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rtaudio.audio.format import StemplayError
from rtaudio.control import ipc
from rtaudio.control.daemon import Daemon
from rtaudio.control.engine_host import EngineHost
from rtaudio.control.session import Session
from rtaudio.protocol.desired_state import DesiredState
from rtaudio.protocol.messages import command, to_dict
from rtaudio.protocol.settings import EngineConfig, MixerState, StemState
from rtaudio.system import private_folder
from tests.sing_fixture import tiny_instrument

PATIENCE = 60.0
CLOCK = EngineConfig(input="none", output="null", model="none")
ROOT = Path(__file__).resolve().parents[3]


def wait_until(happened: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + PATIENCE
    while not happened():
        assert time.monotonic() < deadline, f"waited {PATIENCE:g} s for {what}"
        time.sleep(0.02)


# --- attached -----------------------------------------------------------------------------------------------------------


def test_an_attached_session_plays_obeys_and_ends() -> None:
    session = Session(CLOCK, MixerState(stems={"vocals": StemState(gain_db=-6.0)}))
    assert session.snapshot().state == "stopped"
    session.send(command("set_stem", stem="drums", field="pan", value=-1.0))  # before there is an engine
    with session:
        wait_until(lambda: session.snapshot().frames > 0, "sound")
        session.send(command("set_mixer", field="dry", value=0.5))
        wait_until(lambda: session.snapshot().mixer.dry == 0.5, "the order")
        report = session.snapshot()
        assert report.mixer.stems["vocals"].gain_db == -6.0 and report.mixer.stems["drums"].pan == -1.0
        assert report.latency.rate == report.rate == 44_100
    wait_until(lambda: session.snapshot().state == "stopped", "the end")
    session.send(command("set_mixer", field="dry", value=1.0))  # after its death: kept, and no error


def test_a_session_refuses_what_no_engine_could_run() -> None:
    for config in (
        EngineConfig(model="nothing"),
        EngineConfig(model="none", rate=9_999_999),
        EngineConfig(model="none", block=-1),
    ):
        with pytest.raises(StemplayError):
            Session(config)
    with pytest.raises(StemplayError, match="kazoo"):
        Session(CLOCK, MixerState(stems={"kazoo": StemState()}))


@pytest.mark.parametrize("detached", [False, True])
@pytest.mark.parametrize(
    ("op", "arguments"),
    [
        ("configure", {"config": None}),
        ("configure", {"config": {"block": "x"}}),
        ("configure", {"config": {"block": True}}),
        ("configure", {"config": {"rate": "fast"}}),
        ("configure", {"config": {"input": 5}}),
        ("configure", {"config": {"routing": {"vocals": "ab"}}}),
        ("record", {"directory": "", "format": "wav"}),
        ("record", {"directory": None, "format": "wav"}),
        ("record", {"directory": 5, "format": "wav"}),
    ],
)
def test_values_of_a_wrong_kind_are_refused_in_one_sentence(op: str, arguments: dict[str, Any], detached: bool) -> None:
    session = Session(EngineConfig(model="none"), detached=detached)
    before = session.config
    with pytest.raises(StemplayError, match=r"\.$"):
        session.send(command(op, **arguments))
    assert session.config == before


def test_orders_that_pile_up_lose_the_seeks_that_later_ones_make_pointless() -> None:
    host = EngineHost(io.BytesIO(), io.BytesIO())
    seeks = [{"op": "seek", "args": {"position_s": float(second)}} for second in range(3)]
    fader, end = {"op": "set_mixer", "args": {"field": "dry", "value": 1.0}}, {"op": "shutdown"}
    for order in (seeks[0], fader, seeks[1], seeks[2]):
        host._commands.put(order)
    assert [host._next_command(), host._next_command()] == [fader, seeks[2]]
    for order in (seeks[0], fader, end):
        host._commands.put(order)
    assert [host._next_command(), host._next_command()] == [fader, end]
    host._commands.put(seeks[1])
    host._commands.put(None)
    assert host._next_command() is None, "the parent is gone"


def test_a_file_that_ends_is_finished_and_written(tmp_path: Path) -> None:
    import soundfile

    song, out = tmp_path / "in.wav", tmp_path / "out.wav"
    sound = (np.random.default_rng(1).standard_normal((30_000, 2)) * 0.1).astype(np.float32)
    soundfile.write(song, sound, 44_100, subtype="FLOAT")
    session = Session(EngineConfig(input=str(song), output=str(out), model="none", paced=False))
    with session:
        wait_until(lambda: session.snapshot().state in ("finished", "stopped"), "the end")
        assert session.snapshot().state == "finished"
    written, rate = soundfile.read(out, dtype="float32")
    delay = session.snapshot().latency.engine
    assert rate == 44_100 and len(written) >= len(sound) + delay
    assert np.abs(written[delay : delay + len(sound)] - sound).max() < 1e-6


# --- detached -----------------------------------------------------------------------------------------------------------


def test_a_client_that_is_gone_holds_no_note_any_more(daemon: Path, tmp_path: Path) -> None:
    config = EngineConfig(
        input="none", output="null", model="none", instrument=str(tiny_instrument(tmp_path)), midi="none"
    )
    player, witness = Session(config, detached=True), Session(config, detached=True)
    player.start()
    wait_until(lambda: player.snapshot().frames > 0, "sound")
    witness.start()
    witness.send(command("midi", data=[0x91, 48, 90]))
    player.send(command("midi", data=[0x90, 60, 90]))
    player.send(command("midi", data=[0xB0, 64, 127]))
    wait_until(lambda: witness.snapshot().instrument.keys == [[0, 60], [1, 48]], "both notes")
    player.close()  # as its death would: the daemon only sees that it hangs up
    wait_until(lambda: witness.snapshot().instrument.keys == [[1, 48]], "its end, and only that of its own note")
    wait_until(lambda: witness.snapshot().instrument.notes == 1, "silence: the pedal is up too")
    witness.stop()


def test_two_clients_share_one_detached_engine(daemon: Path) -> None:
    first, second = Session(CLOCK, detached=True), Session(EngineConfig(model="none", input="none"), detached=True)
    first.start()
    wait_until(lambda: first.snapshot().frames > 0, "sound")
    second.start()
    assert second.joined and not first.joined
    assert second.config == CLOCK, "who joins takes over what runs"
    second.send(command("set_stem", stem="other", field="gain_db", value=-20.0))
    wait_until(lambda: first.snapshot().mixer.stems["other"].gain_db == -20.0, "the other client's order")
    assert first.engine_pid == second.engine_pid
    first.close()
    frames = second.snapshot().frames
    wait_until(lambda: second.snapshot().frames > frames, "sound that goes on")
    second.stop()
    assert second.snapshot().state == "stopped"
    assert Session.attach() is None


def test_sound_that_was_stopped_can_be_started_at_once(daemon: Path) -> None:
    """The old daemon may still be ending when the new one comes."""
    for _ in range(2):
        session = Session(CLOCK, detached=True)
        session.start()
        assert not session.joined
        wait_until(lambda session=session: session.snapshot().frames > 0, "sound")
        session.stop()


def test_an_engine_whose_song_had_ended_is_stopped_when_it_is_gone_and_can_be_started_again(
    daemon: Path, tmp_path: Path
) -> None:
    import soundfile

    song = tmp_path / "short.wav"
    soundfile.write(song, np.full((4_000, 2), 0.1, np.float32), 44_100)
    session = Session(EngineConfig(input=str(song), output="null", model="none", midi="none"), detached=True)
    session.start()
    wait_until(lambda: session.snapshot().state == "finished", "the end of the song")
    session.stop()
    assert session._client is not None and session._client._latest is not None
    session._client._latest.message = "The model is too slow here."  # as while it lived: no reason why it was stopped
    assert (session.snapshot().state, session.snapshot().message) == ("stopped", ""), (
        "else a window offers Stop for ever"
    )
    session.start()
    wait_until(lambda: session.snapshot().state == "finished", "the song once more")
    session.stop()


def test_a_client_learns_that_its_settings_could_not_be_played(daemon: Path, tmp_path: Path) -> None:
    (tmp_path / "noise.wav").write_bytes(b"this is no sound")
    session = Session(CLOCK, detached=True)
    session.start()
    wait_until(lambda: session.snapshot().frames > 0, "sound")
    before = session.config
    session.send(command("configure", config={**to_dict(before), "input": str(tmp_path / "noise.wav")}))
    assert session.config.input.endswith("noise.wav")
    wait_until(lambda: "previous settings" in session.snapshot().message, "the sentence")
    wait_until(lambda: session.snapshot().state == "running", "the old sound")
    wait_until(lambda: session.config == before, "what runs")
    session.send(command("configure", config={**to_dict(before), "rate": 48_000}))
    wait_until(lambda: session.snapshot().rate == 48_000, "other settings")
    assert session.config.rate == 48_000
    session.stop()


def test_clients_that_start_at_once_get_one_engine(daemon: Path) -> None:
    sessions = [Session(CLOCK, detached=True) for _ in range(4)]
    threads = [threading.Thread(target=session.start) for session in sessions]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(PATIENCE)
    for session in sessions:
        wait_until(lambda session=session: session.snapshot().frames > 0, "sound")  # type: ignore[misc]
    assert len({session.engine_pid for session in sessions}) == 1
    for session in sessions[1:]:
        session.close()
    sessions[0].stop()


def test_a_client_whose_daemon_was_killed_keeps_its_orders_and_can_start_again(daemon: Path) -> None:
    session = Session(CLOCK, detached=True)
    session.start()
    wait_until(lambda: session.snapshot().frames > 0, "sound")
    session.send(command("set_stem", stem="bass", field="mute", value=True))
    wait_until(lambda: session.snapshot().mixer.stems["bass"].mute, "the order")
    other = Session.attach()
    assert other is not None
    other.send(command("set_mixer", field="master_db", value=-5.0))
    wait_until(lambda: session.snapshot().mixer.master_db == -5.0, "the command of another client")
    other.close()
    connection = ipc.connect(daemon)
    assert connection is not None
    hello = connection.receive(PATIENCE)
    assert hello is not None
    connection.close()
    engine = session.engine_pid
    assert engine is not None
    os.kill(hello["hello"]["pid"], 9)
    wait_until(lambda: session.snapshot().state == "stopped", "the loss")
    assert "gone" in session.snapshot().message
    wait_until(lambda: not _alive(engine), "the engine to follow its daemon")
    session.send(command("set_mixer", field="dry", value=0.25))
    session.start()  # a stale socket and key lie about
    wait_until(lambda: session.snapshot().frames > 0, "sound again")
    mixer = session.snapshot().mixer
    assert mixer.stems["bass"].mute and mixer.dry == 0.25 and mixer.master_db == -5.0
    session.stop()


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except OSError:
        return False
    try:
        return "\nState:\tZ" not in Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return False


def test_nobody_is_attached_to_where_nothing_runs(runtime_directory: Path) -> None:
    assert Session.attach() is None


# --- the socket ---------------------------------------------------------------------------------------------------------


@pytest.fixture
def served(runtime_directory: Path) -> Iterator[Path]:
    """A daemon in a thread of this process, without an engine."""
    folder = private_folder.runtime_directory()
    daemon = Daemon(folder)
    thread = threading.Thread(target=daemon.serve)
    thread.start()
    wait_until(lambda: ipc.read_key(folder) is not None, "the socket")
    yield folder
    daemon.end()
    thread.join(PATIENCE)
    assert not thread.is_alive()


def test_the_socket_is_private(served: Path) -> None:
    if sys.platform == "win32":
        pytest.skip("Windows keeps the folder private by inheritance")
    assert stat.S_IMODE(served.stat().st_mode) == 0o700
    assert stat.S_IMODE((served / "engine.key").stat().st_mode) == 0o600
    assert stat.S_IMODE(os.stat(ipc.socket_address(served)).st_mode) == 0o600


def test_a_stranger_without_the_key_gets_nothing_and_disturbs_nobody(served: Path) -> None:
    address = ipc.socket_address(served)
    with pytest.raises((mpc.AuthenticationError, EOFError, OSError)):
        mpc.Client(address, authkey=b"guess")
    silent = mpc.Client(address)  # says nothing at all
    friend = ipc.connect(served)
    assert friend is not None
    assert "hello" in (friend.receive(PATIENCE) or {})
    friend.close()
    silent.close()


def test_garbage_from_a_client_ends_only_its_own_conversation(served: Path) -> None:
    for garbage in (b"\x80\x04K\x01.", b"[1]", b"{", b"\xff" * 1000):  # the first one is a pickle
        client = mpc.Client(ipc.socket_address(served), authkey=ipc.read_key(served))
        client.send_bytes(garbage)
        with pytest.raises((EOFError, OSError)):
            while True:
                assert client.poll(PATIENCE)
                client.recv_bytes()
        client.close()
    for strange in ({"op": "explode"}, {"start": 5}, {"op": "set_stem", "args": 7}, {}):
        friend = ipc.connect(served)
        assert friend is not None
        friend.send(strange)
        friend.close()
    friend = ipc.connect(served)
    assert friend is not None and "hello" in (friend.receive(PATIENCE) or {})
    friend.close()


def test_a_second_daemon_steps_back(served: Path) -> None:
    assert Daemon(served).serve() is False


@pytest.mark.skipif(sys.platform == "win32", reason="modes are POSIX")
def test_a_folder_of_somebody_elses_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    trap = tmp_path / "trap"
    (tmp_path / "elsewhere").mkdir()
    trap.symlink_to(tmp_path / "elsewhere")  # as in a shared /tmp
    monkeypatch.setenv("STEMPLAY_RUNTIME_DIR", str(trap))
    with pytest.raises(StemplayError, match="private"):
        private_folder.runtime_directory()
    open_to_all = tmp_path / "open"
    open_to_all.mkdir(mode=0o777)
    open_to_all.chmod(0o777)
    monkeypatch.setenv("STEMPLAY_RUNTIME_DIR", str(open_to_all))
    assert stat.S_IMODE(private_folder.runtime_directory().stat().st_mode) == 0o700


def test_a_path_too_long_for_a_socket_still_gets_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STEMPLAY_RUNTIME_DIR", str(tmp_path / ("deep" * 30)))
    assert len(ipc.socket_address(private_folder.runtime_directory())) < 104


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda x: st.lists(x) | st.dictionaries(st.text(), x),
    max_leaves=10,
)


@settings(max_examples=40, deadline=None)
@given(st.lists(st.dictionaries(st.text(), VALUES), max_size=4))
def test_messages_come_out_of_a_pipe_as_they_went_in(messages: list[ipc.Message]) -> None:
    stream = io.BytesIO()
    for message in messages:
        ipc.write_message(stream, message)
    stream.seek(0)
    assert [ipc.read_message(stream) for _ in messages] == messages
    assert ipc.read_message(stream) is None


@settings(max_examples=40, deadline=None)
@given(st.binary(max_size=200))
def test_garbage_in_a_pipe_ends_or_is_refused(garbage: bytes) -> None:
    try:
        message = ipc.read_message(io.BytesIO(garbage))
    except ValueError:
        return
    assert message is None or isinstance(message, dict)


def test_numpy_numbers_travel_as_plain_ones() -> None:
    assert ipc.decode(ipc.encode({"a": np.float32(0.5), "b": np.arange(2)})) == {"a": 0.5, "b": [0, 1]}
    with pytest.raises(TypeError):
        ipc.encode({"a": object()})


def test_the_desired_state_of_a_session_is_a_copy() -> None:
    config, mixer = EngineConfig(model="none"), MixerState()
    desired = DesiredState(config, mixer)
    desired.apply(command("set_mixer", field="bypass", value=True))
    assert not mixer.bypass
