"""A private JACK server, and an independent JACK client that plays and records sample for sample.

The server has a name of its own, so that tests run beside each other and beside a user's server. Correctness is asserted in
freewheel mode, where time does not matter; realtime runs only print what they saw.
"""

from __future__ import annotations

import contextlib
import glob
import json
import os
import shutil
import signal
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parent.parent


def jack_is_here() -> str:
    """Empty if a server can be run, else the reason to skip."""
    if sys.platform != "linux":
        return "a private JACK server is run on Linux only"
    if not shutil.which("jackd") or not shutil.which("jack_lsp"):
        return "jackd is not installed (apt-get install jackd2)"
    return ""


class JackServer:
    """``jackd`` with the dummy driver under a name of its own. Start it again with ``start`` after ``kill``.

    ``synchronous`` waits for its clients, so that no sample is lost on a busy machine; a client that is killed then holds it up for
    a long time. Where clients are killed it must be False, as it is for those who play.
    """

    def __init__(
        self, folder: Path, rate: int = 44_100, period: int = 256, channels: int = 2, synchronous: bool = True
    ) -> None:
        self.synchronous = synchronous
        self.name = "sp" + uuid.uuid4().hex[:8]
        forget_dead_servers()
        self.rate, self.period, self.channels = rate, period, channels
        self.log = folder / "jackd.log"
        self.environment = {
            "JACK_DEFAULT_SERVER": self.name, "JACK_NO_START_SERVER": "1", "JACK_NO_AUDIO_RESERVATION": "1",
        }  # fmt: skip
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start and wait until it answers; realtime where the system allows it, else without."""
        for realtime in [True, False] if os.geteuid() == 0 else [False]:
            if self._try(realtime):
                return
        raise RuntimeError(f"jackd did not come up: {self.log.read_text(errors='replace')[-400:]}")

    def _try(self, realtime: bool) -> bool:
        mode = ["-R", "-P", "70"] if realtime else ["-r"]
        mode += ["-S"] if self.synchronous else []
        arguments = [
            "jackd", "-n", self.name, "--port-max", "64", "-t", "5000", *mode, "-d", "dummy",
            "-r", str(self.rate), "-p", str(self.period), "-C", str(self.channels), "-P", str(self.channels),
        ]  # fmt: skip
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                arguments, stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=os.environ | self.environment,
                start_new_session=True,
            )  # fmt: skip
        deadline = time.monotonic() + 15
        while time.monotonic() < deadline and self._process.poll() is None:
            if self._call("jack_lsp").returncode == 0:
                return True
            time.sleep(0.05)
        self.stop()
        return False

    def _call(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        environment = os.environ | self.environment
        return subprocess.run(arguments, env=environment, capture_output=True, text=True, timeout=20, check=False)

    def ports(self, *options: str) -> list[str]:
        """Names of all ports, as ``jack_lsp`` prints them."""
        return self._call("jack_lsp", *options).stdout.split()

    def connect(self, source: str, target: str) -> None:
        """Connect two ports by their names."""
        self._call("jack_connect", source, target)

    def wait_for_port(self, name: str, timeout: float = 30.0) -> None:
        """Wait until a port whose name contains ``name`` exists. Raises TimeoutError."""
        deadline = time.monotonic() + timeout
        while not any(name in port for port in self.ports()):
            if time.monotonic() > deadline:
                raise TimeoutError(f"no port {name!r} among {self.ports()}")
            time.sleep(0.1)

    def kill(self) -> None:
        """SIGKILL: the server is gone without a word, as after a crash."""
        self.stop(signal.SIGKILL)

    def stop(self, kind: signal.Signals = signal.SIGTERM) -> None:
        """End it for certain and remove what it leaves in /dev/shm (its own only)."""
        process, self._process = self._process, None
        if process is not None and process.poll() is None:
            process.send_signal(kind)
            try:
                process.wait(8)  # in peace it also leaves JACK's registry, which holds eight servers in all
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        for pattern in (f"/dev/shm/jack_sem.*_{self.name}_*", f"/dev/shm/jack_{self.name}_*"):
            for path in glob.glob(pattern):
                with contextlib.suppress(OSError):
                    os.unlink(path)


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
            self._process.wait(5)
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
    reason = jack_is_here()
    if reason:
        pytest.skip(reason)
    server = JackServer(folder, **options)
    try:
        server.start()
        yield server
    finally:
        server.stop()


def read_ports(server: JackServer) -> dict[str, list[str]]:
    """Port -> what it is connected to."""
    wiring: dict[str, list[str]] = {}
    current = ""
    for line in server._call("jack_lsp", "-c").stdout.splitlines():
        if line[:1].isspace():
            wiring[current].append(line.strip())
        else:
            current = line.strip()
            wiring[current] = []
    return wiring
