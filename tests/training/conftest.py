"""A small prepared store of synthetic songs, so that no test needs recorded music."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from training.data.store import Manifest, write_stems
from training.data.synthetic import synthetic_song
from training.separation.recipe import Recipe

RATE = 44_100


@pytest.fixture(autouse=True)
def _one_thread() -> None:
    torch.set_num_threads(1)


@pytest.fixture(scope="session")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """musdb (train and valid), freedoom, groove and two collections of singing, a few seconds each."""
    root = tmp_path_factory.mktemp("store")

    def collection(name: str, sources: tuple[str, ...], pick: slice, count: int, channels: int = 2) -> None:
        manifest = Manifest(name, sources, channels, "made up")
        for number in range(count):
            stems = synthetic_song([3, number], 4 * RATE)[pick, :channels]
            split = "valid" if name == "musdb" and number == 0 else "train"
            item = write_stems(
                root / name, f"song {number}", stems, split=split, group=str(number), bandwidth=22_050.0, sha256=""
            )
            manifest.items.append(item)
        manifest.write(root / name)

    collection("musdb", ("drums", "bass", "other", "vocals"), slice(0, 4), 3)
    collection("freedoom", ("drums", "bass", "other"), slice(0, 3), 2)
    collection("groove", ("drums",), slice(0, 1), 1)
    collection("mir1k", ("vocals",), slice(3, 4), 1, channels=1)
    collection("makam", ("vocals",), slice(3, 4), 1, channels=1)
    return root


@pytest.fixture
def tiny() -> Recipe:
    """The smallest recipe that learns at all."""
    recipe = Recipe("test").tiny()
    return replace(recipe, mixing=replace(recipe.mixing, seconds=0.3, batch=2))


@pytest.fixture
def stems() -> np.ndarray:
    """A batch ``(8, 4, 2, 1000)`` of noise in which every source of every example is different."""
    return np.random.default_rng(0).standard_normal((8, 4, 2, 1000)).astype(np.float32)
