"""Synthetic songs for tests and first experiments (MUS-08): seeded, unlimited in number, and easy to tell apart by ear.

Drums are noise bursts on a beat, bass low sines, other chords, vocals a vibrato tone with harmonics.
"""

from __future__ import annotations

import numpy as np

from training.data.config import RATE, MixingConfig
from training.data.store import Stems

CHORDS = ((0, 4, 7), (0, 3, 7), (0, 5, 9), (2, 5, 9))


def synthetic_song(seed: int | list[int], frames: int, rate: int = RATE) -> Stems:
    """Four stems ``(4, 2, frames)`` of the song ``seed``. A longer song starts like a shorter one."""
    rng = np.random.default_rng(seed)
    time = np.arange(frames) / rate
    beat = 60 / rng.uniform(90, 150)
    root = rng.integers(36, 48)
    chord = CHORDS[rng.integers(len(CHORDS))]
    phase = rng.uniform(0, 2 * np.pi, 16)
    within = np.mod(time, beat / 2)
    noise = np.random.default_rng([rng.integers(1 << 30), 1]).standard_normal(frames)
    drums = noise * np.exp(-within * rng.uniform(25, 60)) * np.where(np.mod(time, 2 * beat) < beat, 1.0, 0.6)
    bass_note = _hertz(root) * np.where(np.mod(time, 4 * beat) < 2 * beat, 1.0, 0.75)
    bass = np.sin(2 * np.pi * np.cumsum(bass_note) / rate + phase[0])
    other = sum(np.sin(2 * np.pi * _hertz(root + 24 + step) * time + phase[1 + i]) for i, step in enumerate(chord)) / 3
    other = other * (0.6 + 0.4 * np.exp(-np.mod(time, beat) * 6))
    vibrato = 1 + 0.03 * np.sin(2 * np.pi * rng.uniform(4.5, 6.5) * time)
    sung = 2 * np.pi * np.cumsum(_hertz(root + 31 + rng.integers(0, 7)) * vibrato) / rate
    vocals = sum(np.sin(k * sung + phase[4 + k]) / k for k in range(1, 8)) / 2
    levels = rng.uniform(0.6, 1.4, 4) * np.array([0.25, 0.2, 0.15, 0.15])
    mono = np.stack([drums, bass, other, vocals]) * levels[:, None]
    pan = 0.5 + rng.uniform(-0.3, 0.3, 4)
    pan[1] = 0.5
    return np.stack([mono * np.sqrt(pan)[:, None], mono * np.sqrt(1 - pan)[:, None]], axis=1).astype(np.float32)


def _hertz(note: float) -> float:
    return float(440 * 2 ** ((note - 69) / 12))


class SyntheticSongs:
    """Batches of ``synthetic_song``. Validation songs have other seeds than training songs."""

    def __init__(self, config: MixingConfig, hop: int, seed: int, songs: int = 64) -> None:
        self.frames = int(config.seconds * RATE) // hop * hop
        self.config = config
        self.seed = seed
        self.songs = songs

    def batch(self, index: int) -> Stems:
        """``(batch, 4, 2, time)``, a pure function of the seed and ``index``."""
        rng = np.random.default_rng([self.seed, index])
        return np.stack(
            [synthetic_song([1, int(rng.integers(self.songs))], self.frames) for _ in range(self.config.batch)]
        )


def validation_songs(count: int = 6, seconds: float = 3.0, seed: int = 0) -> list[Stems]:
    """Songs that no training batch contains; another ``seed`` gives others."""
    return [synthetic_song([2, number, *([seed] if seed else [])], int(seconds * RATE)) for number in range(count)]
