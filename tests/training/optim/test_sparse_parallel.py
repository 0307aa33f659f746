"""Workers that share weights: one equals the sequential algorithm to the bit, two take gradients at the same weights (criterion 22)."""

from __future__ import annotations

import os
import threading
from dataclasses import replace
from functools import partial
from itertools import product

import numpy as np
import pytest
import scipy.sparse as sp

from rtaudio.audio.format import StemplayError
from training.optim.experiments.clock import undisturbed
from training.optim.sparse.data import SHAPES, Parts, synthetic
from training.optim.sparse.jit import new_barrier, stop
from training.optim.sparse.problem import SparseProblem
from training.optim.sparse.solvers import LINE, SparseSolver, cores, owners

two_cores = pytest.mark.skipif(cores() < 2, reason="two workers need two processors")


@pytest.fixture(scope="module")
def parts() -> Parts:
    return synthetic(replace(SHAPES["small"], samples=5000, test=1000, valid=1000), seed=1)


@pytest.mark.parametrize("rule", ["reconditioned", "minibatch"])
def test_one_worker_of_algorithm_2_is_the_sequential_algorithm_bit_for_bit(parts: Parts, rule: str) -> None:
    sequential, wild = (SparseSolver(parts.train, rule, 4.0, 50, wild=wild) for wild in (False, True))
    order = np.random.default_rng(0).permutation(parts.train.samples)
    sequential.advance(order)
    wild.advance(order)
    assert np.array_equal(sequential.w, wild.w) and np.abs(wild.w).max() > 0


def test_one_worker_of_hogwild_is_sequential_sgd_bit_for_bit(parts: Parts) -> None:
    ends = [SparseSolver(parts.train, rule, 1.0, 1).fit(1, seed=3) for rule in ("hogwild", "minibatch")]
    assert np.array_equal(*ends)


@two_cores
def test_two_workers_take_every_gradient_at_the_weights_before_the_batch(parts: Parts) -> None:
    """And it is the barrier that sees to it: without, some are taken at weights in between."""
    order = np.random.default_rng(0).permutation(parts.train.samples)
    solver = SparseSolver(parts.train, "reconditioned", 4.0, 50, workers=2, wild=True)
    solver.audited(order)
    print(f"{solver.tally[1]} of about {int(parts.train.active * len(order))} updates of two workers were lost")
    assert solver.tally[0] == 0
    assert solver.tally[1] < 0.05 * parts.train.active * len(order)
    loose = SparseSolver(parts.train, "reconditioned", 4.0, 2500, workers=2, wild=True)
    for _ in range(50):
        loose.audited(order, synchronous=False)
        if loose.tally[0]:
            break
    assert loose.tally[0] > 0


@two_cores
def test_two_workers_end_where_one_does(parts: Parts) -> None:
    """On average over five runs: Wild AdaBatch within 1 % of the sequential loss, Hogwild! within 5 %."""
    for rule, batch, step, within in (("reconditioned", 50, 4.0, 0.01), ("hogwild", 1, 1.0, 0.05)):
        ends = np.zeros((5, 2))
        for seed, workers in product(range(5), (1, 2)):
            solver = SparseSolver(parts.train, rule, step, batch, workers=workers, wild=rule == "reconditioned")
            solver.fit(2, seed)
            ends[seed, workers - 1] = parts.test.objective(solver.w)
        assert ends[:, 1].mean() == pytest.approx(ends[:, 0].mean(), rel=within)


@two_cores
@pytest.mark.parametrize("rule", ["adabatch", "reconditioned", "minibatch"])
def test_workers_that_share_features_end_where_one_does_and_alike_each_time(parts: Parts, rule: str) -> None:
    """Only the order in which a margin is added up differs; nothing depends on which worker is faster."""
    one, *two = (SparseSolver(parts.train, rule, 4.0, 50, workers=workers) for workers in (1, 2, 2))
    for solver in (one, *two):
        solver.fit(2, seed=0)
    assert np.array_equal(two[0].w, two[1].w)
    assert np.abs(two[0].w - one.w).max() < 1e-12 * np.abs(one.w).max() * parts.train.samples


def test_owners_share_the_entries_equally(parts: Parts) -> None:
    starts, columns, *_ = parts.train.arrays
    for workers in (1, 2, 3, 7):
        edges, cuts = owners(parts.train, workers)
        assert edges[0] == 0 and edges[-1] == parts.train.size and (cuts[:, 0] == starts[:-1]).all()
        assert (cuts[:, -1] == starts[1:]).all() and (np.diff(cuts.astype(np.int64)) >= 0).all()
        for worker in range(workers):
            mine = np.concatenate([columns[a:b] for a, b in cuts[:, worker : worker + 2]])
            assert ((mine >= edges[worker]) & (mine < edges[worker + 1])).all()
            assert abs(len(mine) - len(columns) / workers) <= LINE * parts.train.samples, "up to one cache line"


def test_more_workers_than_features_are_no_trouble() -> None:
    found = SparseProblem.of(np.array([[1.0], [2.0], [1.0], [1.0]]), [1, -1, 1, -1])
    edges, cuts = owners(found, 3)
    assert edges.tolist() == [0, 0, 0, 1] and cuts[0].tolist() == [0, 0, 0, 1]


@two_cores
def test_two_workers_use_two_processors_and_leave_nothing_behind() -> None:
    """Processor time runs faster than the clock while two workers compute; afterwards there is no thread of theirs."""
    rng = np.random.default_rng(0)
    x = sp.random(4000, 20_000, 0.02, "csr", random_state=rng)
    problem = SparseProblem.of(x, rng.choice([-1.0, 1.0], 4000))
    before = {thread.name for thread in threading.enumerate()}
    order = np.concatenate([rng.permutation(4000) for _ in range(3)])
    had, lines = [], []
    for rule, batch, wild in (("adabatch", 50, False), ("reconditioned", 50, True), ("hogwild", 1, False)):
        speed = []
        for workers in (1, 2):
            solver = SparseSolver(problem, rule, 0.1, batch, workers=workers, wild=wild)
            run = undisturbed(partial(solver.advance, order), workers)
            speed.append(len(order) / run.seconds)
        had.append(run.processors)
        lines.append(f"{rule}{', wild' if wild else ''}: {speed[1] / speed[0]:.2f} times the samples a second of one")
    print(f"Two workers, which had {max(had):.2f} processors: {'; '.join(lines)}")
    load = os.getloadavg()[0] if hasattr(os, "getloadavg") else 0.0
    assert max(had) > 1.2 or load > 1.5, "two workers on a machine that has two processors to give"
    assert {thread.name for thread in threading.enumerate()} == before


@two_cores
def test_a_worker_that_fails_ends_the_others(parts: Parts) -> None:
    """The other one waits at the barrier for it and would wait forever."""
    solver = SparseSolver(parts.train, "reconditioned", 4.0, 50, workers=2, wild=True)
    order = np.arange(500)

    def work(worker: int, barrier: np.ndarray) -> None:
        if worker == 0:
            raise KeyboardInterrupt
        solver._wild(worker, order, solver._rates_of(50), barrier)

    with pytest.raises(KeyboardInterrupt):
        solver._in_threads(work)
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("sparse-worker")]
    barrier = new_barrier()
    stop(barrier)
    before = solver.w.copy()
    solver._wild(0, order, solver._rates_of(50), barrier)
    assert np.count_nonzero(solver.w != before) <= np.count_nonzero(solver.problem.features[:50].sum(axis=0)), (
        "one batch"
    )


def test_rules_that_cannot_be_shared_say_so(parts: Parts) -> None:
    if cores() > 1:
        with pytest.raises(StemplayError, match="runs with one worker"):
            SparseSolver(parts.train, "adagrad", workers=2)
        with pytest.raises(StemplayError, match="cannot share batches"):
            SparseSolver(parts.train, "reconditioned", batch=1, workers=2)
        with pytest.raises(StemplayError, match="cannot run wild"):
            SparseSolver(parts.train, "adabatch", workers=2, wild=True)
        with pytest.raises(StemplayError, match="do not support a penalty"):
            SparseSolver(replace(parts.train, penalty=0.1), "reconditioned", workers=2)
