"""Figures 4.1 to 4.4 and B.1 to B.6: the thesis' runs on the available data (ADB-17 to -20, SVR-04)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np

from rtaudio.audio.format import StemplayError
from training.optim.experiments.clock import undisturbed
from training.optim.experiments.journal import Journal
from training.optim.experiments.tuning import tune
from training.optim.sparse.data import SHAPES, Parts, make_parts
from training.optim.sparse.solvers import SparseSolver, cores
from training.optim.sparse.svrg import SparseSvrg

BATCHES = (1, 10, 50, 200, 1000)
SVRG_BATCHES = (1, 10, 50, 200)
PENALTY = {"url": 1e-4, "news20": 1e-5, "spam": 1e-6}
"""Of EQ-SVR-6."""
PASSES = {"url": 1, "news20": 5, "spam": 5}
SCALES = {"news20": 0.2, "spam": 0.1, "url": 0.01}
"""Scale of synthetic data, for which all figures take minutes. SVRG often uses all samples, so its figures take ``SVRG_SHARE`` of it."""
SVRG_SHARE = 0.2
REPEATS, TRIES = 5, 60
"""To measure its time, a run is repeated until it has had its processors to itself ``REPEATS`` times, but at most ``TRIES`` times."""
CHECKS = 12
"""Number of points of a curve."""
METHODS = {"AB": "reconditioned", "AF": "reconditioned", "MB": "minibatch", "HW": "hogwild", "SEQ": "minibatch"}
"""Name in the figures -> rule. With several workers, AB and MB are wild, as in Algorithm 2; AF is AB with workers that share features."""
WILD = ("AB", "MB")


@dataclass(frozen=True)
class Plan:
    """The settings of chapter 4's figures.

    Attributes:
        folder: folder for journals and pictures.
        seeds: seeds of data and sample orders.
        scale: scale of synthetic data, 1 for the thesis' sizes; None for the scales in ``SCALES``.
        files: libsvm files by the name of the data set, instead of synthetic data.
        tests: their test sets.
        workers: numbers of workers.
    """

    folder: Path
    seeds: tuple[int, ...] = (0, 1, 2, 3, 4)
    scale: float | None = None
    files: tuple[tuple[str, str], ...] = ()
    tests: tuple[tuple[str, str], ...] = ()
    workers: tuple[int, ...] = (1, 2)

    def __post_init__(self) -> None:
        if max(self.workers) > cores():
            raise StemplayError(
                f"The number of workers must be 1 to {cores()}, the number of processors of this machine, not {max(self.workers)}."
            )
        if self.scale is not None and not 0 < self.scale <= 1:
            raise StemplayError(f"The scale of synthetic data must be above 0 and at most 1, not {self.scale}.")

    def parts(self, data: str, seed: int, loss: str = "logistic", penalty: float = 0.0, share: float = 1.0) -> Parts:
        """The user's file if there is one, else synthetic data of the same shape (``share`` of the scale)."""
        files, tests = dict(self.files), dict(self.tests)
        if data in files:
            return make_parts(files[data], seed, 1.0, loss, penalty, test=Path(tests[data]) if data in tests else None)
        return make_parts(data, seed, share * (SCALES[data] if self.scale is None else self.scale), loss, penalty)

    def journal(self, name: str, **more: Any) -> Journal:
        """The journal with the results of a figure."""
        settings = {"scale": self.scale, "files": dict(self.files), "tests": dict(self.tests), **more}
        return Journal(self.folder / f"{name}.json", settings)


Say = Callable[[str], None]


def batch_sweep(plan: Plan, data: str, loss: str, say: Say) -> dict[str, Any]:
    """Fig. 4.4: test loss after one pass for Adagrad, AdaBatch and mini-batch, by batch size: ``method -> B -> values of the seeds``."""
    journal = plan.journal(f"batches-{data}-{loss}", loss=loss, data=data)
    found: dict[str, dict[int, list[float]]] = {m: {b: [] for b in BATCHES} for m in ("AG", "AB", "MB")}
    rules = {"AG": "adagrad", "AB": "adabatch", "MB": "minibatch"}
    for seed in plan.seeds:
        parts: list[Parts] = []
        for method, batch in product(found, BATCHES):
            name = f"{seed}/{method}/{batch}"
            if name not in journal.results and not parts:
                parts.append(plan.parts(data, seed, loss))
                say(parts[0].describe())
            result = journal.get(name, partial(_tuned_first, parts, rules[method], batch, seed))
            found[method][batch].append(result["loss"])
            if result["border"]:
                say(f"  {name}: the best step size {result['step']:g} is at the border of the grid")
    return {"loss": found, "journal": journal.path}


def _tuned_first(parts: list[Parts], rule: str, batch: int, seed: int) -> dict[str, Any]:
    return _tuned_pass(parts[0], rule, batch, seed)


def _tuned_pass(parts: Parts, rule: str, batch: int, seed: int, passes: int = 1) -> dict[str, Any]:
    def solved(step: float) -> SparseSolver:
        solver = SparseSolver(parts.train, rule, step, batch)
        solver.fit(passes, seed)
        return solver

    best = tune(lambda step: parts.valid.objective(solved(step).w))
    w = solved(best.step).w
    return {"step": best.step, "border": best.border, "loss": parts.test.objective(w), "error": parts.test.error(w)}


def variants(data: str, workers: Sequence[int]) -> list[tuple[str, str, int, int]]:
    """``(name, method, batch, workers)`` of section 4.6: B = 10 W for news20, 50 for the others."""
    found = [("SEQ", "SEQ", 1, 1)]
    for count in workers:
        batch = 10 * count if data == "news20" else 50
        found += [(f"{method}, W = {count}", method, batch, count) for method in ("AB", "MB")]
        if count > 1:
            found.append((f"AF, W = {count}", "AF", batch, count))
        found.append((f"HW, W = {count}", "HW", 1, count))
    return found


def convergence(plan: Plan, data: str, say: Say) -> dict[str, Any]:
    """Fig. 4.1, 4.3, B.1 to B.5: curves of test error over samples and seconds: ``variant -> list of curves``."""
    journal = plan.journal(f"convergence-{data}", data=data, workers=list(plan.workers))
    found: dict[str, list[dict[str, Any]]] = {v[0]: [] for v in variants(data, plan.workers)}
    for seed in plan.seeds:
        parts: list[Parts] = []
        for name, method, batch, workers in variants(data, plan.workers):
            key = f"{seed}/{name}"
            if key not in journal.results and not parts:
                parts.append(plan.parts(data, seed))
                say(parts[0].describe())
            make = _Curve(
                parts, method, batch, workers, seed, PASSES[data], journal, f"{seed}/{METHODS[method]}/{batch}"
            )
            found[name].append(journal.get(key, make))
    return {"curves": found, "journal": journal.path}


@dataclass(frozen=True)
class _Curve:
    """One run of a figure of convergence. A call returns samples, seconds, test errors, and the processors it had while timed."""

    parts: list[Parts]
    method: str
    batch: int
    workers: int
    seed: int
    passes: int
    journal: Journal
    tuned: str

    def __call__(self) -> dict[str, Any]:
        parts = self.parts[0]
        step = self.journal.get(
            f"{self.tuned}/step",
            lambda: _tuned_pass(parts, METHODS[self.method], self.batch, self.seed, self.passes),
        )["step"]
        rng = np.random.default_rng(self.seed)
        order = np.concatenate([rng.permutation(parts.train.samples) for _ in range(self.passes)])
        # Other programs can only lengthen a run, so the shortest of several counts. Each sample takes the same time.
        timing, solver = self._solver(step), self._solver(step)
        clock, had = undisturbed(lambda: timing.advance(order), self.workers, REPEATS, TRIES)
        length = max(self.batch, len(order) // (CHECKS * self.passes) // self.batch * self.batch)
        samples, errors, losses = [0], [parts.test.error(solver.w)], [parts.test.objective(solver.w)]
        for first in range(0, len(order), length):
            solver.advance(order[first : first + length])
            samples.append(min(first + length, len(order)))
            errors.append(parts.test.error(solver.w))
            losses.append(parts.test.objective(solver.w))
        seconds = [clock * count / len(order) for count in samples]
        return {
            "step": step, "samples": samples, "seconds": seconds, "error": errors, "loss": losses, "processors": had,
        }  # fmt: skip

    def _solver(self, step: float) -> SparseSolver:
        rule, wild = METHODS[self.method], self.method in WILD
        return SparseSolver(self.parts[0].train, rule, step, self.batch, self.workers, wild=wild)


def reached(curve: dict[str, Any], target: float, over: str) -> float:
    """Samples or seconds until the test loss is at most ``target``; infinite if it stays above."""
    for position, value in zip(curve[over], curve["loss"], strict=True):
        if value <= target:
            return float(position)
    return float("inf")


def svrg_sweep(plan: Plan, data: str, say: Say, epochs: int = 10) -> dict[str, Any]:
    """Fig. 4.2, B.6: training gap after ten epochs by batch size: ``method -> B -> curves of gaps of the seeds``."""
    penalty = PENALTY[data]
    journal = plan.journal(f"svrg-{data}", data=data, penalty=penalty, epochs=epochs)
    found: dict[str, dict[int, list[list[float]]]] = {m: {b: [] for b in SVRG_BATCHES} for m in ("AB", "MB")}
    for seed in plan.seeds:
        known: list[tuple[Parts, float]] = []
        for method, batch in product(found, SVRG_BATCHES):
            name = f"{seed}/{method}/{batch}"
            if name not in journal.results and not known:
                parts = plan.parts(data, seed, "logistic", penalty, SVRG_SHARE)
                say(parts.describe())
                known.append((parts, parts.train.optimum()[1]))
            found[method][batch].append(journal.get(name, _Gaps(known, method == "AB", batch, seed, epochs)))
    return {"gaps": found, "journal": journal.path}


@dataclass(frozen=True)
class _Gaps:
    """One run of SVRG. A call returns the gap after each epoch at the best step size."""

    known: list[tuple[Parts, float]]
    adaptive: bool
    batch: int
    seed: int
    epochs: int

    def __call__(self) -> list[float]:
        return [max(gap, 1e-16) for gap in self._curve(tune(lambda step: self._curve(step)[-1], 0, 6).step)]

    def _curve(self, step: float) -> list[float]:
        parts, best = self.known[0]
        gaps = [parts.train.objective(np.zeros(parts.train.size)) - best]
        solver = SparseSvrg(parts.train, self.adaptive, step, self.batch)
        solver.fit(self.epochs, self.seed, after=lambda s: gaps.append(parts.train.objective(s.w) - best))
        return gaps


def known_data(name: str) -> str:
    """Raises StemplayError if ``name`` is not a data set."""
    if name not in SHAPES:
        raise StemplayError(f"There is no data set {name!r}; choose from {', '.join(SHAPES)}.")
    return name
