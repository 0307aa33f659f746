"""The only connection between window and engine: passes commands on and polls snapshots. Never waits.

Owns no thread. A timer in Qt's event loop polls the session, whose ``send`` and ``snapshot`` never block.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Protocol

from PyQt6.QtCore import QObject, QTimer, pyqtSignal

from gui.jobs import Job
from gui.store import Store
from rtaudio.audio.format import StemplayError
from rtaudio.control.session import Session, job_command, remove_job_folders
from rtaudio.protocol.messages import Command, command, to_dict
from rtaudio.protocol.reports import Snapshot, TapAudio
from rtaudio.protocol.settings import EngineConfig, InstrumentState, MixerState

POLL_MS = 33
"""Interval of polls: thirty a second, as often as the engine reports."""


class SessionLike(Protocol):
    """The part of ``rtaudio.control.session.Session`` that the window uses; tests may replace it."""

    @property
    def config(self) -> EngineConfig: ...
    def start(self) -> None: ...
    def stay(self, wanted: bool) -> None: ...
    def stop(self) -> None: ...
    def close(self) -> None: ...
    def send(self, command: Command) -> None: ...
    def snapshot(self) -> Snapshot: ...
    def hear(self, source: str, after: int | None = None, seconds: float = 4.0) -> TapAudio | None: ...


def meet_engine(
    config: EngineConfig | None = None, mixer: MixerState | None = None, instrument: InstrumentState | None = None
) -> Session:
    """A session with the running detached engine, else one that will start it with these settings. Raises StemplayError."""
    return Session.attach() or Session(config, mixer, instrument, detached=True)


class Bridge(QObject):
    """Signals and commands of one engine.

    Signals:
        snapshot_changed(Snapshot): the engine's newest report, at most thirty times a second.
        refused(str): a command or a start was impossible; one sentence for the user.
    """

    snapshot_changed = pyqtSignal(object)
    refused = pyqtSignal(str)

    def __init__(
        self, session: SessionLike | None = None, parent: QObject | None = None, store: Store | None = None
    ) -> None:
        super().__init__(parent)
        self.session: SessionLike = session if session is not None else Session(detached=True)
        self.snapshot = Snapshot(state="stopped")
        self._store = store
        self._stay = False
        self._timer = QTimer(self)
        self._timer.setInterval(POLL_MS)
        self._timer.timeout.connect(self.poll)

    @property
    def config(self) -> EngineConfig:
        """The engine's desired configuration."""
        return self.session.config

    @property
    def store(self) -> Store:
        """The stored session, presets and preferences."""
        if self._store is None:
            self._store = Store()
        return self._store

    @property
    def joined(self) -> bool:
        """True when ``start`` found an engine that was already running."""
        return bool(getattr(self.session, "joined", False))

    def start(self) -> bool:
        """Start or join the engine and begin to poll. If it cannot be started, returns False and emits ``refused``."""
        self._timer.start()
        try:
            self.session.start()
        except StemplayError as error:
            self.refused.emit(str(error))
            return False
        if self._stay:
            self.session.stay(True)
        return True

    def stay(self, wanted: bool) -> None:
        """Set whether the engine keeps running without a window even if it has nothing to play. It also applies to later engines."""
        self._stay = wanted
        self.session.stay(wanted)

    def stop(self) -> None:
        """Stop the engine."""
        self.session.stop()
        self.poll()

    def close(self) -> None:
        """Close the session; a detached engine plays on."""
        self._timer.stop()
        for job in self.findChildren(Job):
            job.abandon()
        self.session.close()

    def job(self, name: str, **args: Any) -> Job:
        """Run one of ``rtaudio.jobs`` in a child process; the returned object emits its signals. The job ends with this bridge."""
        job = Job(job_command(), name, args, remove_job_folders, self)
        job.ended.connect(job.deleteLater)
        return job

    def configure(self, **changes: Any) -> bool:
        """Apply ``changes`` to the configuration. If that is impossible, returns False and emits ``refused``."""
        return self.send("configure", config=to_dict(replace(self.config, **changes)))

    def send(self, op: str, **args: Any) -> bool:
        """Send a command of ``rtaudio.protocol.messages.OPERATIONS``. If it is impossible, returns False and emits ``refused``."""
        try:
            self.session.send(command(op, **args))
        except StemplayError as error:
            self.refused.emit(str(error))
            return False
        return True

    def poll(self) -> None:
        """Fetch the newest snapshot and emit ``snapshot_changed``, unless the engine rests and the snapshot has not changed."""
        before, self.snapshot = self.snapshot, self.session.snapshot()
        if not (self.snapshot.resting and self.snapshot == before):
            self.snapshot_changed.emit(self.snapshot)

    def hear(self, source: str, after: int | None = None, seconds: float = 4.0) -> TapAudio | None:
        """Sound of ``mix``, ``input`` or a strip, to draw; see ``Session.hear``. Each call keeps the engine's tap open."""
        return self.session.hear(source, after, seconds)


def file_session(path: str, output: str) -> SessionLike:
    """An engine that plays the file at ``path`` unchanged to ``output``, besides the live engine. It ends with this process."""
    config = EngineConfig(
        input=path, output=output, model="none", midi="none", analyse=False, client_name="stemplay-listening"
    )
    return Session(config, MixerState(limiter=False))
