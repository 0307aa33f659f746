"""A child process that owns MIDI ports, and is restarted when it dies or hangs: drivers may do both."""

from __future__ import annotations

import contextlib
import subprocess
import sys
import threading
import time
from typing import IO, cast

SILENT_S = 8.0
"""Seconds without a line from the child process after which it is considered to hang in a driver."""

PAUSE_S = 1.0
GRACE_S = 2.0
"""Seconds that the child process may take to end when it is asked to."""


class MidiChild:
    """Owns two threads, ``NAME`` and ``NAME-guard``. Subclasses read the child's lines and say what its loss means.

    Args:
        name: of the threads. ``arguments``: of Python, for the child process.
    """

    what = "MIDI input"

    def __init__(self, name: str, arguments: list[str]) -> None:
        self._arguments = arguments
        self._trouble = ""
        self._looked = threading.Event()
        self._ending = threading.Event()
        self._heard = 0.0
        self._child: subprocess.Popen[str] | None = None
        self._threads = [
            threading.Thread(target=work, name=f"{name}{suffix}", daemon=True)
            for work, suffix in ((self._run, ""), (self._guard, "-guard"))
        ]

    def start(self) -> None:
        """Start the child process."""
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

    def take_lines(self, lines: IO[str]) -> None:
        """Read the child's lines until it ends. Raises OSError or ValueError when that goes wrong; then it is replaced."""
        raise NotImplementedError

    def began(self) -> None:
        """A child process runs: tell it what it must know."""

    def lost(self) -> None:
        """The child process is gone."""

    def alive(self) -> None:
        """To be called for each sign of life."""
        self._heard = time.monotonic()
        self._looked.set()

    def _run(self) -> None:
        from rtaudio.system.child_process import child_environment

        while not self._ending.is_set():
            self._heard = time.monotonic()
            try:
                child = self._child = subprocess.Popen(
                    [sys.executable, *self._arguments],
                    stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=child_environment(),
                    text=True, encoding="utf-8",
                )  # fmt: skip
            except OSError as error:  # out of memory or processes: it may succeed later
                self._trouble = f"{self.what} cannot be started: {error.strerror}."
                self._ending.wait(PAUSE_S)
                continue
            if self._ending.is_set():
                self._kill()
            self.began()
            with contextlib.suppress(OSError, ValueError):
                self.take_lines(cast(IO[str], child.stdout))
            self._kill()
            child.wait()
            for pipe in (child.stdin, child.stdout):
                with contextlib.suppress(OSError):
                    cast(IO[str], pipe).close()
            self.lost()
            self._ending.wait(PAUSE_S)

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
