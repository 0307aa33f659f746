"""Small random models, exported once a run: real files through the real runtime."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch

from models.demucs import CausalDemucs, CausalDemucsConfig, Demucs, DemucsConfig
from rtaudio.audio.format import Audio
from rtaudio.control.session import Session
from rtaudio.inference.runtime import ModelRuntime
from rtaudio.system import private_folder
from training.export.separator import export_separator


@pytest.fixture(scope="session")
def tiny_net() -> CausalDemucs:
    """A causal Demucs of hop 64 with loud random weights."""
    torch.manual_seed(0)
    return CausalDemucs(CausalDemucsConfig(channels=8, depth=3)).eval()


@pytest.fixture(scope="session")
def tiny_model(tiny_net: CausalDemucs, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Directory of the exported ``tiny_net``: 44.1 kHz, stereo, four stems."""
    directory = tmp_path_factory.mktemp("tiny")
    export_separator(tiny_net, directory, name="tiny")
    return directory


@pytest.fixture(scope="session")
def mono_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A mono model at 16 kHz with two stems of its own."""
    torch.manual_seed(1)
    config = CausalDemucsConfig(channels=8, depth=2, audio_channels=1, sources=("speech", "noise"), sample_rate=16_000)
    directory = tmp_path_factory.mktemp("mono")
    export_separator(CausalDemucs(config).eval(), directory, name="mono")
    return directory


@pytest.fixture(scope="session")
def chunk_net() -> Demucs:
    """A non-causal Demucs: bidirectional LSTM, normalised by the chunk."""
    torch.manual_seed(2)
    return Demucs(DemucsConfig(channels=8, depth=2)).eval()


@pytest.fixture(scope="session")
def chunk_model(chunk_net: Demucs, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """``chunk_net`` exported for chunks of 4096 samples: no states."""
    directory = tmp_path_factory.mktemp("chunk")
    export_separator(chunk_net, directory, name="chunks", chunk=4096)
    return directory


@pytest.fixture(scope="session")
def tiny_runtime(tiny_model: Path) -> ModelRuntime:
    """The loaded ``tiny_model``; take a ``sibling`` of it."""
    return ModelRuntime(tiny_model)


@pytest.fixture
def daemon(runtime_directory: Path) -> Iterator[Path]:
    """A place whose daemon, if a test starts one, is stopped afterwards."""
    folder = private_folder.runtime_directory()
    yield folder
    session = Session.attach()
    if session is not None:
        session.stop()
    else:
        root = Path(__file__).resolve().parents[2]
        subprocess.run([sys.executable, "-m", "rtaudio", "engine", "--stop"], cwd=root, timeout=60, check=False)


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A real file system of one megabyte."""
    disk = tmp_path / "disk"
    disk.mkdir()
    if not sys.platform.startswith("linux") or not shutil.which("mount"):
        pytest.skip("a tmpfs can be mounted on Linux only")
    done = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "none", disk], capture_output=True, text=True)
    if done.returncode:
        pytest.skip(f"no right to mount a small disk: {done.stderr.strip()}")
    yield disk
    subprocess.run(["umount", "-l", disk], check=True)


def noise(frames: int, channels: int = 2, seed: int = 0, level: float = 0.2) -> Audio:
    """White noise ``(frames, channels)``."""
    return (np.random.default_rng(seed).standard_normal((frames, channels)) * level).astype(np.float32)
