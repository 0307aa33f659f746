"""The engine's state as a line of text: redrawn in a terminal, otherwise printed now and then. It owns no thread."""

from __future__ import annotations

import math
import os
import re
import shutil
import sys
import time
from typing import TextIO

from rtaudio.protocol.reports import FULL_SPEED, Meter, Snapshot

COLOURS = {"drums": 33, "bass": 34, "other": 32, "vocals": 35}
"""ANSI colours of the stems. Every bar is labelled with its name, too."""

FLOOR_DB = -60.0
PLAIN_PERIOD_S = 3.0
SAME_PERIOD_S = 60.0
"""Seconds until a sentence that was told is told again with other numbers."""
_NUMBER = re.compile(r"\d+(?:[.,]\d+)*")
_BARS = " ▁▂▃▄▅▆▇█"
_ASCII_BARS = " .:-=+*#@"


def level_db(meter: Meter) -> float:
    """The loudest channel's RMS in dB, at least ``FLOOR_DB``."""
    loudest = max(meter.rms, default=0.0)
    return max(FLOOR_DB, 20.0 * math.log10(loudest)) if loudest > 0 else FLOOR_DB


def bar(db: float, width: int, steps: str = _BARS) -> str:
    """A horizontal bar from ``FLOOR_DB`` to 0 dB."""
    cells = (min(0.0, max(FLOOR_DB, db)) - FLOOR_DB) / -FLOOR_DB * width
    full = int(cells)
    part = steps[int((cells - full) * (len(steps) - 1))] if full < width else ""
    return (steps[-1] * full + part).ljust(width)[:width]


def stem_field(name: str, report: Snapshot, width: int, colour: bool, steps: str) -> str:
    """``drums ████   -12``, with M, S or ! (clipped) behind it."""
    meter = report.meters.get(name, Meter())
    db = level_db(meter)
    strip = report.mixer.stems.get(name)
    marks = ("M" if strip and strip.mute else "S" if strip and strip.solo else "") + ("!" if meter.clipped else "")
    drawn = bar(db, width, steps) if width else ""
    if colour and width:
        drawn = f"\x1b[{_colour(name, report)}m{drawn}\x1b[0m"
    return f"{_title(name, report)} {drawn}{db:4.0f}{marks}"


def _title(name: str, report: Snapshot) -> str:
    """A stem's name; a stem file has its own."""
    return report.transport.titles.get(name) or name


def _colour(name: str, report: Snapshot) -> str:
    """Parameter of the ANSI sequence for a stem's colour."""
    own = report.transport.colours.get(name, "")
    return "38;2;" + ";".join(str(int(own[k : k + 2], 16)) for k in (1, 3, 5)) if own else str(COLOURS.get(name, 36))


def counters(report: Snapshot) -> str:
    """Limiter, xruns, misses, load, and further values if they are not 0."""
    parts = [f"lim {report.limiter_db:.1f}" if abs(report.limiter_db) >= 0.05 else "lim -"]
    parts += [
        f"xruns {report.xruns}",
        f"misses {report.misses}",
    ]
    if not report.port.startswith(FULL_SPEED):
        parts.append(f"load {100 * report.model_load.get('p50', 0.0):.0f}%")
    if report.recording.active:
        parts.append(f"rec {report.recording.seconds:.0f}s")
    if report.restarts:
        parts.append(f"restarts {report.restarts}")
    return "  ".join(parts)


def place(report: Snapshot) -> str:
    """Position of the song, or the time for which the stream has run."""
    if report.transport.path:
        return f"{_clock(report.transport.position_s)}/{_clock(report.transport.length_s)}"
    return _clock(report.frames / report.rate) if report.rate else _clock(0.0)


def _clock(seconds: float) -> str:
    return f"{int(seconds) // 60}:{int(seconds) % 60:02d}"


def compose(report: Snapshot, columns: int, colour: bool, steps: str = _BARS) -> str:
    """The whole line, as wide as ``columns`` allow; bars shrink first."""
    if report.state not in ("running", "finished") and report.message:
        return report.message[:columns]
    names = list(report.meters) or list(report.mixer.stems)
    tail = counters(report)
    fixed = len(place(report)) + 2 + len(tail) + sum(len(_title(name, report)) + 9 for name in names)
    width = min(12, max(0, (columns - fixed) // max(1, len(names))))
    fields = [stem_field(name, report, width, colour, steps) for name in names]
    line = "  ".join([place(report), *fields, tail])
    return line if colour and width else line[:columns]


class MeterLine:
    """Shows reports on a stream: one redrawn line in a terminal, else a plain line every few seconds."""

    def __init__(self, stream: TextIO | None = None, terminal: bool | None = None) -> None:
        self._stream = stream if stream is not None else sys.stdout
        self._terminal = self._stream.isatty() if terminal is None else terminal
        self._colour = self._terminal and not os.environ.get("NO_COLOR")
        encoding = (getattr(self._stream, "encoding", None) or "ascii").lower()
        self._steps = _BARS if encoding.startswith("utf") else _ASCII_BARS
        self._due = 0.0
        self._told = ""
        self._repeat = 0.0
        if self._terminal and sys.platform == "win32":
            os.system("")  # switches a Windows console to ANSI sequences

    def show(self, report: Snapshot) -> None:
        """Draw if enough time has passed. A new message of the engine is always shown, one with other numbers now and then."""
        if self._terminal:
            columns = shutil.get_terminal_size((100, 24)).columns - 1
            self._put("\r\x1b[K" + compose(report, columns, self._colour, self._steps))
            return
        now = time.monotonic()
        gist = _NUMBER.sub("#", report.message)
        if report.message and report.message != self._told and (gist != _NUMBER.sub("#", self._told) or now >= self._repeat):
            self._told, self._repeat = report.message, now + SAME_PERIOD_S
            self._put(report.message + "\n")
        elif report.state == "running" and now >= self._due:
            self._due = now + PLAIN_PERIOD_S
            self._put(compose(report, 1000, False, self._steps) + "\n")

    def say(self, sentence: str) -> None:
        """Print a separate line."""
        self._put(("\r\x1b[K" if self._terminal else "") + sentence + "\n")

    def close(self) -> None:
        """End the redrawn line."""
        if self._terminal:
            self._put("\r\x1b[K")

    def _put(self, text: str) -> None:
        self._stream.write(text)
        self._stream.flush()
