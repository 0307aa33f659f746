"""Measures whether a rendered song is in tune: each note of the score is searched for in the sound, alone or in its chord."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from training.data.midi import DRUM_CHANNEL, Take, read_events
from training.sing import note_metrics as metrics

SETTLED_S, LONGEST_S, SHORTEST_S = 0.1, 1.5, 0.2
"""Times of a note: allowance for its attack, and the longest and shortest time that is analysed."""

WITHIN = 60.0
"""Cents around the key that are searched: less than a semitone, since the next key of a chord may be that near."""


UNHEARD = 0.003
"""A note whose harmonics have a smaller share of the power counts as not heard."""


@dataclass(frozen=True)
class ScoreNote:
    """A note of the score: seconds from the beginning, its length in seconds, MIDI pitch, channel from 0."""

    time: float
    seconds: float
    pitch: int
    channel: int


def score_notes(song: Path) -> list[ScoreNote]:
    """The notes of a MIDI file in order, without drums.

    Raises:
        StemplayError: it is not a MIDI file.
    """
    begun: dict[tuple[int, int], float] = {}
    notes = []
    for time, message in read_events(song, Take("", seconds=float("inf"))):
        if message.type not in ("note_on", "note_off") or message.channel == DRUM_CHANNEL:
            continue
        key = message.channel, message.note
        if key in begun:
            notes.append(ScoreNote(begun[key], time - begun.pop(key), message.note, message.channel))
        if message.type == "note_on" and message.velocity:
            begun[key] = time
    return sorted(notes, key=lambda note: (note.time, note.pitch))


@dataclass(frozen=True)
class MeasuredNote:
    """The measurement of a note: its distance from the key in cents, and the share of all power in its first eight harmonics."""

    note: ScoreNote
    cents: float
    share: float


def listen(wav: metrics.Wave, notes: list[ScoreNote]) -> list[MeasuredNote]:
    """Measure each note, except those that are too short.

    Args:
        wav: ``(samples,)`` at 16 kHz, in time with the score.
    """
    found = []
    for note in notes:
        part = np.asarray(wav[round(note.time * metrics.RATE) :], dtype=np.float64)
        stop = min(note.seconds, LONGEST_S + SETTLED_S, len(part) / metrics.RATE)
        if stop - SETTLED_S >= SHORTEST_S:
            key = metrics.hertz(note.pitch)
            f0 = metrics.fundamental(part, key, within=WITHIN, start=SETTLED_S, stop=stop)
            settled = part[int(SETTLED_S * metrics.RATE) : int(stop * metrics.RATE)]
            found.append(MeasuredNote(note, metrics.cents(f0, key), _share(settled, f0)))
    return found


def _share(part: metrics.Wave, f0: float) -> float:
    power = np.abs(np.fft.rfft(part * np.hanning(len(part)))) ** 2
    lines = [round(k * f0 * len(part) / metrics.RATE) for k in range(1, 9) if k * f0 < 0.48 * metrics.RATE]
    return float(sum(power[line - 2 : line + 3].sum() for line in lines) / max(power.sum(), 1e-20))


def summary(found: list[MeasuredNote]) -> dict[str, Any]:
    """Median and largest absolute error in cents, and the number of notes that are not heard."""
    sizes = np.abs([heard.cents for heard in found])
    return {
        "notes": len(found),
        "unheard": sum(heard.share < UNHEARD for heard in found),
        "median_cents": round(float(np.median(sizes)), 2),
        "worst_cents": round(float(sizes.max()), 2),
        "within_10_cents": round(float(np.mean(sizes <= 10)), 3),
    }
