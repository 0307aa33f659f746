"""Scores of separated stems (thesis section A.2).

``simple``: scores that need no library, and the mixture-consistent output that the engine plays; ``museval4``: scores of the
``museval`` package, for many estimates of a song at the cost of one; ``summary``: medians of medians and their spread; ``artefacts``:
meters of single faults.

Shape:
    arrays and tensors are ``(..., sources, channels, time)`` unless a function says otherwise.
"""

from training.metrics.simple import (
    ACTIVE_POWER,
    Invariants,
    frame_sdr,
    global_sdr,
    make_consistent,
    projection_scores,
    with_accompaniment,
)
from training.metrics.summary import (
    mean_over_songs,
    mean_over_sources,
    mean_with_error,
    median_over_songs,
    median_with_spread,
)

__all__ = [
    "ACTIVE_POWER",
    "Invariants",
    "frame_sdr",
    "global_sdr",
    "make_consistent",
    "mean_over_songs",
    "mean_over_sources",
    "mean_with_error",
    "median_over_songs",
    "median_with_spread",
    "projection_scores",
    "with_accompaniment",
]
