"""The client's end of a detached engine's socket. Only ``wait_closed`` and ``close`` block.

Two threads: *daemon-client-reader* receives, *daemon-client-writer* sends. Both may block on the socket.
"""

from __future__ import annotations

import contextlib
import copy
import queue
import threading
from collections import deque

from rtaudio.audio.format import StemplayError
from rtaudio.control.ipc import Connection, Message
from rtaudio.protocol.desired_state import DesiredState
from rtaudio.protocol.messages import Command, from_dict
from rtaudio.protocol.reports import Snapshot


class DaemonClient:
    """A connection to a daemon. ``enqueue`` and ``desired`` belong to one thread.

    Attributes:
        hello: the daemon's first message; None if there was none.
        engine_pid: process id of the living engine.
    """

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._outbox: queue.SimpleQueue[Message | None] = queue.SimpleQueue()
        self._latest: Snapshot | None = None
        self._closed = threading.Event()
        self._leaving = False
        self._commands: deque[Command] = deque()  # those that the daemon has not confirmed
        self._confirmed = 0
        self._told: tuple[int, Message | None] = (0, None)  # commands that the state holds, and the state
        self._taken: Message | None = None
        self.engine_pid: int | None = None
        self.hello: Message | None = None
        with contextlib.suppress(EOFError, OSError):
            self.hello = (connection.receive(5.0) or {}).get("hello")

    @property
    def alive(self) -> bool:
        """Whether the connection to the daemon is alive, as far as is known."""
        return not self._closed.is_set()

    def follow(self) -> None:
        """Start the two threads."""
        threading.Thread(target=self._read, name="daemon-client-reader", daemon=True).start()
        threading.Thread(target=self._write, name="daemon-client-writer", daemon=True).start()

    def send(self, message: Message) -> None:
        """Queue a message."""
        self._outbox.put(message)

    def enqueue(self, command: Command) -> None:
        """Queue a command, and remember it until the daemon's state holds it."""
        self._commands.append(command)
        self.send({"op": command.op, "args": command.args})

    def desired(self) -> DesiredState | None:
        """The desired state: the one last received from the daemon, plus the commands that the daemon had not received by then.

        None if it has not changed since the last call. After the connection has ended it is the engine's last state.
        """
        held, values = self._told
        while self._confirmed < held and self._commands:
            self._commands.popleft()
            self._confirmed += 1
        if values is None or values is self._taken:
            return None
        self._taken = values
        with contextlib.suppress(StemplayError):  # the model's files may be gone
            desired = DesiredState.from_json(values)
            for command in self._commands:
                with contextlib.suppress(StemplayError):
                    desired.apply(command)
            return desired
        return None

    def snapshot(self) -> Snapshot | None:
        """The newest report (a copy); None before the first one."""
        report = copy.copy(self._latest)
        if not self.alive:
            report = report or Snapshot()
            told = {"stopped": report.message, "finished": ""}.get(report.state, "The detached engine is gone.")
            report.state, report.message = "stopped", told  # an engine that is gone cannot be ``finished``
        return report

    def wait_closed(self, timeout: float) -> bool:
        """Wait until the daemon has closed the connection."""
        return self._closed.wait(timeout)

    def close(self) -> None:
        """Close the connection."""
        self._leaving = True
        self._outbox.put(None)
        self._closed.wait(1.0)
        self._connection.close()

    def _read(self) -> None:
        last = False
        with contextlib.suppress(EOFError, OSError):
            while not self._leaving:
                message = self._connection.receive(0.2) or {}
                if "snapshot" in message:
                    self._latest = from_dict(Snapshot, message["snapshot"])
                    self.engine_pid = message.get("engine_pid")
                if "obeyed" in message:
                    self._told = (message["obeyed"], message.get("desired", self._told[1]))
                    last = message.get("last", False)
        if not last:
            self._bring_up_to_date()
        self._closed.set()
        self._outbox.put(None)

    def _bring_up_to_date(self) -> None:
        """Take the song's position from the last report, in case the daemon died without sending its last state."""
        (held, values), report = self._told, self._latest
        if values is not None and report is not None and report.transport.path == values["config"]["input"]:
            position = 0.0 if report.state == "finished" else report.transport.position_s
            self._told = (held, {**values, "position_s": position})

    def _write(self) -> None:
        with contextlib.suppress(OSError):
            while (message := self._outbox.get()) is not None:
                self._connection.send(message)
