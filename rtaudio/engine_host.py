"""The engine process: builds the engine, obeys its parent's pipe, reports thirty times a second, and never outlives its parent.

Standard input brings commands, standard output takes snapshots, both as framed JSON (``rtaudio/ipc.py``). Threads:

- *main* builds, commands and stops the engine. It may block, even hang for ever in a driver: then the supervisor kills us.
- *orders* reads the pipe. When the parent is gone it arms the *undertaker* and asks for a clean end.
- *reports* writes snapshots. It may block on a parent that does not read; sound does not notice.
- *undertaker* ends the process a moment after the parent's death or a shutdown, whatever hangs by then.
"""

from __future__ import annotations

import faulthandler
import os
import queue
import signal
import sys
import threading
import time
from typing import Any, BinaryIO

from models.card import CardError
from rtaudio.desired import Desired
from rtaudio.format import StemplayError
from rtaudio.ipc import Message, read_message, write_message
from rtaudio.messages import Command, Snapshot, command, to_dict

REPORT_PERIOD = 1 / 30
ORPHAN_GRACE = 1.5
"""Seconds an engine has to end its recording after its parent died."""
SHUTDOWN_GRACE = 5.0
"""Seconds it has when the parent lives and waits for it."""
GIL_LIMIT = 30.0
"""Seconds after which a process whose Python threads are all stuck ends itself, telling where."""

EXIT_REFUSED = 3
"""Exit status when the desired state cannot be run (the parent was told why)."""


class EngineHost:
    """One life of an engine, from the parent's ``start`` message to ``shutdown`` or the pipe's end."""

    def __init__(self, incoming: BinaryIO, outgoing: BinaryIO) -> None:
        self._incoming, self._outgoing = incoming, outgoing
        self._orders: queue.Queue[Message | None] = queue.Queue()
        self._write_lock = threading.Lock()
        self._engine: Any = None
        self._starting = Snapshot(state="starting", message="The engine is starting.")

    def run(self) -> int:
        """Live. Returns the exit status."""
        threading.Thread(target=self._read_orders, name="orders", daemon=True).start()
        first = self._orders.get()
        if first is None:
            return 0
        desired = Desired.from_json(first["start"])
        threading.Thread(target=self._report, name="reports", daemon=True).start()
        try:
            self._build(desired)
        except StemplayError as error:
            return self._refuse(error)
        self._obey(desired)
        bury_after(SHUTDOWN_GRACE)
        self._engine.stop()
        self._write({"snapshot": to_dict(self._engine.snapshot())})
        return 0

    def _build(self, desired: Desired) -> None:
        from rtaudio.build import build_engine  # late: the first report should not wait for the libraries

        self._starting.mixer = desired.mixer
        engine = build_engine(desired.config, desired.mixer)
        for order in resume_orders(desired):
            engine.send(order)
        engine.start()
        self._engine = engine

    def _refuse(self, error: StemplayError) -> int:
        from rtaudio.build import DeviceMissingError

        kind = "device" if isinstance(error, DeviceMissingError) else "refused"
        self._write({"error": str(error), "kind": kind})
        return EXIT_REFUSED

    def _obey(self, desired: Desired) -> None:
        """Pass commands to the engine until the end is asked for. A refused command is told, and changes nothing."""
        while True:
            faulthandler.dump_traceback_later(GIL_LIMIT, exit=True)  # a thread in C: needs no GIL to fire
            try:
                message = self._orders.get(timeout=GIL_LIMIT / 10)
            except queue.Empty:
                continue
            if message is None or message.get("op") == "shutdown":
                return
            try:
                order = command(message["op"], **message.get("args", {}))
                desired.apply(order)
                self._engine.send(order)
            except (StemplayError, CardError) as error:
                self._write({"notice": str(error)})

    def _read_orders(self) -> None:
        try:
            while (message := read_message(self._incoming)) is not None:
                self._orders.put(message)
        except (OSError, ValueError):
            pass
        bury_after(ORPHAN_GRACE)
        self._orders.put(None)

    def _report(self) -> None:
        due = time.monotonic()
        while True:
            snapshot = self._engine.snapshot() if self._engine is not None else self._starting
            if not self._write({"snapshot": to_dict(snapshot)}):
                return
            due = max(due + REPORT_PERIOD, time.monotonic())
            time.sleep(max(0.0, due - time.monotonic()))

    def _write(self, message: Message) -> bool:
        with self._write_lock:
            try:
                write_message(self._outgoing, message)
            except (OSError, ValueError):
                return False
        return True


def resume_orders(desired: Desired) -> list[Command]:
    """Commands that bring a fresh engine to where the desired state is (the mixer it gets when it is built)."""
    orders = []
    if desired.loop is not None:
        orders.append(command("set_loop", start_s=desired.loop[0], end_s=desired.loop[1]))
    if desired.position_s > 0:
        orders.append(command("seek", position_s=desired.position_s))
    orders.append(command("play" if desired.playing else "pause"))
    if desired.recording is not None:
        orders.append(command("record", **desired.recording))
    return orders


def bury_after(seconds: float) -> None:
    """End this process in ``seconds``, without asking anyone."""

    def undertaker() -> None:
        time.sleep(seconds)
        os._exit(0)

    threading.Thread(target=undertaker, name="undertaker", daemon=True).start()


def private_pipes() -> tuple[BinaryIO, BinaryIO]:
    """Our two pipes under new descriptors; what libraries print goes to standard error instead of between the frames."""
    incoming, outgoing = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    null = os.open(os.devnull, os.O_RDONLY)
    os.dup2(null, 0)
    os.dup2(2, 1)
    os.close(null)
    return incoming, outgoing


def main() -> None:
    """Entry point of the process. Leaves through ``os._exit``: PortAudio's own clean-up hangs after a server's death."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the whole group; the parent decides
    faulthandler.enable()
    status = 1
    try:
        status = EngineHost(*private_pipes()).run()
    except BaseException:
        sys.excepthook(*sys.exc_info())
    finally:
        sys.stderr.flush()
        os._exit(status)


if __name__ == "__main__":
    main()
