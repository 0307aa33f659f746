"""The thesis' epoch (section 3.5.3, DMX-17): all 11 s extracts with a stride of 1 s, of which a random 10 s are kept."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Extract:
    """``frames`` samples of song ``song`` from ``start`` on."""

    song: int
    start: int
    frames: int


def extracts_in(seconds: float, extract: float = 11.0, stride: float = 1.0) -> int:
    """Number of extracts of a song of ``seconds``: ``floor((seconds - extract) / stride) + 1``, 0 if it is too short."""
    return int((seconds - extract) // stride) + 1 if seconds >= extract else 0


def epoch(
    lengths: Sequence[int],
    number: int,
    *,
    seed: int = 0,
    rate: int = 44_100,
    extract: float = 11.0,
    stride: float = 1.0,
    keep: int | None = None,
) -> list[Extract]:
    """The examples of epoch ``number``, in random order; the shifts differ from epoch to epoch.

    Args:
        lengths: lengths of the songs in samples.
        keep: samples of an example: ``valid_length(10 s)`` for a network without padding; by default 10 s. The random shift is
        at most ``stride`` seconds, and never goes past the extract.
    """
    kept = 10 * rate if keep is None else keep
    rng = np.random.default_rng([seed, number])
    largest = min(int(stride * rate), int(extract * rate) - kept + 1)
    if largest < 1:
        raise ValueError(f"examples of {kept} samples do not fit into extracts of {extract} s")
    places = [(song, i) for song, n in enumerate(lengths) for i in range(extracts_in(n / rate, extract, stride))]
    shifts = rng.integers(0, largest, len(places))
    order = rng.permutation(len(places))
    return [Extract(places[i][0], int(places[i][1] * stride * rate) + int(shifts[i]), kept) for i in order]
