"""Measures samples per second of the sparse solvers and of scikit-learn's SGDClassifier, alternately, in one run."""

from __future__ import annotations

import threading
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from training.optim.experiments import memory_bound
from training.optim.experiments.chapter4 import reached
from training.optim.experiments.clock import Timed, undisturbed
from training.optim.experiments.tuning import tune
from training.optim.sparse.data import Parts
from training.optim.sparse.solvers import SparseSolver, cores, zeros

SOLVERS = {
    "AdaBatch, B = 50": ("adabatch", 50, 1, False),
    "reconditioned, B = 50": ("reconditioned", 50, 1, False),
    "mini-batch, B = 50": ("minibatch", 50, 1, False),
    "Adagrad, B = 50": ("adagrad", 50, 1, False),
    "SGD (Hogwild! with one worker)": ("hogwild", 1, 1, False),
    "AdaBatch, B = 50, 2 workers": ("adabatch", 50, 2, False),
    "reconditioned, B = 50, 2 workers": ("reconditioned", 50, 2, False),
    "Wild AdaBatch, B = 50, 2 workers": ("reconditioned", 50, 2, True),
    "Wild AdaBatch, B = 1000, 2 workers": ("reconditioned", 1000, 2, True),
    "Hogwild!, 2 workers": ("hogwild", 1, 2, False),
}
"""Rule, batch, workers and whether they are wild."""
REFERENCE = "scikit-learn SGDClassifier"
BOUND = "AdaBatch's reads and writes, B = 50, without arithmetic"
"""A bound for AdaBatch: ``memory_bound.accesses`` on the same data in the same memory."""
APART = "two AdaBatch runs side by side"
"""What two processors can give: nothing is shared but the samples, which both read."""


@dataclass(frozen=True)
class Speed:
    """Runs of each round by method, and the seconds that sorting the features took, once.

    Attributes:
        runs: seconds and processors of each round.
        thousands: thousand samples of a run.
        workers: number of threads, by method.
    """

    runs: dict[str, list[Timed]]
    thousands: dict[str, float]
    workers: dict[str, int]
    arranging: float

    def rates(self, name: str) -> Any:
        """Thousand samples a second in each round."""
        return self.thousands[name] / np.array([run.seconds for run in self.runs[name]])

    def table(self) -> str:
        """A table: medians with the smallest and the largest; ratios are medians of those in the same round."""
        rows = [
            "| solver | thousand samples a second | of scikit-learn's | of one worker's | processors it had |",
            "|---|---|---|---|---|",
        ]
        base = self.rates(REFERENCE)
        for name in self.runs:
            v, had = self.rates(name), np.array([run.processors for run in self.runs[name]])
            alone = self._alone(name)
            more = f"{np.median(v / self.rates(alone)):.2f}" if alone else ""
            rows.append(
                f"| {name} | {np.median(v):.0f} ({v.min():.0f} to {v.max():.0f}) | {np.median(v / base):.2f} | {more}"
                f" | {np.median(had):.2f} of {self.workers[name]} |"
            )
        return "\n".join(rows)

    def _alone(self, name: str) -> str | None:
        """The method that is the same with one worker."""
        if name == APART:
            return "AdaBatch, B = 50"
        if self.workers[name] == 1:
            return None
        rule = SOLVERS[name][0]
        return next(other for other, (kind, _, workers, _) in SOLVERS.items() if kind == rule and workers == 1)


def measure(parts: Parts, rounds: int, raw: tuple[Any, Any], arranging: float, passes: int = 2) -> Speed:
    """Time all methods alternately, ``rounds`` times. A run that did not have its processors is repeated, a few times.

    Args:
        raw: features and labels as they were read, for scikit-learn.
        arranging: seconds that ``SparseProblem.of`` took for the same data.
    """
    jobs: dict[str, Callable[[], None]] = {REFERENCE: lambda: _sklearn(*raw, passes)}
    workers = {REFERENCE: 1}
    for name, (rule, batch, count, wild) in SOLVERS.items():
        if count <= cores():
            jobs[name], workers[name] = _solver(parts, rule, batch, count, passes, wild), count
    jobs[BOUND], workers[BOUND] = _accesses(parts, passes), 1
    if cores() > 1:
        jobs[APART], workers[APART] = _apart(parts, passes), 2
    runs: dict[str, list[Timed]] = {name: [] for name in jobs}
    for job in jobs.values():
        job()
    for _ in range(rounds):
        for name, job in jobs.items():
            runs[name].append(undisturbed(job, workers[name]))
    thousands = {name: passes * parts.train.samples / 1000 * (1 + (name == APART)) for name in jobs}
    return Speed(runs, thousands, workers, arranging)


def _sklearn(features: Any, labels: Any, passes: int) -> None:
    from sklearn.linear_model import SGDClassifier
    from threadpoolctl import threadpool_limits

    with warnings.catch_warnings(), threadpool_limits(1):  # or BLAS threads spin beside it and beside what follows
        warnings.simplefilter("ignore")  # ConvergenceWarning
        SGDClassifier(
            loss="log_loss",
            penalty=None,
            learning_rate="constant",
            eta0=1.0,
            max_iter=passes,
            tol=None,
            fit_intercept=False,
        ).fit(features, labels)


def _order(parts: Parts, passes: int) -> Any:
    rng = np.random.default_rng(0)
    return np.concatenate([rng.permutation(parts.train.samples) for _ in range(passes)])


def _solver(parts: Parts, rule: str, batch: int, workers: int, passes: int, wild: bool) -> Callable[[], None]:
    solver, order = SparseSolver(parts.train, rule, 1.0, batch, workers, wild=wild), _order(parts, passes)
    return lambda: solver.advance(order)


def _accesses(parts: Parts, passes: int) -> Callable[[], None]:
    order, (starts, columns, *_) = _order(parts, passes), parts.train.arrays
    w, counts = zeros(parts.train.size), zeros(parts.train.size, np.uint16)

    def job() -> None:
        memory_bound.accesses(starts, columns, w, order, 50, counts)

    return job


def _apart(parts: Parts, passes: int) -> Callable[[], None]:
    solvers, order = [SparseSolver(parts.train, "adabatch", 1.0, 50) for _ in range(2)], _order(parts, passes)

    def job() -> None:
        threads = [threading.Thread(target=solver.advance, args=(order,)) for solver in solvers]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    return job


def samples_to_target(parts: Parts, seed: int, passes: int = 5) -> tuple[float, float, float]:
    """Samples that AdaBatch needs with B = 1 and with B = 50 to reach the final test loss of B = 1, each with its best step."""
    curves = []
    for batch in (1, 50):

        def end(step: float, b: int = batch) -> float:
            solver = SparseSolver(parts.train, "adabatch", step, b)
            solver.fit(passes, seed)
            return parts.valid.objective(solver.w)

        solver = SparseSolver(parts.train, "adabatch", tune(end).step, batch)
        rng = np.random.default_rng(seed)
        curve: dict[str, Any] = {"samples": [0], "loss": [parts.test.objective(solver.w)]}
        for _ in range(passes):
            order = rng.permutation(parts.train.samples)
            for piece in np.array_split(order[: len(order) // 50 * 50].reshape(-1, 50), 8):
                solver.advance(piece.ravel())
                curve["samples"].append(curve["samples"][-1] + piece.size)
                curve["loss"].append(parts.test.objective(solver.w))
        curves.append(curve)
    target = min(curves[0]["loss"]) * 1.005
    return target, reached(curves[0], target, "samples"), reached(curves[1], target, "samples")
