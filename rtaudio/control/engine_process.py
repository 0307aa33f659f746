"""The parent's side of an engine process: pipes, heartbeat, end.

Each process has three threads in the parent, none of which touches audio: *engine-reader* receives reports, *engine-writer* sends commands,
and *engine-stderr* reads what libraries print. Callers never wait for the engine, except in ``end`` and ``kill``.
"""

from __future__ import annotations

import collections
import contextlib
import queue
import subprocess
import threading
import time
from dataclasses import dataclass
from typing import IO, BinaryIO, cast

from rtaudio.control.ipc import Message, read_message, write_message
from rtaudio.protocol.desired_state import DesiredState
from rtaudio.protocol.messages import from_dict
from rtaudio.protocol.reports import Snapshot
from rtaudio.system.child_process import child_environment


@dataclass(frozen=True)
class Limits:
    """Timeouts in seconds after which an engine counts as hung, and limits of restarts.

    Attributes:
        silent: time without any report (the process is stuck or gets no processor time).
        stalled: time without a callback although reports say ``running``: the audio server or the device is gone.
        reports: number of reports that must have shown the stall, so that a process that merely got no processor time is not killed.
        starting: time from spawn to sound; loading a large model on a busy machine takes long.
        retry: pause between two attempts to open a missing device.
        backoff: first and largest pause before a crashed engine is restarted.
        healthy: run time after which the pause starts small again.
        attempts: number of attempts for an engine that never played or that writes a file from its start.
        ending: time for a clean end, which finishes recordings; then the process is killed.
    """

    silent: float = 4.0
    stalled: float = 1.0
    reports: int = 8
    starting: float = 60.0
    retry: float = 1.0
    backoff: tuple[float, float] = (0.1, 5.0)
    healthy: float = 10.0
    attempts: int = 3
    ending: float = 6.0


class EngineProcess:
    """A running engine process and its three helper threads."""

    def __init__(self, desired: DesiredState, arguments: list[str]) -> None:
        self.born = time.monotonic()
        self.last_report = self.born
        self.latest: Snapshot | None = None
        self.error: tuple[str, str] | None = None
        """``(kind, sentence)`` after the engine has refused to start; kind is ``device`` or ``refused``."""
        self.notice, self.noticed = "", 0.0  # the error of a refused command, and when it was reported
        self.resolved: dict[str, str] = {}
        self.words: collections.deque[str] = collections.deque(maxlen=40)
        self._outbox: queue.SimpleQueue[Message | None] = queue.SimpleQueue()
        self._ended = threading.Event()
        self._process = subprocess.Popen(
            arguments, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=child_environment()
        )
        for work, name in ((self._read, "reader"), (self._write, "writer"), (self._drain, "stderr")):
            threading.Thread(target=work, name=f"engine-{name}", daemon=True).start()
        self.send({"start": desired.to_json()})

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def dead(self) -> bool:
        """Whether the process is gone and all its messages have been read."""
        return self._process.poll() is not None and self._ended.wait(0.5)

    def send(self, message: Message) -> None:
        """Queue a message; never blocks."""
        self._outbox.put(message)

    def kill(self) -> None:
        """SIGKILL or TerminateProcess, because a hung driver does not react to anything else."""
        self._outbox.put(None)
        with contextlib.suppress(OSError):
            self._process.kill()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(5)
        self._ended.wait(1)

    def end(self, timeout: float) -> None:
        """Request a clean end, which finishes recordings; kill the process after ``timeout`` seconds."""
        self.send({"op": "shutdown"})
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(timeout)
        self.kill()

    def _read(self) -> None:
        pipe = cast(BinaryIO, self._process.stdout)
        try:
            with pipe:
                while (message := read_message(pipe)) is not None:
                    self._take(message)
        except (OSError, ValueError) as error:
            self.words.append(f"unreadable report: {error}")
        self._ended.set()

    def _take(self, message: Message) -> None:
        self.last_report = time.monotonic()
        if "snapshot" in message:
            self.latest = from_dict(Snapshot, message["snapshot"])
        elif "resolved" in message:
            self.resolved = message["resolved"]
        elif "error" in message:
            self.error = (message.get("kind", "refused"), message["error"])
        elif "notice" in message:
            self.notice, self.noticed = message["notice"], time.monotonic()

    def _write(self) -> None:
        pipe = cast(BinaryIO, self._process.stdin)
        with contextlib.suppress(OSError, ValueError):
            while (message := self._outbox.get()) is not None:
                write_message(pipe, message)
        with contextlib.suppress(OSError, ValueError):
            pipe.close()

    def _drain(self) -> None:
        pipe = cast(IO[bytes], self._process.stderr)
        with pipe:
            for line in pipe:
                self.words.append(line.decode(errors="replace").rstrip())


class StallDetector:
    """Distinguishes a stream without callbacks from a process without processor time, by counting reports that show no progress."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._frames = -1
        self._since = 0.0
        self._reports = 0
        self._sequence = -1

    def stalled(self, snapshot: Snapshot, now: float) -> bool:
        """Take the newest report; True if the stream hangs."""
        if snapshot.state not in ("running", "stalled") or snapshot.frames != self._frames:
            self._frames, self._since, self._reports = snapshot.frames, now, 0
            return False
        if snapshot.sequence != self._sequence:
            self._sequence = snapshot.sequence
            self._reports += 1
        block_s = snapshot.block / snapshot.rate if snapshot.rate else 0.0
        return self._reports >= self._limits.reports and now - self._since > max(self._limits.stalled, 4 * block_s)
