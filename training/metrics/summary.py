"""Reduces scores of frames to one number per method: the median of medians and its spread (EQ-MUS-2, EQ-MUS-3)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

Scores = Sequence[npt.NDArray[Any]] | npt.NDArray[Any]


def median_over_songs(scores: Scores) -> list[float]:
    """Median over songs (axis 0) of each source's score, without songs in which it is silent (NaN); NaN if there is none."""
    table = np.asarray(scores, np.float64)
    return [
        float(np.median(column[~np.isnan(column)])) if (~np.isnan(column)).any() else float("nan") for column in table.T
    ]


def mean_with_error(scores: Any) -> tuple[float, float]:
    """Mean over songs of each song's mean over its sources, and the standard error of that mean; dB.

    ``scores`` is ``(songs,)`` or ``(songs, sources)``; NaN (silent sources) is left out. The error estimates how much another choice of
    songs would change the mean; it is NaN for fewer than two songs. Unlike a median, a mean changes little if a single clip does.
    """
    table = np.asarray(scores, np.float64)
    rows = table.reshape(len(table), -1)
    songs = np.array([row[~np.isnan(row)].mean() for row in rows if not np.isnan(row).all()])
    if not len(songs):
        return float("nan"), float("nan")
    error = float(songs.std(ddof=1) / np.sqrt(len(songs))) if len(songs) > 1 else float("nan")
    return float(songs.mean()), error


def mean_over_songs(scores: Scores) -> list[float]:
    """Like ``median_over_songs``, but the mean."""
    return [mean_with_error(column)[0] for column in np.asarray(scores, np.float64).T]


def median_over_frames(frames: npt.NDArray[Any]) -> npt.NDArray[np.float64]:
    """A song's score: ``(sources, frames)`` -> ``(sources,)``, without frames that have no score (NaN)."""
    return np.asarray(median_over_songs(np.asarray(frames).T))


def mean_over_sources(scores: Sequence[float]) -> float:
    """The column "All" of the thesis' tables: the plain mean (erratum 32)."""
    return float(np.mean(scores))


def median_with_spread(scores: Sequence[float]) -> tuple[float, float]:
    """Median over songs and the standard error ``std / sqrt(n)`` of these songs, without NaN.

    The thesis' intervals are over five trainings (EQ-MUS-3, ``training aggregate``). This one is over songs: it estimates how much
    another choice of songs would change the number.
    """
    values = np.asarray(scores, np.float64)
    values = values[~np.isnan(values)]
    if not len(values):
        return float("nan"), float("nan")
    spread = float(np.std(values, ddof=1) / np.sqrt(len(values))) if len(values) > 1 else float("nan")
    return float(np.median(values)), spread


def with_spread(value: float, spread: float) -> str:
    """``1.23 ± 0.45``, or the value alone if its spread is unknown."""
    return f"{value:.2f}" + (f" ± {spread:.2f}" if spread == spread else "")
