"""Computes the bounds of chapter 5: how small the gradient of Adam and Adagrad becomes, and how large weights can grow.

All bound ``E |grad F(x_tau)|^2`` for a random step tau (EQ-ADP-3). Misprints are corrected as the errata say (ERR-51 to -60).
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

Vector = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Assumptions:
    """The assumptions of the theorems (5.5 to 5.8).

    Attributes:
        gap: F(x0) - F*.
        size: number of weights d.
        radius: R: no entry of a gradient exceeds ``R - sqrt(eps)``.
        smooth: Lipschitz constant L of grad F.
    """

    gap: float
    size: int
    radius: float
    smooth: float
    eps: float = 1e-8

    def __post_init__(self) -> None:
        numbers = (self.gap, self.size, self.radius, self.smooth, self.eps)
        if not all(0 <= value < math.inf for value in numbers) or min(self.size, self.radius, self.eps) <= 0:
            raise ValueError("the assumptions need numbers that are not negative, and size, radius and eps above 0")


def effective_steps(steps: int, beta1: float) -> float:
    """``N~ = N - beta1 / (1 - beta1)`` of the theorems with momentum. ValueError if it is not above 0."""
    left = steps - beta1 / (1 - beta1)
    if steps < 1 or not left > 0:
        raise ValueError(f"momentum {beta1:g} needs more than {beta1 / (1 - beta1):g} steps for a bound, not {steps}")
    return left


def tau_weights(steps: int, beta1: float) -> Vector:
    """``P[tau = j]`` for j = 0 to N - 1, proportional to ``1 - beta1^(N - j)``: the last steps are unlikely (EQ-ADP-3)."""
    if steps < 1 or not 0 <= beta1 < 1:
        raise ValueError("tau needs at least one step and 0 <= beta1 < 1")
    weights = 1 - beta1 ** np.arange(steps, 0, -1, dtype=np.float64)
    return np.asarray(weights / (steps - beta1 * (1 - beta1**steps) / (1 - beta1)))


def draw_tau(rng: np.random.Generator, steps: int, beta1: float) -> int:
    """A random step with these probabilities."""
    return int(rng.choice(steps, p=tau_weights(steps, beta1)))


def adam(a: Assumptions, steps: int, alpha: float, beta2: float) -> float:
    """Theorem 1 (no momentum)."""
    _check(steps, alpha, 0.0, beta2)
    constant = 4 * a.size * a.radius**2 / math.sqrt(1 - beta2) + alpha * a.size * a.radius * a.smooth / (1 - beta2)
    return forgetting(a, steps, alpha, 0.0, "adam") + constant * (_log(a, beta2) / steps - math.log(beta2))


def adagrad(a: Assumptions, steps: int, alpha: float) -> float:
    """Theorem 2 (no momentum)."""
    _check(steps, alpha, 0.0)
    constant = 4 * a.size * a.radius**2 + alpha * a.size * a.radius * a.smooth
    return forgetting(a, steps, alpha, 0.0, "adagrad") + constant * _log_of(a, steps) / math.sqrt(steps)


def adam_momentum(a: Assumptions, steps: int, alpha: float, beta1: float, beta2: float) -> float:
    """Theorems 3 and 9."""
    _check(steps, alpha, beta1, beta2)
    d, r, smooth, ratio = a.size, a.radius, a.smooth, 1 - beta1 / beta2
    constant = (
        alpha * d * r * smooth * (1 - beta1) / (ratio * (1 - beta2))
        + 12 * d * r**2 * math.sqrt(1 - beta1) / (ratio**1.5 * math.sqrt(1 - beta2))
        + 2 * alpha**2 * d * smooth**2 * beta1 / (ratio * (1 - beta2) ** 1.5)
    )
    left = effective_steps(steps, beta1)
    noise = constant * (_log(a, beta2) / left - steps / left * math.log(beta2))
    return forgetting(a, steps, alpha, beta1, "adam") + noise


def adagrad_momentum(a: Assumptions, steps: int, alpha: float, beta1: float) -> float:
    """Theorems 4 and 10, for ``alpha_n = (1 - beta1) alpha`` (ERR-52)."""
    _check(steps, alpha, beta1)
    left = effective_steps(steps, beta1)
    noise = math.sqrt(steps) / left * _momentum_constant(a, alpha, beta1) * _log_of(a, steps)
    return forgetting(a, steps, alpha, beta1, "adagrad") + noise


def forgetting(a: Assumptions, steps: int, alpha: float, beta1: float, kind: str) -> float:
    """The term of F(x0) - F*: for Adam it falls as 1 / N, for Adagrad as 1 / sqrt(N) (ADP-09)."""
    grown = math.sqrt(steps) if kind == "adagrad" else 1.0
    return 2 * a.radius * grown * a.gap / (alpha * effective_steps(steps, beta1))


def adagrad_simplified(a: Assumptions, steps: int, alpha: float, beta1: float) -> float:
    """(C.15): many steps."""
    _check(steps, alpha, beta1)
    root = math.sqrt(steps)
    return 2 * a.radius * a.gap / (alpha * root) + _momentum_constant(a, alpha, beta1) * _log_of(a, steps) / root


def adam_simplified(a: Assumptions, steps: int, alpha: float, beta1: float, beta2: float) -> float:
    """(C.14): many steps, and ``beta1 / beta2`` about ``beta1``."""
    _check(steps, alpha, beta1, beta2)
    d, r, smooth = a.size, a.radius, a.smooth
    constant = (
        alpha * d * r * smooth / (1 - beta2)
        + 12 * d * r**2 / ((1 - beta1) * math.sqrt(1 - beta2))
        + 2 * alpha**2 * d * smooth**2 * beta1 / ((1 - beta1) * (1 - beta2) ** 1.5)
    )
    return 2 * r * a.gap / (alpha * steps) + constant * (_log(a, beta2) / steps - math.log(beta2))


def adam_horizon(a: Assumptions, steps: int, alpha1: float, beta1: float) -> float:
    """(C.16): ``alpha = alpha1 / sqrt(N)``, ``beta2 = 1 - 1 / N``; Adagrad's bound with 1 added to the logarithm."""
    _check(steps, alpha1, beta1)
    root = math.sqrt(steps)
    return (
        2 * a.radius * a.gap / (alpha1 * root) + _momentum_constant(a, alpha1, beta1) * (_log_of(a, steps) + 1) / root
    )


def rates(a: float, b: float) -> dict[str, float]:
    """Exponents of N in the terms of (5.22), for ``alpha = N^-a`` and ``beta2 = 1 - N^-b``; the largest is the rate."""
    return {"start": a - 1, "noise": b / 2 - 1, "memory": -b / 2, "smooth": b - a - 1, "step": -a}


def largest_move(kind: str, alpha: float, beta2: float = 0.999) -> float:
    """The largest change of a weight in a step without momentum (5.11): alpha for Adagrad, ``alpha / sqrt(1 - beta2)`` for Adam."""
    return alpha if kind == "adagrad" else alpha / math.sqrt(1 - beta2)


def containment(slope: float, decay: float, move: float, norms_above: list[float]) -> float:
    """How large a weight of a sigmoid network can grow (section 5.4.2, ERR-56): ``M' prod M_k / (4^(l - s + 1) lambda) + 2A``.

    Args:
        slope: largest derivative M' of the loss.
        decay: lambda of the L2 penalty.
        move: A, from ``largest_move``.
        norms_above: bounds of the Frobenius norms of the layers above this one; none for the last.
    """
    return slope * math.prod(norms_above) / (4 ** (len(norms_above) + 1) * decay) + 2 * move


def estimate_radius(gradients: Vector, eps: float = 1e-8, share: float = 1.0) -> float:
    """R from gradients ``(draws, size)``: the largest entry plus sqrt(eps). ``share`` below 1 leaves out the largest entries (ADP-15)."""
    largest = np.abs(gradients).max(axis=1)
    return float(np.quantile(largest, share)) + math.sqrt(eps)


def estimate_smoothness(points: Vector, gradients: Vector) -> float:
    """L as the steepest secant among ``(draws, size)`` points and their gradients."""
    moves = np.linalg.norm(points[1:] - points[:-1], axis=1)
    return float((np.linalg.norm(gradients[1:] - gradients[:-1], axis=1) / np.maximum(moves, 1e-300)).max())


def replicated(a: Assumptions, copies: int) -> Assumptions:
    """The same problem ``copies`` times side by side (ADP-10): gap and size grow, R and L do not."""
    return replace(a, gap=a.gap * copies, size=a.size * copies)


def _momentum_constant(a: Assumptions, alpha: float, beta1: float) -> float:
    d, r, smooth = a.size, a.radius, a.smooth
    return alpha * d * r * smooth + 12 * d * r**2 / (1 - beta1) + 2 * alpha**2 * d * smooth**2 * beta1 / (1 - beta1)


def _log(a: Assumptions, beta2: float) -> float:
    return math.log1p(a.radius**2 / ((1 - beta2) * a.eps))


def _log_of(a: Assumptions, steps: int) -> float:
    return math.log1p(steps * a.radius**2 / a.eps)


def _check(steps: int, alpha: float, beta1: float, beta2: float | None = None) -> None:
    if steps < 1 or not 0 < alpha < math.inf:
        raise ValueError(f"a bound needs at least one step and a step size above 0, not {steps} and {alpha}")
    if not 0 <= beta1 < (1.0 if beta2 is None else beta2) or (beta2 is not None and not beta2 < 1):
        raise ValueError(f"a bound needs 0 <= beta1 < beta2 < 1, not {beta1} and {beta2}")
