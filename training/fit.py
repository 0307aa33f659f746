"""``python -m training fit RECIPE``: data, network and trainer put together; signals end a run cleanly."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import lightning
import torch
from torch.utils.data import DataLoader

from models.registry import make_network
from training.checkpoint import initialise, load_checkpoint
from training.data.batches import BatchSource, BatchStream, MixedSongs
from training.data.store import write_atomic
from training.data.synthetic import SyntheticSongs, validation_songs
from training.parallel import Share, make_fabric
from training.recipe import Recipe
from training.signals import stop_on_signals
from training.trainer import Budget, Intervals, Progress, SeparatorTrainer, loggers
from training.validation import read_songs


@dataclass(frozen=True)
class FitOptions:
    """What the command line adds to a recipe.

    Attributes:
        folder: where the run lives; one run a folder.
        store: the prepared data.
        init: weights to start from.
        workers: processes that make batches; 0 makes them in the training process.
        device: ``cpu``, ``cuda``, ``mps``, or ``auto`` for the best there is.
        watts: what the machine draws, if known; else it is read or assumed.
    """

    folder: Path
    store: Path = Path("data")
    budget: Budget = field(default_factory=Budget)
    seed: int = 0
    threads: int | None = None
    init: Path | None = None
    resume: bool = False
    workers: int = 1
    intervals: Intervals | None = None
    device: str = "auto"
    watts: float | None = None


def fit(recipe: Recipe, options: FitOptions) -> Progress:
    """Train ``recipe``; with ``resume`` the recipe of the checkpoint is used instead.

    Raises:
        StemplayError: data, weights or checkpoint are missing or do not fit.
    """
    if options.threads:
        torch.set_num_threads(options.threads)
    if options.resume:
        recipe = Recipe.from_dict(load_checkpoint(options.folder / "last.ckpt")["recipe"])
    fabric = make_fabric(options.device, loggers(options.folder))
    lightning.seed_everything(options.seed, verbose=False)
    network = make_network(recipe.network)
    if options.init is not None:
        initialise(network, options.init)
    synthetic = recipe.data == "synthetic"
    songs = validation_songs() if synthetic else read_songs(options.store)
    trainer = SeparatorTrainer(
        recipe, network, songs, options.folder, options.budget,
        intervals=options.intervals, fabric=fabric, watts=options.watts,
    )  # fmt: skip
    if options.resume:
        trainer.resume()
    if fabric.is_global_zero:
        write_atomic(options.folder / "recipe.json", json.dumps(recipe.to_dict(), indent=1).encode())
    with stop_on_signals(trainer):
        return trainer.fit(batches(recipe, options, trainer.state.step, trainer.share))


def batches(recipe: Recipe, options: FitOptions, update: int, share: Share | None = None) -> Iterator[Any]:
    """The recipe's stream of batches from ``update`` on, of them this process' ``share``, made in worker processes."""
    share = share or Share(accumulate=recipe.optim.accumulate, batch=recipe.mixing.batch)
    hop = recipe.network.hop
    source: BatchSource
    if recipe.data == "synthetic":
        source = SyntheticSongs(recipe.mixing, hop, options.seed)
    else:
        source = MixedSongs(options.store, recipe.mixing, hop, options.seed)
    workers = options.workers
    loader = DataLoader(
        BatchStream(source, share.start(update), share.stride),
        batch_size=None,
        num_workers=workers,
        prefetch_factor=4 if workers else None,
        worker_init_fn=_start_worker,
    )
    return iter(loader)


def _start_worker(number: int) -> None:
    """Data processes step back behind the trainer and leave Ctrl-C to it."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if hasattr(os, "nice"):
        os.nice(5)
