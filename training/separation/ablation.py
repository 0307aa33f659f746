"""The ablation of Table 3.4 (DMX-21): Demucs without each of its parts, all with the same budget, seed and data."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch

from models.equivariance import stabilized
from models.network import Separator
from rtaudio.audio.format import StemplayError
from training.data.config import RATE
from training.data.store import Stems
from training.data.synthetic import synthetic_song
from training.metrics import frame_sdr, median_over_songs
from training.runs.checkpoint import load_checkpoint, load_network
from training.separation.fit import FitOptions, fit
from training.separation.recipe import Recipe
from training.separation.trainer import Budget
from training.separation.validation import read_songs

REFERENCE, PLAIN = "Reference", "no randomized equivariant stabilization"
NOISE_DB = 0.06
"""Differences of SDR below this are noise, according to the thesis."""


def _network(**changes: Any) -> Callable[[Recipe], Recipe]:
    return lambda recipe: replace(recipe, network=replace(recipe.network, **changes))  # type: ignore[type-var]


VARIANTS: dict[str, Callable[[Recipe], Recipe]] = {
    "no initial weight rescaling": _network(rescale=0.0),
    "no BiLSTM": _network(lstm_layers=0),
    "ReLU instead of GLU": _network(encoder_activation="relu", decoder_activation="relu"),
    "no 1x1 convolutions in encoder": _network(encoder_mix=False),
    "kernel size of 1 in decoder convolutions": _network(decoder_context=1),
    "MSE loss": lambda recipe: replace(recipe, optim=replace(recipe.optim, loss="l2")),
    REFERENCE: lambda recipe: recipe,
}
"""The trained variants by the names of the thesis' rows. The row without stabilization is the reference, evaluated without it."""


def ablate(
    recipe: Recipe, output: Path, *, store: Path, budget: Budget | None, epochs: int | None = None, seed: int = 0,
    threads: int | None = None, shifts: int = 10, say: Callable[[str], None] = print,
) -> dict[str, list[float]]:  # fmt: skip
    """Train or continue every variant of ``recipe`` in its own folder. Returns row -> [validation L1, test SDR in dB].

    Validation L1 is the best of the run. The test SDR is that of the same weights, with ``shifts`` random shifts.

    Raises:
        StemplayError: the recipe is not a Demucs, or a folder contains a run of another recipe.
    """
    if not hasattr(recipe.network, "encoder_mix"):
        raise StemplayError(f"The ablation is for Demucs, but {recipe.name} is another network.")
    songs = songs_to_test(recipe, store)
    rows: dict[str, list[float]] = {}
    for name, change in VARIANTS.items():
        say(f"--- {name}")
        folder = output / name.replace(" ", "-")
        network, loss = _trained(change(recipe), folder, FitOptions(folder, store, budget, epochs, seed, threads))
        if name == REFERENCE:
            rows[PLAIN] = [loss, sdr_of(network, songs, 0, seed)]
        rows[name] = [loss, sdr_of(network, songs, shifts, seed)]
    return rows


def _trained(recipe: Recipe, folder: Path, options: FitOptions) -> tuple[Separator, float]:
    """The best network of a run and its validation loss."""
    begun = (folder / "last.ckpt").exists()
    if begun and Recipe.from_dict(load_checkpoint(folder / "last.ckpt")["recipe"]) != recipe:
        raise StemplayError(f"The run in {folder} has another recipe: choose another folder with -o.")
    state = fit(recipe, replace(options, resume=begun))
    return load_network(folder / "best.safetensors"), state.best


def songs_to_test(recipe: Recipe, store: Path) -> Sequence[Stems]:
    """Songs that are used neither for training nor for choosing: MUSDB's test songs, or synthetic ones with other seeds."""
    if recipe.made_up:
        return [synthetic_song([4, number], 3 * RATE) for number in range(3)]
    return read_songs(store, "test")


@torch.no_grad()
def sdr_of(network: Separator, songs: Sequence[Stems], shifts: int, seed: int) -> float:
    """Mean over sources of the median over songs of the median SDR of 1 s frames. All variants get the same random shifts."""
    network.eval()
    scores = []
    for number, song in enumerate(songs):
        reference = torch.from_numpy(song)
        generator = torch.Generator().manual_seed(1000 * seed + number)
        estimate = stabilized(network, reference.sum(dim=0)[None], shifts, generator=generator)[0]
        scores.append(frame_sdr(estimate, reference).numpy())
    return float(np.mean(median_over_songs(scores)))
