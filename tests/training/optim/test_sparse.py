"""Sparse problems and their solvers (thesis chapter 4): gradients against autograd, hand-made batches, expectations by Monte Carlo."""

from __future__ import annotations

from dataclasses import replace
from itertools import product

import numpy as np
import pytest
import scipy.sparse as sp
import torch

from rtaudio.audio.format import StemplayError
from tests.training.optim.sampling import presence, strata
from training.optim.sparse.data import SHAPES, Parts, draw_features, frequencies, synthetic
from training.optim.sparse.kernels import TAGS
from training.optim.sparse.problem import LOSSES, Rows, SparseProblem
from training.optim.sparse.solvers import RULES, SparseSolver, cores, merge, reconditioning
from training.optim.sparse.svrg import SparseSvrg

RNG = np.random.default_rng(0)


def problem(
    loss: str = "logistic", penalty: float = 0.0, rows: int = 40, columns: int = 12, share: float = 0.3
) -> SparseProblem:
    rng = np.random.default_rng(1)
    x = sp.random(rows, columns, share, "csr", random_state=rng, data_rvs=rng.standard_normal)
    return SparseProblem.of(x, rng.choice([-1.0, 1.0], rows), loss, penalty)


@pytest.fixture(scope="module")
def small() -> Parts:
    return synthetic(SHAPES["small"], seed=0)


def torch_objective(p: SparseProblem, w: torch.Tensor) -> torch.Tensor:
    z, y = torch.from_numpy(p.features.toarray()) @ w, torch.from_numpy(p.labels)
    loss = {
        "logistic": torch.nn.functional.softplus(-y * z),
        "least-squares": 0.5 * (z - y) ** 2,
        "hinge": torch.relu(1 - y * z),
    }[p.loss]
    return loss.mean() + 0.5 * p.penalty * (torch.from_numpy(p.p) * w**2).sum()


# ---------------------------------------------------------------- the problem (ADB-01, -08, -16)


@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("penalty", [0.0, 0.1])
def test_the_gradient_is_that_of_autograd(loss: str, penalty: float) -> None:
    p = problem(loss, penalty)
    w = RNG.standard_normal(p.size)
    x = torch.from_numpy(w.copy()).requires_grad_()
    value = torch_objective(p, x)
    value.backward()
    assert p.objective(w) == pytest.approx(value.item(), abs=1e-12)
    assert np.abs(p.gradient(w) - x.grad.numpy()).max() < 1e-10


def test_frequencies_are_counted_and_weights_come_back_in_the_users_order() -> None:
    x = np.array([[0, 2, 0, 1.0], [0, 3, 0, 0], [0, 1, 4, 0], [0, 5, 6, 0]])
    p = SparseProblem.of(x, [1, -1, 1, -1])
    assert p.p[p.places].tolist() == [0, 1, 0.5, 0.25]
    assert (np.diff(p.p) <= 0).all(), "stored by falling frequency"
    assert np.allclose(p.features.toarray()[:, p.places], x)
    assert np.allclose(x @ p.to_user(np.arange(4.0)), p.margins(np.arange(4.0)))
    other = p.like(x[::-1], [1, -1, 1, -1])
    assert np.allclose(other.margins(np.arange(4.0)), p.margins(np.arange(4.0))[::-1])


def test_the_hessian_lies_between_the_constants_on_uncorrelated_binary_features() -> None:
    rng = np.random.default_rng(3)
    p = np.array([0.6, 0.4, 0.2, 0.1, 0.05])
    x = (rng.random((200_000, 5)) < p).astype(float)
    found = SparseProblem.of(x, rng.choice([-1.0, 1.0], len(x)), "least-squares")
    hessian = (found.features.T @ found.features).toarray() / found.samples
    scale = 1 / np.sqrt(found.p)
    values = np.linalg.eigvalsh(scale[:, None] * hessian * scale)
    constants = found.constants()
    assert constants.mu * 0.99 < values[0] and values[-1] < constants.smooth * 1.01
    assert constants.radius2 == 5, "a sample with all five features"
    assert problem().constants().mu == 0 and problem().constants((0.1, 0.25)).mu > 0


@pytest.mark.parametrize("name", SHAPES)
def test_synthetic_data_have_the_statistics_of_the_data_sets(name: str) -> None:
    p = frequencies(SHAPES[name])
    assert p.sum() == pytest.approx(SHAPES[name].active, rel=1e-6) and p.max() <= 0.9 and p.min() > 0
    if name == "small":
        x = draw_features(np.random.default_rng(0), 5000, p)
        assert np.allclose(np.sqrt(np.asarray(x.multiply(x).sum(axis=1)).ravel()), 1)
        assert x.nnz / 5000 == pytest.approx(26, rel=0.02)


# ---------------------------------------------------------------- one update (ADB-02, -03, -05, -06, -15, SVR-02)


def one_step(p: SparseProblem, rule: str, order: list[int], step: float = 0.5) -> np.ndarray:
    solver = SparseSolver(p, rule, step, len(order))
    solver.advance(np.array(order))
    return solver.w


def sample_gradients(p: SparseProblem, w: np.ndarray) -> np.ndarray:
    return p.slopes(w)[:, None] * p.features.toarray()


class Stored(SparseProblem):
    """A problem whose values are stored, even if each sample has only one."""

    @property
    def arrays(self) -> Rows:
        rows = super().arrays
        return Rows(rows.starts, rows.columns, np.asarray(self.features.data), np.ones(self.samples))


@pytest.mark.parametrize("rule", [*RULES, "svrg"])
def test_samples_with_one_value_are_computed_without_stored_values(rule: str) -> None:
    x = (np.random.default_rng(5).random((60, 30)) < 0.2) * 1.0
    x[7] = 0
    p = SparseProblem.of(x, RNG.choice([-1.0, 1.0], 60), normalise=True)
    same = Stored(p.features, p.labels, places=p.places)
    assert p.arrays.values is None and problem().arrays.values is not None
    batch = 1 if rule == "hogwild" else 8
    ends = [SparseSvrg(q, step=0.5) if rule == "svrg" else SparseSolver(q, rule, 0.5, batch) for q in (p, same)]
    assert np.allclose(*(solver.fit(2) for solver in ends), rtol=1e-12, atol=1e-14) and np.abs(ends[0].w).max() > 0.1


def test_adabatch_averages_over_the_samples_that_have_a_feature() -> None:
    """Three samples; features in 3, 1 and 0 of them."""
    x = np.array([[1, 0, 0], [2, 5, 0], [3, 0, 0.0], [0, 0, 1]])
    p = SparseProblem.of(x, [1, -1, 1, 1], "least-squares")
    g = p.to_user(-one_step(p, "adabatch", [0, 1, 2], 1.0))
    assert np.allclose(g, [(-1 + 2 - 3) / 3, 5, 0])
    assert np.allclose(p.to_user(-one_step(p, "minibatch", [0, 1, 2], 1.0)), [(-1 + 2 - 3) / 3, 5 / 3, 0])


@pytest.mark.parametrize("loss", LOSSES)
def test_batches_of_one_are_sgd_exactly_and_keep_nothing(loss: str) -> None:
    p = problem(loss)
    order = np.random.default_rng(0).permutation(p.samples)
    by_hand = np.zeros(p.size)
    for row in order:
        by_hand -= 0.5 * p.rows(np.array([row])).gradient(by_hand)
    results = {rule: SparseSolver(p, rule, 0.5, 1) for rule in ("minibatch", "adabatch", "reconditioned", "hogwild")}
    for solver in results.values():
        solver.advance(order)
        assert np.array_equal(solver.w, results["minibatch"].w) and not len(solver.squares)
    assert np.allclose(results["minibatch"].w, by_hand, atol=1e-12)


def test_on_dense_data_adabatch_is_mini_batch_exactly() -> None:
    p = SparseProblem.of(RNG.standard_normal((30, 5)), RNG.choice([-1.0, 1.0], 30))
    ends = [SparseSolver(p, rule, 0.3, 7).fit(3, seed=1) for rule in ("minibatch", "adabatch", "reconditioned")]
    assert np.array_equal(ends[0], ends[1]) and np.allclose(ends[0], ends[2], rtol=1e-12)


@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("penalty", [0.0, 0.2])
@pytest.mark.parametrize("rule", ["minibatch", "adabatch", "reconditioned", "inverse", "adagrad"])
def test_every_rule_is_its_formula_on_any_batch(rule: str, penalty: float, loss: str) -> None:
    """Against NumPy, over several batches, a sample twice in one of them, the last one smaller."""
    p = problem(loss, penalty)
    batch, order = 4, np.array([0, 1, 1, 2, 3, 4, 5, 6, 7, 8])
    solver = SparseSolver(p, rule, 0.3, batch)
    solver.advance(order)
    w, squares = np.zeros(p.size), np.zeros(p.size)
    has = p.features.toarray() != 0
    for first in range(0, len(order), batch):
        rows = order[first : first + batch]
        total = (sample_gradients(p, w) + penalty * has * w)[rows].sum(axis=0)
        mean, count = total / len(rows), has[rows].sum(axis=0)
        safe = np.where(p.p > 0, p.p, 1)
        squares += mean**2
        w = (
            w
            - 0.3
            * {
                "minibatch": mean,
                "adabatch": total / np.maximum(count, 1),
                "reconditioned": mean * reconditioning(p.p, len(rows)),
                "inverse": mean / safe,
                "adagrad": mean / np.sqrt(1e-8 + squares),
            }[rule]
        )
    assert np.allclose(solver.w, w, atol=1e-12)


@pytest.mark.parametrize("workers", [1, min(2, cores())])
def test_counts_start_anew_before_they_overflow(workers: int) -> None:
    p, order = problem(), np.arange(40)
    fresh, old = (SparseSolver(p, "adabatch", 0.3, 8, workers=workers) for _ in range(2))
    old.advance(order)
    old.w[:] = 0
    old._base = TAGS - 60
    for solver in (fresh, old):
        solver.advance(order)
        solver.advance(order)
    assert np.array_equal(fresh.w, old.w) and old._base < 40, "anew during the second call"


def test_adagrad_is_torchs_up_to_the_place_of_eps() -> None:
    p = problem("least-squares")
    solver = SparseSolver(p, "adagrad", 0.1, 5, eps=1e-30)
    x = torch.zeros(p.size, dtype=torch.float64, requires_grad=True)
    optimizer = torch.optim.Adagrad([x], lr=0.1, eps=1e-15)
    for first in range(0, p.samples, 5):
        rows = np.arange(first, first + 5)
        solver.advance(rows)
        optimizer.zero_grad()
        torch_objective(p.rows(rows), x).backward()
        optimizer.step()
    assert np.allclose(solver.w, x.detach().numpy(), atol=1e-10)


def test_the_reconditioning_has_its_limits() -> None:
    p = np.array([1.0, 1e-9, 0.5, 0.0])
    factor = reconditioning(p, 20)
    assert factor[0] == 1 and factor[1] == pytest.approx(20, rel=1e-6) and factor[3] == 20
    assert reconditioning(np.array([0.25]), 100_000)[0] == pytest.approx(4)


def test_the_expected_reconditioned_and_adabatch_updates_are_the_same_exactly() -> None:
    """All 4^3 batches of three from four samples: C F' (EQ-ADB-4, -5)."""
    x = np.array([[1, 2, 0], [0, 1, 0], [3, 0, 0], [0, 0, 1.0]])
    p = SparseProblem.of(x, [1, -1, 1, -1])
    everything = [list(rows) for rows in product(range(4), repeat=3)]
    goal = reconditioning(p.p, 3) * p.gradient(np.zeros(3))
    for rule in ("adabatch", "reconditioned"):
        mean = np.mean([-one_step(p, rule, rows, 1.0) for rows in everything], axis=0)
        assert np.allclose(mean, goal, atol=1e-12), rule
    mean = np.mean([-one_step(p, "minibatch", rows, 1.0) for rows in everything], axis=0)
    assert np.allclose(mean, p.gradient(np.zeros(3)), atol=1e-12)


@pytest.mark.parametrize(
    ("p", "batch", "expected"), [(0.01, 10, 0.0956), (0.1, 10, 0.6513), (0.5, 10, 0.9990), (0.01, 100, 0.6340)]
)
def test_the_solvers_mean_update_is_the_thesis_expectation_within_a_percent(
    p: float, batch: int, expected: float
) -> None:
    """Criterion 21, by Monte Carlo through the compiled solver: columns are independent repetitions of one feature.

    With least squares at w = 0 a gradient is -y x, so features of mean 1 where they are there make E[Z] = p.
    """
    rng, draws = np.random.default_rng(5), 40_000
    x = presence(rng, p, batch, draws).T.astype(float)
    x[x > 0] = -np.log1p(-strata(rng, np.count_nonzero(x)))  # exponential: the worst of the usual choices
    w = one_step(SparseProblem.of(x, np.ones(batch), "least-squares"), "adabatch", list(range(batch)), 1.0)
    assert w.sum() / draws == pytest.approx(expected, rel=0.01)
    assert reconditioning(np.array([p]), batch)[0] * p == pytest.approx(expected, abs=6e-5)


def test_dividing_by_p_explodes_and_adabatch_stays_within_the_single_gradients() -> None:
    """ADB-06: a feature of p = 0.001, batches of 10."""
    rng = np.random.default_rng(0)
    rows = 200_000
    x = (rng.random((rows, 1)) < 0.001).astype(float)
    p = SparseProblem.of(sp.csr_matrix(x), rng.choice([-1.0, 1.0], rows), "least-squares")
    seconds = {}
    for rule in ("inverse", "adabatch"):
        moves = []
        hit = np.nonzero(x[:, 0])[0]
        for row in hit[:100]:  # all other batches leave the weight alone in both
            batch = [int(row)] + [int(r) for r in range(9) if r not in hit]
            moves.append(float(-one_step(p, rule, (batch + [0] * 10)[:10], 1.0)[0]))
        seconds[rule] = np.square(moves).mean()
        if rule == "adabatch":
            assert np.abs(moves).max() <= np.abs(sample_gradients(p, np.zeros(1))).max()
    assert seconds["inverse"] > 10 * seconds["adabatch"]


def test_sums_and_counts_of_several_processes_make_the_gradient_of_one() -> None:
    p = problem()
    w = np.zeros(p.size)
    rows = [np.arange(0, 3), np.arange(3, 9), np.arange(9, 10)]
    has = p.features.toarray() != 0
    parts = [(sample_gradients(p, w)[r].sum(axis=0), has[r].sum(axis=0)) for r in rows]
    assert np.allclose(merge(parts), -one_step(p, "adabatch", list(range(10)), 1.0))


# ---------------------------------------------------------------- SVRG (SVR-01, -02, -05)


@pytest.mark.parametrize("adaptive", [False, True])
def test_svrg_is_its_formula_and_its_mean_is_that_of_the_iterates(adaptive: bool) -> None:
    p = problem(penalty=0.1)
    y = RNG.standard_normal(p.size) * 0.1
    solver, last = (SparseSvrg(p, adaptive, 0.2, 4, last=last) for last in (False, True))
    for each in (solver, last):
        each.w = y.copy()
        each.epoch(np.random.default_rng(2), 10)
    order = np.random.default_rng(2).integers(0, p.samples, 10)
    has = p.features.toarray() != 0
    safe = np.where(p.p > 0, p.p, 1)
    w, iterates = y.copy(), []
    for first in range(0, 10, 4):
        rows = order[first : first + 4]
        terms = sample_gradients(p, w) - sample_gradients(p, y) + has * (0.1 * (w - y) + p.gradient(y) / safe)
        count = np.maximum(has[rows].sum(axis=0), 1) if adaptive else len(rows)
        w = w - 0.2 * terms[rows].sum(axis=0) / count
        iterates.append(w)
    assert np.allclose(last.w, w, atol=1e-12)
    assert np.allclose(solver.w, np.mean(iterates, axis=0), atol=1e-12)
    untouched = ~has[order].any(axis=0)
    assert np.array_equal(last.w[untouched], y[untouched])


def test_the_expected_svrg_update_is_the_gradient_and_vanishes_at_the_optimum() -> None:
    """Exactly, over all batches of two from four samples."""
    x = np.array([[1, 2, 0], [0, 1, 0], [3, 0, 0], [0, 0, 1.0]])
    p = SparseProblem.of(x, [1, -1, 1, -1], "logistic", 0.3)
    best, _ = p.optimum()

    class Fixed:
        def __init__(self, rows: tuple[int, ...]) -> None:
            self.rows = rows

        def integers(self, low: int, high: int, count: int) -> np.ndarray:
            return np.array(self.rows)

    for at, goal in ((np.array([0.3, -0.2, 0.5]), None), (best, np.zeros(3))):
        moves = []
        for rows in product(range(4), repeat=2):
            solver = SparseSvrg(p, False, 1.0, 2, last=True)
            solver.w = at.copy()
            solver.epoch(Fixed(rows), 2)  # type: ignore[arg-type]
            moves.append(at - solver.w)
        assert np.allclose(np.mean(moves, axis=0), p.gradient(at) if goal is None else goal, atol=1e-6)


def test_svrg_converges_linearly_and_switches_to_plain_batches_when_told() -> None:
    p = problem(penalty=0.1, rows=200)
    _, best = p.optimum()
    gaps: list[float] = []
    SparseSvrg(p, True, 0.3, 5).fit(12, after=lambda s: gaps.append(p.objective(s.w) - best))
    assert gaps[-1] < 1e-7 and np.polyfit(range(12), np.log(np.maximum(gaps, 1e-15)), 1)[0] < -0.7
    used: list[bool] = []
    SparseSvrg(p, True, 0.3, 5, switch=2).fit(4, after=lambda s: used.append(s.averages_by_support))
    assert used == [True, False, False, False], "asked after each epoch for the next"


# ---------------------------------------------------------------- the thesis' orders (criterion 23: ADB-18, SVR-04)


def tuned(parts: Parts, rule: str, batch: int, seed: int = 0) -> float:
    """Test loss after one pass at the step that is best on the samples for choosing."""
    found = []
    for step in 2.0 ** np.arange(-2, 7):
        solver = SparseSolver(parts.train, rule, float(step), batch)
        solver.fit(1, seed)
        found.append((parts.valid.objective(solver.w), parts.test.objective(solver.w)))
    return min(found)[1]


def test_adabatch_of_50_beats_single_samples_which_beat_mini_batches_of_50(small: Parts) -> None:
    plain = {batch: tuned(small, "minibatch", batch) for batch in (1, 50, 200, 1000)}
    adaptive = tuned(small, "adabatch", 50)
    assert adaptive < plain[1] < plain[50] < plain[200] < plain[1000]
    assert abs(tuned(small, "reconditioned", 50) - adaptive) < 0.03, "similar in theory and practice"


def test_the_gap_of_svrg_has_the_same_order() -> None:
    shape = replace(SHAPES["small"], samples=5000, features=1000, test=500, valid=500)
    p = synthetic(shape, 0, penalty=1e-4).train
    _, best = p.optimum()

    def gap(adaptive: bool, batch: int) -> float:
        def at(step: float) -> float:
            solver = SparseSvrg(p, adaptive, step, batch)
            solver.fit(10)
            return p.objective(solver.w) - best

        return min(at(float(step)) for step in 2.0 ** np.arange(-1, 7))

    plain = [gap(False, batch) for batch in (1, 50)]
    assert gap(True, 50) < plain[0] < plain[1]


# ---------------------------------------------------------------- what cannot be


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"step": 0.0}, "step size must be"), ({"step": float("nan")}, "step size must be"), ({"batch": 0}, "A batch must have"),
        ({"batch": 1 << 16}, "A batch must have"), ({"workers": 999}, "number of processors"), ({"rule": "newton"}, "no rule"),
        ({"rule": "hogwild", "batch": 2}, "one sample at a time"),
    ],
)  # fmt: skip
def test_a_solver_that_cannot_run_is_refused(change: dict, says: str) -> None:
    with pytest.raises(StemplayError, match=says):
        SparseSolver(problem(), **change)


@pytest.mark.parametrize(
    ("x", "y", "says"),
    [
        ([[1.0], [2.0]], [1, 0], "Labels must be -1 or 1"), ([[1.0], [2.0]], [1], "2 samples and 1 labels"),
        ([[np.inf], [2.0]], [1, -1], "infinite"), ([[1e200], [2.0]], [1, -1], "1e100"),
    ],
)  # fmt: skip
def test_data_that_no_problem_can_have_are_refused(x: list, y: list, says: str) -> None:
    with pytest.raises(StemplayError, match=says):
        SparseProblem.of(np.array(x), np.array(y))


def test_each_rule_has_a_sentence() -> None:
    assert all(RULES.values())
