"""Theorems of chapter 5: their calculators agree with one another, hold in simulation, and the lemmas hold on random sequences."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import nn

from training.optim import adaptive_bounds as bounds
from training.optim.adaptive_bounds import Assumptions
from training.optim.experiments.chapter5 import SMOOTH, Toy, containment_run, mean_square_gradient
from training.optim.unified import Unified

A = Assumptions(gap=5.0, size=10, radius=1.65, smooth=2.0)


def test_without_momentum_the_later_theorems_are_the_first_ones_with_a_larger_constant() -> None:
    """4 d R^2 becomes 12 d R^2."""
    steps, alpha, beta2 = 1000, 0.01, 0.999
    more = 8 * A.size * A.radius**2
    log = math.log1p(A.radius**2 / ((1 - beta2) * A.eps))
    extra = more / math.sqrt(1 - beta2) * (log / steps - math.log(beta2))
    assert bounds.adam_momentum(A, steps, alpha, 0.0, beta2) == pytest.approx(
        bounds.adam(A, steps, alpha, beta2) + extra
    )
    extra = more * math.log1p(steps * A.radius**2 / A.eps) / math.sqrt(steps)
    assert bounds.adagrad_momentum(A, steps, alpha, 0.0) == pytest.approx(bounds.adagrad(A, steps, alpha) + extra)


def test_the_horizon_makes_adams_bound_adagrads_with_one_more_beside_the_logarithm() -> None:
    steps, beta1 = 10_000, 0.9
    difference = bounds.adam_horizon(A, steps, 1.0, beta1) - bounds.adagrad_simplified(A, steps, 1.0, beta1)
    constant = A.size * A.radius * A.smooth + 12 * A.size * A.radius**2 / 0.1 + 2 * A.size * A.smooth**2 * 0.9 / 0.1
    assert difference == pytest.approx(constant / math.sqrt(steps))
    with_rule = bounds.adam_simplified(A, steps, 1 / math.sqrt(steps), beta1, 1 - 1 / steps)
    assert with_rule == pytest.approx(bounds.adam_horizon(A, steps, 1.0, beta1), rel=0.01)


def test_momentum_makes_bounds_worse_as_one_over_one_minus_beta1() -> None:
    values = {b: bounds.adam_momentum(A, 10**7, 1e-4, b, 1 - 1e-7) for b in (0.0, 0.5, 0.9, 0.99)}
    assert values[0.0] < values[0.5] < values[0.9] < values[0.99]
    assert values[0.99] / values[0.9] == pytest.approx(10, rel=0.15)
    values = {b: bounds.adagrad_momentum(A, 10**7, 0.1, b) for b in (0.9, 0.99)}
    assert values[0.99] / values[0.9] == pytest.approx(10, rel=0.15)


def test_the_best_rate_is_one_over_the_root_and_only_at_the_horizons_rule() -> None:
    grid = [(a / 20, b / 20) for a in range(1, 40) for b in range(1, 40)]
    worst = {point: max(bounds.rates(*point).values()) for point in grid}
    best = min(worst.values())
    assert best == pytest.approx(-0.5) and [point for point in grid if worst[point] < best + 1e-9] == [(0.5, 1.0)]


def test_the_start_is_forgotten_as_one_over_n_by_adam_and_one_over_the_root_by_adagrad() -> None:
    for kind, factor in (("adam", 100), ("adagrad", 10)):
        terms = [bounds.forgetting(A, steps, 0.1, 0.0, kind) for steps in (100, 10_000)]
        assert terms[0] / terms[1] == pytest.approx(factor)


def test_tau_is_uniform_without_momentum_and_rarely_late_with_it() -> None:
    assert np.allclose(bounds.tau_weights(50, 0.0), 1 / 50)
    weights = bounds.tau_weights(200, 0.9)
    assert weights.sum() == pytest.approx(1, abs=1e-12) and weights[-1] == pytest.approx(0.1 * weights[0], rel=1e-6)
    draws = [bounds.draw_tau(np.random.default_rng(k), 200, 0.9) for k in range(2000)]
    assert np.mean(np.array(draws) >= 195) < 0.6 * 5 / 200
    with pytest.raises(ValueError, match="momentum"):
        bounds.effective_steps(9, 0.9)


def test_copies_of_a_problem_multiply_the_gradient_and_the_bound_grows_as_they_do() -> None:
    """ADP-10."""
    many = bounds.replicated(A, 7)
    assert bounds.adagrad(many, 100, 0.1) == pytest.approx(7 * bounds.adagrad(A, 100, 0.1))
    one, copies = (Toy(size) for size in (3, 21))
    x = np.array([0.3, -0.5, 1.0])
    assert np.square(copies.gradient(np.tile(x, 7))).sum() == pytest.approx(
        7 * np.square(one.gradient(x)).sum(), rel=1e-12
    )


# ---------------------------------------------------------------- simulation (criterion 25: ADP-06, -07, -08, -09)


@pytest.mark.parametrize("beta1", [0.0, 0.9])
@pytest.mark.parametrize("kind", ["adam", "adagrad"])
def test_the_bounds_hold_and_the_gradient_falls_as_the_root(kind: str, beta1: float) -> None:
    toy, found = Toy(10), {}
    for steps in (100, 10_000):
        alpha, beta2 = (1 / math.sqrt(steps), 1 - 1 / steps) if kind == "adam" else (1.0, 1.0)
        found[steps] = mean_square_gradient(toy, kind, steps, alpha, beta1, beta2, seeds=range(5)).mean()
        if kind == "adam":
            bound = bounds.adam_momentum(toy.assumptions, steps, alpha, beta1, beta2)
        else:
            bound = bounds.adagrad_momentum(toy.assumptions, steps, alpha, beta1)
        assert 0 < found[steps] <= bound
        if not beta1:
            lower = (
                bounds.adam(toy.assumptions, steps, alpha, beta2)
                if kind == "adam"
                else bounds.adagrad(toy.assumptions, steps, alpha)
            )
            assert found[steps] <= lower <= bound
    assert found[10_000] < found[100] / 5


def test_with_the_horizons_rule_adam_is_adagrad_and_fixed_steps_stay_behind() -> None:
    toy, steps = Toy(10), 10_000
    root, near = 1 / math.sqrt(steps), 1 - 1 / steps
    runs = {"both": (root, near), "step": (root, 0.9), "memory": (0.1, near), "neither": (0.1, 0.9)}
    ends = {
        name: mean_square_gradient(toy, "adam", steps, *(a, 0.0, b), seeds=range(5)).mean()
        for name, (a, b) in runs.items()
    }
    adagrad = mean_square_gradient(toy, "adagrad", steps, 1.0, 0.0, 1.0, seeds=range(5)).mean()
    assert ends["both"] == pytest.approx(adagrad, rel=0.1)
    assert ends["both"] <= min(ends.values()) * 1.001
    assert min(ends["memory"], ends["neither"]) > 3 * ends["both"], "the size of the step decides here"


def test_adam_with_a_fixed_step_leaves_a_far_start_no_later_than_adagrad() -> None:
    toy = Toy(10, noise=0.1, start=8.0)
    first = {}
    for kind, beta2 in (("adam", 0.999), ("adagrad", 1.0)):
        values = toy.values(toy.run(kind, 20_000, 0.1, 0.0, beta2, [0])[0])
        first[kind] = int(np.argmax(values < values[0] / 2)) or len(values)
    assert first["adam"] <= first["adagrad"] and first["adam"] < 20_000


def test_the_toys_path_is_that_of_the_optimiser() -> None:
    """The simulation is in NumPy, many seeds at once; the class it stands for takes the same steps."""
    toy = Toy(4)
    for kind, beta1, beta2 in (("adam", 0.9, 0.99), ("adagrad", 0.5, 1.0)):
        path = toy.run(kind, 50, 0.1, beta1, beta2, [3])[0]
        x = nn.Parameter(torch.from_numpy(path[0].copy()))
        optimizer = Unified([x], kind, 0.1, (beta1, beta2))
        noise = toy.noise_of(50, 3)
        for n in range(50):
            assert np.allclose(x.detach().numpy(), path[n], atol=1e-12)
            x.grad = torch.from_numpy(toy.gradient(path[n]) + noise[n])
            optimizer.step()


def test_the_toys_constants_are_those_that_are_estimated() -> None:
    points = np.linspace(-3, 3, 20_001)[:, None]
    toy = Toy(1, noise=0.0)
    gradients = toy.gradient(points)
    assert bounds.estimate_radius(gradients) == pytest.approx(toy.assumptions.radius, rel=1e-3)
    assert bounds.estimate_smoothness(points, gradients) == pytest.approx(SMOOTH, rel=1e-3)
    wild = np.concatenate([gradients, [[1e6]]])
    assert bounds.estimate_radius(wild, share=0.999) < 1 < bounds.estimate_radius(wild)
    line = np.random.default_rng(0).standard_normal((100, 3))
    assert bounds.estimate_smoothness(line, 5 * line) == pytest.approx(5), "exact on a quadratic"


# ---------------------------------------------------------------- lemmas (ADP-11, -12)


def test_the_first_lemma_holds_for_random_gradients() -> None:
    """Lemma 5.1: adaptive steps point along the gradient, up to a term of second order."""
    rng = np.random.default_rng(0)
    for _ in range(3000):
        radius, eps, beta2 = rng.uniform(0.1, 10), 10 ** rng.uniform(-8, 0), rng.uniform(0, 1)
        radius += math.sqrt(eps)
        g = rng.uniform(-1, 1, 5) * (radius - math.sqrt(eps))
        share, before = rng.dirichlet(np.ones(5)), rng.exponential() * rng.integers(0, 2)
        v, mean = beta2 * before + g**2, share @ g
        likely = beta2 * before + share @ g**2
        left = mean * (share @ (g / np.sqrt(eps + v)))
        right = mean**2 / (2 * math.sqrt(eps + likely)) - 2 * radius * (share @ (g**2 / (eps + v)))
        assert left >= right - 1e-12


def test_sums_of_adaptive_updates_stay_below_their_lemmas() -> None:
    """Lemmas 5.2 and C.2 on random sequences, C.3 and C.4 as series."""
    rng = np.random.default_rng(0)
    for _ in range(300):
        n, beta2, eps = int(rng.integers(1, 60)), rng.uniform(0.3, 1.0), 10 ** rng.uniform(-8, 1)
        beta1 = rng.uniform(0, 0.99) * beta2
        a = rng.standard_normal(n) * 10 ** rng.uniform(-3, 3)
        b = c = total = with_momentum = 0.0
        for value in a:
            b, c = beta2 * b + value**2, beta1 * c + value
            total += value**2 / (eps + b)
            with_momentum += c**2 / (eps + b)
        limit = math.log1p(b / eps) - n * math.log(beta2)
        assert total <= limit + 1e-9
        assert with_momentum <= limit / ((1 - beta1) * (1 - beta1 / beta2)) + 1e-9
    q = np.arange(200_000)
    for a in (0.1, 0.5, 0.9, 0.99, 0.999):
        third = (a**q * np.sqrt(q + 1)).sum()
        assert third <= (1 + math.sqrt(math.pi) / (2 * math.sqrt(-math.log(a)))) / (1 - a) <= 2 / (1 - a) ** 1.5
        assert (a**q * np.sqrt(q) * (q + 1)).sum() <= 4 * a / (1 - a) ** 2.5


# ---------------------------------------------------------------- containment (CNT-01, -02, -03)


@pytest.mark.parametrize(("kind", "alpha"), [("adam", 0.01), ("adagrad", 0.5)])
def test_no_step_is_larger_than_the_bound(kind: str, alpha: float) -> None:
    torch.manual_seed(0)
    gradients = torch.randn(2000, 3, dtype=torch.float64) * torch.tensor([1e-3, 1.0, 1e3])
    gradients[1000] *= 1e4  # after a long calm
    x = nn.Parameter(torch.zeros(3, dtype=torch.float64))
    optimizer, largest = Unified([x], kind, alpha, (0.0, 0.999)), 0.0
    for gradient in gradients:
        before = x.detach().clone()
        x.grad = gradient.clone()
        optimizer.step()
        largest = max(largest, float((x.detach() - before).abs().max()))
    assert 0.1 * alpha < largest <= bounds.largest_move(kind, alpha)


@pytest.mark.parametrize("kind", ["adam", "adagrad"])
def test_weights_of_a_sigmoid_network_stay_contained(kind: str) -> None:
    for decay in (0.01, 0.1, 1.0):
        run = containment_run(kind, decay, steps=300, seed=0)
        assert run.last <= run.last_bound and run.first <= run.first_bound
    deeper = [bounds.containment(1.0, 0.1, 0.01, [10.0] * depth) for depth in range(6)]
    assert (np.diff(np.log(np.array(deeper) - 0.02)) > 0.9).all(), "bounds grow with the depth below"


def test_ridge_regression_has_gradients_without_bound() -> None:
    rng = np.random.default_rng(0)
    x, y = rng.standard_normal((20, 3)), rng.standard_normal(20)

    def gradient(w: np.ndarray) -> np.ndarray:
        return x.T @ (x @ w - y) / 20 + 0.1 * w

    sizes = [np.linalg.norm(gradient(scale * np.ones(3))) for scale in (1e3, 1e4)]
    assert sizes[1] / sizes[0] == pytest.approx(10, rel=0.01)


def test_what_no_theorem_covers_is_refused() -> None:
    for call in (
        lambda: bounds.adam(A, 0, 0.1, 0.9), lambda: bounds.adam(A, 10, 0.0, 0.9), lambda: bounds.adam(A, 10, 0.1, 1.0),
        lambda: bounds.adam_momentum(A, 100, 0.1, 0.9, 0.8), lambda: bounds.adagrad_momentum(A, 5, 0.1, 0.9),
        lambda: replace(A, radius=0.0), lambda: replace(A, gap=math.nan),
    ):  # fmt: skip
        with pytest.raises(ValueError):
            call()
