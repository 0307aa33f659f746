"""The simulations of chapter 5, and the thesis' claims about them (ADP-02, -06 to -09, CNT-02)."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import partial
from itertools import product
from typing import Any

import numpy as np

from training.optim import adaptive_bounds as bounds
from training.optim.experiments.chapter4 import Plan, Say
from training.optim.experiments.chapter5 import Toy, containment_run, mean_square_gradient
from training.optim.experiments.claims import Claim, spread
from training.optim.unified import step_size

HORIZONS = (100, 300, 1000, 3000, 10_000)
FIXED = {
    "alpha and beta2 fixed": (0.1, 0.9),
    "only beta2 = 1 - 1/N": (0.1, None),
    "only alpha = 1/sqrt(N)": (None, 0.9),
    "both": (None, None),
}
DECAYS = (0.01, 0.1, 1.0)


def bound_of(toy: Toy, kind: str, steps: int, beta1: float) -> float:
    """The theorem for Adam with the horizon's rule, or for Adagrad."""
    if kind == "adagrad":
        return (
            bounds.adagrad_momentum(toy.assumptions, steps, 1.0, beta1)
            if beta1
            else bounds.adagrad(toy.assumptions, steps, 1.0)
        )
    alpha, beta2 = 1 / math.sqrt(steps), 1 - 1 / steps
    if beta1:
        return bounds.adam_momentum(toy.assumptions, steps, alpha, beta1, beta2)
    return bounds.adam(toy.assumptions, steps, alpha, beta2)


def _one_seed(toy: Toy, kind: str, steps: int, rule: tuple[float, float, float], seed: int) -> float:
    return float(mean_square_gradient(toy, kind, steps, *rule, seeds=[seed])[0])


def _values(toy: Toy, kind: str, steps: int, beta2: float, seed: int, every: int) -> list[float]:
    points = toy.run(kind, steps, 0.1, 0.0, beta2, [seed])[0]
    return [float(value) for value in toy.values(points)[::every]]


def _contained(kind: str, decay: float, steps: int, seed: int) -> dict[str, float]:
    return vars(containment_run(kind, decay, steps, seed))


def horizons(plan: Plan, say: Say) -> dict[str, Any]:
    """Mean squared gradients of Adam with the horizon's rule and of Adagrad, beside their bounds."""
    toy, journal = Toy(10), plan.journal("5-bounds")
    found: dict[str, dict[int, list[float]]] = {}
    for kind, beta1, steps in product(("adam", "adagrad"), (0.0, 0.9), HORIZONS):
        rule = (1 / math.sqrt(steps), beta1, 1 - 1 / steps) if kind == "adam" else (1.0, beta1, 1.0)
        name = f"{kind}, beta1 = {beta1:g}"
        values = found.setdefault(name, {}).setdefault(steps, [])
        for seed in plan.seeds:
            values.append(journal.get(f"{name}/{steps}/{seed}", partial(_one_seed, toy, kind, steps, rule, seed)))
    say(f"5-bounds: {len(found)} methods, {len(HORIZONS)} horizons")
    return {
        "found": found,
        "bounds": {n: [bound_of(toy, n.split(",")[0], s, float(n.split("= ")[1])) for s in HORIZONS] for n in found},
    }


def horizon_claims(result: dict[str, Any]) -> list[Claim]:
    """Claims: the bounds hold, they fall as the root, and Adam equals Adagrad."""
    found = {name: {n: np.array(v) for n, v in rows.items()} for name, rows in result["found"].items()}
    below = [
        all(
            found[name][n][s] <= bound
            for name in found
            for n, bound in zip(HORIZONS, result["bounds"][name], strict=True)
        )
        for s in range(len(found["adam, beta1 = 0"][100]))
    ]
    slack = result["bounds"]["adam, beta1 = 0"][-1] / found["adam, beta1 = 0"][HORIZONS[-1]]
    fall = found["adam, beta1 = 0"][100] / found["adam, beta1 = 0"][10_000]
    ratio = found["adam, beta1 = 0"][10_000] / found["adagrad, beta1 = 0"][10_000]
    momentum = found["adam, beta1 = 0.9"][10_000] / found["adam, beta1 = 0"][10_000]
    return [
        Claim("The gradient stays below the bounds of theorems 1 to 4.", below, True,
              f"at N = 10,000 the bound of theorem 1 is {spread(list(slack))} times what is measured"),
        Claim("With alpha = 1/sqrt(N) and beta2 = 1 - 1/N it falls as ln(N)/sqrt(N): at least by 5 for 100 times the steps.",
              [bool(x) for x in fall >= 5], bool(fall.mean() > 2), f"from N = 100 to 10,000 it falls by {spread(list(fall))}"),
        Claim("With this rule Adam is Adagrad (within 10 %).", [bool(x) for x in abs(ratio - 1) < 0.1], bool(abs(ratio.mean() - 1) < 0.5),
              f"Adam's gradient over Adagrad's at N = 10,000: {spread(list(ratio))}"),
        Claim("Momentum brings no gain in the bound: the gradient is not smaller with it.", [bool(x) for x in momentum > 0.9],
              bool(momentum.mean() > 0.8), f"with beta1 = 0.9 it is {spread(list(momentum))} times that without"),
    ]  # fmt: skip


def fixed_steps(plan: Plan, say: Say) -> dict[str, Any]:
    """The horizon's rule, each of its halves alone, and neither."""
    toy, journal = Toy(10), plan.journal("5-fixed")
    found: dict[str, dict[int, list[float]]] = {name: {n: [] for n in HORIZONS} for name in FIXED}
    for (name, (alpha, beta2)), steps, seed in product(FIXED.items(), HORIZONS, plan.seeds):
        rule = (alpha or 1 / math.sqrt(steps), 0.0, beta2 or 1 - 1 / steps)
        make = partial(_one_seed, toy, "adam", steps, rule, seed)
        found[name][steps].append(journal.get(f"{name}/{steps}/{seed}", make))
    say(f"5-fixed: {len(FIXED)} rules")
    return {"found": found}


def fixed_claims(result: dict[str, Any]) -> list[Claim]:
    """Claim: both halves are needed."""
    end = {name: np.array(rows[10_000]) for name, rows in result["found"].items()}
    both, neither = end["both"], end["alpha and beta2 fixed"]
    memory, step = end["only beta2 = 1 - 1/N"], end["only alpha = 1/sqrt(N)"]
    return [
        Claim("With alpha and beta2 fixed Adam does not converge (3 times the gradient, or more).", [bool(x) for x in neither > 3 * both],
              bool(neither.mean() > both.mean()), f"at N = 10,000: fixed {spread(list(neither))}, both {spread(list(both))}"),
        Claim("Raising beta2 is as critical as decreasing the step: each alone stays 3 times behind.",
              [bool(x) for x in (memory > 3 * both) & (step > 3 * both)], bool(memory.mean() > both.mean() < step.mean()),
              f"only beta2 {spread(list(memory))}, only alpha {spread(list(step))}, both {spread(list(both))}"),
    ]  # fmt: skip


def forgetting(plan: Plan, say: Say, steps: int = 4000) -> dict[str, Any]:
    """F over the steps from a distant start, for Adam with a fixed step and for Adagrad."""
    toy, journal = Toy(10, noise=0.1, start=8.0), plan.journal("5-forgetting")
    every = max(1, steps // 200)
    found: dict[str, list[list[float]]] = {"adam": [], "adagrad": []}
    for kind, seed in product(found, plan.seeds):
        beta2 = 0.999 if kind == "adam" else 1.0
        found[kind].append(journal.get(f"{kind}/{seed}", partial(_values, toy, kind, steps, beta2, seed, every)))
    say("5-forgetting: 2 methods")
    return {"found": found, "every": every}


def forgetting_claims(result: dict[str, Any]) -> list[Claim]:
    """Claim: Adam moves away from the start faster."""

    def half(values: Sequence[float]) -> float:
        below = np.flatnonzero(np.array(values) < values[0] / 2)
        return float(below[0] * result["every"]) if len(below) else float(len(values) * result["every"])

    adam, adagrad = (np.array([half(v) for v in result["found"][kind]]) for kind in ("adam", "adagrad"))
    return [
        Claim("Adam moves away from x0 faster than Adagrad.", [bool(x) for x in adam < adagrad], bool(adam.mean() < adagrad.mean()),
              f"steps until F is half of F(x0): Adam {spread(list(adam))}, Adagrad {spread(list(adagrad))}"),
    ]  # fmt: skip


def step_sizes(beta1: float = 0.9, beta2: float = 0.999, steps: int = 100) -> dict[str, list[float]]:
    """``alpha_n`` of the three kinds, alpha = 1."""
    return {
        k: [step_size(k, n, 1.0, beta1, beta2) for n in range(1, steps + 1)] for k in ("adam", "adam_exact", "adagrad")
    }


def step_claims(sizes: dict[str, list[float]]) -> list[Claim]:
    """Claim: only the first tens of steps differ."""
    ratio = [a / b for a, b in zip(sizes["adam"], sizes["adam_exact"], strict=True)]
    return [
        Claim("The thesis' Adam differs from Kingma and Ba's only in the first few tens of steps.", [ratio[49] > 0.99], True,
              f"ratio of the steps {ratio[0]:.2f} at n = 1, {ratio[9]:.2f} at 10, {ratio[49]:.3f} at 50 (exact, there is no chance in it)"),
    ]  # fmt: skip


def containments(plan: Plan, say: Say, steps: int = 3000) -> dict[str, Any]:
    """Largest weights of a sigmoid network beside their bounds."""
    journal = plan.journal("5-containment")
    found: dict[str, list[dict[str, float]]] = {}
    for kind, decay, seed in product(("adam", "adagrad"), DECAYS, plan.seeds):
        name = f"{kind}, lambda = {decay:g}"
        known = f"{name}/{seed}" in journal.results
        run = journal.get(f"{name}/{seed}", partial(_contained, kind, decay, steps, seed))
        found.setdefault(name, []).append(run)
        if not known and seed == plan.seeds[-1]:
            say(f"5-containment: {name}")
    return {"found": found}


def containment_claims(result: dict[str, Any]) -> list[Claim]:
    """Claim: weights never leave the ball."""
    runs = result["found"]
    count = len(next(iter(runs.values())))
    inside = [
        all(r[s]["last"] <= r[s]["last_bound"] and r[s]["first"] <= r[s]["first_bound"] for r in runs.values())
        for s in range(count)
    ]
    moves = [all(r[s]["moved"] <= r[s]["move_bound"] for r in runs.values()) for s in range(count)]
    share = [max(r[s]["last"] / r[s]["last_bound"] for r in runs.values()) for s in range(count)]
    far = [max(r[s]["moved"] / r[s]["move_bound"] for r in runs.values()) for s in range(count)]
    return [
        Claim("Weights of a sigmoid network with an L2 penalty stay below the bound of section 5.4.2.", inside, all(inside),
              f"the last layer reaches {spread(share)} of its bound"),
        Claim("No weight changes more in a step than (5.11) allows.", moves, all(moves), f"the largest step is {spread(far)} of the bound"),
    ]  # fmt: skip
