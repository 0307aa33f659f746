"""Looks at the engine all the time: what it counts, when it does not play, what its processes hold."""

from __future__ import annotations

import contextlib
import threading
import time
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from rtaudio.control.session import Session
from rtaudio.protocol.reports import Snapshot

LOOK_S = 0.02
SAMPLE_S = 5.0
SETTLED_S = 2.0
"""No report is so late."""
SHM = Path("/dev/shm")


@dataclass(frozen=True)
class Held:
    """What the processes hold at one moment: MiB of memory, open descriptors, threads, by process; MiB of shared memory."""

    at: float
    memory: dict[str, float]
    descriptors: dict[str, int]
    threads: dict[str, int]
    shared: float


@dataclass
class Gap:
    """Reports that told of no new frames; how much sound was missing is known from ``Watch.lost``."""

    began: float
    seconds: float


@dataclass
class Watch:
    """A thread that samples until ``stop``.

    Attributes:
        gaps: longer than ``threshold`` seconds.
        latencies: every declared latency of the engine that was seen, in frames: seconds it was seen for.
    """

    session: Session
    processes: dict[str, object]
    threshold: float = 0.25
    gaps: list[Gap] = field(default_factory=list)
    held: list[Held] = field(default_factory=list)
    latencies: dict[int, float] = field(default_factory=dict)
    last: Snapshot = field(default_factory=Snapshot)
    trouble: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._missing: deque[tuple[float, float]] = deque()
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self._run, name="soak-watch", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self) -> None:
        """End."""
        self._ending.set()
        self._thread.join()

    @property
    def lost(self) -> float:
        """Seconds of sound that are missing since the start: time that passed less what was played.

        A report that comes late makes it look like more for a moment; so the least of the last seconds counts.
        """
        return min((missing for _, missing in list(self._missing)), default=0.0)

    @property
    def silent_for(self) -> float:
        """Seconds since the last new frames."""
        return time.monotonic() - self._moved

    def _run(self) -> None:
        frames, self._moved, sampled = 0, time.monotonic(), 0.0
        first: tuple[float, int] | None = None
        while not self._ending.wait(LOOK_S):
            now, report = time.monotonic(), self.session.snapshot()
            self.last = report
            if report.frames != frames:
                if now - self._moved > self.threshold:
                    self.gaps.append(Gap(self._moved, now - self._moved))
                frames, self._moved = report.frames, now
            if report.frames and report.rate:
                first = first or (now, report.frames)
                self._missing.append((now, now - first[0] - (report.frames - first[1]) / report.rate))
                while self._missing[0][0] < now - SETTLED_S:
                    self._missing.popleft()
            if report.latency.engine:
                self.latencies[report.latency.engine] = self.latencies.get(report.latency.engine, 0.0) + LOOK_S
            if report.message and (not self.trouble or self.trouble[-1] != report.message):
                self.trouble.append(report.message)
            if now - sampled > SAMPLE_S:
                sampled = now
                self._sample(now)

    def _sample(self, now: float) -> None:
        self.held.append(sample(self.processes, now))


def sample(processes: Mapping[str, object], now: float) -> Held:
    """What processes hold now, by what says their ids."""
    memory, descriptors, threads = {}, {}, {}
    for name, ask in processes.items():
        with contextlib.suppress(OSError, ValueError, TypeError, KeyError):
            pid = int(ask())  # type: ignore[operator]
            status = dict(line.split(":", 1) for line in Path(f"/proc/{pid}/status").read_text().splitlines() if ":" in line)
            memory[name] = int(status["VmRSS"].split()[0]) / 1024
            threads[name] = int(status["Threads"])
            descriptors[name] = len(list(Path(f"/proc/{pid}/fd").iterdir()))
    shared = 0.0
    for path in SHM.iterdir():
        with contextlib.suppress(OSError):  # gone meanwhile
            shared += path.stat().st_size / 2**20 if path.is_file() else 0.0
    return Held(now, memory, descriptors, threads, shared)
