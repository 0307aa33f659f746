"""The training loop, on Lightning Fabric.

Fabric rather than the Trainer: the schedule follows a time budget, a checkpoint falls between any two steps (also on a signal) and
carries the position in the data stream and the averaged weights, and nothing it writes needs unpickling. Fabric keeps what is
wanted: devices, gradient clipping and loggers.
"""

from __future__ import annotations

import copy
import math
import time
from collections.abc import Callable, Iterator, Sequence
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
from rtaudio.format import StemplayError
from training.checkpoint import load_checkpoint, save_checkpoint, save_weights
from training.data.store import Stems
from training.losses import separation_loss
from training.recipe import OptimConfig, Recipe
from training.validation import Validation, validate


@dataclass(frozen=True)
class Budget:
    """When a run ends: after ``minutes`` of training, or after ``steps`` if that is given (repeatable to the bit)."""

    minutes: float = 30.0
    steps: int | None = None

    def progress(self, step: int, elapsed: float) -> float:
        """0 at the start, 1 at the end; ``elapsed`` in seconds."""
        return step / self.steps if self.steps is not None else elapsed / (60 * self.minutes)


@dataclass
class Intervals:
    """Seconds between validations, checkpoints and lines of the log."""

    validate: float = 240.0
    checkpoint: float = 180.0
    log: float = 20.0


@dataclass
class Progress:
    """Where a run stands; part of the checkpoint."""

    step: int = 0
    elapsed: float = 0.0
    best: float = math.inf
    history: list[dict[str, float]] = field(default_factory=list)


def learning_rate(optim: OptimConfig, step: int, progress: float) -> float:
    """Linear warm-up over steps, then a cosine to ``final`` of the peak over the budget."""
    cosine = 0.5 * (1 + math.cos(math.pi * min(1.0, progress)))
    return optim.lr * min(1.0, (step + 1) / max(1, optim.warmup)) * (cosine * (1 - optim.final) + optim.final)


def ema_decay(limit: float, step: int) -> float:
    """Decay of the weights' average at ``step``: short at first, so that the start is forgotten."""
    return min(limit, (1 + step) / (10 + step))


class SeparatorTrainer:
    """Trains one network by one recipe into one folder.

    The folder receives ``last.ckpt`` (to continue), ``ema.safetensors`` (averaged weights), ``best.safetensors`` (those with the
    least validation loss), ``recipe.json`` inside the checkpoint, and the logs as CSV and TensorBoard.

    Args:
        songs: validation songs, ``(4, 2, time)`` each.
        fabric: device and loggers; by default one CPU process with CSV and TensorBoard logs.
    """

    def __init__(
        self, recipe: Recipe, network: Separator, songs: Sequence[Stems], folder: Path, budget: Budget,
        *, intervals: Intervals | None = None, fabric: Fabric | None = None,
    ) -> None:  # fmt: skip
        self.recipe, self.songs, self.folder, self.budget = recipe, songs, folder, budget
        self.intervals = intervals or Intervals()
        folder.mkdir(parents=True, exist_ok=True)
        loggers = [
            CSVLogger(folder, name="csv", flush_logs_every_n_steps=1),
            TensorBoardLogger(folder, "", "tensorboard"),
        ]
        self.fabric = fabric or Fabric(accelerator="cpu", devices=1, loggers=loggers)
        self.network = network.to(self.fabric.device)
        self.ema = copy.deepcopy(self.network).requires_grad_(False)
        self.optimizer = torch.optim.Adam(self.network.parameters(), recipe.optim.lr, fused=True)
        self.forward: Callable[[Tensor], Tensor] = (
            torch.compile(self._forward) if recipe.optim.compile else self._forward
        )
        skip = int(recipe.optim.skip_seconds * recipe.network.sample_rate)
        self.loss = separation_loss(recipe.optim.loss, recipe.optim.spectral, skip)
        self.state = Progress()
        self.stop_requested = False

    def _forward(self, mix: Tensor) -> Tensor:
        """``bf16``: everything between cast weights and the stems is bfloat16; autocast would widen at every bias (a third slower)."""
        if self.recipe.optim.precision == "fp32":
            plain: Tensor = self.network(mix)
            return plain
        weights = {name: weight.bfloat16() for name, weight in self.network.named_parameters()}
        stems: Tensor = torch.func.functional_call(self.network, weights, (mix.bfloat16(),))
        return stems.float()

    def step(self, stems: Tensor) -> tuple[float, float]:
        """One update on ``(batch, sources, channels, time)``; returns the loss and the gradient's norm.

        Raises:
            StemplayError: the loss is no number any more.
        """
        optim = self.recipe.optim
        rate = learning_rate(optim, self.state.step, self.budget.progress(self.state.step, self.state.elapsed))
        for group in self.optimizer.param_groups:
            group["lr"] = rate
        loss = self.loss(self.forward(stems.sum(dim=1)), stems)
        self.optimizer.zero_grad(set_to_none=True)
        self.fabric.backward(loss)
        norm = float(torch.nn.utils.clip_grad_norm_(self.network.parameters(), optim.clip))
        if not math.isfinite(norm):
            raise StemplayError(
                "The loss is no finite number any more: continue from the last checkpoint with a lower learning rate."
            )
        self.optimizer.step()
        self.state.step += 1
        self._average()
        return float(loss.detach()), norm

    @torch.no_grad()
    def _average(self) -> None:
        weight = 1 - ema_decay(self.recipe.optim.ema, self.state.step)
        torch._foreach_lerp_(list(self.ema.parameters()), list(self.network.parameters()), weight)

    def fit(self, batches: Iterator[Any]) -> Progress:
        """Train until the budget is spent or ``stop_requested`` is set; ``batches`` starts at batch ``state.step``."""
        began = time.monotonic() - self.state.elapsed
        done = {"validate": self.state.elapsed, "checkpoint": self.state.elapsed, "log": self.state.elapsed}
        losses: list[float] = []
        first = self.state.step
        norm, waited, start = 0.0, 0.0, self.state.elapsed

        def due(what: str) -> bool:
            if self.state.elapsed - done[what] < getattr(self.intervals, what):
                return False
            done[what] = self.state.elapsed
            return True

        if not self.state.history:
            self.check()
        while self.budget.progress(self.state.step, self.state.elapsed) < 1 and not self.stop_requested:
            asked = time.monotonic()
            stems = torch.as_tensor(next(batches)).to(self.fabric.device)
            waited += time.monotonic() - asked
            loss, norm = self.step(stems)
            losses.append(loss)
            self.state.elapsed = time.monotonic() - began
            if due("log"):
                audio = (self.state.step - first) * len(stems) * self.recipe.mixing.seconds
                spent = self.state.elapsed - start
                self._log(
                    {
                        "loss": float(np.mean(losses)),
                        "gradient_norm": norm,
                        "waited_share": waited / spent,
                        "audio_rate": audio / spent,
                    }
                )
                losses.clear()
            if due("validate"):
                self.check()
            if due("checkpoint"):
                self.save()
        self.check()
        self.save()
        for logger in self.fabric.loggers:
            logger.finalize("success")
        return self.state

    def check(self) -> Validation:
        """Validate the averaged weights; keep them as ``best.safetensors`` if none were better."""
        result = validate(self.ema, self.songs, self.recipe.network.sources, self.fabric.device)
        values = {
            "valid_loss": result.loss,
            **{f"sdr_{name}": sdr for name, sdr in result.sdr.items()},
            "sdr_mean": result.mean_sdr,
        }
        self.state.history.append({"step": self.state.step, "elapsed": round(self.state.elapsed, 1), **values})
        self._log(values)
        if result.loss < self.state.best:
            self.state.best = result.loss
            save_weights(self.folder / "best.safetensors", self.ema.state_dict(), self.recipe.network)
        return result

    def _log(self, values: dict[str, float]) -> None:
        """A line for people on standard output, the same for the loggers (FUT-07: time and device are part of it)."""
        rate = self.optimizer.param_groups[0]["lr"]
        values = {**values, "lr": rate, "elapsed": self.state.elapsed}
        text = "  ".join(f"{name} {value:.5g}" for name, value in values.items())
        print(f"step {self.state.step}  {text}  on {self.fabric.device}", flush=True)
        self.fabric.log_dict(values, self.state.step)

    def save(self) -> None:
        """Write ``last.ckpt`` and ``ema.safetensors``."""
        save_weights(self.folder / "ema.safetensors", self.ema.state_dict(), self.recipe.network)
        save_checkpoint(
            self.folder / "last.ckpt",
            {
                "recipe": self.recipe.to_dict(),
                "step": self.state.step,
                "elapsed": self.state.elapsed,
                "best": self.state.best,
                "history": self.state.history,
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
        self.state = Progress(values["step"], values["elapsed"], values["best"], values["history"])
