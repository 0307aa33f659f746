"""The engine process: builds the engine, takes commands from its parent's pipe, reports to it, and ends when the pipe closes.

Standard input brings commands, standard output takes snapshots, both as framed JSON (``rtaudio/control/ipc.py``). Threads:

- *main* builds, commands and stops the engine. It may block, even for ever in a driver; then the supervisor kills this process.
- *commands* reads the pipe. When the parent is gone it starts the *exit-timer* and requests a clean end.
- *reports* writes snapshots, thirty a second (four while nothing sounds). It may block on a parent that does not read, which does not
  affect the sound.
- *exit-timer* ends the process a moment after the parent's death or a shutdown, even if other threads hang.

SIGTERM ends it cleanly, like a shutdown. Signals from a terminal are left to the parent.
"""

from __future__ import annotations

import contextlib
import faulthandler
import os
import queue
import signal
import sys
import threading
import time
from collections import deque
from typing import Any, BinaryIO

from models.card import CardError
from rtaudio.audio.format import StemplayError
from rtaudio.control.ipc import Message, read_message, write_message
from rtaudio.ports.devices import release_portaudio
from rtaudio.protocol.checks import is_device, is_input_file
from rtaudio.protocol.desired_state import DesiredState
from rtaudio.protocol.messages import Command, command, to_dict
from rtaudio.protocol.reports import Snapshot
from rtaudio.tap.shared import TapWriter, open_tap

REPORT_PERIOD = 1 / 30
RESTING_PERIOD = 1 / 4
"""Seconds between two reports of an engine that rests, starting ``RESTING_AFTER`` seconds after the last command."""
RESTING_AFTER = 1.0
ORPHAN_GRACE = 1.5
"""Seconds that an engine has to finish its recording after its parent died."""
SHUTDOWN_GRACE = 5.0
"""Seconds that it has if the parent is alive and waits for it."""
GIL_LIMIT = 30.0
"""Seconds after which a process whose Python threads are all stuck prints their tracebacks and exits."""

EXIT_REFUSED = 3
"""Exit status if the desired state is impossible; the parent has been told why."""


class EngineHost:
    """Runs an engine from the parent's ``start`` message to ``shutdown`` or the end of the pipe."""

    def __init__(self, incoming: BinaryIO, outgoing: BinaryIO) -> None:
        self._incoming, self._outgoing = incoming, outgoing
        self._commands: queue.SimpleQueue[Message | None] = queue.SimpleQueue()  # reentrant, because a signal handler puts, too
        self._pending: deque[Message | None] = deque()  # commands that main has taken from the queue
        self._write_lock = threading.Lock()
        self._report_lock = threading.Lock()
        self._leaving = False
        self._stirred = threading.Event()
        self._commanded = 0.0
        self._engine: Any = None
        self._tap: TapWriter | None = None
        self._remark = ""
        self._starting = Snapshot(state="starting", message="The engine is starting.")

    def run(self) -> int:
        """Run the engine. Returns the exit status."""
        threading.Thread(target=self._read_commands, name="commands", daemon=True).start()
        first = self._commands.get()
        if first is None:
            return 0
        desired = DesiredState.from_json(first["start"])
        threading.Thread(target=self._report, name="reports", daemon=True).start()
        try:
            self._build(desired)
        except StemplayError as error:
            return self._refuse(error)
        if not self._handle_commands(desired):
            return EXIT_REFUSED
        exit_after(SHUTDOWN_GRACE)
        finished = self._engine.snapshot().state == "finished"
        with self._report_lock:  # no report of a stopped engine may come after the last one
            self._leaving = True
        self._engine.stop()
        if self._tap is not None:
            self._tap.close()
        last = self._engine.snapshot()
        last.state = "finished" if finished else last.state
        self._write({"snapshot": to_dict(last)})
        return 0

    def _build(self, desired: DesiredState) -> None:
        from rtaudio.control.engine_factory import (  # late: the first report should not wait for the libraries
            build_engine,
            resolve,
        )
        from rtaudio.system.realtime import keep_memory, settle

        keep_memory()
        self._starting.mixer = desired.mixer
        config, self._remark = resolve(desired.config)
        self._write({"resolved": {"input": config.input, "output": config.output}})
        engine = build_engine(config, desired.mixer, desired.instrument)
        for cmd in resume_commands(desired):
            _send_where_possible(engine, cmd)
        self._tap = open_tap(engine.tap)
        settle(engine.port.block / engine.port.rate)
        try:
            engine.start()
        except StemplayError as error:
            engine.port.fail(str(error))
            engine.stop()
            raise
        self._engine = engine

    def _refuse(self, error: StemplayError) -> int:
        from rtaudio.ports.base import DeviceMissingError

        kind = "device" if isinstance(error, DeviceMissingError) else "refused"
        self._write({"error": str(error), "kind": kind})
        return EXIT_REFUSED

    def _handle_commands(self, desired: DesiredState) -> bool:
        """Pass commands to the engine until its end is requested (True) or the device is lost (False).

        A refused command is reported and changes nothing.
        """
        while True:
            faulthandler.dump_traceback_later(GIL_LIMIT, exit=True)  # a thread in C: needs no GIL to fire
            try:
                message = self._next_command()
            except queue.Empty:
                if self._device_lost() or self._engine_failed():
                    return False
                continue
            if message is None or message.get("op") == "shutdown":
                return True
            try:
                cmd = command(message["op"], **message.get("args", {}))
                desired.apply(cmd)
                self._engine.send(cmd)
            except (StemplayError, CardError) as error:
                self._write({"notice": str(error)})

    def _next_command(self) -> Message | None:
        """The next command. Seeks that a later seek or the end makes pointless are skipped, so that they do not pile up while scrubbing.

        Raises queue.Empty if there is none for half a second.
        """
        if not self._pending:
            self._pending.append(self._commands.get(timeout=0.5))
        with contextlib.suppress(queue.Empty):
            while True:
                self._pending.append(self._commands.get_nowait())
        message = self._pending.popleft()
        while _is(message, "seek") and any(_is(later, "seek", "shutdown") for later in self._pending):
            message = self._pending.popleft()
        return message

    def _engine_failed(self) -> bool:
        """Whether the engine could not go on at full speed, which is reported to the parent; its file is discarded."""
        if not self._engine.port.failed:
            return False
        with self._report_lock:
            self._leaving = True
        self._engine.stop()
        self._refuse(StemplayError(self._engine.port.error))
        return True

    def _device_lost(self) -> bool:
        """Whether the host has ended a device's stream, which is reported to the parent. Only files and clocks may end by themselves."""
        port, config = self._engine.port, self._engine.config
        devices = is_device(config.output) or not (config.input == "none" or is_input_file(config.input))
        if not (port.finished.is_set() and devices):
            return False
        self._write({"error": port.error or f"{port.name} is gone.", "kind": "device"})
        exit_after(SHUTDOWN_GRACE)
        if self._engine.recorder is not None:
            self._engine.recorder.stop()  # finish its files now, because stopping the port may hang
            with self._report_lock:
                self._leaving = True
                last = self._engine.snapshot()
                last.state = "stalled"  # the device ended the recording, not a command
                self._write({"snapshot": to_dict(last)})
        return True

    def end(self, *_: object) -> None:
        """End cleanly and soon, as when the parent is gone. A signal handler may call it."""
        exit_after(SHUTDOWN_GRACE)
        self._commands.put(None)

    def _read_commands(self) -> None:
        try:
            while (message := read_message(self._incoming)) is not None:
                self._commands.put(message)
                self._commanded = time.monotonic()
                self._stirred.set()
        except (OSError, ValueError):
            pass
        exit_after(ORPHAN_GRACE)
        self._commands.put(None)

    def _report(self) -> None:
        from rtaudio.system.realtime import REPORT_PRIORITY, request_realtime  # imported late, see _build

        request_realtime(REPORT_PRIORITY)
        due = time.monotonic()
        while True:
            with self._report_lock:
                if self._leaving:
                    return
                snapshot = self._engine.snapshot() if self._engine is not None else self._starting
                snapshot.message = snapshot.message or self._remark
                if self._engine is not None:
                    snapshot.tap = self._publish()
                if not self._write({"snapshot": to_dict(snapshot)}):
                    return
            if snapshot.resting and time.monotonic() - self._commanded > RESTING_AFTER:
                self._stirred.wait(RESTING_PERIOD)
                self._stirred.clear()
            due = max(due + REPORT_PERIOD, time.monotonic())
            time.sleep(max(0.0, due - time.monotonic()))

    def _publish(self) -> str:
        """Write new sound to the tap. Returns its path, or an empty string after a failure (a full disk), which must not stop reports."""
        if self._tap is None:
            return ""
        try:
            self._tap.publish()
        except Exception:  # any error: without reports the supervisor would consider the engine hung and kill it
            broken, self._tap = self._tap, None
            with contextlib.suppress(Exception):
                broken.close()
            return ""
        return str(self._tap.path)

    def _write(self, message: Message) -> bool:
        with self._write_lock:
            try:
                write_message(self._outgoing, message)
            except (OSError, ValueError):
                return False
        return True


def _is(message: Message | None, *operations: str) -> bool:
    """Whether a message is one of these commands; None (the end of the pipe) counts as ``shutdown``."""
    return ("shutdown" if message is None else message.get("op")) in operations


def resume_commands(desired: DesiredState) -> list[Command]:
    """Commands that bring a new engine to the desired state, except for the mixer, which it gets when it is built."""
    commands = [command("set_tempo", bpm=desired.tempo)]
    if desired.speed != 1.0:  # before the seek, so that the song begins at this tempo
        commands.append(command("set_speed", speed=desired.speed))
    if desired.key != 0.0:
        commands.append(command("set_key", semitones=desired.key))
    if desired.beats:
        commands.append(command("set_beats", beats=desired.beats, numbers=desired.numbers))
    if desired.loop is not None:
        commands.append(command("set_loop", start_s=desired.loop[0], end_s=desired.loop[1]))
    if desired.position_s > 0:
        commands.append(command("seek", position_s=desired.position_s))
    commands.append(command("play" if desired.playing else "pause"))
    if desired.recording is not None:
        commands.append(command("record", **desired.recording))
    return commands


def _send_where_possible(engine: Any, cmd: Command) -> None:
    """Send a command, unless it is for the transport and the input is live."""
    if engine.source is not None or cmd.op in ("record", "set_tempo"):
        engine.send(cmd)


def exit_after(seconds: float) -> None:
    """Exit this process in ``seconds``, even if other threads hang."""

    def force_exit() -> None:
        time.sleep(seconds)
        os._exit(0)

    threading.Thread(target=force_exit, name="exit-timer", daemon=True).start()


def private_pipes() -> tuple[BinaryIO, BinaryIO]:
    """Our two pipes under new descriptors. The output of libraries goes to standard error, not between the messages."""
    incoming, outgoing = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    null = os.open(os.devnull, os.O_RDONLY)
    os.dup2(null, 0)
    os.dup2(2, 1)
    os.close(null)
    return incoming, outgoing


def main() -> None:
    """Entry point of the process. It exits through ``os._exit``, because PortAudio's clean-up hangs after a server's death."""
    faulthandler.enable()
    status = 1
    try:
        host = EngineHost(*private_pipes())
        for name in ("SIGINT", "SIGHUP", "SIGBREAK"):  # they reach all processes of a terminal; the parent handles them
            if hasattr(signal, name):
                signal.signal(getattr(signal, name), signal.SIG_IGN)
        signal.signal(
            signal.SIGTERM, host.end
        )  # sent to this process or to its group: finish recordings first
        status = host.run()
    except BaseException:
        sys.excepthook(*sys.exc_info())
    finally:
        sys.stderr.flush()
        exit_after(SHUTDOWN_GRACE)
        release_portaudio()
        os._exit(status)


if __name__ == "__main__":
    main()
