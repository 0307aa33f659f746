"""SVRG with mini-batches and with AdaBatch (thesis section 4.5, SVR-01 to -05)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from rtaudio.audio.format import StemplayError
from training.optim.sparse import kernels
from training.optim.sparse.problem import LOSSES, SparseProblem, Vector
from training.optim.sparse.solvers import check_run


@dataclass
class SparseSvrg:
    """Epochs of SVRG (EQ-SVR-1, -2), one for each call of ``epoch``.

    Args:
        adaptive: divide by the number of samples that have a feature, as AdaBatch; otherwise by the batch size.
        switch: the epoch, from 0, from which the batch size is used, as the thesis advises close to the optimum (B.4.3).
        last: start the next epoch at the last iterate, not at the mean of the iterates (EQ-SVR-1).

    Attributes:
        w: weights, ``(features,)``.
        epochs: number of finished epochs.
    """

    problem: SparseProblem
    adaptive: bool = True
    step: float = 1.0
    batch: int = 50
    switch: int | None = None
    last: bool = False
    w: Vector = field(init=False)
    epochs: int = 0

    def __post_init__(self) -> None:
        check_run("adabatch", self.step, self.batch, 1)
        if self.switch is not None and self.switch < 0:
            raise StemplayError(f"The epoch to switch at must be at least 0, not {self.switch}.")
        self.w = np.zeros(self.problem.size)
        p = self.problem.p
        self._inverse = np.where(p > 0, 1.0 / np.where(p > 0, p, 1.0), 0.0)
        self._counts = np.zeros(self.problem.size, np.uint32)
        self._slopes = np.zeros(self.batch)
        self._shares = 1.0 / np.maximum(1, np.arange(self.batch + 1))

    @property
    def averages_by_support(self) -> bool:
        """Whether the next epoch divides as AdaBatch does."""
        return self.adaptive and (self.switch is None or self.epochs < self.switch)

    def epoch(self, rng: np.random.Generator, samples: int | None = None) -> None:
        """Compute the full gradient, then update on ``samples`` samples (by default as many as there are), drawn with replacement."""
        problem = self.problem
        count = problem.samples if samples is None else samples
        order = rng.integers(0, problem.samples, count)
        anchor, mean = self.w.copy(), self.w.copy()
        kernels.variance_reduced(
            *problem.arrays, problem.labels, self.w, mean, order, self.batch, self.step, LOSSES[problem.loss],
            self.averages_by_support, problem.penalty, anchor, problem.slopes(anchor), problem.gradient(anchor) * self._inverse,
            self._counts, self._shares, self._slopes,
        )  # fmt: skip
        if not self.last:
            self.w = mean
        self.epochs += 1

    def fit(self, epochs: int, seed: int = 0, after: Callable[[SparseSvrg], None] | None = None) -> Vector:
        """``epochs`` epochs; returns the weights in the user's order of features."""
        rng = np.random.default_rng(seed)
        for _ in range(epochs):
            self.epoch(rng)
            if after is not None:
                after(self)
        return self.problem.to_user(self.w)
