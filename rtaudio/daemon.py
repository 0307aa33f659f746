"""The detached engine's keeper: a process that holds a supervisor and lets clients of the same user join in.

``python -m rtaudio engine`` runs it; ``rtaudio.session`` starts and meets it. Each client gets ``hello`` and then snapshots as
they come, and may send ``start``, commands and ``stop``. Threads, none near audio: *main* waits for the end, *door* accepts,
and each client has *client-reader* and *client-writer*, so that a client that hangs keeps nobody else waiting.
"""

from __future__ import annotations

import contextlib
import os
import signal
import threading
import time
from pathlib import Path
from typing import Any

from rtaudio.desired import Desired
from rtaudio.format import StemplayError
from rtaudio.ipc import Connection, DaemonLock, Message, SocketServer, connect
from rtaudio.messages import Command, Snapshot, to_dict
from rtaudio.midi.held import Held
from rtaudio.supervisor import Supervisor

SNAPSHOT_PERIOD = 1 / 30
IDLE_LIMIT = 30.0
"""Seconds without a client and without sound to keep alive, after which the daemon ends by itself."""

ENDING_LIMIT = 15.0
"""Seconds that a new daemon waits for the old one to end."""


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


class Daemon:
    """One detached engine of one user."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._lock = threading.Lock()
        self._supervisor: Supervisor | None = None
        self._clients = 0
        self._notice = ""
        self._end = threading.Event()

    def serve(self) -> bool:
        """Run until asked to stop, or idle. False if another daemon of this user already runs; one that is ending is waited for."""
        lock = DaemonLock(self._directory)
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
            time.sleep(3 * SNAPSHOT_PERIOD)  # the clients' writers tell the last state
            lock.release()
        return True

    def end(self) -> None:
        """Make ``serve`` return soon."""
        self._end.set()

    def _wait(self) -> None:
        busy = time.monotonic()
        while not self._end.wait(0.25):
            if self._clients or self._playing():
                busy = time.monotonic()
            elif time.monotonic() - busy > IDLE_LIMIT:
                return

    def _playing(self) -> bool:
        return self._supervisor is not None and self._supervisor.snapshot().state not in ("stopped", "finished")

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
        ):  # no guest in a house that closes: who comes right after a stop must not find the old engine
            connection.close()
            return
        with self._lock:
            self._clients += 1
        left, held = threading.Event(), Held()
        try:
            connection.send({"hello": self._hello()})
            threading.Thread(target=self._tell, args=(connection, left), name="client-writer", daemon=True).start()
            while not self._end.is_set():
                message = connection.receive(0.5)
                if message is not None:
                    self._obey(message, held)
        except (EOFError, OSError):
            pass
        finally:
            left.set()
            for data in held.endings():  # a client that was killed cannot let go of its keys
                self._obey({"op": "midi", "args": {"data": data}}, held)
            with self._lock:
                self._clients -= 1

    def _hello(self) -> Message:
        with self._lock:
            supervisor = self._supervisor
        desired = supervisor.desired.to_json() if supervisor is not None else None
        return {"pid": os.getpid(), "desired": desired}

    def _obey(self, message: Message, held: Held) -> None:
        """Do what a client asks; ``held`` follows what its keys hold down."""
        try:
            if "start" in message:
                self._start(Desired.from_json(message["start"]))
            elif message.get("op") == "shutdown":
                self._end.set()
            elif "op" in message and self._supervisor is not None:
                self._supervisor.send(Command(message["op"], message.get("args", {})))
                if message["op"] == "midi":
                    held.follow(message["args"]["data"])
        except StemplayError as error:
            self._notice = str(error)
        except (AttributeError, KeyError, TypeError, ValueError) as error:  # not what a client of ours would send
            self._notice = f"A client sent what nobody understands ({type(error).__name__}: {error})."

    def _start(self, desired: Desired) -> None:
        with self._lock:  # two clients may say start at once: the first wins, the second has attached
            if self._supervisor is None:
                self._supervisor = Supervisor(desired)
                self._supervisor.start()

    def _tell(self, connection: Connection, left: threading.Event) -> None:
        """Send the client what changed. It may block here for as long as it likes."""
        last, config = None, None
        with contextlib.suppress(OSError):
            while not left.is_set():
                supervisor = self._supervisor
                snapshot = supervisor.snapshot() if supervisor is not None else Snapshot(state="stopped")
                if self._notice and not snapshot.message:
                    snapshot.message = self._notice
                told = to_dict(snapshot)
                if told != last:
                    connection.send({"snapshot": told, "engine_pid": supervisor.engine_pid if supervisor else None})
                    last = told
                if supervisor is not None and supervisor.config is not config:
                    config = supervisor.config
                    connection.send({"config": to_dict(config)})
                left.wait(SNAPSHOT_PERIOD)
        connection.close()
