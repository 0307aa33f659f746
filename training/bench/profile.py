"""Where the time of a training step goes: from examples to averaged weights, and the operators that cost most."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch
from torch.profiler import ProfilerActivity, profile

from models.registry import make_network
from training.optim.parallel import make_fabric
from training.separation.fit import FitOptions, batches, open_source
from training.separation.recipe import Recipe
from training.separation.trainer import Budget, Intervals, SeparatorTrainer, loggers

PARTS = ("examples", "transfer", "forward", "loss", "backward", "clip", "optimiser", "average")


@dataclass(frozen=True)
class StepProfile:
    """One recipe's step on one device.

    Attributes:
        parts: mean milliseconds of each part, with the device synchronised after it.
        whole_ms: mean of a step that is not interrupted by measuring, examples included.
        audio_rate: seconds of audio a second in such steps.
        operators: ``[name, calls a step, ms a step]`` of the costliest operators on the device.
    """

    recipe: str
    device: str
    batch: int
    seconds: float
    parts: dict[str, float]
    whole_ms: float
    audio_rate: float
    operators: list[tuple[str, float, float]]


class Stopwatch:
    """Adds up the time of named parts; waits for the device, so that each part is charged with its own work."""

    def __init__(self, device: torch.device) -> None:
        self.device = device
        self.seconds = dict.fromkeys(PARTS, 0.0)

    def wait(self) -> None:
        """Until the device has done everything."""
        if self.device.type != "cpu":
            getattr(torch, self.device.type).synchronize()

    @contextmanager
    def part(self, name: str) -> Iterator[None]:
        """Charge what happens inside to ``name``."""
        self.wait()
        began = time.perf_counter()
        yield
        self.wait()
        self.seconds[name] += time.perf_counter() - began


def profile_step(recipe: Recipe, store: Path, *, device: str = "auto", mix_on: str = "auto", steps: int = 5, top: int = 8) -> StepProfile:
    """Measure ``steps`` steps of ``recipe`` with examples of ``store``, after two that warm up.

    Raises StemplayError if there are no data.
    """
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        fabric = make_fabric(device, loggers(folder))
        network = make_network(recipe.network)
        never = Intervals(1e9, 1e9, 1e9)
        trainer = SeparatorTrainer(recipe, network, [], folder, Budget(steps=10**6), intervals=never, fabric=fabric)
        options = FitOptions(folder, store, workers=1, mix_on=mix_on)
        source = open_source(recipe, options, fabric.device)
        stream = batches(recipe, options, 0, trainer.share, source)
        watch = Stopwatch(fabric.device)
        for _ in range(2):
            trainer.step(*trainer.take(stream))
        watch.wait()
        began = time.perf_counter()
        for _ in range(steps):
            trainer.step(*trainer.take(stream))
        watch.wait()
        whole = (time.perf_counter() - began) / steps
        for _ in range(steps):
            _watched(trainer, stream, watch)
        operators = _operators(trainer, stream, top)
        del stream
        for logger in fabric.loggers:
            logger.finalize("success")
    parts = {part: 1000 * seconds / steps for part, seconds in watch.seconds.items()}
    name = torch.cuda.get_device_name(fabric.device) if fabric.device.type == "cuda" else str(fabric.device)
    rate = trainer.step_seconds / whole
    return StepProfile(recipe.name, name, recipe.mixing.batch, recipe.mixing.seconds, parts, 1000 * whole, rate, operators)


def _watched(trainer: SeparatorTrainer, stream: Iterator[Any], watch: Stopwatch) -> None:
    """One step in parts; the same calls as ``SeparatorTrainer.step``, one batch an update."""
    with watch.part("examples"):
        batch = next(stream)
    with watch.part("transfer"):
        stems = torch.as_tensor(batch).to(trainer.fabric.device)
    trainer.optimizer.zero_grad(set_to_none=True)
    mix = stems.sum(dim=1)
    with watch.part("forward"):
        estimate = trainer.forward(mix)
    with watch.part("loss"):
        loss = trainer.objective(estimate, mix, stems)
    with watch.part("backward"):
        trainer.fabric.backward(loss)
    with watch.part("clip"):
        trainer.clip()
    with watch.part("optimiser"):
        trainer.optimizer.step()
    with watch.part("average"):
        trainer.average()


def _operators(trainer: SeparatorTrainer, stream: Iterator[Any], top: int) -> list[tuple[str, float, float]]:
    """The costliest operators of one step by their own time."""
    on_gpu = trainer.fabric.device.type == "cuda"
    activities = [ProfilerActivity.CPU, *([ProfilerActivity.CUDA] if on_gpu else [])]
    taken = trainer.take(stream)
    with profile(activities=activities) as found:
        trainer.step(*taken)
    own = "self_device_time_total" if on_gpu else "self_cpu_time_total"
    rows = sorted(found.key_averages(), key=lambda row: getattr(row, own), reverse=True)
    return [(row.key[:60], float(row.count), getattr(row, own) / 1000) for row in rows[:top]]


def sized(recipe: Recipe, batch: int | None, precision: str | None) -> Recipe:
    """The recipe with another batch or precision, one batch an update."""
    mixing = replace(recipe.mixing, batch=batch or recipe.mixing.batch)
    optim: Any = replace(recipe.optim, accumulate=1, precision=precision or recipe.optim.precision)
    return replace(recipe, mixing=mixing, optim=optim)
