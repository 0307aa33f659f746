"""Augmentations of section 3.5.3 (DMX-18) as pure functions of a batch and a random generator.

Shape:
    every batch is float32 ``(batch, sources, channels, time)``. The input is never changed.

``draw_...`` functions draw the numbers of an augmentation, for ``(examples, sources)``, without the sound; the others apply them. So the
same numbers also serve a GPU (``training.data.device``). The mixture is the sum of the augmented sources, formed afterwards with
``mixture``.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from training.data.filters import lfilter
from training.data.store import Stems

Shape = tuple[int, int]
"""``(examples, sources)``."""

KNOTS = 7
"""Points of a random frequency response, at equal distances in octaves from ``LOWEST`` to ``HIGHEST`` Hz."""
LOWEST, HIGHEST = 40.0, 20_000.0
TILT_FRAMES = 1024
"""Length of a tilt's impulse response: at the lowest frequency it has fallen by 190 dB."""
CEILING = 1.2
"""Largest peak of an example's mixture."""


class Tilt(NamedTuple):
    """A filter of the first order: gains below and above the frequency that ``pole`` stands for."""

    example: int
    source: int
    pole: float
    low: float
    high: float


class Curves(NamedTuple):
    """Smooth frequency responses: ``places (count, 2)`` are examples and sources, ``db (count, KNOTS)`` gains."""

    places: npt.NDArray[np.int64]
    db: npt.NDArray[np.float32]


def mixture(batch: Stems) -> Stems:
    """``(batch, channels, time)``: the exact sum over sources (EQ-DMX-1)."""
    return batch.sum(axis=-3)


def draw_order(shape: Shape, rng: np.random.Generator, group: int = 4) -> npt.NDArray[np.int64]:
    """From which example each source comes: a permutation within groups of ``group`` examples, another one for each source."""
    order = np.empty(shape, np.int64)
    for start in range(0, shape[0], group):
        size = min(group, shape[0] - start)
        for source in range(shape[1]):
            order[start : start + size, source] = start + rng.permutation(size)
    return order


def reorder(batch: Stems, order: npt.NDArray[np.int64]) -> Stems:
    """Source ``s`` of example ``i`` becomes that of example ``order[i, s]``. Sources keep their class: drums stay drums."""
    return batch[order, np.arange(batch.shape[1])]


def shuffle_sources(batch: Stems, rng: np.random.Generator, group: int = 4) -> Stems:
    """New songs: each source is permuted across its group of ``group`` examples, independently of the other sources.

    The last group may be smaller.
    """
    return reorder(batch, draw_order(batch.shape[:2], rng, group))


def draw_swaps(shape: Shape, rng: np.random.Generator, probability: float = 0.5) -> npt.NDArray[np.bool_]:
    """Which sources have left and right exchanged."""
    return rng.random(shape) < probability


def swap_channels(batch: Stems, rng: np.random.Generator, probability: float = 0.5) -> Stems:
    """Exchange left and right of each source with ``probability``."""
    swap = draw_swaps(batch.shape[:2], rng, probability)
    out = batch.copy()
    out[swap] = batch[swap][:, ::-1]
    return out


def draw_signs(shape: Shape, rng: np.random.Generator, probability: float = 0.5) -> npt.NDArray[np.float32]:
    """-1 with ``probability``, else 1."""
    return np.where(rng.random(shape) < probability, np.float32(-1), np.float32(1))


def flip_signs(batch: Stems, rng: np.random.Generator, probability: float = 0.5) -> Stems:
    """Multiply each source by -1 with ``probability``."""
    return batch * draw_signs(batch.shape[:2], rng, probability)[..., None, None]


def draw_offsets(shape: Shape, rng: np.random.Generator, surplus: int, per_source: bool = True) -> npt.NDArray[np.int64]:
    """First samples from 0 to ``surplus``, one for each source or, with ``per_source=False``, for each example."""
    offsets = rng.integers(0, surplus + 1, (shape[0], shape[1] if per_source else 1))
    return np.array(np.broadcast_to(offsets, shape))


def cut(batch: Stems, offsets: npt.NDArray[np.int64], frames: int) -> Stems:
    """``frames`` samples of each source from its offset on."""
    out = np.empty((*batch.shape[:3], frames), batch.dtype)
    for place in np.ndindex(*batch.shape[:2]):
        out[place] = batch[place][:, offsets[place] : offsets[place] + frames]
    return out


def shift_sources(batch: Stems, rng: np.random.Generator, frames: int, per_source: bool = True) -> Stems:
    """Cut ``frames`` samples at a random offset, one for each source (erratum 30) or, with ``per_source=False``, for each example.

    Raises:
        ValueError: the batch is shorter than ``frames``.
    """
    surplus = batch.shape[-1] - frames
    if surplus < 0:
        raise ValueError(f"cannot cut {frames} samples from {batch.shape[-1]}")
    return cut(batch, draw_offsets(batch.shape[:2], rng, surplus, per_source), frames)


def draw_gains(shape: Shape, rng: np.random.Generator, low_db: float, high_db: float) -> npt.NDArray[np.float32]:
    """Gains drawn uniformly in decibels."""
    return (10 ** (rng.uniform(low_db, high_db, shape) / 20)).astype(np.float32)


def random_gain(batch: Stems, rng: np.random.Generator, low_db: float = -6.0, high_db: float = 6.0) -> Stems:
    """Scale each source by a gain drawn uniformly in decibels (BSE-10; the thesis' separator does not use it)."""
    return batch * draw_gains(batch.shape[:2], rng, low_db, high_db)[..., None, None]


def uniform_gain(batch: Stems, rng: np.random.Generator, low: float = 0.25, high: float = 1.25) -> Stems:
    """Multiply each source by a number drawn uniformly from ``low`` to ``high``: the range usual in the field (BSE-10)."""
    return batch * rng.uniform(low, high, batch.shape[:2]).astype(np.float32)[..., None, None]


def draw_tilts(
    shape: Shape, rng: np.random.Generator, probability: float, range_db: float = 6.0, rate: int = 44_100
) -> list[Tilt]:
    """For each source with ``probability``: a frequency between 150 and 6000 Hz, and gains within ``range_db`` of 1 below and above it."""
    tilts = []
    for example, source in np.argwhere(rng.random(shape) < probability):
        pole = float(np.float32(np.exp(-2 * np.pi * 150 * 40 ** rng.random() / rate)))
        low, high = (10 ** (rng.uniform(-range_db, range_db, 2) / 20)).astype(np.float32)
        tilts.append(Tilt(int(example), int(source), pole, float(low), float(high)))
    return tilts


def tilted(source: Stems, tilt: Tilt) -> Stems:
    """One source ``(channels, time)`` with other gains below and above a frequency. The slope is gentle (6 dB per octave)."""
    pole = np.float32(tilt.pole)
    below = lfilter(np.array([1 - pole], np.float32), np.array([1, -pole], np.float32), source)
    return np.asarray(np.float32(tilt.high) * source + np.float32(tilt.low - tilt.high) * below, np.float32)


def random_tilt(
    batch: Stems, rng: np.random.Generator, probability: float, range_db: float = 6.0, rate: int = 44_100
) -> Stems:
    """Filter each source with ``probability``: frequencies below and above a random frequency get different gains.

    A small data set contains few ways of mixing; this adds variety at little cost.
    """
    out = batch.copy()
    for tilt in draw_tilts(batch.shape[:2], rng, probability, range_db, rate):
        out[tilt.example, tilt.source] = tilted(batch[tilt.example, tilt.source], tilt)
    return out


def draw_curves(shape: Shape, rng: np.random.Generator, probability: float, spread_db: float) -> Curves:
    """A frequency response for each source with ``probability``; ``spread_db`` is the standard deviation of its gains."""
    places = np.argwhere(rng.random(shape) < probability)
    return Curves(places, (spread_db * rng.standard_normal((len(places), KNOTS))).astype(np.float32))


def response(db: npt.NDArray[np.float32], frames: int, rate: int = 44_100) -> npt.NDArray[np.float32]:
    """Gains ``(count, frames // 2 + 1)`` at the frequencies of a real transform of ``frames`` samples; smooth between the knots."""
    octaves = np.log2(np.maximum(np.fft.rfftfreq(frames, 1 / rate), LOWEST) / LOWEST)
    place = np.clip(octaves / np.log2(HIGHEST / LOWEST), 0, 1) * (KNOTS - 1)
    left = np.minimum(place.astype(np.int64), KNOTS - 2)
    weight = place - left
    weight = weight * weight * (3 - 2 * weight)
    return (10 ** ((db[:, left] * (1 - weight) + db[:, left + 1] * weight) / 20)).astype(np.float32)


def equalised(batch: Stems, curves: Curves, rate: int = 44_100) -> Stems:
    """Filter some sources by smooth frequency responses without phase. The example's end and start are treated as neighbours."""
    out, frames = batch.copy(), batch.shape[-1]
    for (example, source), db in zip(curves.places, curves.db, strict=True):
        gains = response(db[None], frames, rate)[0]
        out[example, source] = np.fft.irfft(np.fft.rfft(batch[example, source]) * gains, frames)
    return out


def draw_widths(shape: Shape, rng: np.random.Generator, probability: float, widest: float = 1.6) -> npt.NDArray[np.float32]:
    """Factors of the difference between left and right: 0 to ``widest`` with ``probability``, else 1."""
    return np.where(rng.random(shape) < probability, rng.uniform(0, widest, shape), 1.0).astype(np.float32)


def widened(batch: Stems, widths: npt.NDArray[np.float32]) -> Stems:
    """Scale what differs between the channels of each source."""
    middle = batch.mean(axis=2, keepdims=True)
    return middle + (batch - middle) * widths[..., None, None]


def frames_at(speed: float, frames: int) -> int:
    """How many samples of a recording ``change_speed`` needs for ``frames`` samples."""
    return frames if speed == 1.0 else int(frames * speed) + 2


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


def limit_peaks(batch: Stems, ceiling: float = CEILING) -> Stems:
    """Scale down the examples whose mixture exceeds ``ceiling``; the others stay as they are."""
    peaks = np.abs(mixture(batch)).max(axis=(1, 2))
    scale = np.minimum(1.0, ceiling / np.maximum(peaks, 1e-9)).astype(np.float32)
    return batch * scale[:, None, None, None]
