"""Solvers of sparse convex problems (thesis sections 4.2, 4.4 and 4.6): mini-batch SGD, AdaBatch, reconditioned SGD, Wild AdaBatch,
Hogwild! and Adagrad.

``SparseSolver`` keeps the weights and updates them with samples in any order, as often as it is called. The threads of several workers
start and end within a call, and the compiled loops release the GIL. Workers share a batch in one of two ways:

- by features: each computes its features' part of all margins and updates its own weights. Nothing is lost, and the result is that of
  one worker up to the order in which a margin is added up.
- by samples, without locks (``wild``, Algorithm 2 of the thesis): each computes its samples' gradients and adds them to weights that
  all write to. The processors pass these weights' cache lines to and fro, which costs more than the second one brings.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from rtaudio.audio.format import StemplayError
from training.optim.sparse import kernels
from training.optim.sparse.jit import new_barrier, stop
from training.optim.sparse.problem import LOSSES, SparseProblem, Vector

RULES = {
    "minibatch": "mean of the gradients of a batch (4.5)",
    "adabatch": "for each feature the mean over the samples that have it (Algorithm 1)",
    "reconditioned": "mini-batch, times (1 - (1 - p)^B) / p (4.9); with wild workers it is Wild AdaBatch (Algorithm 2)",
    "inverse": "mini-batch, times 1 / p: the thesis' warning",
    "hogwild": "a sample at a time by each worker, on shared weights, without locks and barriers",
    "adagrad": "mini-batch, divided by the root of the sum of squares (EQ-ADB-6)",
}
PARALLEL = ("minibatch", "adabatch", "reconditioned", "inverse", "hogwild")
WILD = ("minibatch", "reconditioned")
KINDS = {
    "minibatch": kernels.MINIBATCH, "adabatch": kernels.ADABATCH, "reconditioned": kernels.RECONDITIONED, "inverse": kernels.RECONDITIONED,
}  # fmt: skip
"""The update of each rule in the compiled loops."""
LINE = 8
"""Numbers of 8 bytes in a cache line."""
Order = npt.NDArray[np.int64]
NOTHING: Vector = np.zeros(0)
PAGE = 1 << 21
"""Size of a large page of memory, in bytes."""


def cores() -> int:
    """Processors that this process may use."""
    affinity = getattr(os, "sched_getaffinity", None)  # not on macOS and Windows
    return len(affinity(0)) if affinity is not None else os.cpu_count() or 1


def zeros(count: int, kind: npt.DTypeLike = np.float64) -> npt.NDArray[Any]:
    """``np.zeros``, large arrays on large pages where the system has them, so that a random access rarely has to look its page up.

    NumPy asks for large pages for arrays of 4 MiB or more, and the system gives them to whole, aligned pages only.
    """
    size = count * np.dtype(kind).itemsize
    if size < PAGE // 2:
        return np.zeros(count, kind)
    raw = np.zeros(max(2, -(-size // PAGE)) * PAGE + PAGE, np.uint8)
    first = -raw.ctypes.data % PAGE
    return raw[first : first + size].view(kind)


def reconditioning(p: Vector, batch: int) -> Vector:
    """``(1 - (1 - p)^B) / p`` (EQ-ADB-5), B for p = 0: the factor by which AdaBatch multiplies the expected gradient (4.8)."""
    rare = p <= 0
    safe = np.where(rare, 0.5, p)
    with np.errstate(divide="ignore"):
        factor = -np.expm1(batch * np.log1p(-safe)) / safe
    return np.where(rare, float(batch), factor)


def spread_out(worker: int) -> None:
    """Move this thread to a processor of its own, and leave it free to move again.

    Threads that start together often share a processor for the first milliseconds. Workers that wait for each other at every batch lose
    most then. Systems other than Linux place their threads themselves.
    """
    setter = getattr(os, "sched_setaffinity", None)
    if setter is None:
        return
    allowed = os.sched_getaffinity(0)
    try:
        setter(0, {sorted(allowed)[worker % len(allowed)]})
        setter(0, allowed)
    except OSError:
        return  # the processors that are allowed have just changed


def owners(problem: SparseProblem, workers: int) -> tuple[Order, npt.NDArray[np.uint64]]:
    """Which features and entries each worker owns: ``(workers + 1,)`` and ``(samples, workers + 1)``, as in ``kernels.batches``.

    Features lie by falling frequency, so these are ranges with equally many entries, to a cache line.
    """
    starts, columns = problem.features.indptr.astype(np.int64), problem.features.indices
    entries = np.cumsum(np.bincount(columns, minlength=problem.size))
    shares = np.arange(1, workers) / workers * len(columns)
    edges = np.concatenate([[0], (np.searchsorted(entries, shares) + LINE // 2) // LINE * LINE, [problem.size]])
    edges = np.minimum(edges, problem.size)
    below = [np.concatenate([[0], np.cumsum(columns < edge)]) for edge in edges[1:-1]]
    inner = [starts[:-1] + count[starts[1:]] - count[starts[:-1]] for count in below]
    return edges, np.ascontiguousarray(np.stack([starts[:-1], *inner, starts[1:]], axis=1), np.uint64)


def check_run(rule: str, step: float, batch: int, workers: int, penalty: float = 0.0, wild: bool = False) -> None:
    """Raises StemplayError if these settings cannot run."""
    if rule not in RULES:
        raise StemplayError(f"There is no rule {rule!r}; choose from {', '.join(RULES)}.")
    if not 0 < step < float("inf"):
        raise StemplayError(f"The step size must be a finite number above 0, not {step}.")
    if not 1 <= batch <= kernels.LARGEST_BATCH:
        raise StemplayError(f"A batch must have 1 to {kernels.LARGEST_BATCH} samples, not {batch}.")
    if rule == "hogwild" and batch != 1:
        raise StemplayError(f"Hogwild! takes one sample at a time, not batches of {batch}.")
    if not 1 <= workers <= cores():
        raise StemplayError(f"The number of workers must be 1 to {cores()}, the number of processors of this machine, not {workers}.")
    if workers > 1 and rule not in PARALLEL:
        raise StemplayError(f"{rule} runs with one worker only; several workers are possible with {', '.join(PARALLEL)}.")
    if workers > batch and rule != "hogwild":
        raise StemplayError(f"{workers} workers cannot share batches of {batch}.")
    if wild and rule not in WILD:
        raise StemplayError(f"{rule} cannot run wild, with samples shared by workers; {' and '.join(WILD)} can.")
    if penalty and (workers > 1 or rule == "hogwild"):
        raise StemplayError("Several workers and Hogwild! do not support a penalty: set it to 0.")


@dataclass
class SparseSolver:
    """Minimises ``problem`` step by step.

    Args:
        rule: one of ``RULES``.
        step: step size gamma, constant.
        batch: samples per update.
        workers: number of threads; 1 is the sequential algorithm.
        wild: several workers share samples and update the same weights without locks, as in Algorithm 2, instead of sharing features.
        eps: Adagrad's eps, inside the root.

    Attributes:
        w: weights, ``(features,)``, in the problem's order.
        squares: Adagrad's sums; otherwise empty, since AdaBatch keeps nothing between updates.
        tally: with ``audited``, the numbers of gradients that were not taken at the weights before their batch, and of lost updates.
    """

    problem: SparseProblem
    rule: str = "adabatch"
    step: float = 1.0
    batch: int = 50
    workers: int = 1
    eps: float = 1e-8
    wild: bool = False
    w: Vector = field(init=False)
    squares: Vector = field(init=False)
    tally: npt.NDArray[np.int64] = field(init=False)

    def __post_init__(self) -> None:
        check_run(self.rule, self.step, self.batch, self.workers, self.problem.penalty, self.wild)
        size = self.problem.size
        self.w = zeros(size)
        self.squares = zeros(size if self.rule == "adagrad" else 0)
        self.tally = np.zeros(2, np.int64)
        self._rows = self.problem.arrays
        self._loss = LOSSES[self.problem.loss]
        self._slopes = np.zeros(self.batch)
        self._shares = 1.0 / np.maximum(1, np.arange(self.batch + 1))
        counting = self.rule in ("adabatch", "adagrad") or self.problem.penalty > 0
        tagged = self.rule == "adabatch" and not self.problem.penalty
        self._counts = zeros(size if counting else 1, np.uint16 if tagged else np.uint32)
        self._sums = zeros(size if self.rule == "adagrad" else 1)
        self._base = 0
        self._edges, self._cuts = owners(self.problem, 1 if self.wild or self.rule == "hogwild" else self.workers)
        self._margins = np.zeros((2, self.workers, self.batch + LINE))
        self._scales = np.zeros((self.workers, self.batch + 1 + LINE))
        self._rates: dict[int, Vector] = {}
        self._frequencies, self._ranks = np.zeros(1), np.zeros(1, np.uint16)
        if self.rule in ("reconditioned", "inverse"):
            self._frequencies, ranks = np.unique(self.problem.p, return_inverse=True)
            self._ranks = ranks.astype(np.uint16 if len(self._frequencies) <= 1 << 16 else np.uint32)
        self._rates_of(self.batch)

    def _rates_of(self, batch: int) -> Vector:
        """The factor of ``step * slope * x`` by the rank of a feature's frequency, for batches of this size; 1 / B is included."""
        if self.rule not in ("reconditioned", "inverse"):
            return self._shares
        if batch not in self._rates:
            p = self._frequencies
            inverse = np.where(p > 0, 1.0 / np.where(p > 0, p, 1.0), 0.0)
            self._rates[batch] = (reconditioning(p, batch) if self.rule == "reconditioned" else inverse) / batch
        return self._rates[batch]

    def advance(self, order: Order) -> None:
        """Use the samples of ``order``, batch by batch; the last batch may be smaller."""
        order = np.ascontiguousarray(order, np.int64)
        if len(order) and not 0 <= order.min() <= order.max() < self.problem.samples:
            raise IndexError(f"indices of samples must be 0 to {self.problem.samples - 1}")
        if self.rule == "hogwild":
            self._in_threads(lambda worker, barrier: self._sgd(order[worker :: self.workers]))
            return
        whole = len(order) - len(order) % self.batch
        for part in (order[:whole], order[whole:]):  # a smaller last batch has its own rates
            if not len(part):
                continue
            rates = self._rates_of(min(self.batch, len(part)))
            if self.wild:
                self._in_threads(lambda worker, barrier, p=part, r=rates: self._wild(worker, p, r, barrier))  # type: ignore[misc]
            elif self.rule == "adagrad" or self.problem.penalty:
                self._counted(part, rates)
            elif self.batch == 1 and self.rule in ("minibatch", "adabatch"):
                self._sgd(part)
            else:
                self._batches(part, rates)

    def fit(self, passes: int = 1, seed: int = 0, after: Callable[[SparseSolver, int], None] | None = None) -> Vector:
        """Whole passes over the samples, each in a new random order; returns the weights in the user's order of features.

        Args:
            after: called with the solver and the number of the pass, which starts at 1.
        """
        rng = np.random.default_rng(seed)
        for number in range(1, passes + 1):
            self.advance(rng.permutation(self.problem.samples))
            if after is not None:
                after(self, number)
        return self.problem.to_user(self.w)

    def _sgd(self, order: Order) -> None:
        kernels.sgd(*self._rows, self.problem.labels, self.w, np.ascontiguousarray(order), self.step, self._loss)

    def _counted(self, order: Order, rates: Vector) -> None:
        """Rules that need to know which sample is a batch's last one with a feature."""
        head = (*self._rows, self.problem.labels, self.w, order, self.batch, self.step, self._loss)
        tail = (self._counts, self._shares, self._slopes)
        if self.rule == "adagrad":
            kernels.adagrad(*head, self.problem.penalty, self.eps, self._sums, self.squares, *tail)
        else:
            kernels.penalised(*head, KINDS[self.rule], self.problem.penalty, rates, self._ranks, *tail)

    def _batches(self, order: Order, rates: Vector) -> None:
        def work(worker: int, barrier: npt.NDArray[np.int64]) -> int:
            return kernels.batches(
                worker, self.workers, self._cuts, self._edges, *self._rows[1:], self.problem.labels, self.w, order, self.batch,
                self.step, self._loss, KINDS[self.rule], rates, self._ranks, self._counts, self._base, self._shares, self._scales,
                self._margins, barrier,
            )  # fmt: skip

        self._base = self._in_threads(work)[0]

    def _wild(
        self, worker: int, order: Order, rates: Vector, barrier: npt.NDArray[np.int64], *,
        synchronous: bool = True, check: Vector = NOTHING,
    ) -> None:  # fmt: skip
        kernels.wild(
            worker, self.workers, synchronous, *self._rows, self.problem.labels, self.w, order, self.batch, self.step,
            self._loss, self.rule == "minibatch", rates, self._ranks, self._shares, self._slopes, barrier, check, self.tally,
        )  # fmt: skip

    def _in_threads(self, work: Callable[[int, npt.NDArray[np.int64]], Any]) -> list[Any]:
        """Run ``work`` in every worker in parallel. Anything that ends one of them, including Ctrl-C, ends all of them."""
        barrier = new_barrier()
        if self.workers == 1:
            return [work(0, barrier)]

        def placed(worker: int) -> Any:
            spread_out(worker)
            return work(worker, barrier)

        with ThreadPoolExecutor(self.workers, thread_name_prefix="sparse-worker") as pool:
            futures = [pool.submit(placed, worker) for worker in range(self.workers)]
            try:
                return [future.result() for future in futures]
            except BaseException:
                stop(barrier)
                raise

    def audited(self, order: Order, synchronous: bool = True) -> None:
        """Like ``advance`` with the reconditioned rule. After each batch the first worker adds its errors to ``tally``.

        Args:
            order: whole batches.
            synchronous: False omits the barrier between gradients and updates, to show why it is needed.
        """
        if self.rule != "reconditioned" or len(order) % self.batch:
            raise ValueError("only whole batches of the reconditioned rule are audited")
        rates, check = self._rates_of(self.batch), self.w.copy()
        self._in_threads(lambda w, barrier: self._wild(w, order, rates, barrier, synchronous=synchronous, check=check))


def merge(parts: list[tuple[Vector, npt.NDArray[np.int64]]]) -> Vector:
    """The AdaBatch gradient from ``(sum of gradients, samples that have the feature)`` of several processes (ADB-23), ``(features,)``."""
    total = np.sum([part[0] for part in parts], axis=0)
    count = np.sum([part[1] for part in parts], axis=0)
    return np.where(count > 0, total / np.maximum(count, 1), 0.0)
