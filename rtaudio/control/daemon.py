"""The detached engine's daemon: a process that holds a supervisor and accepts clients of the same user.

``python -m rtaudio engine`` runs it; ``rtaudio.control.session`` starts it and connects to it. Each client receives ``hello``, then
snapshots and the desired state whenever they change, and the last ones of both at the end. A client may send ``start``, commands,
``shutdown``, and ``stay``, which says whether an engine without clients and with nothing to play keeps running (``ORPHAN_LIMIT``).
No thread touches audio: *main* waits for the end, *door* accepts connections, and each client has a *client-reader* and a
*client-writer*, so that a client that hangs delays no other.
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
from rtaudio.protocol.messages import Command, to_dict
from rtaudio.protocol.reports import Snapshot

SNAPSHOT_PERIOD = 1 / 30
RESTING_PERIOD = 1 / 10
"""Seconds between two snapshots of an engine that rests."""
IDLE_LIMIT = 30.0
"""Seconds without clients and without a running engine after which the daemon ends by itself."""

ORPHAN_LIMIT = 600.0
"""Seconds for which an engine without clients keeps running if it has nothing to play: no song, input, recording or notes."""

ENDING_LIMIT = 15.0
"""Seconds that a new daemon waits for the old one to end."""

FAREWELL_LIMIT = 2.0
"""Seconds that an ending daemon gives its clients to read its last messages."""


def _answers(directory: Path) -> bool:
    """Whether a daemon of this user accepts clients."""
    try:
        connection = connect(directory)
    except StemplayError:
        return True  # it has another key, but it is alive
    if connection is None:
        return False
    try:
        return (connection.receive(5.0) or {}).get("hello") is not None
    except (EOFError, OSError):
        return False
    finally:
        connection.close()


class ClientConnection:
    """The state of one client, shared by its two threads."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection
        self.left = threading.Event()
        self.held = HeldNotes()
        self.obeyed = 0
        """Number of this client's commands carried out or refused. The client adds its later commands to the state that it receives."""
        self.resting = False
        """Whether the engine was resting in the last report."""
        self._report: Message | None = None
        self._state: DesiredState | None = None

    def tell(self, supervisor: Supervisor | None, notice: str, last: bool = False) -> None:
        """Send changes to the client. It may block as long as the client does not read. Raises OSError if the client is gone."""
        obeyed = self.obeyed  # read before the state, which then includes these commands
        if supervisor is not None:
            state = supervisor.desired
            position, state.position_s = state.position_s, 0.0  # the position is in the reports
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
        """Run until a stop is requested or the daemon is idle. Waits for a daemon that is ending; False if another one is running."""
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
        """Whether there is anything to play or to record."""
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
                time.sleep(0.1)  # a client that disconnected at once
                continue
            threading.Thread(target=self._welcome, args=(server, raw), name="client-reader", daemon=True).start()

    def _welcome(self, server: SocketServer, raw: Any) -> None:
        connection = server.welcome(raw)
        if connection is None:
            return
        if (
            self._end.is_set()
        ):  # accept no client while ending: one that connects right after a stop must not find the old engine
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
            for data in client.held.endings():  # a client that was killed cannot release its keys
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
        """Carry out a client's message."""
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
        except (ArithmeticError, AttributeError, KeyError, TypeError, ValueError) as error:  # no client of ours sends this
            self._notice = f"A client sent an invalid message ({type(error).__name__}: {error})."
        if "op" in message:
            client.obeyed += 1

    def _start(self, desired: DesiredState) -> None:
        with self._lock:  # two clients may send start at once: the first one starts, the second one attaches
            if self._supervisor is None:
                self._supervisor = Supervisor(desired)
            self._supervisor.start()

    def _tell(self, client: ClientConnection) -> None:
        """Send changes to a client, and the last state when the engine ends."""
        with contextlib.suppress(OSError):
            while not client.left.is_set():
                client.tell(self._supervisor, self._notice)
                client.left.wait(RESTING_PERIOD if client.resting else SNAPSHOT_PERIOD)
            client.tell(self._supervisor, self._notice, last=self._silent.is_set())
        client.connection.close()
