"""Monte Carlo with less variance: how many samples of a batch have a feature, and their values, drawn by strata.

Independent draws would need millions of batches for an accuracy of 1 % where few batches have the feature at all.
"""

from __future__ import annotations

import numpy as np
from scipy.stats import binom


def strata(rng: np.random.Generator, size: int) -> np.ndarray:
    """``size`` uniform numbers in random order, one in each of as many equal intervals."""
    return rng.permutation((np.arange(size) + rng.random(size)) / size)


def presence(rng: np.random.Generator, p: float, batch: int, draws: int) -> np.ndarray:
    """Which samples have a feature that each has with probability ``p``: bool ``(draws, batch)``, draws' numbers of samples by strata."""
    counts = binom.ppf(strata(rng, draws), batch, p)
    return rng.random((draws, batch)).argsort(axis=1) < counts[:, None]
