"""The engine's MIDI input: messages from a child process, which is restarted when it dies or hangs."""

from __future__ import annotations

import contextlib
import json
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from typing import IO, cast

from rtaudio.midi.message import MidiMessage, MidiParser
from rtaudio.midi.ports import WORDS, end_notes

SILENT_S = 8.0
"""Seconds without a line from the child process after which it is considered to hang in a driver."""

PAUSE_S = 1.0
GRACE_S = 2.0
"""Seconds that the child process may take to end when it is asked to."""


class MidiInput:
    """MIDI inputs that are opened when they are plugged in.

    Args:
        choice: ``default`` (all inputs), ``none``, ``virtual`` (a port of our own that others connect to) or a port's name.
        receive: gets each message, in the thread ``stemplay-midi``; also messages that end all notes of a vanished input.
    """

    def __init__(self, choice: str, receive: Callable[[MidiMessage], None]) -> None:
        self.choice, self._receive = choice, receive
        self.ports: list[str] = []
        self._trouble = ""
        self._looked = threading.Event()
        self._ending = threading.Event()
        self._heard = 0.0
        self._child: subprocess.Popen[str] | None = None
        self._threads = [
            threading.Thread(target=work, name=f"stemplay-midi{name}", daemon=True)
            for work, name in ((self._run, ""), (self._guard, "-guard"))
        ]

    @property
    def message(self) -> str:
        """A sentence about a problem or a missing input, or an empty string."""
        if self._trouble or self.choice == "none" or self.ports or not self._looked.is_set():
            return self._trouble
        if self.choice in WORDS:
            return "There is no MIDI input. As soon as one is plugged in, it is used."
        return f"The MIDI input {self.choice!r} is missing. As soon as it is plugged in, it is used."

    def start(self) -> None:
        """Start listening."""
        if self.choice != "none":
            self._heard = time.monotonic()
            for thread in self._threads:
                thread.start()

    def stop(self) -> None:
        """End the child process, which closes its ports first."""
        self._ending.set()
        child = self._child
        if child is not None:
            with contextlib.suppress(OSError, ValueError):
                cast(IO[str], child.stdin).close()
            with contextlib.suppress(subprocess.TimeoutExpired):
                child.wait(GRACE_S)
        self._kill()
        for thread in self._threads:
            if thread.is_alive():
                thread.join(3.0)

    def _run(self) -> None:
        from rtaudio.system.child_process import child_environment

        while not self._ending.is_set():
            self._heard = time.monotonic()
            try:
                child = self._child = subprocess.Popen(
                    [sys.executable, "-m", "rtaudio.midi.host", self.choice],
                    stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=child_environment(),
                    text=True, encoding="utf-8",
                )  # fmt: skip
            except OSError as error:  # out of memory or processes: it may succeed later
                self._trouble = f"MIDI input cannot be started: {error.strerror}."
                self._ending.wait(PAUSE_S)
                continue
            if self._ending.is_set():
                self._kill()
            self._read(cast(IO[str], child.stdout))
            self._kill()
            child.wait()
            for pipe in (child.stdin, child.stdout):
                with contextlib.suppress(OSError):
                    cast(IO[str], pipe).close()
            if self.ports:
                self.ports = []
                for message in end_notes():
                    self._receive(message)
            self._ending.wait(PAUSE_S)

    def _read(self, lines: IO[str]) -> None:
        parser = MidiParser()
        with contextlib.suppress(OSError, ValueError):
            for line in lines:
                kind, _, rest = line.partition(" ")
                if kind == "m":
                    stamp, _, data = rest.partition(" ")
                    for message in parser.feed(bytes.fromhex(data), float(stamp)):
                        self._receive(message)
                elif kind == "s":
                    state = json.loads(rest)
                    self.ports, self._trouble = state["ports"], state["trouble"]
                    self._heard = time.monotonic()
                    self._looked.set()

    def _guard(self) -> None:
        """Kill a child that hangs; ``_run`` starts another."""
        while not self._ending.wait(1.0):
            if time.monotonic() - self._heard > SILENT_S:
                self._trouble = "A MIDI driver did not respond; MIDI is being restarted."
                self._heard = time.monotonic()
                self._kill()

    def _kill(self) -> None:
        if self._child is not None:
            with contextlib.suppress(OSError):
                self._child.kill()
