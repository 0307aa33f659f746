"""A song that is separated by a background job (``rtaudio.jobs.export``) in a process of its own.

A job that fails, crashes or is killed affects nothing else, and leaves no incomplete file: the stems appear in the song's folder when all
of them are complete, and what a killed job has made is removed. The job also ends, and cleans up, when this process is killed.
"""

from __future__ import annotations

import contextlib
import json
import subprocess
import sys
import threading
from collections.abc import Callable
from typing import Any

from rtaudio.jobs import Facts
from rtaudio.system.child_process import child_environment, remove_job_folders

PATIENCE_S = 6.0
"""Seconds until a cancelled job is killed; longer than its clean-up may take (``rtaudio.jobs.__main__.GRACE``)."""


class SongProcess:
    """One song. ``run`` waits for its end; ``stop`` and ``wait`` may be called from other threads.

    Args:
        name: of the song, for sentences.
        args: of ``rtaudio.jobs.export``.
        progress: called with the fraction that is done.
    """

    def __init__(self, name: str, args: Facts, progress: Callable[[float], None] = lambda _: None) -> None:
        self._name, self._args, self._progress = name, args, progress
        self._child: subprocess.Popen[bytes] | None = None
        self._stopped = threading.Event()

    def run(self) -> tuple[str, Facts, str]:
        """Separate it. Returns the state (``separated``, ``failed`` or ``unfinished``), the job's result, and one sentence if it failed."""
        if self._stopped.is_set():
            return "unfinished", {}, ""
        pipes: dict[str, Any] = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.DEVNULL}
        self._child = child = subprocess.Popen([sys.executable, "-m", "rtaudio.jobs"], env=child_environment(), **pipes)
        assert child.stdin is not None and child.stdout is not None
        makes: Facts = {}
        answer: Facts = {}
        with contextlib.suppress(OSError, ValueError):  # it died, or was stopped before it began
            child.stdin.write(json.dumps({"job": "export", "args": self._args}).encode() + b"\n")
            child.stdin.flush()
        if self._stopped.is_set():
            self.stop()
        for line in child.stdout:
            message = json.loads(line)
            makes = message.get("makes", makes)
            if (values := message.get("progress")) and values.get("total"):
                self._progress(min(1.0, values["done"] / values["total"]))
            elif "done" in message or "error" in message:
                answer = message
        child.wait()
        with contextlib.suppress(OSError):
            child.stdin.close()
        child.stdout.close()
        return self._judged(answer, makes, child.returncode)

    def _judged(self, answer: Facts, makes: Facts, code: int) -> tuple[str, Facts, str]:
        if "done" in answer:
            return "separated", answer["done"], ""
        remove_job_folders(makes)
        if "error" in answer:
            return "failed", {}, answer["error"]
        if self._stopped.is_set():
            return "unfinished", {}, ""
        return "failed", {}, f"{self._name}: its process ended unexpectedly (exit code {code})."

    def stop(self) -> None:
        """Tell it to end and to clean up. Returns at once."""
        self._stopped.set()
        if self._child is not None:
            with contextlib.suppress(OSError):
                assert self._child.stdin is not None
                self._child.stdin.close()

    def wait(self) -> None:
        """Wait until the stopped process has ended; one that hangs is killed."""
        if self._child is not None:
            try:
                self._child.wait(PATIENCE_S)
            except subprocess.TimeoutExpired:
                self._child.kill()
