"""What is known of a song's music, as plain data: tempo, beats, bars, key and chords. Written to a file and sent to the window."""

from __future__ import annotations

import itertools
import math
from bisect import bisect_right
from dataclasses import asdict, dataclass, field
from typing import Any

from rtaudio.audio.format import StemplayError

MAPS = "song-maps"
"""Name of the folder for maps, beside the session. Its oldest files are removed: nothing that a user has made belongs in it."""

VERSION = 1
MOST = 100_000
"""Beats or chords beyond which a map is no song's."""
LONGEST_S = 1e6


@dataclass(frozen=True)
class SongMap:
    """Beats, bars, key and chords of a song.

    Attributes:
        seconds: length of the song that was analysed.
        bpm: tempo in beats a minute; 0 if there is no beat. ``steady``: whether it is the same in the whole song.
        metre: beats of a bar; 0 if there is no beat.
        beats: times in seconds, increasing. ``numbers``: of each beat in its bar, from 1.
        key: ``C major``, ``Eb minor``; empty if there is none. ``clear``: its lead over the next key, 0 to 1.
        chords: ``[start, end, name]`` one after the other; names as ``C:maj``, ``A:min7``, ``N`` for none.
    """

    seconds: float = 0.0
    bpm: float = 0.0
    steady: bool = False
    metre: int = 0
    beats: list[float] = field(default_factory=list)
    numbers: list[int] = field(default_factory=list)
    key: str = ""
    clear: float = 0.0
    chords: list[tuple[float, float, str]] = field(default_factory=list)

    @property
    def downbeats(self) -> list[float]:
        """Times of the first beats of bars."""
        return [time for time, number in zip(self.beats, self.numbers, strict=True) if number == 1]

    def nearest_bar(self, seconds: float) -> float:
        """The downbeat nearest to a time; the time itself if there is none, or if it is more than a bar beyond the last."""
        return _nearest(self.downbeats, seconds)

    def nearest_beat(self, seconds: float) -> float:
        """The beat nearest to a time, likewise."""
        return _nearest(self.beats, seconds)

    def bar_of(self, seconds: float) -> tuple[int, int]:
        """Number of the bar and of the beat at a time, both from 1; bar 0 is what comes before the first downbeat, beat 0 before any."""
        index = bisect_right(self.beats, seconds + 1e-6) - 1
        if index < 0:
            return 0, 0
        return self.numbers[: index + 1].count(1), self.numbers[index]

    def chord_at(self, seconds: float) -> str:
        """Name of the chord at a time; empty where there is none."""
        index = bisect_right(self.chords, seconds, key=lambda chord: chord[0]) - 1
        if index < 0 or seconds >= self.chords[index][1] or self.chords[index][2] == "N":
            return ""
        return self.chords[index][2]


def _nearest(times: list[float], seconds: float) -> float:
    if not times:
        return seconds
    index = bisect_right(times, seconds)
    near = min(times[max(0, index - 1) : index + 1], key=lambda time: abs(time - seconds))
    widest = max((b - a for a, b in itertools.pairwise(times)), default=math.inf)
    return near if abs(near - seconds) <= widest else seconds


def chord_text(name: str) -> str:
    """A chord as musicians write it: ``C``, ``Am7``, ``Bb7``, ``F#dim``; empty for none."""
    root, _, kind = name.partition(":")
    if root == "N" or not kind:
        return ""
    short = {"maj": "", "min": "m", "min7": "m7", "hdim7": "m7b5"}
    return root + short.get(kind, kind)


def to_json(found: SongMap) -> dict[str, Any]:
    """Plain values for a file."""
    return {"version": VERSION, **asdict(found)}


def from_json(values: Any) -> SongMap:
    """Inverse of ``to_json``. Raises StemplayError if it is none."""
    if not isinstance(values, dict) or values.get("version") != VERSION:
        raise StemplayError("This is no map of a song, or one of another version.")
    beats = [_number(x, LONGEST_S) for x in _list(values.get("beats"))]
    numbers = _list(values.get("numbers"))
    chords = [_chord(x) for x in _list(values.get("chords"))]
    metre, key = values.get("metre", -1), values.get("key")
    right = len(beats) == len(numbers) and all(a < b for a, b in itertools.pairwise(beats))
    right &= all(type(n) is int and 1 <= n <= 64 for n in numbers)
    if not right or type(metre) is not int or not 0 <= metre <= 64 or not isinstance(key, str) or len(key) > 40:
        raise StemplayError("The map of the song is damaged: its beats do not follow each other.")
    return SongMap(
        _number(values.get("seconds"), LONGEST_S), _number(values.get("bpm"), 1000.0), values.get("steady") is True, metre, beats,
        numbers, key, _number(values.get("clear"), 1.0), chords,
    )  # fmt: skip


def _list(value: Any) -> list[Any]:
    if not isinstance(value, list) or len(value) > MOST:
        raise StemplayError("The map of the song is damaged: a list is missing.")
    return value


def _number(value: Any, most: float) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0.0 <= value <= most:
        raise StemplayError("The map of the song is damaged: a number is missing.")
    return float(value)


def _chord(value: Any) -> tuple[float, float, str]:
    if not isinstance(value, list | tuple) or len(value) != 3 or not isinstance(value[2], str) or len(value[2]) > 20:
        raise StemplayError("The map of the song is damaged: a chord is missing.")
    return _number(value[0], LONGEST_S), _number(value[1], LONGEST_S), value[2]
