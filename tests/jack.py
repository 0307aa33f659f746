"""The private JACK server (``rtaudio.bench.jack_server``) for tests, and an independent JACK client, exact to the sample.

The server has a name of its own, so that tests run beside each other and beside a user's server. Correctness is asserted in
freewheel mode, where time does not matter; realtime runs only print what they saw.
"""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from rtaudio.bench.jack_server import JackServer, running, why_no_server
from rtaudio.system.file_lock import FileLock

ROOT = Path(__file__).resolve().parent.parent


class Peer:
    """Another process with ports of its own, named ``peer``: plays a known signal, records what comes back, compares.

    Args:
        seconds: of signal.
        freewheel: run as fast as all clients can, instead of with the clock.

    What ``play`` reports is in ``jack_peer.py``.
    """

    def __init__(self, server: JackServer, folder: Path, seconds: float, freewheel: bool = False) -> None:
        environment = os.environ | server.environment | {"PYTHONUNBUFFERED": "1"}
        arguments = [
            sys.executable,
            "-m",
            "tests.jack_peer",
            str(seconds),
            "freewheel" if freewheel else "realtime",
            str(folder),
        ]
        self._log = (folder / "peer.log").open("w")
        self._process = subprocess.Popen(
            arguments, env=environment, cwd=ROOT,  # as a module: in this folder our jack.py would hide the package of that name
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self._log, text=True,
        )  # fmt: skip
        assert self._process.stdout is not None and self._process.stdin is not None
        line = self._process.stdout.readline()
        if line.strip() != "up":
            self.close()
            raise RuntimeError(f"the peer did not start: {(folder / 'peer.log').read_text()[-400:]}")

    def play(self) -> dict[str, Any]:
        """Play and record; returns the report. Blocks until it is done."""
        assert self._process.stdout is not None and self._process.stdin is not None
        self._process.stdin.write("go\n")
        self._process.stdin.flush()
        report: dict[str, Any] = json.loads(self._process.stdout.readline())
        return report

    def close(self) -> None:
        try:
            self._process.wait(20)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout, self._log):
            with contextlib.suppress(OSError):
                pipe.close()  # type: ignore[union-attr]


def forget_dead_servers() -> None:
    """JACK's registry remembers servers that were killed, and has room for eight; empty it when no server runs at all."""
    running = set()
    for path in Path("/proc").glob("[0-9]*/comm"):
        with contextlib.suppress(OSError):
            running.add(path.read_text().strip())
    if running.isdisjoint({"jackd", "jackdbus", "jackdmp"}):
        for path in [*Path("/dev/shm").glob("jack-shm-registry"), *Path("/dev/shm").glob(f"jack-{os.getuid()}-*")]:
            with contextlib.suppress(OSError):
                path.unlink()


@contextlib.contextmanager
def private_server(folder: Path, **options: Any) -> Iterator[JackServer]:
    """A running server, or a skipped test."""
    if reason := why_no_server():
        pytest.skip(reason)
    with contextlib.ExitStack() as stack:
        with one_at_a_time():
            forget_dead_servers()
            server = stack.enter_context(running(JackServer(folder, **options)))
        yield server


@contextlib.contextmanager
def one_at_a_time() -> Iterator[None]:
    """No other test empties JACK's registry, or starts a server, meanwhile: the registry is the user's, not the server's."""
    lock = FileLock(Path(tempfile.gettempdir()) / f"stemplay-tests-{os.getuid()}.lock")
    while not lock.acquire():
        time.sleep(0.02)
    try:
        yield
    finally:
        lock.release()


def read_ports(server: JackServer) -> dict[str, list[str]]:
    """Port -> what it is connected to."""
    wiring: dict[str, list[str]] = {}
    current = ""
    for line in server.call("jack_lsp", "-c").stdout.splitlines():
        if line[:1].isspace():
            wiring[current].append(line.strip())
        else:
            current = line.strip()
            wiring[current] = []
    return wiring
