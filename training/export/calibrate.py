"""Calibrates two values on a separator's card: the ``shares`` of the residual, and the strength of refinement (``refining``).

The residual is shared among the stems so that they sum to the mix.

With the residual ``r = x - sum(y_s)`` and the errors ``e_s = x_s - y_s``, adding ``w_s r`` to each stem leaves the least error energy
in stem s for ``w_s = <e_s, r> / <r, r>``. The errors sum to the residual, so these weights sum to one. For refinement, let ``d_s`` be the
mix filtered by the stems' spectra (``rtaudio.processors.refine``) minus stem s; the best weight is ``<e_s, d_s> / <d_s, d_s>``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path

import numpy as np

from models.card import CardError, read_card, write_card
from models.catalog import find_model
from rtaudio.files.offline import filtered_array, separate_array
from rtaudio.inference.runtime import ModelRuntime
from training.data.store import Stems


def least_squares_shares(pairs: Iterable[tuple[Stems, Stems]]) -> list[float]:
    """Shares from ``(stems, estimates)``, each ``(sources, channels, time)``; negative ones become 0, the sum is 1.

    Every song has the same weight, whatever its level.
    """
    total: np.ndarray | float = 0.0
    for stems, estimates in pairs:
        residual = stems.sum(axis=0) - estimates.sum(axis=0)
        energy = float(np.square(residual, dtype=np.float64).sum())
        if energy > 0:
            total = total + np.einsum("sct,ct->s", stems - estimates, residual, dtype=np.float64) / energy
    shares = np.maximum(np.atleast_1d(total), 0.0)
    if not shares.sum() > 0:
        raise ValueError("The songs leave no residual to share.")
    return [round(float(share), 4) for share in shares / shares.sum()]


def least_squares_refining(triples: Iterable[tuple[Stems, Stems, Stems]]) -> list[float]:
    """For each source, the best share of the filtered mix in its stem, 0 to 1, from ``(stems, estimates, filtered)``.

    A song's weight grows with how well it is already separated, as on a decibel scale.
    """
    above: np.ndarray | float = 0.0
    below: np.ndarray | float = 0.0
    for stems, estimates, filtered in triples:
        error, change = (x.astype(np.float64) for x in (stems - estimates, filtered - estimates))
        weight = 1 / np.maximum(np.einsum("sct,sct->s", error, error), 1e-9)
        above = above + weight * np.einsum("sct,sct->s", error, change)
        below = below + weight * np.einsum("sct,sct->s", change, change)
    best = np.clip(np.atleast_1d(above / np.maximum(below, 1e-9)), 0, 1)
    return [round(float(share), 3) for share in best]


def calibrate(
    model: str | Path,
    songs: Iterable[tuple[str, Stems]],
    rate: int = 44_100,
    progress: Callable[[str], None] | None = None,
) -> tuple[list[float], list[float]]:
    """Find shares and refining on ``songs`` (not on test songs) and write them into the model's card; returns them.

    ``refining`` is empty for models whose stems cannot be refined.
    """
    directory = find_model(model)
    card = read_card(directory)
    runtime = ModelRuntime(directory)
    pairs, filtered = [], []
    for name, stems in songs:
        mix = np.ascontiguousarray(stems.sum(axis=0).T)
        pairs.append((stems, separate_array(mix, rate, runtime, consistent=False).transpose(1, 2, 0)))
        if card.refinable:
            filtered.append(filtered_array(mix, rate, runtime).transpose(1, 2, 0))
        if progress is not None:
            progress(name)
    if not pairs:
        raise CardError("There are no songs to calibrate on.")
    shares = least_squares_shares(pairs)
    parts = np.asarray(shares, np.float32)[:, None, None]
    consistent = ((stems, y + parts * (stems.sum(axis=0) - y.sum(axis=0))) for stems, y in pairs)
    triples = ((*pair, y) for pair, y in zip(consistent, filtered, strict=True))
    refining = least_squares_refining(triples) if card.refinable else []
    write_card(replace(card, shares=tuple(shares), refining=tuple(refining)), directory)
    return shares, refining
