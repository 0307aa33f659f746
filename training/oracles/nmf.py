"""Non-negative matrix factorisation (BSE-04) with scikit-learn: dictionaries of spectra, learned or blind (section 1.3.1).

Spectrograms are magnitudes ``(bins, frames)``. All updates are multiplicative and minimise the Kullback-Leibler divergence.
"""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from sklearn.decomposition import non_negative_factorization
from sklearn.exceptions import ConvergenceWarning

from training.data.store import Stems
from training.oracles.masks import ratio_mask
from training.oracles.stft import signal, spectra

Matrix = npt.NDArray[np.float32]


def factorise(
    magnitudes: Matrix, components: int, updates: int = 100, dictionary: Matrix | None = None, seed: int = 0
) -> tuple[Matrix, Matrix]:
    """``magnitudes ~ dictionary @ weights``, both not negative.

    Args:
        dictionary: ``(bins, components)``. If given, it stays fixed and only the weights are found.

    Returns:
        Dictionary ``(bins, components)`` and weights ``(components, frames)``.
    """
    options: dict[str, Any] = {} if dictionary is None else {"H": np.ascontiguousarray(dictionary.T), "update_H": False}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # the number of updates is the caller's choice
        weights, spectra_, _ = non_negative_factorization(
            np.ascontiguousarray(magnitudes.T), n_components=components, init="random" if dictionary is None else None,
            solver="mu", beta_loss="kullback-leibler", max_iter=updates, tol=0.0, random_state=seed, **options,
        )  # fmt: skip
    return np.asarray(spectra_.T, np.float32), np.asarray(weights.T, np.float32)


def divergence(magnitudes: Matrix, model: Matrix, floor: float = 1e-12) -> float:
    """The generalised Kullback-Leibler divergence, which the updates reduce."""
    p, q = np.asarray(magnitudes, np.float64), np.maximum(np.asarray(model, np.float64), floor)
    return float(np.sum(np.where(p > 0, p * np.log(np.maximum(p, floor) / q), 0.0) - p + q))


def supervised(mix: Stems, dictionaries: list[Matrix], updates: int = 100) -> Stems:
    """Separate ``mix (channels, time)`` with a learned dictionary for each source: weights on their union, then a soft mask.

    Returns:
        ``(sources, channels, time)``; they sum to the mixture.
    """
    mixture = spectra(mix)
    mono = mixture.abs().mean(dim=0).numpy()
    union = np.concatenate(dictionaries, axis=1)
    _, weights = factorise(mono, union.shape[1], updates, union)
    parts, start = [], 0
    for dictionary in dictionaries:
        parts.append(dictionary @ weights[start : start + dictionary.shape[1]])
        start += dictionary.shape[1]
    mask = ratio_mask(torch.from_numpy(np.stack(parts)), power=1.0)[:, None]
    return signal(mask * mixture[None], mix.shape[-1])


def oracle_nmf(stems: Stems, components: int = 16, updates: int = 60) -> Stems:
    """NMF with dictionaries learned on the song's own true sources: the model's result with perfect training data."""
    mono = spectra(stems).abs().mean(dim=1).numpy()
    dictionaries = [factorise(source, components, updates)[0] for source in mono]
    return supervised(stems.sum(axis=0), dictionaries, updates)
