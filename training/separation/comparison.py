"""Networks of different kinds trained with the same budget, beside oracles and floors: our small Table 3.1.

The budget is processor time of one thread, data included, so that a busy machine does not favour whoever ran when it was quiet.
"""

from __future__ import annotations

import json
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from training.data.store import write_atomic
from training.separation.fit import FitOptions, fit
from training.separation.recipe import RECIPES, Recipe, read_recipe
from training.separation.trainer import Budget, Intervals

COMPARED = {
    "demucs": ("Demucs", True),
    "causal-demucs": ("causal Demucs", True),
    "conv-tasnet": ("Conv-Tasnet", True),
    "open-unmix": ("Open-Unmix-like", False),
}
"""Recipes in ``training/recipes/compare``, one or two million weights each: the row's title, and whether it makes waveforms."""


@dataclass(frozen=True)
class ProcessorBudget(Budget):
    """Ends a run after ``seconds`` of this process' processor time.

    They are counted from the first question on, which a trainer asks after its first validation; the last one comes after the end. So
    validations, which differ much between networks, are no part of the budget.
    """

    seconds: float = 240.0
    _began: list[float] = field(default_factory=list)

    def progress(self, step: int, elapsed: float) -> float:
        """0 at the start, 1 at the end."""
        return self.spent() / self.seconds

    def spent(self) -> float:
        """Seconds of it so far."""
        now = time.process_time()
        if not self._began:
            self._began.append(now)
        return now - self._began[0]


def compared_recipes() -> dict[str, Recipe]:
    """Name -> recipe, those that this version can build."""
    folder = RECIPES / "compare"
    return {name: read_recipe(str(folder / f"{name}.toml")) for name in COMPARED if (folder / f"{name}.toml").exists()}


def train(name: str, recipe: Recipe, folder: Path, store: Path, seconds: float, seed: int = 0) -> dict[str, Any]:
    """Train ``name`` of ``COMPARED`` on one thread, and write ``making.json`` beside its weights: what it cost and saw."""
    began, start = time.monotonic(), time.process_time()
    budget = ProcessorBudget(seconds=seconds)
    rarely = Intervals(validate=1e9, checkpoint=1e9, log=60)
    options = FitOptions(folder, store, budget, seed, threads=1, workers=0, intervals=rarely, device="cpu")
    state = fit(recipe, options)
    title, wav = COMPARED[name]
    making = {
        "title": title,
        "wav": wav,
        "extra": 0,
        "recipe": recipe.name,
        "network": recipe.to_dict()["network"],
        "steps": state.step,
        "budget_seconds": seconds,
        "processor_seconds": round(time.process_time() - start, 1),
        "wall_seconds": round(time.monotonic() - began, 1),
        "audio_seconds": round(state.step * recipe.mixing.batch * recipe.mixing.seconds, 1),
        "validation": state.history[-1],
    }
    write_atomic(folder / "making.json", json.dumps(making, indent=1).encode())
    return making
