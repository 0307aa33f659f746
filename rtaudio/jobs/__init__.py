"""Background jobs, each in a short-lived child process, so that a job that blocks, hangs in a driver or crashes harms nothing else.

``python -m rtaudio.jobs`` reads one line of JSON, ``{"job": NAME, "args": {...}}``, from standard input and answers in lines of
JSON: any number of ``{"progress": {...}}``, then ``{"done": {...}}`` or ``{"error": SENTENCE}``. Before it makes a folder that lasts
as long as the job it says ``{"makes": {"folder": PATH, "parents": [PATH, ...]}}``, so that whoever has to kill it can clear that away,
and the parents if they are empty. The end of standard input means: give up and clean up. No audio and no file of the person in front
of it is lost by that.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from typing import IO, Any

Facts = dict[str, Any]
"""Plain JSON values."""


class CancelledError(Exception):
    """Whoever asked has lost interest."""


class Report:
    """What a job tells while it works. ``cancelled`` is set when nobody listens any more."""

    def __init__(self, out: IO[str]) -> None:
        self._out = out
        self.cancelled = threading.Event()

    def progress(self, **values: Any) -> None:
        """Tell how far it is. Raises CancelledError when it should end."""
        if self.cancelled.is_set():
            raise CancelledError
        self.line({"progress": values})

    def line(self, values: Facts) -> None:
        """Write one line; a listener that is gone cancels the job."""
        try:
            self._out.write(json.dumps(values) + "\n")
            self._out.flush()
        except (OSError, ValueError):
            self.cancelled.set()


JobFunction = Callable[..., Facts]
"""``job(report, **args)`` returns what is done. Raises StemplayError with one sentence."""
