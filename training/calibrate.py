"""How a separator's residual is shared among its stems so that they sum to the mix (the card's ``shares``).

With the residual ``r = x - sum(y_s)`` and the errors ``e_s = x_s - y_s``, adding ``w_s r`` to each stem leaves the least energy in
stem s for ``w_s = <e_s, r> / <r, r>``. The errors sum to the residual, so these weights sum to one by themselves.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path

import numpy as np

from models.card import CardError, read_card, write_card
from models.catalog import find_model
from rtaudio.offline import separate_array
from training.data.store import Stems


def least_squares_shares(pairs: Iterable[tuple[Stems, Stems]]) -> list[float]:
    """Shares from ``(stems, estimates)``, each ``(sources, channels, time)``; negative ones become 0, the sum is 1.

    Every song weighs the same, whatever its level.
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


def calibrate(
    model: str | Path,
    songs: Iterable[tuple[str, Stems]],
    rate: int = 44_100,
    progress: Callable[[str], None] | None = None,
) -> list[float]:
    """Find the shares on ``songs`` (not those that are reported on) and write them into the model's card; returns them."""
    directory = find_model(model)
    card = read_card(directory)
    pairs = []
    for name, stems in songs:
        mix = np.ascontiguousarray(stems.sum(axis=0).T)
        pairs.append((stems, separate_array(mix, rate, directory, consistent=False).transpose(1, 2, 0)))
        if progress is not None:
            progress(name)
    if not pairs:
        raise CardError("There are no songs to calibrate on.")
    shares = least_squares_shares(pairs)
    write_card(replace(card, shares=tuple(shares)), directory)
    return shares
