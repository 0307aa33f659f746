"""Augmentations of section 3.5.3 (DMX-18) as pure functions of a batch and a random generator.

Shape:
    every batch is float32 ``(batch, sources, channels, time)``. The input is never changed.

The mixture is the sum of the augmented sources, formed afterwards with ``mixture``.
"""

from __future__ import annotations

import numpy as np
from scipy.signal import lfilter

from training.data.store import Stems


def mixture(batch: Stems) -> Stems:
    """``(batch, channels, time)``: the exact sum over sources (EQ-DMX-1)."""
    return batch.sum(axis=-3)


def shuffle_sources(batch: Stems, rng: np.random.Generator, group: int = 4) -> Stems:
    """New songs: each source is permuted across its group of ``group`` examples, independently of the other sources.

    Sources keep their class: drums stay drums. The last group may be smaller.
    """
    out = np.empty_like(batch)
    for start in range(0, len(batch), group):
        members = batch[start : start + group]
        for source in range(batch.shape[1]):
            out[start : start + len(members), source] = members[rng.permutation(len(members)), source]
    return out


def swap_channels(batch: Stems, rng: np.random.Generator, probability: float = 0.5) -> Stems:
    """Exchange left and right of each source with ``probability``."""
    swap = rng.random(batch.shape[:2]) < probability
    out = batch.copy()
    out[swap] = batch[swap][:, ::-1]
    return out


def flip_signs(batch: Stems, rng: np.random.Generator, probability: float = 0.5) -> Stems:
    """Multiply each source by -1 with ``probability``."""
    signs = np.where(rng.random(batch.shape[:2]) < probability, np.float32(-1), np.float32(1))
    return batch * signs[..., None, None]


def shift_sources(batch: Stems, rng: np.random.Generator, frames: int, per_source: bool = True) -> Stems:
    """Cut ``frames`` samples at a random offset, one for each source (erratum 30) or, with ``per_source=False``, for each example.

    Raises:
        ValueError: the batch is shorter than ``frames``.
    """
    surplus = batch.shape[-1] - frames
    if surplus < 0:
        raise ValueError(f"cannot cut {frames} samples from {batch.shape[-1]}")
    examples, sources = batch.shape[:2]
    offsets = rng.integers(0, surplus + 1, (examples, sources if per_source else 1))
    offsets = np.broadcast_to(offsets, (examples, sources))
    out = np.empty((*batch.shape[:3], frames), batch.dtype)
    for example in range(examples):
        for source in range(sources):
            offset = offsets[example, source]
            out[example, source] = batch[example, source, :, offset : offset + frames]
    return out


def random_gain(batch: Stems, rng: np.random.Generator, low_db: float = -6.0, high_db: float = 6.0) -> Stems:
    """Scale each source by a gain drawn uniformly in decibels (BSE-10; the thesis' separator does not use it)."""
    gains = 10 ** (rng.uniform(low_db, high_db, batch.shape[:2]) / 20)
    return batch * gains.astype(np.float32)[..., None, None]


def uniform_gain(batch: Stems, rng: np.random.Generator, low: float = 0.25, high: float = 1.25) -> Stems:
    """Multiply each source by a number drawn uniformly from ``low`` to ``high``: the range usual in the field (BSE-10)."""
    return batch * rng.uniform(low, high, batch.shape[:2]).astype(np.float32)[..., None, None]


def random_tilt(
    batch: Stems, rng: np.random.Generator, probability: float, range_db: float = 6.0, rate: int = 44_100
) -> Stems:
    """Filter each source with ``probability``: frequencies below and above a random frequency get different gains.

    The frequency is drawn between 150 and 6000 Hz, the gains within ``range_db`` of 1. The slope is gentle (6 dB per octave). A small
    data set contains few ways of mixing; this adds variety at little cost.
    """
    out = batch.copy()
    for place in np.argwhere(rng.random(batch.shape[:2]) < probability):
        pole = np.float32(np.exp(-2 * np.pi * 150 * 40 ** rng.random() / rate))
        low, high = (10 ** (rng.uniform(-range_db, range_db, 2) / 20)).astype(np.float32)
        source = batch[tuple(place)]
        below = lfilter(np.array([1 - pole], np.float32), np.array([1, -pole], np.float32), source, axis=-1)
        out[tuple(place)] = high * source + (low - high) * below
    return out


def change_speed(stems: Stems, factor: float, frames: int) -> Stems:
    """``stems (..., time)`` at ``factor`` times the speed, which also changes the pitch, by linear interpolation; ``frames`` samples.

    Raises:
        ValueError: ``stems`` is shorter than ``frames * factor + 1``.
    """
    if stems.shape[-1] < frames * factor + 1:
        raise ValueError(f"{stems.shape[-1]} samples are too few for {frames} at {factor:.3f} times the speed")
    positions = np.arange(frames) * factor
    index = positions.astype(np.int64)
    weight = (positions - index).astype(np.float32)
    left = np.take(stems, index, axis=-1, mode="clip")  # much faster than stems[..., index]
    right = np.take(stems, index + 1, axis=-1, mode="clip")
    right -= left
    right *= weight
    right += left
    return right


def limit_peaks(batch: Stems, ceiling: float = 1.2) -> Stems:
    """Scale down the examples whose mixture exceeds ``ceiling``; the others stay as they are."""
    peaks = np.abs(mixture(batch)).max(axis=(1, 2))
    scale = np.minimum(1.0, ceiling / np.maximum(peaks, 1e-9)).astype(np.float32)
    return batch * scale[:, None, None, None]
