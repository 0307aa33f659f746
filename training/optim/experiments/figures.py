"""Figures by the thesis' numbers: do the missing runs, test the claims, draw."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from training.data.store import write_atomic
from training.optim.experiments import chapter4, pictures, simulations, verdicts
from training.optim.experiments.chapter4 import Plan, Say
from training.optim.experiments.claims import Claim

Drawn = tuple[list[str], list[Claim]]


def _batches(plan: Plan, say: Say) -> Drawn:
    panels, claims = {}, []
    for data, loss in (("url", "logistic"), ("spam", "least-squares")):
        found = chapter4.batch_sweep(plan, data, loss, say)["loss"]
        panels[f"{data}, {loss}"] = found
        claims += verdicts.batch_claims(found, loss)
    pictures.draw_batches(plan.folder / "figure-4.4.png", panels)
    return ["figure-4.4.png"], claims


def _convergence(number: str, data: str) -> Callable[[Plan, Say], Drawn]:
    def make(plan: Plan, say: Say) -> Drawn:
        curves = chapter4.convergence(plan, data, say)["curves"]
        pictures.draw_convergence(plan.folder / f"figure-{number}.png", curves, data)
        return [f"figure-{number}.png"], verdicts.convergence_claims(curves, data)

    return make


def _workers(number: str, data: str) -> Callable[[Plan, Say], Drawn]:
    def make(plan: Plan, say: Say) -> Drawn:
        curves = chapter4.convergence(plan, data, say)["curves"]
        workers = list(plan.workers)

        def to_target(name: str, seed: int) -> float:
            return chapter4.reached(curves[name][seed], verdicts.target_of(curves, seed), "seconds")

        pictures.draw_workers(plan.folder / f"figure-{number}.png", curves, workers, data, to_target)
        return [f"figure-{number}.png"], verdicts.worker_claims(curves, workers)

    return make


def _svrg(number: str, names: tuple[str, ...]) -> Callable[[Plan, Say], Drawn]:
    def make(plan: Plan, say: Say) -> Drawn:
        panels, claims = {}, []
        for data in names:
            panels[data] = chapter4.svrg_sweep(plan, data, say)["gaps"]
            claims += verdicts.svrg_claims(panels[data], data)
        pictures.draw_svrg(plan.folder / f"figure-{number}.png", panels)
        return [f"figure-{number}.png"], claims

    return make


def _horizons(plan: Plan, say: Say) -> Drawn:
    result = simulations.horizons(plan, say)
    pictures.draw_horizons(plan.folder / "figure-5-bounds.png", result)
    return ["figure-5-bounds.png"], simulations.horizon_claims(result)


def _rule(plan: Plan, say: Say) -> Drawn:
    result, sizes = simulations.fixed_steps(plan, say), simulations.step_sizes()
    pictures.draw_fixed(plan.folder / "figure-5-rule.png", result, sizes)
    return ["figure-5-rule.png"], simulations.fixed_claims(result) + simulations.step_claims(sizes)


def _start(plan: Plan, say: Say) -> Drawn:
    result, contained = simulations.forgetting(plan, say), simulations.containments(plan, say)
    pictures.draw_forgetting(plan.folder / "figure-5-start.png", result, contained)
    claims = simulations.forgetting_claims(result) + simulations.containment_claims(contained)
    return ["figure-5-start.png"], claims


FIGURES: dict[str, Callable[[Plan, Say], Drawn]] = {
    "4.1": _convergence("4.1", "news20"),
    "4.2": _svrg("4.2", ("url",)),
    "4.3": _workers("4.3", "news20"),
    "4.4": _batches,
    "B.1": _convergence("B.1", "news20"),
    "B.2": _convergence("B.2", "spam"),
    "B.3": _workers("B.3", "spam"),
    "B.4": _convergence("B.4", "url"),
    "B.5": _workers("B.5", "url"),
    "B.6": _svrg("B.6", ("news20", "spam")),
    "5-bounds": _horizons,
    "5-rule": _rule,
    "5-start": _start,
}
"""Figures by number. The thesis has no figures in chapter 5, so these are named after their contents."""


def make_figure(name: str, plan: Plan, say: Say) -> list[Claim]:
    """Run, draw, and write the verdicts to ``figure-NAME.json``; returns the verdicts."""
    drawn, claims = FIGURES[name](plan, say)
    facts: dict[str, Any] = {"figure": name, "pictures": drawn, "scale": plan.scale, "files": dict(plan.files)}
    facts["claims"] = [claim.to_dict() for claim in claims]
    write_atomic(plan.folder / f"figure-{name}.json", (json.dumps(facts, indent=1) + "\n").encode())
    return claims
