"""A song's stems as a project for other programs: what ``rtaudio/files/reaper.py`` and ``rtaudio/files/dawproject.py`` write.

Effects, the limiter and the dry/wet setting are not carried over: no other program has them.
"""

from __future__ import annotations

import contextlib
import math
import os
import secrets
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Any

from rtaudio.audio.format import StemplayError
from rtaudio.files.stem_file import StemLabel
from rtaudio.files.tags import Tags
from rtaudio.files.writer import PART, reason
from rtaudio.protocol.settings import MixerState, StemState

USUAL_TEMPO = 120.0
TEMPO_RANGE = (20.0, 400.0)
LONGEST_NAME = 200
COLOURS = {"drums": "#009e73", "bass": "#d55e00", "other": "#cc79a7", "vocals": "#56b4e9"}
"""Of stems that have no colour of their own: those of Native Instruments' stem files."""


@dataclass(frozen=True)
class Track:
    """A stem and its strip. ``colour``: ``#rrggbb``; ``pan`` is a balance, -1 (left) to 1 (right)."""

    name: str
    file: Path
    colour: str = ""
    gain_db: float = 0.0
    pan: float = 0.0
    mute: bool = False
    solo: bool = False

    @property
    def gain(self) -> float:
        """The factor of ``gain_db``."""
        return linear(self.gain_db)


@dataclass(frozen=True)
class Project:
    """A song.

    Attributes:
        rate: Hz. ``channels``, ``frames``: of each stem.
        tempo: ``(seconds, beats a minute)``, from 0 s on, ascending; each holds until the next.
        markers: ``(seconds, name)``. ``regions``: ``(start, end, name)``, in seconds.
    """

    name: str
    rate: int
    channels: int
    frames: int
    tracks: Sequence[Track]
    master_db: float = 0.0
    tempo: Sequence[tuple[float, float]] = ((0.0, USUAL_TEMPO),)
    markers: Sequence[tuple[float, str]] = ()
    tags: Tags = field(default_factory=Tags)
    regions: Sequence[tuple[float, float, str]] = ()

    @property
    def seconds(self) -> float:
        """Its length."""
        return self.frames / self.rate

    def beats(self, seconds: float) -> float:
        """The beat at a time, by the tempo map."""
        passed = 0.0
        for (start, bpm), (end, _) in pairwise([*self.tempo, (math.inf, 0.0)]):
            if seconds <= end:
                return passed + (seconds - start) * bpm / 60
            passed += (end - start) * bpm / 60
        return passed


def linear(db: float) -> float:
    """The factor of a level in dB; 0 for -inf."""
    return 10 ** (db / 20) if db > -math.inf else 0.0


def plain(text: str) -> str:
    """``text`` as one line of printable characters."""
    return "".join(c if c.isprintable() else " " for c in text).strip()[:LONGEST_NAME]


def tracks_of(files: Mapping[str, Path], mixer: MixerState, labels: Mapping[str, StemLabel]) -> list[Track]:
    """A track for each stem, with the levels of the mixer."""
    found = []
    for stem, path in files.items():
        strip, label = mixer.stems.get(stem, StemState()), labels.get(stem, StemLabel(""))
        name, colour = label.name or stem.capitalize(), label.colour or COLOURS.get(stem, "")
        found.append(Track(name, path, colour, strip.gain_db, strip.pan, strip.mute, strip.solo))
    return found


def check_tempo(points: Any) -> list[tuple[float, float]]:
    """A tempo map from outside: numbers in range, sorted, the first one moved to 0 s; 120 without any. Raises StemplayError."""
    found = []
    for point in points:
        seconds, bpm = _number(point[0], "The time of a tempo"), _number(point[1], "The tempo")
        if not TEMPO_RANGE[0] <= bpm <= TEMPO_RANGE[1]:
            raise StemplayError(f"A tempo of {bpm:g} is outside {TEMPO_RANGE[0]:g} to {TEMPO_RANGE[1]:g} beats a minute.")
        found.append((seconds, bpm))
    found.sort()
    return [(0.0, found[0][1]), *found[1:]] if found else [(0.0, USUAL_TEMPO)]


def check_markers(markers: Any) -> list[tuple[float, str]]:
    """Markers from outside, sorted by their times. Raises StemplayError."""
    return sorted((_number(seconds, "The time of a marker"), plain(str(name))) for seconds, name in markers)


def check_regions(regions: Any) -> list[tuple[float, float, str]]:
    """Regions from outside, sorted by their times. Raises StemplayError."""
    found = []
    for start, end, name in regions:
        times = (_number(start, "The start of a region"), _number(end, "The end of a region"))
        if times[1] <= times[0]:
            raise StemplayError(f"The region {plain(str(name))!r} ends at {times[1]:g} s, before it starts.")
        found.append((*times, plain(str(name))))
    return sorted(found)


def _number(value: Any, what: str) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < 1e6:
        raise StemplayError(f"{what} is a number from 0 on, not {value!r}.")
    return float(value)


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """A temporary file beside ``path``, which replaces it at the end and is removed after an error. Raises StemplayError."""
    part = path.with_name(f"{path.name}.{secrets.token_hex(4)}{PART}")
    try:
        yield part
        os.replace(part, path)
    except OSError as error:
        raise StemplayError(f"{path} cannot be written: {reason(error)}.") from None
    finally:
        with contextlib.suppress(OSError):
            part.unlink(missing_ok=True)
