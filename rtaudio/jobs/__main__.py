"""The child process of ``rtaudio.jobs``. The thread *listener* waits for the end of standard input."""

from __future__ import annotations

import contextlib
import importlib
import json
import os
import signal
import sys
import threading

from rtaudio.audio.format import StemplayError
from rtaudio.jobs import CancelledError, JobFunction, Report

JOBS = {
    "devices": "rtaudio.jobs.inventory",
    "midi_inputs": "rtaudio.jobs.inventory",
    "models": "rtaudio.jobs.inventory",
    "plugin": "rtaudio.jobs.plugins",
    "plugins": "rtaudio.jobs.plugins",
    "latency": "rtaudio.jobs.expected",
    "tone": "rtaudio.jobs.tone",
    "meter": "rtaudio.jobs.meter",
    "loopback": "rtaudio.jobs.loopback",
    "overview": "rtaudio.jobs.overview",
    "export": "rtaudio.jobs.export",
    "lanes": "rtaudio.jobs.lanes",
    "song_map": "rtaudio.jobs.song_map",
}
"""Module of each job's function, which has the same name."""

GRACE = 4.0
"""Seconds that a job may take to end after it was cancelled, because a driver may hang."""


def find(name: str) -> JobFunction:
    """The function of a job. Raises StemplayError if there is none."""
    if name not in JOBS:
        raise StemplayError(f"There is no job {name!r}; choose from {', '.join(JOBS)}.")
    function: JobFunction = getattr(importlib.import_module(JOBS[name]), name)
    return function


def _cancel(report: Report) -> None:
    report.cancelled.set()
    timer = threading.Timer(GRACE, os._exit, (1,))
    timer.daemon = True
    timer.start()


def _listen(report: Report) -> None:
    with contextlib.suppress(OSError, ValueError):
        while sys.stdin.buffer.read(1):
            pass
    _cancel(report)


def main() -> None:
    """Run one job. The output of libraries goes to standard error."""
    report = Report(os.fdopen(os.dup(1), "w", encoding="utf-8"))
    for name in ("SIGINT", "SIGHUP", "SIGBREAK"):  # a terminal sends them to all its processes; our parent handles them
        if hasattr(signal, name):
            signal.signal(getattr(signal, name), signal.SIG_IGN)
    signal.signal(signal.SIGTERM, lambda *_: _cancel(report))
    os.dup2(2, 1)
    request = json.loads(sys.stdin.buffer.readline())
    threading.Thread(target=_listen, args=(report,), name="listener", daemon=True).start()
    try:
        report.line({"done": find(request["job"])(report, **request.get("args", {}))})
    except CancelledError:
        pass
    except StemplayError as error:
        report.line({"error": str(error)})
    except Exception as error:
        report.line({"error": f"The job failed ({type(error).__name__}: {str(error).rstrip('.')})."})
    from rtaudio.ports.devices import release_portaudio

    release_portaudio()
    os._exit(0)


if __name__ == "__main__":
    main()
