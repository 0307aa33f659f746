"""What the tests of sound files share: sounds to write, and what a refusal must look like."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import soundfile

from rtaudio.audio.format import Audio, StemplayError


def noise(frames: int, channels: int = 2, seed: int = 0) -> Audio:
    """White noise ``(frames, channels)``."""
    return (0.2 * np.random.default_rng(seed).standard_normal((frames, channels))).astype(np.float32)


def tone(frames: int, rate: int = 44_100) -> Audio:
    """440 Hz at half of full scale, stereo."""
    wave = 0.5 * np.sin(2 * np.pi * 440 * np.arange(frames) / rate)
    return np.repeat(wave[:, None], 2, axis=1).astype(np.float32)


def one_sentence(error: pytest.ExceptionInfo[StemplayError]) -> str:
    """The sentence of a refusal, which is one."""
    text = str(error.value)
    assert text.endswith(".") and "\n" not in text and "Traceback" not in text, text
    return text


def cut_short(path: Path, frames: int = 40_000, rate: int = 44_100) -> Path:
    """A WAV whose last part is missing, as an interrupted download leaves it."""
    soundfile.write(path, noise(frames), rate, subtype="FLOAT")
    path.write_bytes(path.read_bytes()[: -frames * 4])
    return path
