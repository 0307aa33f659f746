"""Keeps an engine running: starts its process, watches its heartbeat, kills it when it hangs, and restarts it in the same state.

The thread *supervisor* decides (those of ``rtaudio/control/engine_process.py`` and of the OSC server listen). Callers of ``Supervisor``
never wait for the engine, except in ``stop``.
"""

from __future__ import annotations

import copy
import sys
import threading
import time
from dataclasses import fields, replace
from pathlib import Path

from rtaudio.audio.format import StemplayError
from rtaudio.control.engine_process import EngineProcess, Limits, StallDetector
from rtaudio.control.osc import OscServer
from rtaudio.control.restart_totals import RestartTotals
from rtaudio.files.take_recovery import CutOff, finish_cut_off
from rtaudio.protocol.checks import is_output_file
from rtaudio.protocol.desired_state import DesiredState
from rtaudio.protocol.messages import Command
from rtaudio.protocol.reports import Recording, RemoteReport, Snapshot
from rtaudio.protocol.settings import EngineConfig
from rtaudio.tap.shared import remove as remove_tap

NOTICE_S = 10.0
"""Seconds for which the error of a refused command is shown before other messages."""


class Supervisor:
    """Holds the desired state and keeps an engine running in this state.

    Any thread may call ``send`` and ``snapshot`` at any time, with or without a running engine.
    """

    def __init__(self, desired: DesiredState, limits: Limits | None = None, arguments: list[str] | None = None) -> None:
        """``arguments`` is the engine's command line, for tests of faults."""
        self._limits = limits or Limits()
        self._arguments = arguments or [sys.executable, "-m", "rtaudio.control.engine_host"]
        self._lock = threading.Lock()  # guards desired, engine and report; held for moments only
        self._desired = desired
        self._engine: EngineProcess | None = None
        self._pids: set[int] = set()  # process ids of all engines so far
        self._report = Snapshot(state="stopped", mixer=desired.mixer)
        self._pinned: dict[str, str] = {}
        self._restarts = 0
        self._failures = 0
        self._totals = RestartTotals()
        self._finisher: threading.Thread | None = None  # finishes interrupted recordings
        self._found: tuple[str, float] = ("", 0.0)  # its message, and when it came
        self._played = False
        self._story = ""  # why the engine was restarted, shown for a while
        self._error = ""  # why the engine is not restarted
        self._seen: Snapshot | None = None  # the last processed report of the present engine
        self._fallback: DesiredState | None = None  # the state before a change of settings, until the new ones have played
        self._wake = threading.Event()
        self._stopping = False
        self._thread: threading.Thread | None = None
        self._osc: OscServer | None = None
        self._remote = RemoteReport()

    @property
    def desired(self) -> DesiredState:
        """A copy of the desired state."""
        with self._lock:
            return copy.deepcopy(self._desired)

    @property
    def config(self) -> EngineConfig:
        """The desired configuration. Commands replace it and never modify it."""
        return self._desired.config

    @property
    def engine_pid(self) -> int | None:
        """Process id of the engine, or None."""
        engine = self._engine
        return engine.pid if engine is not None else None

    @property
    def engine_words(self) -> list[str]:
        """The last lines that the engine's libraries printed, for diagnosis."""
        engine = self._engine
        return list(engine.words) if engine is not None else []

    def start(self) -> None:
        """Start supervising, or try again after giving up; returns at once."""
        if self._thread is None or not self._thread.is_alive():
            self._stopping = False
            self._say("starting", "The engine is starting.")
            self._finish_recordings()
            self._thread = threading.Thread(target=self._supervise, name="supervisor", daemon=True)
            self._thread.start()
        elif self._error:
            self._failures, self._story, self._error = 0, "", ""
            self._say("starting", "The engine is starting.")
            self._wake.set()

    def stop(self, timeout: float = 8.0) -> None:
        """End the engine cleanly; waits for it, at most about ``timeout`` seconds."""
        self._stopping = True
        self._wake.set()
        if self._thread is not None:
            self._thread.join(timeout)
        if self._finisher is not None:
            self._finisher.join(timeout)

    def send(self, command: Command) -> None:
        """Apply a command to the desired state and pass it to the engine, if there is one. Raises StemplayError if it is invalid."""
        with self._lock:
            before = copy.deepcopy(self._desired) if command.op == "configure" and self._played else None
            self._desired.apply(command)
            engine = self._engine
            if command.op == "reset_counters":
                self._totals.forget_counters()
            if command.op == "configure":
                self._fallback = before or self._fallback
                self._pinned = {}
                self._failures = 0
                self._played = False
                self._story = self._error = ""
                self._wake.set()
            elif engine is not None and command.op != "shutdown":
                engine.send({"op": command.op, "args": command.args})
        if command.op == "shutdown":
            self._stopping = True
            self._wake.set()

    def snapshot(self) -> Snapshot:
        """The newest report, with the supervisor's messages and totals."""
        with self._lock:
            report = copy.copy(self._report)
            report.restarts = self._restarts
            self._totals.finish(report)
            report.remote = self._osc.report() if self._osc is not None else self._remote
            report.message = report.message or self._remote.message
            if not report.instrument.model:  # it cannot say where recordings go
                report.instrument = replace(report.instrument, state=copy.deepcopy(self._desired.instrument))
            if self._engine is None or report.state == "starting":
                report.mixer = copy.deepcopy(self._desired.mixer)
        return report

    # --- the supervisor's thread ------------------------------------------------------------------------------------

    def _supervise(self) -> None:
        while not self._stopping:
            self._wake.clear()
            self._listen(self._desired.config.osc)
            with self._lock:
                self._seen = None
                engine = self._engine = EngineProcess(self._pinned_state(), self._arguments)
                self._pids.add(engine.pid)
            try:
                verdict = self._watch(engine)
            finally:
                if engine is not None:
                    self._farewell(engine)
            pause = self._judge(verdict, engine)
            self._count(verdict)
            if pause is None:
                self._wake.wait()  # wait for another configuration or the end
            elif pause:
                self._wake.wait(pause)
        self._listen("")
        if self._report.state != "finished":
            self._say("stopped", self._error)
        else:
            with self._lock:
                self._desired.position_s = 0.0  # the next start plays the song from its beginning

    def _listen(self, address: str) -> None:
        """Have an OSC server at this address, or none. It outlives engines."""
        server = self._osc
        if (server.address if server is not None else "") == address and not self._remote.message:
            return
        with self._lock:
            self._osc, self._remote = None, RemoteReport()
        if server is not None:
            server.stop()
        if address:
            try:
                server = OscServer(address, self.send, self.snapshot)
            except StemplayError as error:
                self._remote = RemoteReport(message=str(error))
                return
            server.start()
            with self._lock:
                self._osc = server

    def _count(self, verdict: str) -> None:
        """Add the counters of an engine that is gone to the totals, and record the interruption."""
        with self._lock:
            if verdict == "configure":
                self._totals = self._totals.start_over()
            elif verdict != "end":
                self._totals.engine_lost(self._report.message)

    def _finish_recordings(self) -> None:
        """Finish interrupted recordings of this or earlier engines, in the background."""
        if self._finisher is not None and self._finisher.is_alive():
            self._finisher.join(0.2)  # it usually finds nothing and ends at once
        self._finisher = threading.Thread(target=self._find_cut_off, name="take-finisher", daemon=True)
        self._finisher.start()

    def _find_cut_off(self) -> None:
        for take in finish_cut_off():
            with self._lock:
                if take.pid in self._pids and not take.error:
                    self._totals.recorded(_as_recording(take))
                self._found = (take.sentence, time.monotonic())

    def _pinned_state(self) -> DesiredState:
        """The desired state with ``default`` replaced by the devices that it meant the last time it played.

        The engine must wait for a server that died, not change to the clock without a sound card.
        """
        state = copy.deepcopy(self._desired)
        for end, meaning in self._pinned.items():
            setattr(state.config, end, meaning)
        return state

    def _watch(self, engine: EngineProcess) -> str:
        """Watch one engine. Returns why it must be stopped: end, configure, dead, hung, silent or slow."""
        detector = StallDetector(self._limits)
        while True:
            self._wake.wait(0.1 if engine.latest is not None and engine.latest.resting else 0.03)
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
        """Take over the newest report, and the parts of it that must survive the engine."""
        report = engine.latest
        if report is None or report.state == "starting":
            return
        with self._lock:
            if report.frames > 0 and not self._wake.is_set():  # ignore an engine that is being replaced
                self._played, self._fallback = True, None
            if report.state == "running" and report.transport.path == self._desired.config.input:
                self._desired.position_s = report.transport.position_s
            if report.instrument.model:
                self._desired.instrument.midi_map = report.instrument.state.midi_map  # learned inside the engine
            if self._desired.recording is not None and report.recording.error:
                self._desired.recording = None  # it stopped by itself (a full disk): do not restart it
            outgoing = self._wake.is_set() and not self._stopping
            if not outgoing:  # its state does not apply to the next configuration
                self._remember(engine.resolved)
                if self._seen is not None:
                    take_over(self._desired, self._seen, report)
                self._seen = report
            if time.monotonic() - engine.born > self._limits.healthy:
                self._failures = 0
                self._story = ""
            shown = self._totals.follow(report)
            notice = engine.notice if time.monotonic() - engine.noticed < NOTICE_S else ""
            found = self._found[0] if time.monotonic() - self._found[1] < NOTICE_S else ""
            if shown.state == "stopped" and not self._stopping:  # we did not stop it, so another one follows
                shown.state = "starting"
            shown.message = notice or report.message or " ".join(filter(None, (self._story, found)))
            self._report = shown

    def _remember(self, resolved: dict[str, str]) -> None:
        """Remember the real device that ``default`` meant."""
        for end, meaning in resolved.items():
            if getattr(self._desired.config, end) == "default" and meaning not in ("null", "none"):
                self._pinned.setdefault(end, meaning)

    def _farewell(self, engine: EngineProcess) -> None:
        """End the engine: cleanly if that was requested, else by killing it."""
        if self._stopping or self._wake.is_set():
            engine.end(self._limits.ending)
            self._absorb(engine)
        else:
            engine.kill()
        if engine.latest is not None and engine.latest.tap:
            remove_tap(Path(engine.latest.tap))  # a killed engine could not remove it
        self._finish_recordings()
        with self._lock:
            self._engine = None

    def _judge(self, verdict: str, engine: EngineProcess) -> float | None:
        """Report what happened and return the pause before the next start in seconds, or None to wait for the user."""
        if verdict in ("end", "configure"):
            if verdict == "configure":
                self._say("starting", "The engine is restarting with its new settings.")
            return 0.0
        if engine.error is not None:
            if engine.latest is not None and engine.latest.frames > 0:  # it had played, so this counts as a restart
                self._restarts += 1
            return self._judge_refusal(*engine.error)
        if self._fallback is not None:
            return self._go_back(_STORIES[verdict])
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
        self._give_up(f"The engine did not run after {self._failures} attempts: {self._story}")
        return None

    def _give_up(self, sentence: str) -> None:
        self._error = sentence
        self._say("stopped", sentence)

    def _again(self) -> float:
        """Announce a restart; returns the pause before it."""
        self._say("starting", self._story)
        first, largest = self._limits.backoff
        return min(largest, first * 2.0 ** (self._failures - 1))

    def _go_back(self, sentence: str) -> float:
        """Return to the previous settings, because the new ones cannot be played, and report it."""
        with self._lock:
            assert self._fallback is not None
            self._desired, self._fallback = self._fallback, None
        self._story = f"{sentence.rstrip('.')}; the previous settings are used again."
        self._say("starting", self._story)
        return 0.0

    def _judge_refusal(self, kind: str, sentence: str) -> float | None:
        if self._fallback is not None:
            return self._go_back(sentence)
        if kind == "device":
            self._say("waiting", f"{sentence.rstrip('.')}; sound resumes as soon as it is back.")
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
    "dead": "The audio engine crashed and was restarted.",
    "hung": "The audio server or device stopped responding, so the engine was restarted.",
    "silent": "The audio engine stopped responding and was restarted.",
    "slow": "The audio engine took too long to start, so it was restarted.",
}


def _as_recording(take: CutOff) -> Recording:
    return Recording(False, take.directory, take.seconds, files=take.files)


def take_over(desired: DesiredState, before: Snapshot, now: Snapshot) -> None:
    """Copy changes between two reports into ``desired``: MIDI controllers and program changes act inside the engine, without a command.

    Only changes are copied, so an engine that no longer responds and always reports the same undoes no command.
    """
    places: list[tuple[object, object, object]] = [
        (before.mixer, now.mixer, desired.mixer),
        (before.instrument.state, now.instrument.state, desired.instrument),
    ]
    _take_over_transport(desired, before, now)
    if now.transport.tempo != before.transport.tempo and now.state == "running":
        desired.tempo = now.transport.tempo  # of a controller, or of Link
    for name, strip in desired.mixer.stems.items():
        if name in before.mixer.stems and name in now.mixer.stems:
            places.append((before.mixer.stems[name], now.mixer.stems[name], strip))
    for old, new, kept in places:
        for field in fields(kept):  # type: ignore[arg-type]
            value = getattr(new, field.name)
            if field.name not in ("stems", "midi_map") and value != getattr(old, field.name):
                setattr(kept, field.name, copy.deepcopy(value))


def _take_over_transport(desired: DesiredState, before: Snapshot, now: Snapshot) -> None:
    """Do the same for song, loop and recording, which a controller's buttons start and end."""
    was, song = before.transport, now.transport
    if song.path and song.path == was.path and now.state == "running":
        if song.playing != was.playing and song.position_s < song.length_s - 0.1:  # not at its end, where the song stops by itself
            desired.playing = song.playing
        if song.loop != was.loop:
            desired.loop = song.loop
        if song.speed != was.speed:
            desired.speed = song.speed
        if song.key != was.key:
            desired.key = song.key
    old, take = before.recording, now.recording
    if now.state != "running":  # an ending engine closes its files, and the next one continues the recording
        return
    if take.active and not old.active and desired.recording is None:
        desired.recording = {"directory": take.directory, "format": now.instrument.state.record_format}
    elif old.active and not take.active and desired.recording is not None and desired.recording["directory"] == old.directory:
        desired.recording = None


def refused(snapshot: Snapshot) -> StemplayError | None:
    """The error that prevents the engine from starting, or None; also why nothing listens where OSC was to."""
    if snapshot.remote.message and not snapshot.remote.address:
        return StemplayError(snapshot.remote.message)
    return StemplayError(snapshot.message) if snapshot.state == "stopped" and snapshot.message else None
