"""Batches mixed on a device are those that NumPy mixes, from every kind of recording and with every augmentation."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from rtaudio.audio.format import StemplayError
from training.data.batches import BatchStream, MixedSongs
from training.data.config import MixingConfig
from training.data.device import DeviceMixedSongs
from training.data.store import Manifest, write_stems

RATE = 44_100
KINDS = {
    "musdb": (("drums", "bass", "other", "vocals"), 2),
    "freedoom": (("drums", "bass", "other"), 2),
    "mma": (("drums", "bass", "other", "vocals"), 2),
    "mir1k": (("vocals",), 1),
    "voices-open": (("vocals",), 2),
    "groove": (("drums",), 2),
    "guitar": (("other",), 1),
}
ALL = MixingConfig(
    seconds=0.6, batch=12, rendered=0.5, singing=0.5, grooves=0.5, solos=0.5, speed=0.5, tilt=0.5, equaliser=0.5, width=0.5
)  # fmt: skip


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Recordings of noise of every kind, some shorter than an example."""
    root = tmp_path_factory.mktemp("store")
    rng = np.random.default_rng(1)
    for name, (sources, channels) in KINDS.items():
        manifest = Manifest(name, sources, channels, "free")
        for number, seconds in enumerate((1.7, 0.4, 2.1)):
            sound = rng.standard_normal((len(sources), channels, int(seconds * RATE))).astype(np.float32)
            sound *= 0.05 * (number + 1)
            item = write_stems(
                root / name, f"{number}", sound, split="train", group=f"{number}", bandwidth=2e4, sha256=""
            )
            manifest.items.append(item)
        manifest.write(root / name)
    return root


@pytest.mark.parametrize(
    "config",
    [
        ALL,
        replace(ALL, coherent=0.0),
        replace(ALL, voice_speed=0.2),
        replace(ALL, coherent=1.0, tilt=0.0),
        replace(ALL, speed=0.0, width=0.0, equaliser=0.0),
    ],
)
def test_the_device_makes_the_batches_of_the_reference(store: Path, config: MixingConfig) -> None:
    reference = MixedSongs(store, config, 256, seed=5)
    device = DeviceMixedSongs(store, config, 256, 5, torch.device("cpu"))
    for index in range(3):
        expected, batch = reference.batch(index), device.batch(index)
        assert batch.dtype == torch.float32 and batch.shape == expected.shape
        assert np.abs(batch.numpy() - expected).max() < 2e-5
        assert np.abs(expected).max(axis=(0, 2, 3)).min() > 0.01, "every source sounds"


def test_more_examples_than_are_made_at_a_time(store: Path) -> None:
    config = replace(ALL, seconds=0.1, batch=150, coherent=0.5, tilt=1.0)
    expected = MixedSongs(store, config, 256, 0).batch(7)
    assert np.abs(DeviceMixedSongs(store, config, 256, 0, torch.device("cpu")).batch(7).numpy() - expected).max() < 2e-5


def test_without_voices_a_replaced_voice_is_silent(store: Path) -> None:
    config = replace(ALL, collections=("musdb",), coherent=0.0, singing=1.0)
    for source in (MixedSongs(store, config, 256, 0), DeviceMixedSongs(store, config, 256, 0, torch.device("cpu"))):
        batch = np.asarray(source.batch(0))
        assert not batch[:, 3].any() and batch[:, 0].any()


def test_a_stream_of_a_device_goes_on_where_it_is_told(store: Path) -> None:
    source = DeviceMixedSongs(store, replace(ALL, batch=2), 256, 0, torch.device("cpu"))
    from_two = iter(BatchStream(source, 2))
    assert torch.equal(next(from_two), source.batch(2)) and not torch.equal(next(from_two), source.batch(2))


def test_without_songs_the_way_out_is_named(tmp_path: Path) -> None:
    with pytest.raises(StemplayError, match="prepare stems"):
        DeviceMixedSongs(tmp_path, MixingConfig(), 256, 0, torch.device("cpu"))
