"""Simulations for chapter 5: a smooth non-convex function with bounded noise (ADP-06), and a sigmoid network (CNT-02)."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import nn

from training.optim.adaptive_bounds import Assumptions, Vector, containment, largest_move, tau_weights
from training.optim.unified import Unified, step_size

STEEPEST = 3 * math.sqrt(3) / 8
"""The largest slope of x^2 / (1 + x^2)."""
SMOOTH = 2.0
"""The largest curvature of x^2 / (1 + x^2)."""


@dataclass(frozen=True)
class Toy:
    """``F(x) = sum x_i^2 / (1 + x_i^2)`` with uniform noise on each entry of the gradient.

    Attributes:
        size: d.
        noise: largest error of an entry.
        start: every entry of x0.
    """

    size: int = 10
    noise: float = 1.0
    start: float = 1.5
    eps: float = 1e-8

    @property
    def assumptions(self) -> Assumptions:
        """The assumptions of the theorems for this function; F* is 0."""
        gap = self.size * self.start**2 / (1 + self.start**2)
        return Assumptions(gap, self.size, STEEPEST + self.noise + math.sqrt(self.eps), SMOOTH, self.eps)

    @staticmethod
    def values(x: Vector) -> Vector:
        """F at points ``(..., size)``."""
        return np.asarray((x**2 / (1 + x**2)).sum(axis=-1))

    @staticmethod
    def gradient(x: Vector) -> Vector:
        """The gradient without noise."""
        return np.asarray(2 * x / (1 + x**2) ** 2)

    def noise_of(self, steps: int, seed: int) -> Vector:
        """Errors of the gradients of a run, ``(steps, size)``."""
        return np.random.default_rng([seed, steps]).uniform(-self.noise, self.noise, (steps, self.size))

    def run(self, kind: str, steps: int, alpha: float, beta1: float, beta2: float, seeds: Sequence[int]) -> Vector:
        """The points before each step, ``(seeds, steps, size)``: the same updates as ``Unified``, for all seeds at once."""
        errors = np.stack([self.noise_of(steps, seed) for seed in seeds])
        points = np.empty_like(errors)
        x = np.full((len(seeds), self.size), float(self.start))
        momentum, square = np.zeros_like(x), np.zeros_like(x)
        decay = 1.0 if kind == "adagrad" else beta2
        for n in range(steps):
            points[:, n] = x
            gradient = self.gradient(x) + errors[:, n]
            momentum = beta1 * momentum + gradient
            square = decay * square + gradient**2
            x = x - step_size(kind, n + 1, alpha, beta1, beta2) * momentum / np.sqrt(self.eps + square)
        return points


def mean_square_gradient(
    toy: Toy, kind: str, steps: int, alpha: float, beta1: float, beta2: float, seeds: Sequence[int]
) -> Vector:
    """``E |grad F(x_tau)|^2`` for each seed, with the exact mean over tau."""
    points = toy.run(kind, steps, alpha, beta1, beta2, seeds)
    return np.asarray(np.square(toy.gradient(points)).sum(axis=-1) @ tau_weights(steps, beta1))


@dataclass(frozen=True)
class Contained:
    """Largest weights of a run, and the bounds of section 5.4.2; ``moved`` is the largest change of a weight in a step."""

    last: float
    first: float
    last_bound: float
    first_bound: float
    moved: float
    move_bound: float


def containment_run(
    kind: str, decay: float, steps: int, seed: int, alpha: float = 0.01, beta2: float = 0.999
) -> Contained:
    """A 5-4-1 sigmoid network with Huber's loss and an L2 penalty, small initial weights and no momentum (CNT-02)."""
    generator = torch.Generator().manual_seed(seed)
    first = nn.Parameter(0.02 * torch.randn(4, 5, generator=generator, dtype=torch.float64))
    last = nn.Parameter(0.02 * torch.randn(1, 4, generator=generator, dtype=torch.float64))
    alpha = 10 * alpha if kind == "adagrad" else alpha
    optimizer = Unified([first, last], kind, alpha, (0.0, beta2))
    largest, most, norm = [0.0, 0.0], 0.0, 0.0
    for _ in range(steps):
        inputs = 2 * torch.rand(16, 5, generator=generator, dtype=torch.float64) - 1
        goal = (inputs.sum(dim=1, keepdim=True) > 0).double()
        optimizer.zero_grad()
        output = torch.sigmoid(torch.sigmoid(inputs @ first.T) @ last.T)
        penalty = 0.5 * decay * (first.square().sum() + last.square().sum())
        (nn.functional.huber_loss(output, goal) + penalty).backward()
        before = [first.detach().clone(), last.detach().clone()]
        optimizer.step()
        for k, weight in enumerate((first, last)):
            largest[k] = max(largest[k], float(weight.detach().abs().max()))
            most = max(most, float((weight.detach() - before[k]).abs().max()))
        norm = max(norm, float(last.detach().norm()))
    move = largest_move(kind, alpha, beta2)
    # Huber's derivative is at most 1; the bound of the last layer's norm follows from that of its four weights
    last_bound = containment(1.0, decay, move, [])
    return Contained(largest[1], largest[0], last_bound, containment(1.0, decay, move, [2 * last_bound]), most, move)
