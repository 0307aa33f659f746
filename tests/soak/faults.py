"""What goes wrong on an evening, one function each. A fault begins, lasts, and ends; ``watch`` sees whether the sound comes back."""

from __future__ import annotations

import contextlib
import os
import signal
import struct
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

from rtaudio.control.session import Session
from rtaudio.protocol.messages import command
from tests.soak.stage import ROOT, Stage
from tests.soak.takes import Takes, check

CLIENTS = 20
SMALL_DISK_MB = 12


def server_killed(stage: Stage, takes: Takes) -> str:
    """The JACK server dies and is there again some seconds later."""
    stage.server.kill()
    time.sleep(stage.random.uniform(0.5, 4.0))
    stage.server.start()
    return ""


def engine_killed(stage: Stage, takes: Takes) -> str:
    """SIGKILL to the engine process."""
    return _signal(stage.session.engine_pid, signal.SIGKILL)


def engine_stopped(stage: Stage, takes: Takes) -> str:
    """SIGSTOP to the engine process for five seconds: it is hung, and the supervisor may have replaced it before it goes on."""
    return _stopped(stage.session.engine_pid, 5.0)


def engine_interrupted(stage: Stage, takes: Takes) -> str:
    """SIGSTOP for a tenth of a second: a machine that stutters."""
    return _stopped(stage.session.engine_pid, 0.1)


def window_killed(stage: Stage, takes: Takes) -> str:
    """SIGKILL to the window; another one is opened."""
    assert stage.window is not None
    stage.window.kill()
    stage.window.wait()
    time.sleep(1.0)
    stage.open_window()
    time.sleep(8.0)
    if stage.window.poll() is not None:
        return "the next window did not open"
    seen = stage.look()
    return "" if seen < 0 or seen > 20 else f"the next window is empty ({seen} colours)"


def window_stopped(stage: Stage, takes: Takes) -> str:
    """SIGSTOP to the window for five seconds: a client that does not read."""
    assert stage.window is not None
    return _stopped(stage.window.pid, 5.0)


def disk_full(stage: Stage, takes: Takes) -> str:
    """A recording fills its disk: it ends by itself, says why, and what was written is whole."""
    takes.pause()
    disk = stage.folder / "small"
    disk.mkdir(exist_ok=True)
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={SMALL_DISK_MB}m", "tmpfs", str(disk)], check=False, capture_output=True
    )
    if mounted.returncode:
        takes.resume()
        return "skipped: a small disk needs root"
    try:
        place = disk / "take"
        stage.session.send(command("record", directory=str(place), format="wav"))
        end = time.monotonic() + 60
        said = 0.0
        while time.monotonic() < end:
            time.sleep(0.05)
            recording = stage.session.snapshot().recording
            if recording.directory == str(place):
                said = max(said, recording.seconds)
                if recording.error:
                    break
        else:
            return "the recording never ended"
        take = check(place, said)
        if take.unfinished or take.files < 2 or take.lengths_differ:
            return f"the take is not whole: {take}"
        return "" if take.kept > 1.0 else f"of {said:.1f} s only {take.kept:.1f} were kept"
    finally:
        with contextlib.suppress(Exception):
            stage.session.send(command("stop_recording"))
        time.sleep(1.0)
        subprocess.run(["umount", "-l", str(disk)], check=False, capture_output=True)
        takes.resume()


def model_replaced(stage: Stage, takes: Takes) -> str:
    """The model's file is damaged while it plays, and put back: what runs does not care."""
    path = stage.model / "model.onnx"
    whole = path.read_bytes()
    fresh = path.with_suffix(".new")
    fresh.write_bytes(whole[: len(whole) // 2])
    os.replace(fresh, path)
    time.sleep(5.0)
    fresh.write_bytes(whole)
    os.replace(fresh, path)
    return ""


def devices_change(stage: Stage, takes: Takes) -> str:
    """Other programs come to the server with ports, and go."""
    others = [
        subprocess.Popen(
            [sys.executable, "-m", "tests.jack_listener"], cwd=ROOT, env=os.environ | stage.server.environment,
            stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )
        for _ in range(3)
    ]  # fmt: skip
    time.sleep(3.0)
    for other in others:
        other.kill()
        other.wait()
    return ""


def clock_steps(stage: Stage, takes: Takes) -> str:
    """The wall clock jumps by an hour, and back: a time server, or summer time."""
    if stage.clock is None:
        return "skipped: there is no C compiler"
    for step in (3600, -86_400, 0):
        with stage.clock.open("r+b") as file:  # in place: it is mapped
            file.write(struct.pack("l", step))
        time.sleep(2.0)
    return ""


def clients_attach(stage: Stage, takes: Takes) -> str:
    """Twenty clients at once look on and leave, each in its own way."""
    failed: list[str] = []

    def look(number: int) -> None:
        client = Session.attach()
        if client is None:
            failed.append(f"client {number} did not get in")
            return
        end = time.monotonic() + 3.0
        while time.monotonic() < end:
            client.snapshot()
            time.sleep(0.033)
        if client.snapshot().state not in ("running", "starting", "waiting"):
            failed.append(f"client {number} saw {client.snapshot().state}")
        client.close()

    guests = [threading.Thread(target=look, args=(number,)) for number in range(CLIENTS)]
    for guest in guests:
        guest.start()
    for guest in guests:
        guest.join()
    return "; ".join(failed)


def _stopped(pid: int | None, seconds: float) -> str:
    told = _signal(pid, signal.SIGSTOP)
    time.sleep(seconds)
    _signal(pid, signal.SIGCONT)
    return told


def _signal(pid: int | None, what: signal.Signals) -> str:
    if pid is None:
        return "skipped: no engine at the moment"
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, what)
    return ""


FAULTS: dict[str, Callable[[Stage, Takes], str]] = {
    function.__name__.replace("_", " "): function
    for function in (
        server_killed, engine_killed, engine_stopped, engine_interrupted, window_killed, window_stopped, disk_full, model_replaced,
        devices_change, clock_steps, clients_attach,
    )
}  # fmt: skip

MAY_SILENCE = {"server killed", "engine killed", "engine stopped", "engine interrupted"}
"""Only these may interrupt the sound for longer than a report can tell."""


def places(folder: Path) -> Path:
    """Where takes go."""
    place = folder / "takes"
    place.mkdir(exist_ok=True)
    return place
