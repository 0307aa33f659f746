"""The detached engine's daemon: a process that holds a supervisor and lets clients of the same user join in.

``python -m rtaudio engine`` runs it; ``rtaudio.control.session`` starts and meets it. Each client gets ``hello``, then snapshots and the
desired state as they change, and at the end how everything was then; it may send ``start``, commands, ``stop``, and ``stay``: whether an
engine that nobody attends and that has nothing to play is to go on (``ORPHAN_LIMIT``). Threads, none near
audio: *main* waits for the end, *door* accepts, and each client has *client-reader* and *client-writer*, so that a client that hangs
keeps nobody else waiting.
"""

from __future__ import annotations

import contextlib
import os
import signal
import threading
import time
from pathlib import Path
from typing import Any

from rtaudio.audio.format import StemplayError
from rtaudio.control.ipc import Connection, Message, SocketServer, connect, daemon_lock
from rtaudio.control.supervisor import Supervisor
from rtaudio.midi.held_notes import HeldNotes
from rtaudio.protocol.desired_state import DesiredState
from rtaudio.protocol.messages import Command, Snapshot, to_dict

SNAPSHOT_PERIOD = 1 / 30
RESTING_PERIOD = 1 / 10
"""Between two looks at an engine that rests."""
IDLE_LIMIT = 30.0
"""Seconds without a client and without sound to keep alive, after which the daemon ends by itself."""

ORPHAN_LIMIT = 600.0
"""Seconds that an engine without clients plays on that has nothing to play: no song, no input, no recording and no notes."""

ENDING_LIMIT = 15.0
"""Seconds that a new daemon waits for the old one to end."""

FAREWELL_LIMIT = 2.0
"""Seconds that an ending daemon gives its clients to read its last word."""


def _answers(directory: Path) -> bool:
    """Whether a daemon of this user takes clients."""
    try:
        connection = connect(directory)
    except StemplayError:
        return True  # of another key, but alive
    if connection is None:
        return False
    try:
        return (connection.receive(5.0) or {}).get("hello") is not None
    except (EOFError, OSError):
        return False
    finally:
        connection.close()


class ClientConnection:
    """One client, as its two threads know it."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection
        self.left = threading.Event()
        self.held = HeldNotes()
        self.obeyed = 0
        """Orders of this client that are done or refused: it lays those that it gave later over the state that it is told."""
        self.resting = False
        """Whether the report told last was of an engine that rests."""
        self._report: Message | None = None
        self._state: DesiredState | None = None

    def tell(self, supervisor: Supervisor | None, notice: str, last: bool = False) -> None:
        """Send what changed. It may block for as long as the client likes. Raises OSError when that is gone."""
        obeyed = self.obeyed  # read before the state, which holds them then
        if supervisor is not None:
            state = supervisor.desired
            position, state.position_s = state.position_s, 0.0  # reports tell how a song moves on
            if state != self._state or last:
                self._state = state
                told = state.to_json() | {"position_s": position}
                self.connection.send({"desired": told, "obeyed": obeyed, "last": last})
        snapshot = supervisor.snapshot() if supervisor is not None else Snapshot(state="stopped")
        if notice and not snapshot.message:
            snapshot.message = notice
        report, self.resting = to_dict(snapshot), snapshot.resting
        if report != self._report:
            self._report = report
            pid = supervisor.engine_pid if supervisor is not None else None
            self.connection.send({"snapshot": report, "engine_pid": pid, "obeyed": obeyed, "last": last})


class Daemon:
    """One detached engine of one user."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._lock = threading.Lock()
        self._supervisor: Supervisor | None = None
        self._clients = 0
        self._stay = False
        self._notice = ""
        self._end = threading.Event()
        self._silent = threading.Event()  # the engine has ended

    def serve(self) -> bool:
        """Run until asked to stop, or idle. False if another daemon of this user already runs; one that is ending is waited for."""
        lock = daemon_lock(self._directory)
        patience = time.monotonic() + ENDING_LIMIT
        while not lock.acquire():
            if _answers(self._directory) or time.monotonic() > patience:
                return False
            time.sleep(0.1)
        server = SocketServer(self._directory)
        for name in ("SIGTERM", "SIGINT", "SIGHUP", "SIGBREAK"):
            if hasattr(signal, name) and threading.current_thread() is threading.main_thread():
                handler = signal.SIG_IGN if name == "SIGHUP" else lambda *_: self._end.set()
                signal.signal(getattr(signal, name), handler)
        threading.Thread(target=self._accept, args=(server,), name="door", daemon=True).start()
        try:
            self._wait()
        finally:
            server.close()
            if self._supervisor is not None:
                self._supervisor.stop()
            self._silent.set()
            patience = time.monotonic() + FAREWELL_LIMIT
            while self._clients and time.monotonic() < patience:
                time.sleep(SNAPSHOT_PERIOD)
            lock.release()
        return True

    def end(self) -> None:
        """Make ``serve`` return soon."""
        self._end.set()

    def _wait(self) -> None:
        busy = sounding = time.monotonic()
        while not self._end.wait(0.25):
            now = time.monotonic()
            if self._clients or self._playing():
                busy = now
            if self._clients or self._stay or self._needed():
                sounding = now
            if now - busy > IDLE_LIMIT or now - sounding > ORPHAN_LIMIT:
                return

    def _playing(self) -> bool:
        return self._supervisor is not None and self._supervisor.snapshot().state not in ("stopped", "finished")

    def _needed(self) -> bool:
        """Whether there is anything to play, or to wait for."""
        if self._supervisor is None:
            return False
        report = self._supervisor.snapshot()
        return self._supervisor.desired.config.input != "none" or report.recording.active or report.instrument.notes > 0

    def _accept(self, server: SocketServer) -> None:
        while not self._end.is_set():
            try:
                raw = server.accept()
            except OSError:
                if self._end.is_set():
                    return
                time.sleep(0.1)  # a stranger who hung up at once
                continue
            threading.Thread(target=self._welcome, args=(server, raw), name="client-reader", daemon=True).start()

    def _welcome(self, server: SocketServer, raw: Any) -> None:
        connection = server.welcome(raw)
        if connection is None:
            return
        if (
            self._end.is_set()
        ):  # no client in a house that closes: who comes right after a stop must not find the old engine
            connection.close()
            return
        with self._lock:
            self._clients += 1
        client = ClientConnection(connection)
        writer = threading.Thread(target=self._tell, args=(client,), name="client-writer", daemon=True)
        try:
            connection.send({"hello": self._hello()})
            writer.start()
            while not self._end.is_set():
                message = connection.receive(0.5)
                if message is not None:
                    self._handle_command(message, client)
            self._silent.wait(ENDING_LIMIT)
        except (EOFError, OSError):
            pass
        finally:
            for data in client.held.endings():  # a client that was killed cannot let go of its keys
                self._handle_command({"op": "midi", "args": {"data": data}}, client)
            client.left.set()
            if writer.is_alive():
                writer.join(FAREWELL_LIMIT)
            with self._lock:
                self._clients -= 1

    def _hello(self) -> Message:
        with self._lock:
            supervisor = self._supervisor
        desired = supervisor.desired.to_json() if supervisor is not None else None
        return {"pid": os.getpid(), "desired": desired}

    def _handle_command(self, message: Message, client: ClientConnection) -> None:
        """Do what a client asks."""
        try:
            if "start" in message:
                self._start(DesiredState.from_json(message["start"]))
            elif "stay" in message:
                self._stay = message["stay"] is True
            elif message.get("op") == "shutdown":
                self._end.set()
            elif "op" in message and self._supervisor is not None:
                self._supervisor.send(Command(message["op"], message.get("args", {})))
                if message["op"] == "midi":
                    client.held.follow(message["args"]["data"])
        except StemplayError as error:
            self._notice = str(error)
        except (ArithmeticError, AttributeError, KeyError, TypeError, ValueError) as error:  # not what a client of ours would send
            self._notice = f"A client sent what nobody understands ({type(error).__name__}: {error})."
        if "op" in message:
            client.obeyed += 1

    def _start(self, desired: DesiredState) -> None:
        with self._lock:  # two clients may say start at once: the first wins, the second has attached
            if self._supervisor is None:
                self._supervisor = Supervisor(desired)
            self._supervisor.start()

    def _tell(self, client: ClientConnection) -> None:
        """Tell a client what changes, and at the end of the engine how it was last."""
        with contextlib.suppress(OSError):
            while not client.left.is_set():
                client.tell(self._supervisor, self._notice)
                client.left.wait(RESTING_PERIOD if client.resting else SNAPSHOT_PERIOD)
            client.tell(self._supervisor, self._notice, last=self._silent.is_set())
        client.connection.close()
