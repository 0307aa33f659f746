"""``python -m training fit RECIPE``: combines data, network and trainer. Signals end a run cleanly."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import lightning
import torch
from torch.utils.data import DataLoader

from models.demucs import CausalDemucs
from models.hybrid import HybridDemucs
from models.masks import CausalMasks
from models.network import Separator
from models.registry import make_network
from rtaudio.audio.format import StemplayError
from training.data.batches import BatchSource, BatchStream
from training.data.device import DeviceMixedSongs
from training.data.store import write_atomic
from training.data.thesis import EpochSongs
from training.optim.parallel import Share, make_fabric
from training.runs.checkpoint import initialise, load_checkpoint, load_network
from training.separation.grow import grow, grow_hybrid, grow_masks, hybrid_of_masks
from training.separation.recipe import Recipe
from training.separation.sources import batch_source, mixes_on_devices, validation_set
from training.separation.trainer import Budget, Intervals, Progress, SeparatorTrainer, loggers
from training.signals import stop_on_signals


@dataclass(frozen=True)
class FitOptions:
    """The options of the command line that are not part of a recipe.

    Attributes:
        folder: the folder of the run; one run per folder.
        store: the prepared data.
        budget: by default the recipe's epochs, or half an hour if it has none.
        epochs: number of epochs, instead of a budget.
        init: weights to start from.
        grow: ``init`` may be of a smaller causal Demucs, from which a larger one grows.
        teacher: weights of a network whose stems are also learned from.
        workers: processes that make batches; 0 makes them in the training process.
        device: ``cpu``, ``cuda``, ``mps``, or ``auto`` for the best available.
        mix_on: where examples are mixed: ``cpu`` (in worker processes), ``device``, or ``auto`` for the device if it is a CUDA GPU.
        watts: power that the machine draws, if known; otherwise it is read or assumed.
    """

    folder: Path
    store: Path = Path("data")
    budget: Budget | None = None
    epochs: int | None = None
    seed: int = 0
    threads: int | None = None
    init: Path | None = None
    grow: bool = False
    teacher: Path | None = None
    resume: bool = False
    workers: int = 1
    intervals: Intervals | None = None
    device: str = "auto"
    mix_on: str = "auto"
    watts: float | None = None


def fit(recipe: Recipe, options: FitOptions) -> Progress:
    """Train ``recipe``; with ``resume`` the recipe of the checkpoint is used instead.

    Raises:
        StemplayError: data, weights or checkpoint are missing or do not match.
    """
    if options.threads:
        torch.set_num_threads(options.threads)
    if options.resume:
        recipe = Recipe.from_dict(load_checkpoint(options.folder / "last.ckpt")["recipe"])
    fabric = make_fabric(options.device, loggers(options.folder))
    lightning.seed_everything(options.seed, verbose=False)
    network = make_network(recipe.network)
    if options.init is not None and options.grow:
        network = _grown(network, options.init, options.seed)
    elif options.init is not None:
        initialise(network, options.init)
    songs = validation_set(recipe, options.store)
    source = open_source(recipe, options, fabric.device)
    budget, intervals = plan(recipe, options, source)
    trainer = SeparatorTrainer(
        recipe, network, songs, options.folder, budget,
        intervals=intervals, fabric=fabric, watts=options.watts, teacher=_teacher(recipe, options.teacher),
    )  # fmt: skip
    if options.resume:
        trainer.resume()
    if fabric.is_global_zero:
        write_atomic(options.folder / "recipe.json", json.dumps(recipe.to_dict(), indent=1).encode())
    with stop_on_signals(trainer):
        return trainer.fit(batches(recipe, options, trainer.state.step, trainer.share, source))


def _grown(network: Separator, path: Path, seed: int) -> Separator:
    """``network`` grown from a smaller one in ``path`` or from a hybrid's waveform branch. Raises StemplayError if it cannot grow."""
    small = load_network(path)
    if isinstance(small, HybridDemucs) and isinstance(network, HybridDemucs):
        return grow_hybrid(small, network.config, seed)
    if isinstance(small, CausalMasks) and isinstance(network, HybridDemucs):
        return hybrid_of_masks(small, network.config)
    if isinstance(small, CausalMasks) and isinstance(network, CausalMasks):
        return grow_masks(small, network.config)
    small = small.waves if isinstance(small, HybridDemucs) else small
    if not (isinstance(small, CausalDemucs) and isinstance(network, CausalDemucs)):
        raise StemplayError("Only a causal Demucs, masks or a hybrid can grow from a smaller one, or a hybrid from masks.")
    return grow(small, network.config, seed)


def _teacher(recipe: Recipe, path: Path | None) -> Separator | None:
    """The network in ``path``. Raises StemplayError if its input or its sources differ from those of the recipe's network."""
    if path is None:
        return None
    teacher = load_network(path)
    for name in ("sources", "sample_rate", "audio_channels"):
        if getattr(teacher.config, name) != getattr(recipe.network, name):
            raise StemplayError(f"The {name.replace('_', ' ')} of the teacher in {path} and of the recipe's network differ.")
    return teacher


def open_source(recipe: Recipe, options: FitOptions, device: torch.device | None = None) -> BatchSource:
    """The recipe's batches, mixed on ``device`` if ``mix_on`` says so."""
    wanted = options.mix_on == "device"
    if options.mix_on == "auto" and device is not None and device.type == "cuda":
        wanted = mixes_on_devices(recipe)
    return batch_source(recipe, options.store, options.seed, device if wanted else None)


def plan(recipe: Recipe, options: FitOptions, source: BatchSource) -> tuple[Budget, Intervals]:
    """When the run ends and how often it is validated: with epochs, once per epoch.

    Raises:
        StemplayError: epochs are requested, but the recipe's data have none.
    """
    intervals = options.intervals or Intervals()
    if not isinstance(source, EpochSongs):
        if options.epochs:
            raise StemplayError(f"The recipe {recipe.name} has no epochs: use --hours, --minutes or --steps.")
        return options.budget or Budget(), intervals
    updates = max(1, source.batches // recipe.optim.accumulate)
    epochs = options.epochs or (0 if options.budget else recipe.optim.epochs)
    budget = Budget(steps=epochs * updates) if epochs else options.budget or Budget()
    return budget, replace(intervals, epoch=updates)


def batches(
    recipe: Recipe, options: FitOptions, update: int, share: Share | None = None, source: BatchSource | None = None
) -> Iterator[Any]:
    """This process' ``share`` of the recipe's stream of batches from ``update`` on, made in worker processes or on a device."""
    share = share or Share(accumulate=recipe.optim.accumulate, batch=recipe.mixing.batch)
    source = source or open_source(recipe, options)
    stream = BatchStream(source, share.start(update), share.stride)
    if isinstance(source, DeviceMixedSongs):
        return iter(stream)
    workers = options.workers
    loader = DataLoader(
        stream,
        batch_size=None,
        num_workers=workers,
        prefetch_factor=4 if workers else None,
        worker_init_fn=_start_worker,
    )
    return iter(loader)


def _start_worker(number: int) -> None:
    """Give a data process a lower priority than the trainer, which alone handles Ctrl-C."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if hasattr(os, "nice"):
        os.nice(5)
