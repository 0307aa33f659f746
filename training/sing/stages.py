"""The three training stages of SING (thesis section 2.4.3, SING-22 to -26).

1. ``train_autoencoder``: encoder and decoder reconstruct notes.
2. ``train_sequence``: the encoder is frozen, and the LSTM learns to predict its codes; truncated back-propagation of 32 steps, with the
state carried over and detached.
3. ``train_end_to_end``: LSTM and decoder learn together on the waveform's loss, by back-propagation through the whole note.

Each runs for a given time or number of steps. With ``window``, the decoder renders only a random section of the note in each step. The
thesis renders whole notes. On a CPU the decoder is nearly all of the cost, and a section teaches as much per second.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from itertools import pairwise
from typing import Any, Literal

import numpy as np
import torch
from torch import Tensor, nn

from models.sing import NoteEncoder, Sing
from training.data.note_store import NoteStore, Rows
from training.losses import NOTE_LOSSES
from training.optim.adabatch import AdaBatch, tables_of
from training.optim.optimizers import plain_optimizer

STAGES = ("autoencoder", "sequence", "end_to_end")
"""The stages in the order of training."""

TRUNCATION = 32
"""Steps of truncated back-propagation in the second stage (SING-23)."""


@dataclass(frozen=True)
class StagePlan:
    """The length and the settings of a stage; defaults are the thesis' (SING-26).

    Attributes:
        steps: largest number of updates.
        epochs: largest number of passes over the training notes; 0 for any number.
        seconds: longest time.
        begin: share of the first stage that uses the relative loss (``training.losses``) before the plan's loss.
        window: time steps of a note that the decoder renders for the loss; 0 for all.
        attack: share of the batches whose windows start with the note. Half of all windows of a struck note are silent; without more
        attacks, marimba and bells stayed 30 dB too quiet.
        final_lr: the rate falls linearly to this share of ``lr``; 1 keeps it constant, as in the thesis.
        bf16: run encoder and decoder in bfloat16; the LSTM stays in float32, which is faster on a CPU.
        optimizer: ``adam``; ``adam-thesis`` or ``adagrad`` as in chapter 5.
        adabatch: whether rows of the look-up tables learn from the mean over the notes that have them instead of over the batch
        (``training.optim.adabatch``).
        focus: instruments that are drawn more often, for continuing a run where some instruments are worse than others.
        share: share of the notes of each batch that are drawn from ``focus``; the others are drawn from all notes.
    """

    steps: int = 1 << 60
    epochs: int = 0
    seconds: float = float("inf")
    batch: int = 256
    lr: float = 3e-4
    final_lr: float = 1.0
    begin: float = 0.0
    window: int = 0
    attack: float = 0.0
    loss: str = "spectral"
    bf16: bool = False
    optimizer: Literal["adam", "adam-thesis", "adagrad"] = "adam"
    adabatch: bool = False
    focus: tuple[str, ...] = ()
    share: float = 0.5


@dataclass
class Position:
    """The progress of a stage.

    Attributes:
        step, seconds: updates and time spent in ``stage``.
        loss: smoothed loss.
        progress: finished share of the stage, 0 to 1.
    """

    stage: str = ""
    step: int = 0
    seconds: float = 0.0
    loss: float = float("nan")
    progress: float = 0.0


class Trainer:
    """The networks in training and the notes that they learn from.

    Args:
        sing, encoder: networks of the same configuration.
        store: notes; only its training part is used.
        after_step: called after every batch.
        seed: seed of the order of notes and of windows.

    Attributes:
        position: progress of the current stage.
        stop_requested: set it to end a stage after the current batch.
    """

    def __init__(
        self,
        sing: Sing,
        encoder: NoteEncoder,
        store: NoteStore,
        after_step: Callable[[Trainer], None] | None = None,
        seed: int = 0,
    ) -> None:
        self.sing, self.encoder, self.store = sing, encoder, store
        self.rng = np.random.default_rng(seed)
        self.after_step = after_step or (lambda _: None)
        self.position = Position()
        self.stop_requested = False
        self._optimizer: torch.optim.Optimizer | None = None
        self._restored: dict[str, Any] | None = None

    def run(self, stage: str, plan: StagePlan) -> float:
        """Run one of ``STAGES``. Returns the smoothed loss at its end."""
        stages = (self.train_autoencoder, self.train_sequence, self.train_end_to_end)
        return dict(zip(STAGES, stages, strict=True))[stage](plan)

    def state(self) -> dict[str, Any]:
        """The state for a checkpoint besides the weights: plain values and tensors."""
        optimizer = self._optimizer.state_dict() if self._optimizer is not None else None
        return {
            "position": asdict(self.position),
            "optimizer": optimizer,
            "rng": json.dumps(self.rng.bit_generator.state),
        }

    def restore(self, state: dict[str, Any]) -> None:
        """Restore ``state``: the next ``run`` of its stage continues from there."""
        self.position = Position(**state["position"])
        self.rng.bit_generator.state = json.loads(state["rng"])
        self._restored = state["optimizer"]

    def forget_position(self) -> None:
        """Mark the current stage as finished, so that the next one starts from its beginning."""
        self.position, self._optimizer, self._restored = Position(), None, None

    def train_autoencoder(self, plan: StagePlan) -> float:
        """Stage 1. Returns the smoothed loss at its end."""
        config, loss = self.sing.config, NOTE_LOSSES[plan.loss]
        length = config.samples(plan.window or None)

        def objective(rows: np.ndarray[tuple[int], np.dtype[np.int64]]) -> Tensor:
            wav = self.store.audio(rows)
            if length < wav.shape[1]:
                wav = torch.stack(
                    [row[(s := self._start(wav.shape[1] - length, config.stride)) : s + length] for row in wav]
                )
            with self._cast(plan):
                estimate = self.sing.decoder(self.encoder(wav))
            first = self.position.progress < plan.begin
            return (NOTE_LOSSES["relative"] if first else loss)(estimate.float(), wav)

        return self._run("autoencoder", plan, [self.encoder, self.sing.decoder], objective)

    def train_sequence(self, plan: StagePlan) -> float:
        """Stage 2. Encoder and decoder do not change."""
        sequence = self.sing.sequence

        def segments(rows: np.ndarray[tuple[int], np.dtype[np.int64]]) -> Iterator[Tensor]:
            with torch.no_grad(), self._cast(plan):
                target = self.encoder(self.store.audio(rows)).float()
            state = None
            steps = self.sing.config.steps
            bounds = [*range(0, steps - TRUNCATION, TRUNCATION), steps] if steps > TRUNCATION else [0, steps]
            for start, stop in pairwise(bounds):
                latents, state = sequence(self._symbols(rows), state, start, stop)
                state = (state[0].detach(), state[1].detach())
                yield (latents - target[:, start:stop]).square().mean()

        return self._run("sequence", plan, [sequence], segments)

    def train_end_to_end(self, plan: StagePlan) -> float:
        """Stage 3. Gradients reach tables, LSTM and decoder through the whole note."""
        config, loss = self.sing.config, NOTE_LOSSES[plan.loss]
        window = plan.window or config.steps
        length = config.samples(window)

        def objective(rows: np.ndarray[tuple[int], np.dtype[np.int64]]) -> Tensor:
            wav = self.store.audio(rows)
            first = 0 if plan.attack and self.rng.random() < plan.attack else self._start(config.steps - window, 1)
            latents, _ = self.sing.sequence(self._symbols(rows), None, 0, first + window)
            excitation = self.sing.excitation(self.store.symbols(rows, config.lowest_pitch)[2], first, window)
            with self._cast(plan):
                estimate = self.sing.decoder(latents[:, first : first + window], excitation)
            start = first * config.stride
            return loss(estimate.float(), wav[:, start : start + length])

        return self._run("end_to_end", plan, [self.sing], objective)

    def _draw(self, plan: StagePlan) -> Rows:
        """The notes of a batch, without repetition where there are enough."""

        def some(rows: Rows, count: int) -> Rows:
            return self.rng.choice(rows, count, replace=count > len(rows))

        if not plan.focus:
            return some(self.store.train, plan.batch)
        chosen = round(plan.share * plan.batch)
        return np.concatenate([some(self.store.rows_of(plan.focus), chosen), some(self.store.train, plan.batch - chosen)])

    def _start(self, room: int, grid: int) -> int:
        return int(self.rng.integers(0, room // grid + 1)) * grid

    def _symbols(self, rows: np.ndarray[tuple[int], np.dtype[np.int64]]) -> Tensor:
        return self.sing.sequence.embed(*self.store.symbols(rows, self.sing.config.lowest_pitch))

    @staticmethod
    def _cast(plan: StagePlan) -> torch.autocast:
        return torch.autocast("cpu", torch.bfloat16, enabled=plan.bf16)

    def _run(
        self,
        stage: str,
        plan: StagePlan,
        modules: list[nn.Module],
        objective: Callable[[np.ndarray[tuple[int], np.dtype[np.int64]]], Tensor | Iterator[Tensor]],
    ) -> float:
        """Optimise the losses that ``objective`` returns. Several losses of one batch are several updates."""
        parameters = [p for module in modules for p in module.parameters()]
        optimizer = self._optimizer = _optimizer(plan, modules)
        if self.position.stage != stage:
            self.position = Position(stage)
        elif self._restored is not None:
            optimizer.load_state_dict(self._restored)
        position, self._restored = self.position, None
        steps = min(plan.steps, -(-plan.epochs * len(self.store.train) // plan.batch) if plan.epochs else plan.steps)
        began = time.monotonic() - position.seconds
        while not self.stop_requested and position.step < steps and time.monotonic() - began < plan.seconds:
            position.progress = max(position.step / steps, (time.monotonic() - began) / plan.seconds)
            for group in optimizer.param_groups:
                group["lr"] = plan.lr * (1 + (plan.final_lr - 1) * position.progress)
            rows = self._draw(plan)
            losses = objective(rows)
            values = []
            for value in [losses] if isinstance(losses, Tensor) else losses:
                optimizer.zero_grad(set_to_none=True)
                value.backward()
                nn.utils.clip_grad_norm_(parameters, 1.0)
                optimizer.step()
                values.append(value.item())
            mean = float(np.mean(values))
            position.loss = mean if position.loss != position.loss else 0.95 * position.loss + 0.05 * mean
            position.step += 1
            position.seconds = time.monotonic() - began
            self.after_step(self)
        if isinstance(optimizer, AdaBatch):
            optimizer.close()
        return position.loss


def _optimizer(plan: StagePlan, modules: list[nn.Module]) -> torch.optim.Optimizer:
    optimizer = plain_optimizer(plan.optimizer, (p for module in modules for p in module.parameters()), plan.lr)
    tables = [table for module in modules for table in tables_of(module)]
    return AdaBatch(optimizer, tables) if plan.adabatch and tables else optimizer
