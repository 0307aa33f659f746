"""Compares AdaBatch on SING's look-up tables with plain Adam, for several batch sizes and a fixed number of notes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import torch

from models.sing import NoteEncoder, Sing, SingConfig
from training.data.note_store import NoteStore
from training.optim.experiments.journal import Journal
from training.sing.fit import sized_for
from training.sing.stages import StagePlan, Trainer

SMALL = SingConfig(hidden=64, layers=1, latent=16, channels=32)
RATES = (1e-2, 3e-2)
RULES = ("adam", "adabatch")
BATCHES = (32, 128, 512, 1024)


def compare_batches(
    store: NoteStore, path: Path, batches: Sequence[int], seeds: Sequence[int], notes: int, say: Callable[[str], None]
) -> dict[str, Any]:
    """Train the second stage (LSTM and tables learn the codes of a short autoencoder) with and without AdaBatch.

    Args:
        path: file of the journal; results in it are not computed again.
        notes: number of notes in each run, whatever the batch size.

    Returns:
        By ``seed/batch/rule/rate``: mean squared error of the codes of held-out pairs of instrument and pitch.
    """
    settings = {"instruments": store.instruments, "notes": notes, "network": SMALL.to_dict()}
    journal = Journal(path, settings)
    for seed in seeds:
        frozen: dict[str, Any] = {}
        for batch, rule in product(batches, RULES):
            for rate in RATES if seed == seeds[0] else (best_rate(journal.results, seeds[0], batch, rule),):
                name = f"{seed}/{batch}/{rule}/{rate:g}"
                known = name in journal.results
                if not known and not frozen:
                    frozen.update(_autoencoder(store, seed))
                value = journal.get(name, partial(_sequence, store, frozen, seed, notes, batch, rule, rate))
                if not known:
                    say(f"seed {seed}  batch {batch:>4}  {rule:<8}  rate {rate:g}  error {value:.5f}")
    return journal.results


def best_rate(results: dict[str, Any], seed: int, batch: int, rule: str) -> float:
    """The learning rate with the best result of ``seed``; other seeds use it."""
    return min(RATES, key=lambda rate: float(results[f"{seed}/{batch}/{rule}/{rate:g}"]))


def _autoencoder(store: NoteStore, seed: int) -> dict[str, Any]:
    """A short first stage, common to all runs of a seed."""
    torch.manual_seed(seed)
    config = sized_for(SMALL, store)
    sing, encoder = Sing(config), NoteEncoder(config)
    Trainer(sing, encoder, store, seed=seed).train_autoencoder(StagePlan(steps=300, batch=16, lr=1e-2, window=24))
    encoder.eval()
    return {"sing": {k: v.clone() for k, v in sing.state_dict().items()}, "encoder": encoder}


def _sequence(
    store: NoteStore, frozen: dict[str, Any], seed: int, notes: int, batch: int, rule: str, rate: float
) -> float:
    sing = Sing(sized_for(SMALL, store))
    sing.load_state_dict(frozen["sing"])
    plan = StagePlan(steps=max(1, notes // batch), batch=batch, lr=rate, adabatch=rule == "adabatch")
    Trainer(sing, frozen["encoder"], store, seed=seed).train_sequence(plan)
    return code_error(sing, frozen["encoder"], store, store.test)


@torch.no_grad()
def code_error(sing: Sing, encoder: NoteEncoder, store: NoteStore, rows: np.ndarray[Any, np.dtype[np.int64]]) -> float:
    """Mean squared error of the LSTM's codes, relative to the codes' variance."""
    error = square = 0.0
    for part in np.array_split(rows, max(1, len(rows) // 64)):
        goal = encoder(store.audio(part))
        found, _ = sing.sequence(sing.sequence.embed(*store.symbols(part, sing.config.lowest_pitch)))
        error += float((found - goal).square().sum())
        square += float((goal - goal.mean(dim=(0, 1))).square().sum())
    return error / square


def summary(results: dict[str, Any], batches: Sequence[int], seeds: Sequence[int]) -> str:
    """A table: for each batch size, the error of each rule at its better rate, and in how many seeds AdaBatch is better."""
    rows = [
        "| batch | Adam | Adam with AdaBatch on the tables | seeds in which AdaBatch is lower |",
        "|---|---|---|---|",
    ]
    for batch in batches:
        best = []
        for rule in RULES:
            rate = best_rate(results, seeds[0], batch, rule)
            best.append([results[f"{s}/{batch}/{rule}/{rate:g}"] for s in seeds])
        wins = sum(b < a for a, b in zip(*best, strict=True))
        cells = [f"{np.mean(v):.3f} ({min(v):.3f} to {max(v):.3f})" for v in best]
        rows.append(f"| {batch} | {cells[0]} | {cells[1]} | {wins} of {len(seeds)} |")
    return "\n".join(rows)
