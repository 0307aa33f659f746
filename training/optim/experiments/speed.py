"""Measures samples per second of the sparse solvers and of scikit-learn's SGDClassifier, alternately, in one run."""

from __future__ import annotations

import time
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from training.optim.experiments.chapter4 import reached
from training.optim.experiments.tuning import tune
from training.optim.sparse.data import Parts
from training.optim.sparse.solvers import SparseSolver, cores

SOLVERS = {
    "AdaBatch, B = 50": ("adabatch", 50, 1),
    "reconditioned, B = 50": ("reconditioned", 50, 1),
    "mini-batch, B = 50": ("minibatch", 50, 1),
    "Adagrad, B = 50": ("adagrad", 50, 1),
    "SGD (Hogwild! with one worker)": ("hogwild", 1, 1),
    "Hogwild!, 2 workers": ("hogwild", 1, 2),
    "Wild AdaBatch, B = 50, 2 workers": ("reconditioned", 50, 2),
}
REFERENCE = "scikit-learn SGDClassifier"


@dataclass(frozen=True)
class Speed:
    """Thousand samples per second in each round, by method, and the seconds that sorting the features took, once.

    Attributes:
        clock: per second of the clock.
        processor: per second of processor time, which other programs on the machine disturb less.
    """

    clock: dict[str, list[float]]
    processor: dict[str, list[float]]
    arranging: float

    def table(self) -> str:
        """A table: median, smallest and largest, and the medians of the ratios to scikit-learn in the same round."""
        rows = [
            "| solver | thousand samples a second | a second of processor time | of scikit-learn's, by the clock | by processor time |",
            "|---|---|---|---|---|",
        ]
        base, base_processor = np.array(self.clock[REFERENCE]), np.array(self.processor[REFERENCE])
        for name, values in self.clock.items():
            v, c = np.array(values), np.array(self.processor[name])
            rows.append(
                f"| {name} | {np.median(v):.0f} ({v.min():.0f} to {v.max():.0f}) | {np.median(c):.0f} ({c.min():.0f} to {c.max():.0f})"
                f" | {np.median(v / base):.2f} | {np.median(c / base_processor):.2f} |"
            )
        return "\n".join(rows)


def measure(parts: Parts, rounds: int, raw: tuple[Any, Any], arranging: float, passes: int = 2) -> Speed:
    """Time all methods alternately, ``rounds`` times.

    Args:
        raw: features and labels as they were read, for scikit-learn.
        arranging: seconds that ``SparseProblem.of`` took for the same data.
    """
    jobs: dict[str, Callable[[], None]] = {REFERENCE: lambda: _sklearn(*raw, passes)}
    for name, (rule, batch, workers) in SOLVERS.items():
        if workers <= cores():
            jobs[name] = _solver(parts, rule, batch, workers, passes)
    clock: dict[str, list[float]] = {name: [] for name in jobs}
    processor: dict[str, list[float]] = {name: [] for name in jobs}
    for job in jobs.values():
        job()
    thousands = passes * parts.train.samples / 1000
    for _ in range(rounds):
        for name, job in jobs.items():
            began, busy = time.perf_counter(), time.process_time()
            job()
            processor[name].append(thousands / (time.process_time() - busy))
            clock[name].append(thousands / (time.perf_counter() - began))
    return Speed(clock, processor, arranging)


def _sklearn(features: Any, labels: Any, passes: int) -> None:
    from sklearn.linear_model import SGDClassifier

    with warnings.catch_warnings():
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


def _solver(parts: Parts, rule: str, batch: int, workers: int, passes: int) -> Callable[[], None]:
    solver = SparseSolver(parts.train, rule, 1.0, batch, workers)

    def job() -> None:
        solver.fit(passes)

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
