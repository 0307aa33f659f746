"""The command line on a real JACK server: exactness without time, behaviour in real time, and the server's death."""

from __future__ import annotations

import contextlib
import json
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

from rtaudio.control.session import Session
from rtaudio.protocol.messages import command
from rtaudio.protocol.settings import EngineConfig
from tests.jack import ROOT, JackServer, Peer, private_server, read_ports
from tests.jack_peer import COUNTER

pytestmark = pytest.mark.jack

PATIENCE = 60.0
"""Seconds; only a limit against hanging, never an expectation."""


def wait_until(happened: Callable[[], bool], what: str, patience: float = PATIENCE) -> None:
    deadline = time.monotonic() + patience
    while not happened():
        assert time.monotonic() < deadline, f"waited {patience:g} s for {what}"
        time.sleep(0.05)


@contextlib.contextmanager
def live(folder: Path, *arguments: str) -> Iterator[subprocess.Popen[str]]:
    """``python -m rtaudio live ... --json`` as a process; killed at the end if it still runs."""
    with (folder / "live.log").open("w") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "rtaudio", "live", "--json", *arguments],
            cwd=ROOT, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=log, text=True,
        )  # fmt: skip
        try:
            yield process
        finally:
            if process.poll() is None:
                process.kill()
                process.communicate()


def end(process: subprocess.Popen[str]) -> dict[str, Any]:
    """Ctrl-C, then the facts it prints."""
    process.send_signal(signal.SIGINT)
    output, _ = process.communicate(timeout=PATIENCE)
    assert process.returncode == 0
    facts: dict[str, Any] = json.loads(output)
    return facts


def play_through(server: JackServer, folder: Path, seconds: float, freewheel: bool, *arguments: str) -> tuple[Any, Any]:
    """A peer's signal through ``live``, whose ports are wired to the peer's. Returns the peer's report and ours."""
    peer = Peer(server, folder, seconds, freewheel)
    try:
        with live(folder, "--input", "peer", "--output", "peer", "--monitor", *arguments) as process:
            wait_until(lambda: bool(read_ports(server).get("peer:in_1")), "the engine's ports")
            wait_until(lambda: "Playing through" in (folder / "live.log").read_text(), "sound")
            time.sleep(1.0)  # let the stream settle: the first callbacks after the wiring are the host's own silence
            return peer.play(), end(process)
    finally:
        peer.close()


def test_the_dry_path_through_another_process_is_sample_exact(jack_server: JackServer, tmp_path: Path) -> None:
    heard, ours = play_through(jack_server, tmp_path, 4.0, True, "--dry", "1")
    print(f"\nfreewheel: {heard}")
    assert heard["compared"] == 4 * jack_server.rate
    assert heard["exact"] and heard["gaps"] == 0, heard
    # PortAudio's JACK host API adds two periods of its own (one in, one out); ours is the declared latency.
    assert heard["delay"] == ours["latency_samples"] + 2 * jack_server.period
    assert heard["delay"] == round(ours["latency_ms"]["total"] * jack_server.rate / 1000), (
        "the declared total is the true one"
    )


def test_blocks_too_short_for_python_have_the_declared_latency_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of 0.67 ms: PortAudio's C code serves the server (``rtaudio/ports/fifo_stream.py``). With the clock, for such streams need it."""
    with private_server(tmp_path, rate=48_000, period=32) as server:
        for name, value in server.environment.items():
            monkeypatch.setenv(name, value)
        options = ["--model", "none", "--dry", "1", "--block", "32", "--deadline", "5"]
        heard, ours = play_through(server, tmp_path, 1.0, False, *options)
    print(f"\n{heard}\n{ours['misses']} misses, {ours['xruns']} xruns")
    assert ours["block"] == 32 and ours["latency_samples"] == 256 + 128  # a deadline of 5 ms in chunks of 64, and the FIFOs
    assert heard["delay"] == ours["latency_samples"] + 2 * 32
    assert heard["delay"] == round(ours["latency_ms"]["total"] * 48)


def test_a_live_input_is_heard_only_where_that_was_asked_for(jack_server: JackServer, tmp_path: Path) -> None:
    peer = Peer(jack_server, tmp_path, 1.0)
    takes = tmp_path / "takes"
    try:
        options = ["--input", "peer", "--output", "peer", "--model", "none", "--record", str(takes)]
        with live(tmp_path, *options) as process:
            wait_until(lambda: bool(read_ports(jack_server).get("peer:in_1")), "the engine's ports")
            time.sleep(1.0)
            heard = peer.play()
            end(process)
    finally:
        peer.close()
    assert heard["delay"] == -1, "nothing came back: loudspeakers would have howled"
    assert "--monitor" in (tmp_path / "live.log").read_text()
    assert np.abs(soundfile.read(takes / "vocals.wav")[0]).max() > 0.01, "it is recorded all the same"


def realtime_run(server: JackServer, folder: Path, seconds: float) -> None:
    heard, ours = play_through(server, folder, seconds, False)
    print(f"\nrealtime, {seconds:g} s at {server.period} frames with the model: {heard}")
    print({name: ours[name] for name in ("xruns", "misses", "dsp_load", "model_load", "realtime", "restarts")})
    assert heard["finite"] and heard["compared"] == seconds * server.rate
    # The stems sum to the input, so its energy comes back, whatever was late.
    assert heard["level"] == pytest.approx(0.1768, rel=0.1)
    assert ours["frames"] >= seconds * server.rate
    # 256 at the model's own rate: the hop is aligned with the block. A busy machine gets more than one block for the model.
    assert ours["latency_samples"] > 0 and ours["latency_samples"] % ours["block"] == 0


def test_the_model_runs_in_real_time(jack_server: JackServer, tmp_path: Path) -> None:
    realtime_run(jack_server, tmp_path, 2.0)


@pytest.mark.slow
def test_the_model_runs_in_real_time_for_20_seconds(jack_server: JackServer, tmp_path: Path) -> None:
    realtime_run(jack_server, tmp_path, 20.0)


def test_a_device_can_be_recorded_without_playing_it(jack_server: JackServer, tmp_path: Path) -> None:
    out = tmp_path / "heard.wav"
    peer = Peer(jack_server, tmp_path, 1.0, False)
    try:
        with live(tmp_path, "--input", "peer", "--output", str(out), "--dry", "1") as process:
            wait_until(lambda: bool(read_ports(jack_server).get("peer:out_1")), "the engine's ports")
            assert not any("stemplay:out" in port for port in jack_server.ports())
            peer.play()
            facts = end(process)
    finally:
        peer.close()
    heard, rate = soundfile.read(out, dtype="float32")
    assert rate == jack_server.rate and len(heard) == facts["frames"]
    counts = np.rint(heard[:, 1].astype(np.float64) * 2 * COUNTER).astype(np.int64)
    assert counts.max() == rate and np.count_nonzero(counts) >= 0.9 * rate, "the peer's counter is in the file"


def test_stems_and_inputs_have_jack_ports_of_their_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """On a server with six channels each; what each port carries is shown with the test clock."""
    with private_server(tmp_path, channels=6) as server:
        for name, value in server.environment.items():
            monkeypatch.setenv(name, value)
        options = ["--model", "none", "--route", "vocals=3,4", "--route", "drums=5", "--input-channels", "4,3"]
        with live(tmp_path, "--input", "system", "--output", "system", "--monitor", *options) as process:
            wait_until(lambda: bool(read_ports(server).get("stemplay:out_4")), "the wiring")
            wiring = read_ports(server)
            end(process)
        ours = {port: peers for port, peers in wiring.items() if port.startswith("stemplay:")}
        expected = {f"stemplay:out_{i}": [f"system:playback_{i + 1}"] for i in range(5)}
        assert ours == expected | {f"stemplay:in_{i}": [f"system:capture_{i + 1}"] for i in range(4)}


def test_more_channels_than_the_server_has_are_refused(jack_server: JackServer, tmp_path: Path) -> None:
    with live(tmp_path, "--model", "none", "--output", "system", "--route", "vocals=3,4") as process:
        process.communicate(timeout=PATIENCE)
        assert process.returncode == 2
    told = (tmp_path / "live.log").read_text().splitlines()
    assert told[-1] == "The output device 'system' has 2 channels, not 4." and len(told) <= 2


def counting(session: Session) -> Callable[[], bool]:
    """True when callbacks come: the stream is alive."""

    def alive() -> bool:
        before = session.snapshot()
        time.sleep(0.2)
        after = session.snapshot()
        return after.state == "running" and after.frames > before.frames

    return alive


def test_sound_comes_back_by_itself_after_the_server_was_killed(jack_server: JackServer, tmp_path: Path) -> None:
    session = Session(EngineConfig(model="none"))  # `default`: no sound card here, so the JACK server
    session.start()
    try:
        wait_until(counting(session), "sound")
        assert "JACK" in session.snapshot().port
        session.send(command("set_stem", stem="vocals", field="gain_db", value=-7.0))
        first = session.engine_pid

        jack_server.kill()
        wait_until(lambda: session.snapshot().state == "waiting", "the loss to be noticed")
        assert "as soon as it is back" in session.snapshot().message
        session.send(command("set_stem", stem="drums", field="mute", value=True))  # while nothing plays

        jack_server.start()
        wait_until(counting(session), "sound to be back")
        report = session.snapshot()
        assert "JACK" in report.port and report.restarts >= 1
        assert session.engine_pid != first
        assert report.mixer.stems["vocals"].gain_db == -7.0 and report.mixer.stems["drums"].mute
        wait_until(lambda: bool(read_ports(jack_server).get("stemplay:out_0")), "the wiring")
    finally:
        started = time.monotonic()
        session.stop()
    assert time.monotonic() - started < PATIENCE
    wait_until(lambda: not any("stemplay" in port for port in jack_server.ports()), "our ports to go")


def test_a_server_that_never_comes_back_hangs_nothing(jack_server: JackServer, tmp_path: Path) -> None:
    with live(tmp_path, "--model", "none", "--output", "system", "--input", "system") as process:
        wait_until(lambda: any("stemplay" in port for port in jack_server.ports()), "the engine's ports")
        jack_server.kill()
        log = tmp_path / "live.log"
        wait_until(lambda: "as soon as it is back" in log.read_text(), "the loss to be told")
        facts = end(process)
    assert facts["restarts"] >= 1


def test_nothing_waits_for_a_device_that_was_never_there(jack_server: JackServer, tmp_path: Path) -> None:
    with live(tmp_path, "--output", "sistem") as process:
        process.communicate(timeout=PATIENCE)
        assert process.returncode == 2
    sentence = (tmp_path / "live.log").read_text()
    assert sentence.count("\n") == 1 and "JACK:system" in sentence


def test_a_killed_command_line_leaves_no_engine_behind(jack_server: JackServer, tmp_path: Path) -> None:
    with live(tmp_path, "--model", "none") as process:
        wait_until(lambda: any("stemplay" in port for port in jack_server.ports()), "the engine's ports")
        engines = children_of(process.pid)
        assert engines
        process.kill()
        process.communicate()
    wait_until(lambda: not any(alive(pid) for pid in engines), "the orphan to end")
    wait_until(lambda: not any("stemplay" in port for port in jack_server.ports()), "its ports to go")


def test_not_even_when_the_server_died_a_moment_before(jack_server: JackServer, tmp_path: Path) -> None:
    with live(tmp_path, "--model", "none") as process:
        wait_until(lambda: any("stemplay" in port for port in jack_server.ports()), "the engine's ports")
        engines = children_of(process.pid)
        process.send_signal(signal.SIGSTOP)  # it cannot help its engine any more
        jack_server.kill()
        time.sleep(0.2)
        process.kill()
        process.communicate()
    assert engines
    wait_until(lambda: not any(alive(pid) for pid in engines), "the orphan to end, though its audio library hangs")


def children_of(pid: int) -> list[int]:
    """Process ids of the children (Linux)."""
    tasks = Path(f"/proc/{pid}/task").glob("*/children")
    return [int(child) for task in tasks for child in task.read_text().split()]


def alive(pid: int) -> bool:
    """Whether a process exists and is no zombie."""
    try:
        return "\nState:\tZ" not in Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return False


DETACH = """
import sys, time
from rtaudio.protocol.settings import EngineConfig
from rtaudio.control.session import Session
session = Session(EngineConfig(model="none"), detached=True)
session.start()
while session.snapshot().state != "running":
    time.sleep(0.02)
print("running", flush=True)
time.sleep(600)
"""


def test_a_detached_engine_outlives_its_starter_and_is_attached_to_again(
    jack_server: JackServer, runtime_directory: Path, tmp_path: Path
) -> None:
    starter = subprocess.Popen([sys.executable, "-c", DETACH], cwd=ROOT, stdout=subprocess.PIPE, text=True)
    try:
        assert starter.stdout is not None and starter.stdout.readline().strip() == "running"
    finally:
        starter.kill()
        starter.communicate()
    session = Session.attach()
    assert session is not None, "the engine died with its starter"
    try:
        wait_until(counting(session), "the sound that goes on")
        engine = session.engine_pid
        session.send(command("set_stem", stem="bass", field="solo", value=True))
        session.close()

        second = Session(detached=True)
        second.start()
        assert second.joined and second.config.model == "none"
        wait_until(lambda: second.snapshot().state == "running", "the first report")
        assert second.engine_pid == engine, "the same engine plays on"
        wait_until(lambda: second.snapshot().mixer.stems["bass"].solo, "the order of the client before")

        jack_server.kill()  # its supervisor lives in the daemon and does its work without us, too
        wait_until(lambda: second.snapshot().state == "waiting", "the loss to be noticed")
        jack_server.start()
        wait_until(counting(second), "sound to be back")
        assert second.snapshot().mixer.stems["bass"].solo
    finally:
        subprocess.run([sys.executable, "-m", "rtaudio", "engine", "--stop"], cwd=ROOT, timeout=PATIENCE, check=True)
    wait_until(lambda: second.snapshot().state == "stopped", "the end to be told")
    assert Session.attach() is None
    second.close()
