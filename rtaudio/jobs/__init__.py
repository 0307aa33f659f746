"""Background jobs. Each runs in a short-lived child process, so that a job that blocks, hangs in a driver or crashes affects nothing else.

``python -m rtaudio.jobs`` reads one line of JSON, ``{"job": NAME, "args": {...}}``, from standard input and answers in lines of
JSON: any number of ``{"progress": {...}}``, then ``{"done": {...}}`` or ``{"error": SENTENCE}``. Before it creates a temporary
folder it writes ``{"makes": {"folder": PATH, "parents": [PATH, ...]}}``, so that a parent that has to kill the job can remove this folder,
and its parents if they are empty. The end of standard input cancels the job, which then cleans up. No audio and no file of the user is
lost by that.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from typing import IO, Any

Facts = dict[str, Any]
"""Plain JSON values."""

WORKSHOP = ".stemplay-export-"
"""Beginning of the names of the hidden folders in which ``export`` makes stems."""


class CancelledError(Exception):
    """The job has been cancelled."""


class Report:
    """Reports a job's progress. ``cancelled`` is set when the job must end."""

    def __init__(self, out: IO[str]) -> None:
        self._out = out
        self.cancelled = threading.Event()

    def progress(self, **values: Any) -> None:
        """Report progress. Raises CancelledError if the job must end."""
        if self.cancelled.is_set():
            raise CancelledError
        self.line({"progress": values})

    def line(self, values: Facts) -> None:
        """Write one line. If the reader is gone, the job is cancelled."""
        try:
            self._out.write(json.dumps(values) + "\n")
            self._out.flush()
        except (OSError, ValueError):
            self.cancelled.set()


JobFunction = Callable[..., Facts]
"""``job(report, **args)`` returns the result. Raises StemplayError."""
