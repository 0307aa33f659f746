"""Trains networks of different kinds with the same budget and compares them with oracles and floors: our small Table 3.1.

The budget is processor time of one thread, data included, so that results do not depend on how busy the machine is.
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
"""Recipes in ``training/recipes/compare`` with one or two million weights each: the row's title, and whether it outputs waveforms."""


@dataclass(frozen=True)
class ProcessorBudget(Budget):
    """Ends a run after ``seconds`` of this process' processor time.

    Counting starts with the first query, which a trainer makes after its first validation; the last validation comes after the end. So the
    budget does not include validations, whose cost differs much between networks.
    """

    seconds: float = 240.0
    _began: list[float] = field(default_factory=list)

    def progress(self, step: int, elapsed: float) -> float:
        """0 at the start, 1 at the end."""
        return self.spent() / self.seconds

    def spent(self) -> float:
        """Seconds of the budget used so far."""
        now = time.process_time()
        if not self._began:
            self._began.append(now)
        return now - self._began[0]


def compared_recipes() -> dict[str, Recipe]:
    """Name -> recipe, for the recipes that this version can build."""
    folder = RECIPES / "compare"
    return {name: read_recipe(str(folder / f"{name}.toml")) for name in COMPARED if (folder / f"{name}.toml").exists()}


def train(name: str, recipe: Recipe, folder: Path, store: Path, seconds: float, seed: int = 0) -> dict[str, Any]:
    """Train ``name`` of ``COMPARED`` on one thread, and write its cost and the amount of data to ``making.json`` beside its weights."""
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
