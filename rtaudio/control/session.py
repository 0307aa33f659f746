"""The facade of an engine: start it, send commands, read its state.

*Attached* (command line): this process holds the supervisor, and the engine always ends with this process.
*Detached* (window): a daemon holds the supervisor. Sound plays on when this process dies, and other clients may connect.

``send`` and ``snapshot`` never wait for an engine. A detached session owns the two threads of its ``DaemonClient``, which may block on the
socket. It holds the last desired state from the daemon, plus the commands that the daemon had not received yet. So the next start does
not undo changes made by MIDI or another window, and includes this client's latest commands.
"""

from __future__ import annotations

import copy
import os
import subprocess
import sys
import threading
import time
from dataclasses import replace
from pathlib import Path
from types import TracebackType

from rtaudio.audio.format import StemplayError
from rtaudio.control.daemon_client import DaemonClient
from rtaudio.control.ipc import connect
from rtaudio.control.supervisor import Supervisor
from rtaudio.protocol.checks import absolute_config, check_config, with_absolute_paths
from rtaudio.protocol.desired_state import DesiredState
from rtaudio.protocol.messages import Command
from rtaudio.protocol.reports import Snapshot, TapAudio
from rtaudio.protocol.settings import EngineConfig, InstrumentState, MixerState
from rtaudio.system.child_process import child_environment
from rtaudio.system.child_process import remove_job_folders as remove_job_folders  # for the window
from rtaudio.system.private_folder import runtime_directory
from rtaudio.tap.shared import TapReader

DAEMON_START = 20.0
"""Seconds that a new daemon may take to open its socket."""


class Session:
    """An engine as a program uses it.

    Args:
        config: the settings. A detached session that finds a running engine uses that engine's settings instead.
        mixer: the initial mixer. ``instrument``: the initial sounds and learned controllers.
        detached: let the engine outlive this process.
        directory: the folder of the detached engine's socket (default: the private folder of this user).

    Raises StemplayError for a model or a stem that does not exist, or for invalid settings.
    """

    def __init__(
        self,
        config: EngineConfig | None = None,
        mixer: MixerState | None = None,
        instrument: InstrumentState | None = None,
        *,
        detached: bool = False,
        directory: Path | None = None,
    ) -> None:
        config = config or EngineConfig()
        check_config(config)
        self._desired = DesiredState(
            absolute_config(config) if detached else config,
            mixer or MixerState(),
            instrument=instrument or InstrumentState(),
        )
        self.detached = detached
        self._directory = directory
        self._supervisor: Supervisor | None = None
        self._client: DaemonClient | None = None
        self._tap: TapReader | None = None
        self.joined = False
        """True when ``start`` found a detached engine that was already running."""

    @classmethod
    def attach(cls, directory: Path | None = None) -> Session | None:
        """A session with the detached engine that is running, or None if there is none."""
        session = cls(EngineConfig(model="none"), detached=True, directory=directory)
        return session if session._join() and session.joined else None

    @property
    def config(self) -> EngineConfig:
        """The desired configuration."""
        return copy.deepcopy(self._state().config)

    @property
    def engine_pid(self) -> int | None:
        """Process id of the engine, or None if there is none."""
        if self.detached:
            return self._client.engine_pid if self._client is not None else None
        return self._supervisor.engine_pid if self._supervisor is not None else None

    def start(self) -> None:
        """Start the engine, or connect to the running detached one. Sound begins a moment later: see ``snapshot().state``.

        After ``stop`` the engine starts in its last state, with the commands sent since then.

        Raises StemplayError if the daemon of a detached engine cannot be started.
        """
        if not self.detached:
            if self._supervisor is None:
                self._supervisor = Supervisor(self._desired)
            self._supervisor.start()
            return
        self._follow()
        if self._client is not None and self._client.alive:
            self._client.send({"start": self._desired.to_json()})  # starts an engine that was given up; a running one is not affected
            return
        if not self._join():
            _spawn_daemon(self._runtime())
            deadline = time.monotonic() + DAEMON_START
            while not self._join():
                if time.monotonic() > deadline:
                    raise StemplayError(f"The engine's daemon did not start; see {self._runtime() / 'engine.log'}.")
                time.sleep(0.05)
        if not self.joined:
            assert self._client is not None
            self._client.send({"start": self._desired.to_json()})

    def stay(self, wanted: bool) -> None:
        """Set whether a detached engine without clients keeps running with nothing to play. Otherwise it ends after ten minutes."""
        if self._client is not None:
            self._client.send({"stay": wanted})

    def stop(self) -> None:
        """Stop the engine, and the daemon of a detached one. Waits for its end, a few seconds at most."""
        if self._supervisor is not None:
            self._supervisor.stop()
        if self._client is not None:
            self._client.send({"op": "shutdown"})
            self._client.wait_closed(8.0)
            self._client.close()

    def close(self) -> None:
        """Close the session: a detached engine plays on, an attached one ends."""
        if self._tap is not None:
            self._tap.close()
            self._tap = None
        if self._client is not None:
            self._client.close()
        if self._supervisor is not None:
            self._supervisor.stop()

    def send(self, command: Command) -> None:
        """Send a command. Without an engine it is kept for the next one. Raises StemplayError if it is invalid."""
        if self._supervisor is not None:
            self._supervisor.send(command)
            return
        if self.detached:
            command = with_absolute_paths(command)
        alive = self._client is not None and self._client.alive  # checked first: after a daemon's death its last state is all there is
        self._follow()
        self._desired.apply(command)
        if self._client is not None and alive:
            self._client.enqueue(command)

    def snapshot(self) -> Snapshot:
        """The newest report, without waiting. Before ``start`` and after the end its state is ``stopped``, and its mixer is that of the
        next start."""
        if self._supervisor is not None:
            return self._supervisor.snapshot()
        report = self._client.snapshot() if self._client is not None else None
        if report is None:
            return Snapshot(state="stopped", mixer=copy.deepcopy(self._desired.mixer))
        return report if self._client is not None and self._client.alive else _as_wanted(report, self._state())

    def hear(self, source: str, after: int | None = None, seconds: float = 4.0) -> TapAudio | None:
        """Sound of the engine: ``mix``, ``input`` or a strip before its fader, from position ``after`` on, or the last ``seconds``.

        None if there is no engine or no such strip, or if the last call was more than two seconds ago (the next call succeeds). Never
        waits. Only one thread may call it.
        """
        report = self.snapshot()
        path = report.tap if report.state in ("running", "finished") else ""  # after a song the instrument plays on
        if self._tap is not None and str(self._tap.path) != path:
            self._tap.close()
            self._tap = None
        try:
            if self._tap is None and path:
                self._tap = TapReader(Path(path))
            return self._tap.read(source, after, seconds) if self._tap is not None else None
        except (OSError, ValueError):
            return None

    def __enter__(self) -> Session:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _follow(self) -> None:
        """Take over the daemon's desired state, which controllers, other clients and rejected settings change, too."""
        told = self._client.desired() if self._client is not None else None
        if told is not None:
            self._desired = told

    def _state(self) -> DesiredState:
        self._follow()
        return self._supervisor.desired if self._supervisor is not None else self._desired

    def _runtime(self) -> Path:
        if self._directory is None:
            self._directory = runtime_directory()
        return self._directory

    def _join(self) -> bool:
        """Connect to a running daemon, if there is one, and take over its state."""
        connection = connect(self._runtime())
        if connection is None:
            return False
        link = DaemonClient(connection)
        if link.hello is None:
            link.close()
            return False
        running = link.hello.get("desired")
        self.joined = running is not None
        if running is not None:
            self._desired = DesiredState.from_json(running)
        self._client = link
        link.follow()
        return True


def _as_wanted(report: Snapshot, desired: DesiredState) -> Snapshot:
    """The last report of an engine that is gone, with the desired state of the next one."""
    report.mixer = copy.deepcopy(desired.mixer)
    if report.instrument.model:
        report.instrument = replace(report.instrument, state=copy.deepcopy(desired.instrument))
    if report.transport.path == desired.config.input:
        report.transport = replace(
            report.transport, playing=desired.playing, position_s=desired.position_s, loop=desired.loop,
            speed=desired.speed, key=desired.key,
        )
    return report


def job_command() -> tuple[list[str], dict[str, str]]:
    """Command line and environment of a child process that runs one of ``rtaudio.jobs``, for which a window must not wait."""
    return [sys.executable, "-m", "rtaudio.jobs"], child_environment()


def _spawn_daemon(directory: Path) -> None:
    """Start a daemon that is detached from any terminal. If another one starts at the same time, it ends at once."""
    options: dict[str, object] = {"start_new_session": True}
    if sys.platform == "win32":
        options = {"creationflags": subprocess.DETACHED_PROCESS | subprocess.CREATE_NEW_PROCESS_GROUP}
    environment = child_environment() | {"STEMPLAY_RUNTIME_DIR": str(directory)}
    with (directory / "engine.log").open("wb") as log:
        child = subprocess.Popen(
            [sys.executable, "-m", "rtaudio", "engine"],
            stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=environment, cwd=os.path.expanduser("~"), **options,  # type: ignore[call-overload]
        )  # fmt: skip
    # Reap it if it ends before us, so that no zombie (and no warning) stays behind.
    threading.Thread(target=child.wait, name="daemon-reaper", daemon=True).start()
