"""Compares training steps with those of the public ``demucs`` and ``denoiser`` packages, with equal sizes in the same run (DMX-22).

Only the networks of those packages are imported. The step around them is what their trainers do: L1 loss, Adam, float32. Ours is the
complete step of our trainer, with clipping and averaged weights. Both get the same random batch. Their steps alternate, so that other
load on the machine affects both equally.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from models.demucs import CausalDemucsConfig, DemucsConfig
from models.network import SeparatorConfig
from models.registry import kind_of, make_network
from training.separation.fit import FitOptions, batches
from training.separation.recipe import Recipe
from training.separation.trainer import Budget, Intervals, SeparatorTrainer

MOST_WEIGHTS = 40_000_000
"""Larger networks are measured with fewer channels: the step of 648 M weights alone needs 13 GB."""
MOST_SECONDS, MOST_SECONDS_OF_OTHERS = 6.0, 0.5
"""Seconds of audio in a step, for a Demucs and for other networks. Longer batches are cut to fewer examples, and these to this length.
The thesis' Conv-Tasnet keeps 3 GB for each second of audio for its gradients, and needs as much again temporarily."""


@dataclass(frozen=True)
class StepRates:
    """Seconds of audio per second, by precision. ``theirs`` is None if no public package has such a network."""

    recipe: str
    network: str
    weights: int
    batch: int
    seconds: float
    ours: dict[str, float]
    peer: str | None
    theirs: float | None

    @property
    def ratios(self) -> dict[str, float]:
        """Our speed divided by theirs."""
        return {name: rate / self.theirs for name, rate in self.ours.items()} if self.theirs else {}


def compared(recipe: Recipe) -> Recipe:
    """The recipe at a size that any machine can measure. A causal Demucs loses its decoder context, which its peer does not have."""
    network = recipe.network
    if isinstance(network, CausalDemucsConfig) and kind_of(network) == "causal-demucs":
        network = replace(network, decoder_context=1)
    while isinstance(network, DemucsConfig) and _weights(network) > MOST_WEIGHTS:
        network = replace(network, channels=network.channels * 3 // 4)
    most = MOST_SECONDS if isinstance(network, DemucsConfig) else MOST_SECONDS_OF_OTHERS
    batch = max(1, min(recipe.mixing.batch, int(most / recipe.mixing.seconds)))
    seconds = recipe.mixing.seconds if isinstance(network, DemucsConfig) else min(most, recipe.mixing.seconds)
    # Adam, as in theirs: the cost of Muon's matrices does not depend on the batch, and these batches are small.
    optim = replace(recipe.optim, accumulate=1, optimizer="adam")
    return replace(recipe, network=network, mixing=replace(recipe.mixing, batch=batch, seconds=seconds), optim=optim)


def _weights(config: SeparatorConfig) -> int:
    changed = replace(config, rescale=0.0) if isinstance(config, DemucsConfig) else config
    with torch.device("meta"):
        return sum(weight.numel() for weight in make_network(changed).parameters())


def peer_of(config: SeparatorConfig) -> tuple[str, nn.Module] | None:
    """The public network of the same sizes; None if there is none, or its package is not installed."""
    outputs = len(config.sources) * config.audio_channels
    try:
        if isinstance(config, CausalDemucsConfig) and kind_of(config) == "causal-demucs":
            from denoiser.demucs import Demucs as Denoiser

            network = Denoiser(
                config.audio_channels, outputs, config.channels, config.depth, config.kernel, config.stride,
                causal=True, resample=1, growth=config.growth, max_hidden=config.max_channels or 10**9, normalize=False,
            )  # fmt: skip
            return "denoiser", network
        if isinstance(config, DemucsConfig) and kind_of(config) == "demucs":
            from demucs.demucs import Demucs as Public

            network = Public(
                list(config.sources), audio_channels=config.audio_channels, channels=config.channels,
                growth=config.growth, depth=config.depth, lstm_layers=config.lstm_layers, context=1, gelu=False,
                norm_starts=config.depth, dconv_mode=0, normalize=config.normalize, resample=False,
            )  # fmt: skip
            return "demucs", network
    except ModuleNotFoundError:
        return None
    return None


def their_step(network: nn.Module, rate: float) -> Callable[[Tensor], Any]:
    """One update by L1 and Adam."""
    optimizer = torch.optim.Adam(network.parameters(), rate)

    def step(stems: Tensor) -> None:
        estimate = network(stems.sum(dim=1)).reshape(*stems.shape[:3], -1)
        length = min(estimate.shape[-1], stems.shape[-1])
        loss = (estimate[..., :length] - stems[..., :length]).abs().mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()

    return step


def measure_steps(
    recipe: Recipe, repeats: int = 5, precisions: tuple[str, ...] = ("fp32", "fast", "bf16")
) -> StepRates:
    """Time our step in each precision and theirs, alternately."""
    recipe = compared(recipe)
    config, mixing = recipe.network, recipe.mixing
    frames = recipe.frames // config.hop * config.hop if isinstance(config, CausalDemucsConfig) else recipe.frames
    shape = (mixing.batch, len(config.sources), config.audio_channels, frames)
    stems = 0.1 * torch.randn(shape, generator=torch.Generator().manual_seed(0))
    with tempfile.TemporaryDirectory() as folder:
        trainers = {name: _trainer(recipe, name, Path(folder) / name) for name in precisions}
        calls: dict[str, Callable[[Tensor], Any]] = {name: trainer.step for name, trainer in trainers.items()}
        peer = peer_of(config)
        if peer is not None:
            assert sum(weight.numel() for weight in peer[1].parameters()) == _weights(config), "not the same sizes"
            calls["theirs"] = their_step(peer[1], recipe.optim.lr)
        times = alternate({name: lambda step=step: step(stems) for name, step in calls.items()}, repeats)  # type: ignore[misc]
        for trainer in trainers.values():
            _close(trainer)
    audio = mixing.batch * frames / config.sample_rate
    rates = {name: audio / seconds for name, seconds in times.items()}
    theirs = rates.pop("theirs", None)
    size = f"{config.channels}/{config.depth}" if isinstance(config, DemucsConfig) else ""
    return StepRates(
        recipe.name, f"{kind_of(config)} {size}".strip(), _weights(config), mixing.batch,
        frames / config.sample_rate, rates, peer[0] if peer else None, theirs,
    )  # fmt: skip


def alternate(calls: dict[str, Callable[[], Any]], repeats: int) -> dict[str, float]:
    """Median seconds of each call, called in turns after one round to warm up."""
    times: dict[str, list[float]] = {name: [] for name in calls}
    for number in range(repeats + 1):
        for name, call in calls.items():
            started = time.perf_counter()
            call()
            if number:
                times[name].append(time.perf_counter() - started)
    return {name: float(np.median(values)) for name, values in times.items()}


def busy_share(recipe: Recipe, store: Path, steps: int = 6, workers: int = 1) -> float:
    """The share of the time in which the trainer does not wait for data. The batches are real ones, made by ``workers`` processes."""
    recipe = compared(recipe)
    with tempfile.TemporaryDirectory() as folder:
        trainer = _trainer(recipe, recipe.optim.precision, Path(folder))
        stream = batches(recipe, FitOptions(Path(folder), store, workers=workers), 0, trainer.share)
        trainer.step(*trainer.take(stream))  # the first batch waits until the workers have started
        waited, began = 0.0, time.perf_counter()
        for _ in range(steps):
            asked = time.perf_counter()
            taken = trainer.take(stream)
            waited += time.perf_counter() - asked
            trainer.step(*taken)
        total = time.perf_counter() - began
        del stream
        _close(trainer)
    return 1 - waited / total


def synthetic(recipe: Recipe) -> Recipe:
    """The same share, measured on synthetic songs with examples short enough for epochs of them."""
    if not recipe.by_epochs:
        return replace(recipe, data="synthetic")
    mixing = replace(recipe.mixing, seconds=min(2.0, recipe.mixing.seconds), batch=2)
    return replace(recipe, data="synthetic-epochs", mixing=mixing, epochs=replace(recipe.epochs, extract=3.9))


def _trainer(recipe: Recipe, precision: Any, folder: Path) -> SeparatorTrainer:
    chosen = replace(recipe, optim=replace(recipe.optim, precision=precision, compile=False))
    never = Intervals(1e9, 1e9, 1e9)
    return SeparatorTrainer(chosen, make_network(chosen.network), [], folder, Budget(steps=10**6), intervals=never)


def _close(trainer: SeparatorTrainer) -> None:
    for logger in trainer.fabric.loggers:
        logger.finalize("success")
