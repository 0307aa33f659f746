"""The training loop, on Lightning Fabric.

Fabric is used instead of Lightning's Trainer because the schedule follows a time budget, a checkpoint can come after any step (also on
a signal) and includes the position in the data stream and the averaged weights, and no file needs unpickling. Fabric provides the
rest: devices, processes and their gradients, accumulation, clipping and loggers.
"""

from __future__ import annotations

import copy
import json
import math
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from lightning.fabric import Fabric
from lightning.fabric.loggers.csv_logs import CSVLogger
from lightning.fabric.loggers.tensorboard import TensorBoardLogger
from torch import Tensor

from models.network import Separator
from rtaudio.audio.format import StemplayError
from training.data.store import Stems, write_atomic
from training.losses import separation_loss
from training.metrics import make_consistent
from training.optim.optimizers import make_optimizer
from training.optim.parallel import Share, agree, make_fabric, reduce
from training.runs.checkpoint import load_checkpoint, save_checkpoint, save_weights
from training.runs.energy import EnergyMeter
from training.runs.progress import ProgressBar, clock
from training.separation.precision import Forward, products
from training.separation.recipe import OptimConfig, Recipe
from training.separation.validation import Validation, validate


@dataclass(frozen=True)
class Budget:
    """When a run ends: after ``minutes`` of training, or after ``steps`` if given (repeatable to the bit)."""

    minutes: float = 30.0
    steps: int | None = None

    def progress(self, step: int, elapsed: float) -> float:
        """0 at the start, 1 at the end; ``elapsed`` in seconds."""
        return step / self.steps if self.steps is not None else elapsed / (60 * self.minutes)

    def left(self, step: int, elapsed: float) -> float:
        """Seconds until the end, at the speed of the steps so far."""
        if self.steps is None:
            return 60 * self.minutes - elapsed
        return (self.steps - step) * elapsed / step if step else math.inf


@dataclass
class Intervals:
    """Seconds between validations, checkpoints and lines of the log. If ``epoch`` is not 0, validate after this many steps instead."""

    validate: float = 240.0
    checkpoint: float = 180.0
    log: float = 20.0
    epoch: int = 0


@dataclass
class Progress:
    """The progress of a run, which is part of the checkpoint. ``elapsed`` is in seconds, ``energy`` in kWh."""

    step: int = 0
    elapsed: float = 0.0
    best: float = math.inf
    history: list[dict[str, float]] = field(default_factory=list)
    energy: float = 0.0


def learning_rate(optim: OptimConfig, step: int, progress: float) -> float:
    """Linear warm-up over steps, then a cosine to ``final`` of the peak over the budget, or no change (``constant``, as in the thesis)."""
    if optim.schedule == "constant":
        return optim.lr * min(1.0, (step + 1) / max(1, optim.warmup))
    cosine = 0.5 * (1 + math.cos(math.pi * min(1.0, progress)))
    return optim.lr * min(1.0, (step + 1) / max(1, optim.warmup)) * (cosine * (1 - optim.final) + optim.final)


def ema_decay(limit: float, step: int) -> float:
    """Decay of the weights' average at ``step``: small at first, so that the initial weights are forgotten."""
    return min(limit, (1 + step) / (10 + step))


class SeparatorTrainer:
    """Trains one network by one recipe into one folder.

    The folder receives ``last.ckpt`` (to continue), ``ema.safetensors`` (averaged weights), ``best.safetensors`` (those with the
    least validation loss, or the highest SDR if the loss is in decibels), ``recipe.json``, ``history.json`` (validations,
    time, device, energy), and the logs as CSV and TensorBoard.

    Args:
        songs: validation songs, ``(4, 2, time)`` each.
        fabric: devices and loggers; by default one CPU process with CSV and TensorBoard logs.
        watts: power that the machine draws, if known (``EnergyMeter``).
        teacher: a trained network, such as a larger one, whose stems are part of the target (``distil``).
    """

    def __init__(
        self, recipe: Recipe, network: Separator, songs: Sequence[Stems], folder: Path, budget: Budget,
        *, intervals: Intervals | None = None, fabric: Fabric | None = None, watts: float | None = None,
        teacher: Separator | None = None,
    ) -> None:  # fmt: skip
        self.recipe, self.songs, self.folder, self.budget = recipe, songs, folder, budget
        self.intervals = intervals or Intervals()
        folder.mkdir(parents=True, exist_ok=True)
        self.fabric = fabric or make_fabric("cpu", loggers(folder))
        optim = recipe.optim
        self.share = Share(self.fabric.global_rank, self.fabric.world_size, optim.accumulate, recipe.mixing.batch)
        self.network = network.to(self.fabric.device)
        # Without averaging there is no second copy, which for the thesis' network would be 2.4 GiB.
        self.ema = copy.deepcopy(self.network).requires_grad_(False) if optim.ema else self.network
        forward = Forward(self.network, optim.precision)
        self.optimizer: Any
        self.forward, self.optimizer = self.fabric.setup(
            torch.compile(forward) if optim.compile else forward,
            make_optimizer(optim.optimizer, self.network, optim.lr, optim.weight_decay),
        )
        skip = int(optim.skip_seconds * recipe.network.sample_rate)
        self.loss = separation_loss(optim.loss, optim.spectral, skip, optim.windows)
        self.teacher = teacher.to(self.fabric.device).eval().requires_grad_(False) if teacher is not None else None
        self.state = Progress()
        self.stop_requested = False
        self.meter = EnergyMeter(
            self.fabric.device, torch.get_num_threads(), watts=watts, whole_machine=self.fabric.local_rank == 0
        )

    def step(self, *batches: Tensor) -> tuple[float, float]:
        """One update on this process' share of it, ``(batch, sources, channels, time)`` each; returns the loss and the gradient's norm.

        Both are for the whole update, whatever the number of processes.

        Raises:
            StemplayError: the loss is no longer finite.
        """
        optim = self.recipe.optim
        rate = learning_rate(optim, self.state.step, self.budget.progress(self.state.step, self.state.elapsed))
        for group in self.optimizer.param_groups:
            group["lr"] = rate
        self.optimizer.zero_grad(set_to_none=True)
        with products(optim.precision):
            total = self._gradients(batches)
        norm = float(self.clip())
        if not math.isfinite(norm):
            raise StemplayError(
                "The loss is no longer finite: continue from the last checkpoint with a lower learning rate."
            )
        self.optimizer.step()
        self.state.step += 1
        self.average()
        return float(reduce(self.fabric, total, "mean")), norm

    def _gradients(self, batches: Sequence[Tensor]) -> Tensor:
        """Add up the gradients of ``batches``; returns this process' loss."""
        total = torch.zeros((), device=self.fabric.device)
        for number, stems in enumerate(batches, 1):
            with self.fabric.no_backward_sync(self.forward, enabled=number < len(batches)):
                mix = stems.sum(dim=1)
                loss = self.objective(self.forward(mix), mix, self._goal(mix, stems)) / len(batches)
                self.fabric.backward(loss)
            total += loss.detach()
        return total

    def objective(self, estimate: Tensor, mix: Tensor, stems: Tensor) -> Tensor:
        """The recipe's loss of an estimate ``(batch, sources, channels, time)``."""
        return self.loss(make_consistent(estimate, mix) if self.recipe.optim.consistent else estimate, stems)

    def clip(self) -> Tensor:
        """Limit the gradients' norm; returns the norm before."""
        limit = self.recipe.optim.clip or math.inf
        norm = self.fabric.clip_gradients(self.forward, self.optimizer, max_norm=limit, error_if_nonfinite=False)
        return torch.as_tensor(norm)

    @torch.no_grad()
    def _goal(self, mix: Tensor, stems: Tensor) -> Tensor:
        """The true stems, or with a teacher a weighted mean of these and its stems, which a network can reach more easily."""
        return stems if self.teacher is None else torch.lerp(stems, self.teacher(mix), self.recipe.optim.distil)

    @torch.no_grad()
    def average(self) -> None:
        """Move the averaged weights towards the present ones."""
        if self.ema is self.network:
            return
        weight = 1 - ema_decay(self.recipe.optim.ema, self.state.step)
        torch._foreach_lerp_(list(self.ema.parameters()), list(self.network.parameters()), weight)

    def take(self, batches: Iterator[Any]) -> list[Tensor]:
        """This process' share of the next update, on its device."""
        taken = [next(batches) for _ in range(self.share.batches)]
        return [torch.as_tensor(batch)[self.share.rows].to(self.fabric.device) for batch in taken]

    def fit(self, batches: Iterator[Any]) -> Progress:
        """Train until the budget is spent or ``stop_requested`` is set.

        ``batches`` are those of this process (``share``), starting with update ``state.step``.
        """
        began = time.monotonic() - self.state.elapsed
        done = {"validate": self.state.elapsed, "checkpoint": self.state.elapsed, "log": self.state.elapsed}
        losses: list[float] = []
        first, start, waited = self.state.step, self.state.elapsed, 0.0
        bar, stop = ProgressBar(self.fabric.is_global_zero), False

        def due(what: str) -> bool:
            if what == "validate" and self.intervals.epoch:
                return self.state.step % self.intervals.epoch == 0
            if self.state.elapsed - done[what] < getattr(self.intervals, what):
                return False
            done[what] = self.state.elapsed
            return True

        if not self.state.history:
            self.check()
        while self.budget.progress(self.state.step, self.state.elapsed) < 1 and not stop:
            asked = time.monotonic()
            taken = self.take(batches)
            waited += time.monotonic() - asked
            loss, norm = self.step(*taken)
            losses.append(loss)
            self.state.elapsed, stop = agree(self.fabric, time.monotonic() - began, self.stop_requested)
            spent = max(self.state.elapsed - start, 1e-9)
            rate = (self.state.step - first) * self.step_seconds / spent
            left = self.budget.left(self.state.step, self.state.elapsed)
            progress = self.budget.progress(self.state.step, self.state.elapsed)
            bar.show(progress, left, self.state.step, loss, rate)
            if due("log"):
                values = {"loss": float(np.mean(losses)), "gradient_norm": norm, "busy_share": 1 - waited / spent}
                self._log({**values, "audio_rate": rate}, bar, f"  left {clock(left)}")
                losses.clear()
            if due("validate"):
                self.check(bar)
            if due("checkpoint"):
                self.save()
        if self.state.history[-1]["step"] != self.state.step:
            self.check(bar)
        self.save()
        bar.close()
        for logger in self.fabric.loggers:
            logger.finalize("success")
        return self.state

    @property
    def step_seconds(self) -> float:
        """Seconds of audio in an update, over all processes."""
        mixing = self.recipe.mixing
        return self.recipe.optim.accumulate * mixing.batch * mixing.seconds

    def check(self, bar: ProgressBar | None = None) -> Validation:
        """Validate the averaged weights; save them as ``best.safetensors`` if they are the best so far."""
        result = validate(self.ema, self.songs, self.recipe.network.sources, self.fabric)
        self.network.train()  # the scored network may be this one, in evaluation mode
        values = result.row()
        cost = {"energy_kwh": round(self._energy(), 7)}
        # With waveform losses the smallest one is best, as in the thesis; with losses in decibels, the highest mean SDR over songs.
        score = result.loss if self.recipe.optim.loss in ("l1", "l2") else -result.song_mean
        self.state.history.append(
            {"step": self.state.step, "elapsed": round(self.state.elapsed, 1), **values, **cost, "score": score}
        )
        self._log(values, bar)
        if score < self.state.best:
            self.state.best = score
            if self.fabric.is_global_zero:
                save_weights(self.folder / "best.safetensors", self.ema.state_dict(), self.recipe.network)
        return result

    def _log(self, values: dict[str, float], bar: ProgressBar | None = None, more: str = "") -> None:
        """Write the values as a line on standard output and to the loggers."""
        rate = self.optimizer.param_groups[0]["lr"]
        values = {**values, "lr": rate, "elapsed": self.state.elapsed}
        text = "  ".join(f"{name} {value:.5g}" for name, value in values.items())
        if self.fabric.is_global_zero:
            line = f"step {self.state.step}  {text}{more}  on {self.fabric.device}"
            print(line, flush=True) if bar is None else bar.write(line)
        self.fabric.log_dict(values, self.state.step)

    def _energy(self) -> float:
        """kWh of the run so far, over all processes. Every process must call it."""
        before = self.meter.kwh
        spent = torch.tensor(self.meter.read() - before, device=self.fabric.device)
        self.state.energy += float(reduce(self.fabric, spent, "sum"))
        return self.state.energy

    def cost(self) -> dict[str, Any]:
        """The cost of the run so far (FUT-07). Every process must call it."""
        kwh, batches = self._energy(), self.state.step * self.recipe.optim.accumulate
        device = self.fabric.device
        return {
            "wall_hours": float(f"{self.state.elapsed / 3600:.4g}"),
            "device": torch.cuda.get_device_name(device) if device.type == "cuda" else device.type,
            "processes": self.fabric.world_size,
            "threads": torch.get_num_threads(),
            "updates": self.state.step,
            "batches": batches,
            "audio_hours": round(self.state.step * self.step_seconds / 3600, 3),
            "energy_kwh": float(f"{kwh:.4g}"),
            "energy_by": self.meter.method,
        }

    def save(self) -> None:
        """Write ``last.ckpt``, ``ema.safetensors`` and ``history.json``. Every process must call it; the first one writes."""
        cost = self.cost()
        if not self.fabric.is_global_zero:
            return
        save_weights(self.folder / "ema.safetensors", self.ema.state_dict(), self.recipe.network)
        history = {**cost, "validations": self.state.history}
        write_atomic(self.folder / "history.json", json.dumps(history, indent=1).encode())
        save_checkpoint(
            self.folder / "last.ckpt",
            {
                "recipe": self.recipe.to_dict(),
                "step": self.state.step,
                "elapsed": self.state.elapsed,
                "best": self.state.best,
                "history": self.state.history,
                "cost": cost,
                "network": self.network.state_dict(),
                "optimizer": self.optimizer.state_dict(),
                "ema": self.ema.state_dict(),
            },
        )

    def resume(self) -> None:
        """Continue from ``last.ckpt`` in the folder."""
        values = load_checkpoint(self.folder / "last.ckpt")
        self.network.load_state_dict(values["network"])
        self.ema.load_state_dict(values["ema"])
        self.optimizer.load_state_dict(values["optimizer"])
        energy = values.get("cost", {}).get("energy_kwh", 0.0)
        self.state = Progress(values["step"], values["elapsed"], values["best"], values["history"], energy)


def loggers(folder: Path) -> list[Any]:
    """Curves as CSV and for TensorBoard."""
    return [CSVLogger(folder, name="csv", flush_logs_every_n_steps=1), TensorBoardLogger(folder, "", "tensorboard")]
