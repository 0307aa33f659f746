"""A private JACK server: ``jackd`` with its dummy driver and its own name, independent of the user's servers.

It is for measurements and tests, without sound, on Linux, and on macOS with JACK 2. ``running`` always ends the server that it starts.
"""

from __future__ import annotations

import contextlib
import glob
import os
import shutil
import signal
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator
from pathlib import Path

from rtaudio.audio.format import StemplayError

START_S = 15.0
STOP_S = 8.0
"""Seconds that a server is given to end. It then also leaves JACK's registry, which has room for eight. Later it is killed."""


def why_no_server() -> str:
    """The reason why a private server cannot run here, as a sentence; empty if it can."""
    if sys.platform == "win32":
        return "A private JACK server cannot be run on Windows."
    if not shutil.which("jackd") or not shutil.which("jack_lsp"):
        return "jackd is not installed (Debian: apt-get install jackd2)."
    return ""

_CLOCK = """
import sys, time, jack
client = jack.Client("clock", no_start_server=True)
client.activate()
time.sleep(0.1)
frame, start = client.last_frame_time, time.monotonic()
time.sleep(float(sys.argv[1]))
print((client.last_frame_time - frame) % (1 << 32), time.monotonic() - start)
"""
"""Reads the server's clock twice. A program of its own, because a process cannot be a client of several servers one after the other."""


class JackServer:
    """``jackd -d dummy``. Start it again with ``start`` after ``kill``.

    Args:
        folder: folder for its log.
        rate: Hz; ``period``: frames; ``channels``: each way.
        synchronous: the server waits for its clients, so no sample is lost on a busy machine, but a killed client delays it for a long
        time. It must be False if clients are killed or misses are counted, as it is for musicians.
    """

    def __init__(
        self, folder: Path, rate: int = 44_100, period: int = 256, channels: int = 2, synchronous: bool = True
    ) -> None:
        self.synchronous = synchronous
        self.name = "sp" + uuid.uuid4().hex[:8]
        self.rate, self.period, self.channels = rate, period, channels
        self.log = folder / "jackd.log"
        self.realtime = False
        self.environment = {
            "JACK_DEFAULT_SERVER": self.name, "JACK_NO_START_SERVER": "1", "JACK_NO_AUDIO_RESERVATION": "1",
        }  # fmt: skip
        """Environment of a child process that is to be a client of this server."""
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start and wait until it answers, with realtime priority if the system allows it. Raises StemplayError."""
        for self.realtime in [True, False] if _may_be_realtime() else [False]:
            if self._try():
                return
        said = self.log.read_text(errors="replace").strip().splitlines()
        raise StemplayError(
            f"The private JACK server ({self.rate} Hz, {self.period} frames) did not start: {said[-1] if said else 'it said nothing'}."
        )

    def _try(self) -> bool:
        mode = ["-R", "-P", "70"] if self.realtime else ["-r"]
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
        deadline = time.monotonic() + START_S
        while time.monotonic() < deadline and self._process.poll() is None:
            if self.call("jack_lsp").returncode == 0:
                return True
            time.sleep(0.05)
        self.stop()
        return False

    def call(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run one of JACK's own programs as a client of this server."""
        environment = os.environ | self.environment
        return subprocess.run(arguments, env=environment, capture_output=True, text=True, timeout=20, check=False)

    def lost(self, seconds: float = 1.0) -> float | None:
        """The share of the time that the server does not keep up with its own clock, to one period, without a client that computes.

        It is the machine's: of more than that, no client can be guilty. None where the package JACK-Client is missing.
        """
        read = self.call(sys.executable, "-c", _CLOCK, str(seconds))
        if read.returncode:
            return None
        frames, elapsed = map(float, read.stdout.split())
        return max(0.0, 1 - (frames + self.period) / (self.rate * elapsed))

    def ports(self, *options: str) -> list[str]:
        """Names of all ports, as ``jack_lsp`` prints them."""
        return self.call("jack_lsp", *options).stdout.split()

    def connect(self, source: str, target: str) -> None:
        """Connect two ports by their names."""
        self.call("jack_connect", source, target)

    def wait_for_port(self, name: str, timeout: float = 30.0) -> None:
        """Wait until a port whose name contains ``name`` exists. Raises TimeoutError."""
        deadline = time.monotonic() + timeout
        while not any(name in port for port in self.ports()):
            if time.monotonic() > deadline:
                raise TimeoutError(f"no port {name!r} among {self.ports()}")
            time.sleep(0.1)

    def kill(self) -> None:
        """Kill the server with SIGKILL, as in a crash."""
        self.stop(hard=True)

    def stop(self, hard: bool = False) -> None:
        """End the server in any case, and remove its own files in /dev/shm."""
        process, self._process = self._process, None
        if process is not None and process.poll() is None:
            process.kill() if hard else process.send_signal(signal.SIGTERM)
            try:
                process.wait(STOP_S)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        for pattern in (f"/dev/shm/jack_sem.*_{self.name}_*", f"/dev/shm/jack_{self.name}_*"):
            for path in glob.glob(pattern):
                with contextlib.suppress(OSError):
                    os.unlink(path)


@contextlib.contextmanager
def running(server: JackServer) -> Iterator[JackServer]:
    """Start the server and end it afterwards. Raises StemplayError if it does not start."""
    try:
        server.start()
        yield server
    finally:
        server.stop()


def _may_be_realtime() -> bool:
    """Whether realtime priority is allowed. If not, requesting it would make the server's first start fail."""
    if sys.platform == "win32":
        return False
    if sys.platform == "darwin" or os.geteuid() == 0:
        return True
    import resource

    return resource.getrlimit(resource.RLIMIT_RTPRIO)[0] != 0
