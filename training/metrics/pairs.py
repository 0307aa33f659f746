"""Compares two methods on the same clips by the difference of each clip, which says far more than a difference of medians."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from rtaudio.audio.format import StemplayError
from training.metrics.summary import mean_with_error

ClipScores = Mapping[str, Sequence[float]]
"""Clip -> a score in dB for each source, NaN if it is silent."""


TIE = 0.001
"""dB by which a method must be ahead to win a clip, since saved scores are rounded."""


@dataclass(frozen=True)
class Duel:
    """One method against an earlier one on the same clips.

    Attributes:
        difference, error: mean over clips of new minus old, and its standard error, dB.
        wins, clips: number of clips on which the new method is ahead, and number on which both have a score.
    """

    difference: float
    error: float
    wins: int
    clips: int

    @property
    def better(self) -> bool:
        """Whether the new method counts as better: ahead by two standard errors or more, and on more than half of the clips."""
        return self.difference > 0 and self.difference >= 2 * self.error and 2 * self.wins > self.clips

    def text(self) -> str:
        """Text for tables: difference ± error, and wins."""
        error = f" ± {self.error:.2f}" if self.error == self.error else ""
        return f"{round(self.difference, 2) + 0.0:+.2f}{error}, {self.wins} of {self.clips}"


def duel(new: ClipScores, old: ClipScores, sources: Sequence[str]) -> dict[str, Duel]:
    """``All`` (each clip's mean over its sources) and every source -> comparison of ``new`` with ``old``.

    Raises:
        StemplayError: the methods were not scored on the same clips.
    """
    if set(new) != set(old):
        odd = sorted(set(new) ^ set(old))
        raise StemplayError(f"The two methods were not scored on the same clips: only one of them has {odd[0]!r}.")
    gains = np.array([[a - b for a, b in zip(new[clip], old[clip], strict=True)] for clip in sorted(new)], np.float64)
    columns = {"All": gains, **{source: gains[:, [number]] for number, source in enumerate(sources)}}
    return {name: _duel(table) for name, table in columns.items()}


def _duel(table: np.ndarray) -> Duel:
    clips = [float(row[~np.isnan(row)].mean()) for row in table if not np.isnan(row).all()]
    difference, error = mean_with_error(clips) if clips else (float("nan"), float("nan"))
    return Duel(difference, error, sum(clip > TIE for clip in clips), len(clips))
