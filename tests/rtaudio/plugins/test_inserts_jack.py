"""A plugin crashes, hangs and is killed while its engine plays on a real JACK server: how long the sound is away for a listener."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import soundfile as sf

from rtaudio.control.session import Session
from rtaudio.protocol.messages import command
from rtaudio.protocol.reports import Snapshot
from rtaudio.protocol.settings import EngineConfig, InsertState, MixerState, StemState
from tests.jack import JackServer

ROOT = Path(__file__).parents[3]
RATE, BLOCK = 44_100, 256


def wait(session: Session, status: str, seconds: float = 60.0) -> Snapshot:
    until = time.monotonic() + seconds
    while True:
        report = session.snapshot()
        if report.inserts.get("vocals") and report.inserts["vocals"][0].status == status and report.state == "running":
            return report
        assert time.monotonic() < until, (status, report.state, report.message, report.inserts)
        time.sleep(0.05)


def longest_gap(sound: np.ndarray) -> int:
    """Frames of the longest silence; the tone itself is near zero for a few at a time."""
    quiet = np.flatnonzero(np.abs(sound) > 0.01)
    return int(np.diff(quiet).max()) if len(quiet) > 1 else len(sound)


@pytest.mark.jack
@pytest.mark.parametrize("fault", ["crash", "hang", "kill"])
def test_no_fault_of_a_plugin_leaves_a_gap_longer_than_a_block(
    probe: str, jack_server: JackServer, tmp_path: Path, fault: str, capsys: pytest.CaptureFixture[str]
) -> None:
    wave = 0.4 * np.sin(2 * np.pi * 220 * np.arange(60 * RATE) / RATE)
    sf.write(tmp_path / "tone.wav", np.stack([wave, wave], axis=1), RATE, subtype="FLOAT")
    config = EngineConfig(input=str(tmp_path / "tone.wav"), output="default", model="none", analyse=False, block=BLOCK, loop=True)
    mixer = MixerState(limiter=False, stems={"vocals": StemState(inserts=[InsertState(probe, "probe")])})
    with Session(config, mixer) as session:
        before = wait(session, "running")
        recorder = subprocess.Popen(
            [sys.executable, "-m", "tests.jack_recorder", str(tmp_path / "out.npy")],
            cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        )  # fmt: skip
        assert recorder.stdin is not None and recorder.stdout is not None
        assert recorder.stdout.readline().strip() == b"wired"
        time.sleep(1.0)
        if fault == "kill":
            find = ["pgrep", "-P", str(session.engine_pid), "-f", "plugins.host"]
            hosts = subprocess.run(find, capture_output=True, text=True, check=True)
            os.kill(int(hosts.stdout.split()[0]), signal.SIGKILL)
        else:
            parameter, value = ("crash", 1.0) if fault == "crash" else ("sleep_ms", 5000.0)
            session.send(command("set_parameter", strip="vocals", key="probe", parameter=parameter, value=value))
        failed = wait(session, "failed")
        session.send(command("set_inserts", strip="vocals", inserts=[{"plugin": probe, "key": "probe"}]))
        if fault != "kill":  # else it crashes again: what was asked of it is part of its state
            session.send(command("set_parameter", strip="vocals", key="probe", parameter=parameter, value=0.0))
        session.send(command("restart_insert", strip="vocals", key="probe"))
        after = wait(session, "running")
        time.sleep(1.0)
        with recorder:
            recorder.stdin.close()
        restarts = session.snapshot().restarts
    sound = np.load(tmp_path / "out.npy")
    start = int(np.flatnonzero(np.abs(sound) > 0.01)[0])
    gap = longest_gap(sound[start:])
    with capsys.disabled():
        print(
            f"\n{fault}: longest gap {gap} frames, xruns {after.xruns - before.xruns}, blocks without the plugin "
            f"{failed.inserts['vocals'][0].misses}; {failed.inserts['vocals'][0].message}"
        )
    assert restarts == 0
    assert gap <= BLOCK
    assert after.inserts["vocals"][0].message == ""
