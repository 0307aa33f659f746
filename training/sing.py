"""The three stages by which SING is trained (thesis section 2.4.3, SING-22 to -26).

1. ``train_autoencoder``: encoder and decoder reconstruct notes.
2. ``train_sequence``: the encoder is frozen, the LSTM learns to give its codes; truncated back-propagation of 32 steps, the state
   carried and detached.
3. ``train_end_to_end``: LSTM and decoder learn together on the waveform's loss, by back-propagation through the whole note.

Each works for a given time or number of steps. ``window`` shortens what the decoder renders a step (a random stretch of the note):
the thesis renders whole notes; on a CPU the decoder is nearly all of the cost, and a stretch teaches as much a second.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import torch
from torch import Tensor, nn

from models.sing import NoteEncoder, Sing
from training.data.note_store import NoteStore
from training.losses import NOTE_LOSSES

Log = Callable[[str, int, float, float], None]
"""Called with the stage, the step, the seconds spent and the smoothed loss."""

TRUNCATION = 32
"""Steps of truncated back-propagation in the second stage (SING-23)."""


@dataclass(frozen=True)
class StagePlan:
    """How long a stage takes and how it learns; defaults are the thesis' (SING-26).

    Attributes:
        steps: at most so many updates.
        seconds: and at most so long.
        window: time steps of a note that the decoder renders for the loss; 0 for all.
        final_lr: the rate falls linearly to this part of ``lr``; 1 keeps it, as the thesis does.
        bf16: run encoder and decoder in bfloat16; the LSTM stays in float32, which is faster on a CPU.
    """

    steps: int = 1 << 60
    seconds: float = float("inf")
    batch: int = 256
    lr: float = 3e-4
    final_lr: float = 1.0
    window: int = 0
    loss: str = "spectral"
    bf16: bool = False


class Trainer:
    """The parts in training and the notes they learn from.

    Args:
        sing, encoder: networks of the same configuration.
        store: notes; only its training part is used.
        seed: of the order of notes and of windows.
    """

    def __init__(
        self, sing: Sing, encoder: NoteEncoder, store: NoteStore, seed: int = 0, log: Log | None = None
    ) -> None:
        self.sing, self.encoder, self.store = sing, encoder, store
        self.rng = np.random.default_rng(seed)
        self.log = log or (lambda *_: None)

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
            return loss(estimate.float(), wav)

        return self._run("autoencoder", plan, [self.encoder, self.sing.decoder], objective)

    def train_sequence(self, plan: StagePlan) -> float:
        """Stage 2. Encoder and decoder stay as they are."""
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
            first = self._start(config.steps - window, 1)
            latents, _ = self.sing.sequence(self._symbols(rows), None, 0, first + window)
            with self._cast(plan):
                estimate = self.sing.decoder(latents[:, first : first + window])
            start = first * config.stride
            return loss(estimate.float(), wav[:, start : start + length])

        return self._run("end to end", plan, [self.sing], objective)

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
        """Adam on what ``objective`` gives; several losses of one batch are several updates."""
        parameters = [p for module in modules for p in module.parameters()]
        optimizer = torch.optim.Adam(parameters, lr=plan.lr)
        began, smooth, step = time.monotonic(), float("nan"), 0
        while step < plan.steps and (spent := time.monotonic() - began) < plan.seconds:
            progress = max(step / plan.steps, spent / plan.seconds)
            for group in optimizer.param_groups:
                group["lr"] = plan.lr * (1 + (plan.final_lr - 1) * progress)
            rows = self.rng.choice(self.store.train, plan.batch, replace=plan.batch > len(self.store.train))
            losses = objective(rows)
            values = []
            for value in [losses] if isinstance(losses, Tensor) else losses:
                optimizer.zero_grad(set_to_none=True)
                value.backward()
                nn.utils.clip_grad_norm_(parameters, 1.0)
                optimizer.step()
                values.append(value.item())
            mean = float(np.mean(values))
            smooth = mean if smooth != smooth else 0.95 * smooth + 0.05 * mean
            step += 1
            self.log(stage, step, time.monotonic() - began, smooth)
        return smooth


@torch.no_grad()
def evaluate(model: nn.Module, store: NoteStore, rows: np.ndarray[tuple[int], np.dtype[np.int64]]) -> dict[str, float]:
    """Spectral loss and waveform MSE of a ``Sing`` or a ``NoteAutoencoder`` over ``rows``, the columns of Table 2.1 (SING-27)."""
    totals = {"spectral": 0.0, "waveform": 0.0}
    model.eval()
    for part in np.array_split(rows, max(1, len(rows) // 16)):
        wav = store.audio(part)
        symbols = store.symbols(part, model.config.lowest_pitch) if isinstance(model, Sing) else (wav,)
        estimate = model(*symbols)
        for name in totals:
            totals[name] += float(NOTE_LOSSES[name](estimate, wav)) * len(part)
    model.train()
    return {name: total / len(rows) for name, total in totals.items()}
