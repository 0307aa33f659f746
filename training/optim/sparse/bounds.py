"""Computes the bounds of chapter 4: Table 4.1, theorems 5 to 8, the moments of AdaBatch's average (lemmas B.1 and B.2).

Misprints are corrected as the errata of the requirements say (ERR-36 to -49).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from scipy.stats import binom

from rtaudio.audio.format import StemplayError

METHODS = ("minibatch", "adabatch", "inverse")


@dataclass(frozen=True)
class Setting:
    """Constants of assumption 1: ``mu Diag(p) <= F'' <= smooth Diag(p)``, ``f'' <= radius2 Id``; variance sigma2 of f' at the optimum."""

    mu: float
    smooth: float
    radius2: float
    p_min: float
    p_max: float
    sigma2: float = 1.0
    delta0: float = 1.0

    def __post_init__(self) -> None:
        if not 0 < self.p_min <= self.p_max <= 1:
            raise StemplayError(f"Frequencies must satisfy 0 < p_min <= p_max <= 1, not {self.p_min}, {self.p_max}.")
        if min(self.smooth, self.radius2) <= 0 or min(self.mu, self.sigma2, self.delta0) < 0:
            raise StemplayError("The constants of the bound must be positive.")


@dataclass(frozen=True)
class Bound:
    """A row of Table 4.1: the decaying part of the start, the remaining noise, and the largest step for which the bound is proved."""

    bias: float
    variance: float
    largest_step: float


def hit(p: float, batch: int) -> float:
    """``p^{+B} = 1 - (1 - p)^B``: the probability that a batch has a feature."""
    return float(-np.expm1(batch * np.log1p(-p))) if p < 1 else 1.0


def table_4_1(method: str, setting: Setting, samples: int, batch: int, step: float | None = None) -> Bound:
    """Bias and variance of ``F - F*`` after ``samples`` samples in batches (EQ-ADB-10), at ``step`` or the largest allowed.

    Raises:
        StemplayError: the step is larger than the theorem allows.
    """
    s = setting
    rate, noise, limit = {
        "minibatch": (s.p_min * s.mu / 2, 2 * s.sigma2 / batch, s.smooth * s.p_max + 2 * s.radius2 / batch),
        "adabatch": (hit(s.p_min, batch) * s.mu / 2, 2 * s.sigma2, s.smooth + 2 * s.radius2),
        "inverse": (s.mu / 2, 2 * s.sigma2 / (s.p_min * batch), s.smooth + 2 * s.radius2 / (s.p_min * batch)),
    }[method]
    largest = 1 / limit
    step = largest if step is None else step
    if not 0 < step <= largest * (1 + 1e-12):
        raise StemplayError(f"The step size must be above 0 and at most {largest:g} for this bound, not {step:g}.")
    return Bound((1 - step * rate) ** (samples / batch) * s.delta0 / step, step * noise, largest)


def iterate_bound(
    mu: float, smooth: float, radius2: float, sigma2: float, distance2: float, steps: int, batch: int, step: float
) -> float:
    """Theorem 5: bound of ``E |w_N - w*|^2`` for plain mini-batches, ``mu Id <= F'' <= smooth Id`` (EQ-ADB-11)."""
    if not 0 < step * (smooth * (1 - 1 / batch) + 2 * radius2 / batch) <= 1 + 1e-12:
        raise StemplayError("The step size is too large for theorem 5.")
    return float((1 - step * mu / 2) ** steps * distance2 + 4 * step * sigma2 / (batch * mu))


def mean_iterate_bound(setting: Setting, steps: int, batch: int, step: float, adaptive: bool) -> float:
    """Theorems 5 and 6: bound of ``E F - F*`` at the weighted mean of the iterates."""
    bound = table_4_1("adabatch" if adaptive else "minibatch", setting, steps * batch, batch, step)
    return bound.bias + bound.variance


def weighted_mean(iterates: np.ndarray, step: float, mu: float) -> np.ndarray:
    """The weighted mean of ``(steps, features)`` in the theorems, with weights ``(1 - step mu / 2)^(N - n)`` (ADB-10)."""
    weights = (1 - step * mu / 2) ** np.arange(len(iterates) - 1, -1, -1.0)
    return np.asarray(weights @ iterates / weights.sum())


def saturates_at(setting: Setting) -> float:
    """Batch size from which mini-batch SGD's largest step no longer grows: ``2 R^2 / (L p_max)``."""
    return 2 * setting.radius2 / (setting.smooth * setting.p_max)


def average_moments(p: float, copies: int, mean: float, square: float) -> tuple[float, float]:
    """E[A] and E[A^2] of the average of the non-zero ones among ``copies`` of Z (lemma B.1, ERR-42).

    Args:
        p: ``P[Z != 0]``.
        mean, square: E[Z] and E[Z^2], zeros included.
    """
    q = hit(p, copies)
    counts = np.arange(1, copies + 1)
    inverse = float((binom.pmf(counts, copies, p) / counts).sum())
    return q * mean / p, q * mean**2 / p**2 + inverse * (square / p - mean**2 / p**2)


def average_square_bound(p: float, copies: int, mean: float, square: float) -> float:
    """Upper bound of E[A^2]: (B.6), and lemma B.2's if ``N p >= 5``."""
    q = hit(p, copies)
    simple = q * mean**2 / p**2 + q * square / p
    return min(simple, 5 * q * square / (copies * p**2) + q * mean**2 / p**2) if copies * p >= 5 else simple


def svrg_contraction(
    mu: float, smooth: float, step: float, inner: int, batch: int = 1, adaptive: bool = False, p_min: float = 1.0
) -> float:
    """Factor by which an epoch of SVRG shrinks ``E F - F*``: theorem 7 (mini-batch) or 8 (AdaBatch, ERR-47).

    Raises:
        StemplayError: the step is too large for the theorem.
    """
    if adaptive:
        rest = 1 - 2 * step * smooth
        value = 1 / (mu * hit(p_min, batch) * step * rest * inner) + 2 * smooth * step / rest if rest > 0 else math.inf
    else:
        rest = 1 - step * smooth * (3 + batch) / (2 * batch)
        value = 1 / (mu * step * rest * inner) + 2 * smooth * step / (batch * rest) if rest > 0 else math.inf
    if math.isinf(value) or step <= 0:
        raise StemplayError(f"The step size {step:g} is too large (or not above 0) for the theorem on SVRG.")
    return value


def corollary_1(mu: float, smooth: float, batch: int, printed: bool = False) -> tuple[float, float]:
    """Step and inner length for mini-batch SVRG; ``printed`` uses the thesis' misprinted constant (ERR-48)."""
    divisor = 0.9 * batch - (4.0 if printed else 6.7)
    if divisor <= 0:
        raise StemplayError(f"Corollary 1 needs batches of at least 8 samples, not {batch}.")
    return 1 / smooth, 2 * batch * smooth / (mu * divisor)


def corollary_2(mu: float, smooth: float, batch: int, p_min: float) -> tuple[float, float]:
    """Step and inner length for AdaBatch SVRG, if ``B p_min`` is small."""
    return 1 / (10 * smooth), 20 * smooth / (batch * p_min * mu)
