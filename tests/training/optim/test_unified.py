"""Adam and Adagrad in one (chapter 5): equal to torch's, the thesis' step, invariances, the finite horizon, containment."""

from __future__ import annotations

import math
from itertools import pairwise
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from training.optim.optimizers import plain_optimizer
from training.optim.unified import KINDS, FiniteHorizon, Unified, check_settings, finite_horizon, step_size

GRADIENTS = torch.randn(300, 7, dtype=torch.float64, generator=torch.Generator().manual_seed(0))


def path(optimizer_of: Any, gradients: Tensor = GRADIENTS, start: float = 0.0) -> Tensor:
    x = nn.Parameter(torch.full((gradients.shape[1],), start, dtype=torch.float64))
    optimizer, steps = optimizer_of([x]), []
    for gradient in gradients:
        x.grad = gradient.clone()
        optimizer.step()
        steps.append(x.detach().clone())
    return torch.stack(steps)


# ---------------------------------------------------------------- criterion 24


@pytest.mark.parametrize("beta1", [0.0, 0.9])
def test_the_exact_form_is_torchs_adam(beta1: float) -> None:
    ours = path(lambda x: Unified(x, "adam_exact", 1e-3, (beta1, 0.999), eps=1e-40))
    torchs = path(lambda x: torch.optim.Adam(x, 1e-3, (beta1, 0.999), eps=1e-20))
    assert float((ours - torchs).abs().max()) < 1e-12


@pytest.mark.parametrize("outside", [False, True])
def test_adagrad_without_momentum_is_torchs(outside: bool) -> None:
    eps = 1e-10 if outside else 1e-40
    ours = path(lambda x: Unified(x, "adagrad", 0.1, (0.0, 1.0), eps=eps**2 if outside else eps, eps_outside=outside))
    torchs = path(lambda x: torch.optim.Adagrad(x, 0.1, eps=eps if outside else 1e-20))
    assert float((ours - torchs).abs().max()) < 1e-12


@pytest.mark.parametrize("beta1", [0.5, 0.9, 0.99])
def test_the_thesis_step_is_the_exact_one_times_one_minus_beta1_to_the_n(beta1: float) -> None:
    for n in range(1, 1000):
        ratio = step_size("adam", n, 1e-3, beta1, 0.999) / step_size("adam_exact", n, 1e-3, beta1, 0.999)
        assert ratio == pytest.approx(1 - beta1**n, rel=1e-9)
    thesis, exact = (path(lambda x, k=kind: Unified(x, k, 1e-3)) for kind in ("adam", "adam_exact"))
    moves = [torch.diff(p, dim=0, prepend=torch.zeros_like(p[:1])) for p in (thesis, exact)]
    expected = 1 - 0.9 ** torch.arange(1, 301, dtype=torch.float64)[:, None]
    assert torch.allclose(moves[0], moves[1] * expected, rtol=1e-9), "measured on the weights"


def test_the_recursion_is_that_of_the_thesis() -> None:
    """(5.1) to (5.4) as printed, on one weight."""
    x = v = m = 0.0
    for n, gradient in enumerate(GRADIENTS[:, 0].tolist(), 1):
        m, v = 0.9 * m + gradient, 0.99 * v + gradient**2
        x -= 0.1 * (1 - 0.9) * math.sqrt(sum(0.99**j for j in range(n))) * m / math.sqrt(1e-3 + v)
    found = path(lambda w: Unified(w, "adam", 0.1, (0.9, 0.99), eps=1e-3))[-1, 0]
    assert float(found) == pytest.approx(x, rel=1e-10)


def test_step_sizes_never_fall_but_those_of_the_exact_form_do() -> None:
    for kind, falls in (("adam", False), ("adagrad", False), ("adam_exact", True)):
        sizes = [step_size(kind, n, 1.0, 0.9, 0.999) for n in range(1, 10_001)]
        assert any(b < a for a, b in pairwise(sizes)) == falls, kind


# ---------------------------------------------------------------- as an optimiser of torch


@pytest.mark.parametrize("kind", KINDS)
def test_a_checkpoint_continues_exactly(kind: str) -> None:
    def make(x: list[nn.Parameter]) -> Unified:
        return Unified(x, kind, 1e-2)

    whole = path(make)
    x = nn.Parameter(torch.zeros(7, dtype=torch.float64))
    optimizer = make([x])
    for number, gradient in enumerate(GRADIENTS):
        if number == 100:
            saved = optimizer.state_dict()
            optimizer = make([x])
            optimizer.load_state_dict(saved)
        x.grad = gradient.clone()
        optimizer.step()
    assert torch.equal(x.detach(), whole[-1])


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("beta1", [0.0, 0.9])
def test_sparse_gradients_give_what_dense_ones_give(kind: str, beta1: float) -> None:
    torch.manual_seed(0)
    tables = [nn.Embedding(10, 3, sparse=sparse, dtype=torch.float64) for sparse in (False, True)]
    tables[1].load_state_dict(tables[0].state_dict())
    optimizers = [Unified(table.parameters(), kind, 0.1, (beta1, 0.99)) for table in tables]
    for rows in ([1, 1, 4], [2, 4, 4], [0, 9, 1]):
        for table, optimizer in zip(tables, optimizers, strict=True):
            optimizer.zero_grad()
            table(torch.tensor(rows)).pow(3).sum().backward()
            assert table.weight.grad is not None and table.weight.grad.is_sparse == table.sparse
            optimizer.step()
    assert torch.allclose(tables[0].weight, tables[1].weight, atol=1e-12)


def test_a_closure_is_evaluated_with_gradients() -> None:
    x = nn.Parameter(torch.ones(2))
    optimizer = Unified([x], "adam", 0.1)

    def closure() -> Tensor:
        optimizer.zero_grad()
        loss = (x**2).sum()
        loss.backward()
        return loss

    assert optimizer.step(closure).item() == 2 and float(x.detach().max()) < 1


@pytest.mark.parametrize(
    "wrong",
    [
        {"kind": "sgd"}, {"lr": -1.0}, {"lr": math.nan}, {"betas": (0.9, 0.8)}, {"betas": (0.9, 1.0)}, {"betas": (-0.1, 0.9)},
        {"eps": 0.0}, {"kind": "adagrad", "betas": (1.0, 1.0)},
    ],
)  # fmt: skip
def test_settings_that_chapter_5_does_not_allow_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError):
        Unified([nn.Parameter(torch.zeros(1))], **wrong)
    check_settings("adagrad", 0.1, 0.9, 1.0, 1e-8)


def test_the_trainers_can_choose_it_by_name() -> None:
    for name, kind in (("adam-thesis", "adam"), ("adagrad", "adagrad")):
        optimizer = plain_optimizer(name, [nn.Parameter(torch.zeros(1))], 3e-4)
        assert isinstance(optimizer, Unified) and optimizer.param_groups[0]["kind"] == kind
    with pytest.raises(ValueError, match="must be adam"):
        plain_optimizer("muon", [], 1e-3)


# ---------------------------------------------------------------- the horizon (ADP-07)


def test_the_horizon_sets_step_size_and_memory() -> None:
    assert finite_horizon(100, 2.0) == (0.2, 0.99)
    for optimizer in (
        Unified([nn.Parameter(torch.zeros(1))], "adam", 0.5, (0.9, 0.999)),
        torch.optim.Adam([nn.Parameter(torch.zeros(1))], 0.5),
    ):
        schedule = FiniteHorizon(optimizer, 400)
        for _ in range(3):
            group = optimizer.param_groups[0]
            assert group["lr"] == pytest.approx(0.5 / 20) and group["betas"] == (0.9, 1 - 1 / 400)
            optimizer.step()
            schedule.step()
    with pytest.raises(ValueError, match="beta1"):
        FiniteHorizon(torch.optim.Adam([nn.Parameter(torch.zeros(1))], 0.5), 5)
    with pytest.raises(ValueError, match="at least 2 steps"):
        finite_horizon(1)


def test_a_doubling_horizon_grows_and_comes_back_from_a_checkpoint() -> None:
    optimizer = torch.optim.Adam([nn.Parameter(torch.zeros(1))], 1.0)
    schedule = FiniteHorizon(optimizer, 100, doubling=True)
    for _ in range(101):
        optimizer.step()
        schedule.step()
    assert schedule.horizon == 200 and optimizer.param_groups[0]["lr"] == pytest.approx(1 / math.sqrt(200))
    other = FiniteHorizon(torch.optim.Adam([nn.Parameter(torch.zeros(1))], 1.0), 100, doubling=True)
    other.load_state_dict(schedule.state_dict())
    assert other.horizon == 200


# ---------------------------------------------------------------- invariances (ADP-13), failures (ADP-14), containment (CNT-01, -02)


def descend(optimizer_of: Any, objective: Any, start: Tensor, steps: int = 200) -> Tensor:
    x = nn.Parameter(start.clone())
    optimizer, points = optimizer_of([x]), []
    for _ in range(steps):
        optimizer.zero_grad()
        objective(x).backward()
        optimizer.step()
        points.append(x.detach().clone())
    return torch.stack(points)


TARGET = torch.tensor([1.0, -2.0, 0.5], dtype=torch.float64)
CURVE = torch.tensor([1.0, 10.0, 0.1], dtype=torch.float64)


def quadratic(x: Tensor) -> Tensor:
    return (CURVE * (x - TARGET) ** 2).sum()


@pytest.mark.parametrize("kind", KINDS)
def test_a_rescaled_objective_gives_the_same_path(kind: str) -> None:
    start = torch.zeros(3, dtype=torch.float64)
    paths = [
        descend(lambda x: Unified(x, kind, 0.01, eps=1e-60), lambda x, c=scale: c * quadratic(x), start)
        for scale in (1.0, 1e3)
    ]
    assert torch.allclose(paths[0], paths[1], atol=1e-10)


@pytest.mark.parametrize("kind", KINDS)
def test_other_units_of_the_weights_divide_the_step(kind: str) -> None:
    """x = units * y: steps of size alpha in y are those of alpha * units in x."""
    units = torch.tensor([2.0, 0.5, 7.0], dtype=torch.float64)
    start = torch.zeros(3, dtype=torch.float64)
    plain = [
        descend(lambda x, u=u: Unified(x, kind, 0.01 * float(u), eps=1e-60), quadratic, start)[:, k]
        for k, u in enumerate(units)
    ]
    scaled = descend(lambda y: Unified(y, kind, 0.01, eps=1e-60), lambda y: quadratic(units * y), start)
    assert torch.allclose(units * scaled, torch.stack(plain, dim=1), atol=1e-10)


def test_sgd_in_other_units_steps_with_their_square() -> None:
    start = torch.zeros(3, dtype=torch.float64)
    scaled = descend(lambda y: torch.optim.SGD(y, 0.001), lambda y: quadratic(3 * y), start)
    plain = descend(lambda x: torch.optim.SGD(x, 0.009), quadratic, start)
    assert torch.allclose(3 * scaled, plain, atol=1e-10)


def test_adam_with_a_short_memory_fails_where_amsgrad_and_adagrad_do_not() -> None:
    """Reddi et al.: 3x every third step, else -x, on [-1, 1]; the best point is -1."""
    ends = {}
    for name, make in {
        "adam": lambda x: Unified(x, "adam_exact", 0.5, (0.0, 0.1)),
        "adagrad": lambda x: Unified(x, "adagrad", 0.5, (0.0, 1.0)),
        "amsgrad": lambda x: torch.optim.Adam(x, 0.5, (0.0, 0.1), amsgrad=True),
    }.items():
        x = nn.Parameter(torch.zeros(1, dtype=torch.float64))
        optimizer = make([x])
        for t in range(1, 3001):
            x.grad = torch.full_like(x, 3.0 if t % 3 == 1 else -1.0)
            optimizer.param_groups[0]["lr"] = 0.5 if name == "adagrad" else 0.5 / math.sqrt(t)
            optimizer.step()
            x.data.clamp_(-1, 1)
        ends[name] = float(x.detach())
    assert ends["adam"] > 0.9 and ends["adagrad"] < -0.9 and ends["amsgrad"] < -0.9
