"""Beats, bars and tempo from the activations of BeatNet: a hidden Markov model of bars, then the grid that a steady song keeps."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

FPS = 50
SLOWEST_BPM, FASTEST_BPM = 55.0, 215.0
METRES = (2, 3, 4, 5)
"""Beats of a bar that are considered; a song keeps one."""
METRE_PRIOR = {2: -0.35, 3: 0.0, 4: 0.25, 5: -0.45}
"""What a metre needs more (or less) evidence than another, in the units of ``_evidence``: most songs have four beats in a bar."""
HARMONY = 1.0
"""Weight of changes of the chord beside the network's downbeats."""
STEADY_S = 0.030
"""A song whose beats are on one line within this many seconds (root of the mean square) is taken for one with a fixed tempo."""
REACH = 8
"""Beats on either side over which the beats of another song are smoothed."""
FEWEST = 4
"""Beats without which there is no tempo."""


@dataclass(frozen=True)
class Rhythm:
    """Beats in seconds, and for each its number in the bar, from 1. ``steady``: whether one tempo describes all of them."""

    beats: Floats
    numbers: npt.NDArray[np.int64]
    bpm: float
    metre: int
    steady: bool


NONE = Rhythm(np.zeros(0), np.zeros(0, np.int64), 0.0, 0, False)


def find_beats(activations: npt.NDArray[np.float32]) -> Floats:
    """Times of the beats in seconds.

    Args:
        activations: ``(frames, 3)`` at ``FPS``: beat that is no downbeat, downbeat, neither.

    Source: F. Krebs, S. Böck, G. Widmer: *An Efficient State-Space Model for Joint Tempo and Meter Tracking*, ISMIR 2015, as implemented
    by ``metricon``.
    """
    from metricon import Activations, DownbeatTracker

    if len(activations) < 2 * FPS:
        return np.zeros(0)
    each = Activations.from_activations(activations[:, :2].sum(axis=1), activations[:, 1], fps=FPS)
    tracker = DownbeatTracker(beats_per_bar=(3, 4), min_bpm=SLOWEST_BPM, max_bpm=FASTEST_BPM, fps=FPS)
    found = tracker.track(each, snap="center", threshold=0.05)
    times: Floats = np.asarray(found.times, np.float64)
    return times if len(times) >= FEWEST else np.zeros(0)


def smooth(beats: Floats) -> tuple[Floats, float, bool]:
    """Beats without the network's grid of 20 ms, the tempo in beats a minute, and whether the song keeps it.

    Missing beats of a steady song are filled in by the caller's grid: the number of each beat is that of the nearest beat of the line.
    """
    period = float(np.median(np.diff(beats)))
    numbers = np.cumsum(np.concatenate([[0], np.maximum(1, np.rint(np.diff(beats) / period))]))
    for _ in range(3):
        slope, start = np.polyfit(numbers, beats, 1)
        away = beats - (start + slope * numbers)
        near = np.abs(away) <= max(2 * float(np.median(np.abs(away))), 0.012)
        if near.sum() < FEWEST:
            break
        slope, start = np.polyfit(numbers[near], beats[near], 1)
        numbers = np.rint((beats - start) / slope)
    away = beats - (start + slope * numbers)
    if float(np.sqrt(np.mean(away**2))) <= STEADY_S and len(np.unique(numbers)) == len(numbers):
        line = start + slope * np.arange(numbers[0], numbers[-1] + 1)
        return line, 60.0 / float(slope), True
    return _local(beats), 60.0 / period, False


def _local(beats: Floats) -> Floats:
    """Each beat on the line through its neighbours."""
    out = np.empty_like(beats)
    for i in range(len(beats)):
        first, last = max(0, i - REACH), min(len(beats), i + REACH + 1)
        places = np.arange(first, last)
        slope, start = np.polyfit(places, beats[first:last], 1)
        out[i] = start + slope * i
    return out


def find_bars(beats: Floats, activations: npt.NDArray[np.float32], changes: Floats) -> tuple[int, int]:
    """Metre and the index of the first downbeat.

    Args:
        changes: for each beat how probable a change of chord is there, 0 to 1.
    """
    evidence = _evidence(beats, activations) + HARMONY * _standard(changes)
    best = (-np.inf, 4, 0)
    for metre in METRES:
        for phase in range(metre):
            on = np.zeros(len(beats), bool)
            on[phase::metre] = True
            if on.all() or not on.any():
                continue
            score = float(evidence[on].mean() - evidence[~on].mean()) * np.sqrt(on.mean() * (1 - on.mean()) * 4)
            best = max(best, (score + METRE_PRIOR[metre], metre, phase))
    return best[1], best[2]


def _evidence(beats: Floats, activations: npt.NDArray[np.float32]) -> Floats:
    """How much more a downbeat than another beat each is, standardised."""
    frames = np.clip(np.rint(beats * FPS).astype(int), 0, len(activations) - 1)
    near = np.clip(frames[:, None] + np.arange(-2, 3), 0, len(activations) - 1)
    down, other = activations[near, 1].max(axis=1), activations[near, 0].max(axis=1)
    return _standard(np.log(down + 0.02) - np.log(other + 0.02))


def _standard(values: npt.NDArray[np.floating]) -> Floats:
    spread = float(np.std(values))
    return np.zeros(len(values)) if spread < 1e-9 else (np.asarray(values, np.float64) - np.mean(values)) / spread


def find_rhythm(activations: npt.NDArray[np.float32], beats: Floats, bpm: float, steady: bool, changes: Floats) -> Rhythm:
    """Put beats and bars together."""
    metre, first = find_bars(beats, activations, changes)
    numbers = (np.arange(len(beats)) - first) % metre + 1
    return Rhythm(beats, numbers.astype(np.int64), bpm, metre, steady)
