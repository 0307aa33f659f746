"""What the user notes about a song: markers and loops with names, and how they are read from a file. No Qt."""

from __future__ import annotations

import contextlib
import json
import math
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from rtaudio.audio.format import StemplayError

LONGEST_NAME = 80
"""Characters of the name of a marker or a loop."""
MOST = 2000
"""Markers, and loops, of a song."""


@dataclass(frozen=True)
class Marker:
    """A named position of a song, in seconds."""

    at_s: float = 0.0
    name: str = ""


@dataclass(frozen=True)
class SavedLoop:
    """A named part of a song, in seconds."""

    start_s: float = 0.0
    end_s: float = 0.0
    name: str = ""


@dataclass
class SongNotes:
    """The notes about a song, sorted by their times. ``path`` and ``seconds``: where it was last, and how long it is."""

    path: str = ""
    seconds: float = 0.0
    markers: list[Marker] = field(default_factory=list)
    loops: list[SavedLoop] = field(default_factory=list)

    def sort(self) -> None:
        """Sort markers and loops by their times."""
        self.markers.sort(key=lambda marker: marker.at_s)
        self.loops.sort(key=lambda loop: (loop.start_s, loop.end_s))


def notes_of(values: dict[str, Any]) -> SongNotes:
    """The notes in a file's values. Raises StemplayError for times and names that cannot be."""
    path, seconds = values.get("path", ""), values.get("seconds", 0.0)
    if not isinstance(path, str):
        raise StemplayError(f"path cannot be {path!r}")
    notes = SongNotes(path, _time(seconds))
    for entry in _entries(values, "markers"):
        notes.markers.append(Marker(_time(entry.get("at_s")), _name(entry.get("name"))))
    for entry in _entries(values, "loops"):
        loop = SavedLoop(_time(entry.get("start_s")), _time(entry.get("end_s")), _name(entry.get("name")))
        if loop.end_s <= loop.start_s:
            raise StemplayError(f"the loop {loop.name!r} ends before it starts")
        notes.loops.append(loop)
    notes.sort()
    return notes


def same_song(file: Path, path: str, seconds: float) -> bool:
    """Whether a file of notes is about a song that was at ``path`` and as long, to 10 ms."""
    with contextlib.suppress(OSError, ValueError, TypeError, KeyError):
        values = json.loads(file.read_text(encoding="utf-8"))
        return isinstance(values, dict) and values.get("path") == path and abs(float(values["seconds"]) - seconds) < 0.01
    return False


def _entries(values: dict[str, Any], name: str) -> list[dict[str, Any]]:
    found = values.get(name, [])
    if not isinstance(found, list) or len(found) > MOST or not all(isinstance(entry, dict) for entry in found):
        raise StemplayError(f"{name} is no list of at most {MOST}")
    return found


def _time(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not (math.isfinite(value) and value >= 0):
        raise StemplayError(f"a time cannot be {value!r}")
    return float(value)


def _name(value: Any) -> str:
    if not isinstance(value, str) or len(value) > LONGEST_NAME:
        raise StemplayError("a name is no text, or too long")
    return "".join(c if c.isprintable() else " " for c in value)
