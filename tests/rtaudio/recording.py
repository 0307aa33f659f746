"""What the tests of the recorder share."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import numpy as np

from rtaudio.audio.format import Audio
from rtaudio.engine.recorder import Recorder

RATE = 44_100


def sound(frames: int, seed: int = 0) -> tuple[Audio, Audio]:
    """Noise: four stems ``(frames, 4, 2)`` and a mix ``(frames, 2)``."""
    rng = np.random.default_rng(seed)
    return (0.2 * rng.standard_normal((frames, 4, 2))).astype(np.float32), (
        0.2 * rng.standard_normal((frames, 2))
    ).astype(np.float32)


def feed(recorder: Recorder, stems: Audio, mix: Audio, block: int = 256, wait: bool = True) -> None:
    """Push all of it, block by block."""
    for at in range(0, len(mix), block):
        recorder.push(stems[at : at + block], mix[at : at + block], wait)


def until(condition: Any, timeout: float = 60.0) -> None:
    """Wait for it."""
    end = time.monotonic() + timeout
    while not condition():
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(0.005)


def names(folder: Path) -> list[str]:
    """Files in ``folder``, sorted."""
    return sorted(path.name for path in folder.iterdir())
