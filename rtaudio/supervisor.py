"""Keeps an engine process alive: spawns it, watches its heartbeat, kills it when it hangs, and starts it again as it was.

Threads of this module, none of which touches audio: *supervisor* decides; for each engine process *engine-reader* waits for its
reports, *engine-writer* for its pipe to take commands and *engine-stderr* for what its libraries print. Callers of
``Supervisor`` never wait for the engine, save in ``stop``.
"""

from __future__ import annotations

import collections
import contextlib
import copy
import os
import queue
import subprocess
import sys
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import IO, BinaryIO, cast

from rtaudio.desired import Desired, is_output_file
from rtaudio.format import StemplayError
from rtaudio.ipc import Message, read_message, write_message
from rtaudio.messages import Command, Snapshot, from_dict

ROOT = Path(__file__).resolve().parent.parent
"""The folder that holds the packages; child processes find them there whatever their working directory."""


@dataclass(frozen=True)
class Limits:
    """When an engine counts as hung, in seconds.

    Attributes:
        silent: without any report (the process is stuck, or starved beyond use).
        stalled: reports arrive and say ``running``, yet no callback came: the audio server or the device is gone.
        reports: so many reports must have shown the stall, so that a process that merely got no CPU is not killed.
        starting: from spawn to sound; loading a large model on a busy machine takes long.
        retry: between two attempts to open a missing device.
        backoff: first and largest pause before a crashed engine is started again.
        healthy: after so long a life the pause starts small again.
        attempts: an engine that never played, or that writes a file from its start, is tried so often, then its error stands.
    """

    silent: float = 4.0
    stalled: float = 1.0
    reports: int = 8
    starting: float = 60.0
    retry: float = 1.0
    backoff: tuple[float, float] = (0.1, 5.0)
    healthy: float = 10.0
    attempts: int = 3


def child_environment() -> dict[str, str]:
    """The environment of our own child processes: the packages' folder is found, and libraries start no needless threads."""
    paths = [str(ROOT), *filter(None, os.environ.get("PYTHONPATH", "").split(os.pathsep))]
    defaults = {"OMP_NUM_THREADS": "1", "JACK_NO_START_SERVER": "1", "JACK_NO_AUDIO_RESERVATION": "1"}
    return {**defaults, **os.environ, "PYTHONPATH": os.pathsep.join(paths)}


class EngineProcess:
    """A running engine process and its three helper threads."""

    def __init__(self, desired: Desired, arguments: list[str]) -> None:
        self.born = time.monotonic()
        self.last_report = self.born
        self.latest: Snapshot | None = None
        self.error: tuple[str, str] | None = None
        """``(kind, sentence)`` once the engine refused to start; kind is ``device`` or ``refused``."""
        self.notice = ""
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
        """The process is gone (and all it had to say was read)."""
        return self._process.poll() is not None and self._ended.wait(0.5)

    def send(self, message: Message) -> None:
        """Queue a message; never blocks."""
        self._outbox.put(message)

    def kill(self) -> None:
        """SIGKILL or TerminateProcess: a hung driver notices nothing gentler."""
        self._outbox.put(None)
        with contextlib.suppress(OSError):
            self._process.kill()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(5)
        self._ended.wait(1)

    def end(self, timeout: float) -> None:
        """Ask for a clean end (recordings are closed), kill after ``timeout`` seconds."""
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
            self.notice = message["notice"]

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
    """Tells a stream without callbacks from a process without CPU: it counts the reports that show no progress."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._frames = -1
        self._since = 0.0
        self._reports = 0
        self._sequence = -1

    def stalled(self, snapshot: Snapshot, now: float) -> bool:
        """Feed the newest report; True once the stream hangs."""
        if snapshot.state not in ("running", "stalled") or snapshot.frames != self._frames:
            self._frames, self._since, self._reports = snapshot.frames, now, 0
            return False
        if snapshot.sequence != self._sequence:
            self._sequence = snapshot.sequence
            self._reports += 1
        block_s = snapshot.block / snapshot.rate if snapshot.rate else 0.0
        return self._reports >= self._limits.reports and now - self._since > max(self._limits.stalled, 4 * block_s)


class Supervisor:
    """Holds the desired state and an engine that follows it.

    ``send`` and ``snapshot`` may be called by any thread at any time, whether an engine lives or not.
    """

    def __init__(self, desired: Desired, limits: Limits | None = None, arguments: list[str] | None = None) -> None:
        """``arguments`` is the engine's command line, for tests of faults."""
        self._limits = limits or Limits()
        self._arguments = arguments or [sys.executable, "-m", "rtaudio.engine_host"]
        self._lock = threading.Lock()  # guards desired, engine and report; held for moments only
        self._desired = desired
        self._engine: EngineProcess | None = None
        self._report = Snapshot(state="stopped", mixer=desired.mixer)
        self._pinned: dict[str, str] = {}
        self._restarts = 0
        self._failures = 0
        self._played = False
        self._story = ""  # why it was started again, told for a while
        self._error = ""  # why it is not started again
        self._wake = threading.Event()
        self._stopping = False
        self._thread: threading.Thread | None = None

    @property
    def desired(self) -> Desired:
        """A copy of the saved state."""
        with self._lock:
            return copy.deepcopy(self._desired)

    @property
    def engine_pid(self) -> int | None:
        """Process id of the living engine."""
        engine = self._engine
        return engine.pid if engine is not None else None

    @property
    def engine_words(self) -> list[str]:
        """The last lines that the engine's libraries printed, for diagnosis."""
        engine = self._engine
        return list(engine.words) if engine is not None else []

    def start(self) -> None:
        """Start supervising; returns at once."""
        if self._thread is None or not self._thread.is_alive():
            self._stopping = False
            self._say("starting", "The engine is starting.")
            self._thread = threading.Thread(target=self._supervise, name="supervisor", daemon=True)
            self._thread.start()

    def stop(self, timeout: float = 8.0) -> None:
        """End the engine cleanly; waits for it, at most about ``timeout`` seconds."""
        self._stopping = True
        self._wake.set()
        if self._thread is not None:
            self._thread.join(timeout)

    def send(self, order: Command) -> None:
        """Save an order and pass it on. Raises StemplayError if it is impossible; a missing engine gets it when it is back."""
        with self._lock:
            self._desired.apply(order)
            engine = self._engine
            if order.op == "configure":
                self._pinned = {}
                self._failures = 0
                self._played = False
                self._story = self._error = ""
                self._wake.set()
            elif engine is not None and order.op != "shutdown":
                engine.send({"op": order.op, "args": order.args})
        if order.op == "shutdown":
            self._stopping = True
            self._wake.set()

    def snapshot(self) -> Snapshot:
        """The newest report, with what the supervisor knows added."""
        with self._lock:
            report = copy.copy(self._report)
            report.restarts = self._restarts
            if self._engine is None or report.state == "starting":
                report.mixer = copy.deepcopy(self._desired.mixer)
        return report

    # --- the supervisor's thread ------------------------------------------------------------------------------------

    def _supervise(self) -> None:
        while not self._stopping:
            self._wake.clear()
            with self._lock:
                engine = self._engine = EngineProcess(self._pinned_state(), self._arguments)
            try:
                verdict = self._watch(engine)
            finally:
                if engine is not None:
                    self._farewell(engine)
            pause = self._judge(verdict, engine)
            if pause is None:
                self._wake.wait()  # nothing to do until another configuration or the end
            elif pause:
                self._wake.wait(pause)
        if self._report.state != "finished":
            self._say("stopped", self._error)

    def _pinned_state(self) -> Desired:
        """The desired state with ``default`` replaced by what it meant the last time it played.

        A server that died must be waited for, not exchanged for the clock without a sound card.
        """
        state = copy.deepcopy(self._desired)
        for end, meaning in self._pinned.items():
            setattr(state.config, end, meaning)
        return state

    def _watch(self, engine: EngineProcess) -> str:
        """Follow one engine. Returns why it has to go: end, configure, dead, hung, silent or slow."""
        detector = StallDetector(self._limits)
        while True:
            self._wake.wait(0.03)
            if self._stopping:
                return "end"
            if self._wake.is_set():
                return "configure"
            now = time.monotonic()
            gone = engine.dead
            self._absorb(engine)
            if gone:
                return "dead"
            if now - engine.last_report > self._limits.silent + (self._limits.starting if engine.latest is None else 0):
                return "silent"
            if engine.latest is None or engine.latest.state == "starting":
                if now - engine.born > self._limits.starting:
                    return "slow"
            elif detector.stalled(engine.latest, now):
                return "hung"

    def _absorb(self, engine: EngineProcess) -> None:
        """Take over the newest report and what of it must survive the engine."""
        report = engine.latest
        if report is None or report.state == "starting":
            return
        with self._lock:
            self._played = self._played or report.frames > 0
            if report.state == "running" and report.transport.path == self._desired.config.input:
                self._desired.position_s = report.transport.position_s
            if self._desired.recording is not None and report.recording.error:
                self._desired.recording = None  # it stopped by itself (a full disk): do not start it again
            if not self._wake.is_set():  # what an outgoing engine had found means nothing to the next configuration
                self._remember(engine.resolved)
            if time.monotonic() - engine.born > self._limits.healthy:
                self._failures = 0
                self._story = ""
            shown = copy.copy(report)
            shown.message = engine.notice or report.message or self._story
            self._report = shown

    def _remember(self, resolved: dict[str, str]) -> None:
        """Keep what ``default`` meant, once it was a real device."""
        for end, meaning in resolved.items():
            if getattr(self._desired.config, end) == "default" and meaning not in ("null", "none"):
                self._pinned.setdefault(end, meaning)

    def _farewell(self, engine: EngineProcess) -> None:
        """The engine's end: clean where someone asked for it, certain in any case."""
        if self._stopping or self._wake.is_set():
            engine.end(6.0)
            self._absorb(engine)
        else:
            engine.kill()
        with self._lock:
            self._engine = None

    def _judge(self, verdict: str, engine: EngineProcess) -> float | None:
        """Say what happened and how long to pause: seconds, or None to wait for the user."""
        if verdict in ("end", "configure"):
            if verdict == "configure":
                self._say("starting", "The engine starts again with its new settings.")
            return 0.0
        if engine.error is not None:
            return self._judge_refusal(*engine.error)
        self._restarts += 1
        self._failures += 1
        self._story = _STORIES[verdict]
        words = [word for word in engine.words if word.strip()]
        if words and verdict == "dead":
            self._story = f"{self._story.rstrip('.')} ({words[-1].strip()[:200]})."
        if is_output_file(self._desired.config.output):
            self._desired.position_s = 0.0
        elif self._played:
            return self._again()
        if self._failures < self._limits.attempts:
            return self._again()
        self._give_up(f"The engine was given up after {self._failures} attempts: {self._story}")
        return None

    def _give_up(self, sentence: str) -> None:
        self._error = sentence
        self._say("stopped", sentence)

    def _again(self) -> float:
        """Announce a restart; returns the pause before it."""
        self._say("starting", self._story)
        first, largest = self._limits.backoff
        return min(largest, first * 2.0 ** (self._failures - 1))

    def _judge_refusal(self, kind: str, sentence: str) -> float | None:
        if kind == "device":
            self._say("waiting", f"{sentence.rstrip('.')}; sound goes on as soon as it is there.")
            return self._limits.retry
        self._give_up(sentence)
        return None

    def _say(self, state: str, message: str) -> None:
        with self._lock:
            report = copy.copy(self._report)
            report.state, report.message = state, message
            report.sequence += 1
            report.time = time.time()
            self._report = report


_STORIES = {
    "dead": "The audio engine died and was started again.",
    "hung": "The audio server or device stopped calling, so the engine was started again.",
    "silent": "The audio engine stopped answering and was started again.",
    "slow": "The audio engine took too long to start, so it was started again.",
}


def refused(snapshot: Snapshot) -> StemplayError | None:
    """The error that keeps an engine from starting at all, if there is one."""
    return StemplayError(snapshot.message) if snapshot.state == "stopped" and snapshot.message else None
