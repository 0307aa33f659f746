"""Chords and key from the probabilities of the chord network.

A chord lasts from a beat to a beat. Its name is that of the field (C. Harte): ``C:maj``, ``A:min7``, ``N`` for none.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from rtaudio.music.spectra import CQT_HOP, RATE

Floats = npt.NDArray[np.float64]

NOTES = ("C", "Db", "D", "Eb", "E", "F", "Gb", "G", "Ab", "A", "Bb", "B")
SHARPS = ("C", "C#", "D", "D#", "E", "F", "F#", "G", "G#", "A", "A#", "B")
NO_CHORD = "N"
MAJ, MIN, SUS4, SUS2, DIM, AUG = range(6)
NONE, MAJOR_7TH, MINOR_7TH, DIMINISHED_7TH = range(4)
TRIADS, BASS, SEVENTH = slice(0, 73), slice(73, 86), slice(86, 90)
"""Columns of the network's outputs: none, then twelve roots for each triad; none, then the bass; none, then kinds of sevenths."""
KINDS = (
    ("maj", MAJ, NONE), ("min", MIN, NONE), ("7", MAJ, MINOR_7TH), ("maj7", MAJ, MAJOR_7TH), ("min7", MIN, MINOR_7TH),
    ("sus4", SUS4, NONE), ("sus2", SUS2, NONE), ("dim", DIM, NONE), ("aug", AUG, NONE), ("hdim7", DIM, MINOR_7TH),
    ("dim7", DIM, DIMINISHED_7TH),
)  # fmt: skip
"""Quality, triad and seventh of each chord that is told apart."""
CHANGE = 3.0
"""Nats that a change of the chord must gain; one at a beat that is no downbeat costs ``OFF_BAR`` more."""
OFF_BAR = 1.5
SECONDS = 0.35
"""Frames of a chord depend on each other: so many seconds of them count as one."""

MAJOR_CHORDS = ((0, MAJ, 1.0), (2, MIN, 0.6), (4, MIN, 0.5), (5, MAJ, 0.9), (7, MAJ, 0.9), (9, MIN, 0.7), (11, DIM, 0.2))
MINOR_CHORDS = (
    (0, MIN, 1.0), (2, DIM, 0.2), (3, MAJ, 0.7), (5, MIN, 0.8), (7, MIN, 0.6), (7, MAJ, 0.5), (8, MAJ, 0.7), (10, MAJ, 0.6),
)  # fmt: skip
"""Chords of a key: semitones above the tonic, triad, and how much one of them speaks for the key."""
FRAME_EDGE = 0.6
"""How much more the first and the last chord of a song speak for its key: songs begin and end at home."""


@dataclass(frozen=True)
class Chord:
    """A chord from ``start`` to ``end``, in seconds."""

    start: float
    end: float
    name: str


def log_likelihoods(network: npt.NDArray[np.float32]) -> Floats:
    """Log probability of each chord in each frame, ``(frames, 1 + 12 * kinds)``; the first column is no chord, then twelve roots a kind."""
    logs = np.log(np.maximum(np.asarray(network, np.float64), 1e-6))
    triads, sevenths = logs[:, TRIADS], logs[:, SEVENTH]
    columns = [triads[:, :1] + sevenths[:, :1] * 0]
    columns += [triads[:, 1 + 12 * triad : 13 + 12 * triad] + sevenths[:, seventh : seventh + 1] for _, triad, seventh in KINDS]
    return np.concatenate(columns, axis=1)


def between_beats(frames: npt.NDArray[np.floating], edges: Floats) -> Floats:
    """Mean of the rows of ``frames`` (one each ``CQT_HOP`` samples) between successive times."""
    places = np.clip(np.rint(edges * RATE / CQT_HOP).astype(int), 0, len(frames))
    sums = np.concatenate([np.zeros((1, frames.shape[1])), np.cumsum(frames, axis=0, dtype=np.float64)])
    counts = np.maximum(1, np.diff(places))[:, None]
    means: Floats = (sums[places[1:]] - sums[places[:-1]]) / counts
    return means


def chord_changes(network: npt.NDArray[np.float32], beats: Floats) -> Floats:
    """For each beat how much the triads after it differ from those before, 0 to 1 (total variation)."""
    if len(beats) < 2:
        return np.zeros(len(beats))
    period = float(np.median(np.diff(beats)))
    edges = np.concatenate([[beats[0] - period], beats, [beats[-1] + period]])
    triads = between_beats(network[:, TRIADS], np.maximum(edges, 0.0))
    changes: Floats = 0.5 * np.abs(np.diff(triads, axis=0)).sum(axis=1)
    return changes


def find_chords(network: npt.NDArray[np.float32], edges: Floats, downbeats: npt.NDArray[np.bool_]) -> list[Chord]:
    """Chords, by the best path through the beats (Viterbi).

    Args:
        edges: times between which a chord does not change: beats, with the song's start and end. ``downbeats``: whether a bar begins there.
    """
    likely = between_beats(log_likelihoods(network), edges) * np.maximum(1.0, np.diff(edges) / SECONDS)[:, None]
    cost = CHANGE + OFF_BAR * (~downbeats[:-1]).astype(np.float64)
    path = _best_path(likely, cost)
    chords: list[Chord] = []
    for index, start, end in zip(path, edges[:-1], edges[1:], strict=True):
        name = chord_name(int(index))
        if chords and chords[-1].name == name:
            chords[-1] = Chord(chords[-1].start, float(end), name)
        elif end > start:
            chords.append(Chord(float(start), float(end), name))
    return chords


def _best_path(likely: Floats, cost: Floats) -> npt.NDArray[np.intp]:
    """Indices of the best path where every change costs the same to each chord."""
    best, came = likely[0].copy(), np.zeros(likely.shape, np.intp)
    for step in range(1, len(likely)):
        top = int(np.argmax(best))
        jump = best[top] - cost[step]
        came[step] = np.where(best >= jump, np.arange(len(best)), top)
        best = np.maximum(best, jump) + likely[step]
    path = np.empty(len(likely), np.intp)
    path[-1] = int(np.argmax(best))
    for step in range(len(likely) - 1, 0, -1):
        path[step - 1] = came[step, path[step]]
    return path


def chord_name(index: int) -> str:
    """Name of a column of ``log_likelihoods``."""
    if index == 0:
        return NO_CHORD
    return f"{NOTES[(index - 1) % 12]}:{KINDS[(index - 1) // 12][0]}"


def find_key(network: npt.NDArray[np.float32], chords: list[Chord]) -> tuple[int, bool, float]:
    """Tonic (0 is C), whether the key is minor, and how clear it is: the lead over the next key, 0 to 1.

    Each triad of the song speaks for the keys of which it is a chord, by its length; the first and the last chord once more.
    """
    share = np.asarray(network[:, 1:73], np.float64).mean(axis=0).reshape(6, 12)
    for chord in (chords[0], chords[-1]) if chords else ():
        root, _, kind = chord.name.partition(":")
        if kind:
            triad = next(triad for name, triad, _ in KINDS if name == kind)
            share[triad, NOTES.index(root)] += FRAME_EDGE * 0.1
    scores = np.zeros((2, 12))
    for minor, table in enumerate((MAJOR_CHORDS, MINOR_CHORDS)):
        for tonic in range(12):
            scores[minor, tonic] = sum(weight * share[triad, (tonic + step) % 12] for step, triad, weight in table)
    order = np.argsort(scores.ravel())
    first, second = scores.ravel()[order[-1]], scores.ravel()[order[-2]]
    return int(order[-1] % 12), bool(order[-1] >= 12), float((first - second) / max(first, 1e-9))
