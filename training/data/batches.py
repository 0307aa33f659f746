"""The endless stream of training examples: batch ``i`` is a pure function of the seed and ``i``.

Therefore a resumed run sees exactly the batches of an uninterrupted one, and the stream does not depend on the number of worker
processes. Half of each batch are coherent songs, as in actual use; half are remixes (DMX-18), of which there is no end.

``training.data.plan`` draws what a batch is made of; this module makes it with NumPy, ``training.data.device`` on a GPU.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Protocol

import numpy as np
from torch import Tensor
from torch.utils.data import IterableDataset, get_worker_info

from training.data import augment
from training.data.config import MixingConfig
from training.data.plan import DRUMS, OTHER, SOURCES, VOCALS, BatchPlan, Level, Planner, Singing, SongPlan
from training.data.store import Stems

Batch = Stems | Tensor


class BatchSource(Protocol):
    """The interface that a trainer needs from its data."""

    def batch(self, index: int) -> Batch:
        """Batch ``index``: ``(batch, sources, channels, time)`` float32."""
        ...


class MixedSongs:
    """Recorded songs, rendered songs, drum performances and singing, mixed by a ``MixingConfig``.

    ``hop``: the length of an example is rounded down to a multiple of it. Raises StemplayError if there are no songs in ``store``.
    """

    def __init__(self, store: Path, config: MixingConfig, hop: int, seed: int) -> None:
        self.planner = Planner(store, config, hop, seed)

    def batch(self, index: int) -> Stems:
        """Batch ``index``, a pure function of the seed and ``index``."""
        return make_batch(self.planner.plan(index))


def make_batch(plan: BatchPlan) -> Stems:
    """The batch of ``plan``, ``(batch, sources, channels, time)``."""
    parts = []
    if plan.coherent:
        parts.append(np.stack([_song(song, plan.frames) for song in plan.coherent]))
    if plan.remixes:
        remixed = np.stack([_song(song, plan.extract) for song in plan.remixes])
        parts.append(augment.cut(augment.reorder(remixed, plan.order), plan.offsets, plan.frames))
    batch = np.concatenate(parts) * plan.gains[..., None, None]
    for tilt in plan.tilts:
        batch[tilt.example, tilt.source] = augment.tilted(batch[tilt.example, tilt.source], tilt)
    if plan.curves is not None:
        batch = augment.equalised(batch, plan.curves)
    if plan.widths is not None:
        batch = augment.widened(batch, plan.widths)
    swapped = np.where(plan.swaps[..., None, None], batch[:, :, ::-1], batch)
    return augment.limit_peaks(swapped * plan.signs[..., None, None])


def _song(plan: SongPlan, frames: int) -> Stems:
    """The sources of one song, ``(4, 2, frames)``."""
    song = np.zeros((SOURCES, 2, plan.frames), np.float32)
    recorded = plan.cut.collection.crop(plan.cut.item, plan.cut.start, plan.frames)
    song[: len(recorded)] = recorded
    if plan.level is not None:
        song *= plan.level / max(_rms(augment.mixture(song[:VOCALS])), 1e-3)
    if plan.sung is not None:
        song[VOCALS] = _voice(plan.sung, plan.frames)
    if plan.speed != 1.0:
        song = augment.change_speed(song, plan.speed, frames)
    for source, level in ((DRUMS, plan.drums), (OTHER, plan.other)):
        if level is not None:
            song[source] = _levelled(level, frames)
    if plan.resung:
        song[VOCALS] = 0 if plan.voice is None else _voice(plan.voice, frames)
    return song


def _levelled(level: Level, frames: int) -> Stems:
    """The first source of a recording, ``(channels, frames)``, at a given level."""
    sound = level.cut.collection.crop(level.cut.item, level.cut.start, frames)[0]
    return sound * np.float32(level.level / max(_rms(sound), 1e-3))


def _voice(plan: Singing, frames: int) -> Stems:
    """Singing in stereo, ``(2, frames)``."""
    mono = plan.cut.collection.crop(plan.cut.item, plan.cut.start, augment.frames_at(plan.speed, frames))[0, 0]
    if plan.speed != 1.0:
        mono = augment.change_speed(mono, plan.speed, frames)
    mono = mono * np.float32(plan.level / max(_rms(mono), 0.02))
    stereo = np.stack([mono, mono])
    if delay := plan.width:
        stereo[1, delay:] = 0.7 * mono[delay:] + 0.3 * mono[:-delay]
    if delay := plan.echo:
        for start in range(delay, frames, delay):
            stop = min(start + delay, frames)
            stereo[:, start:stop] += plan.echo_gain * stereo[:, start - delay : stop - delay]
    return stereo


class BatchStream(IterableDataset[Batch]):
    """Batches ``start``, ``start + stride``, ... of a source. DataLoader workers share them without changing their order."""

    def __init__(self, source: BatchSource, start: int = 0, stride: int = 1) -> None:
        self.source = source
        self.start = start
        self.stride = stride

    def __iter__(self) -> Iterator[Batch]:
        worker = get_worker_info()
        offset, step = (worker.id, worker.num_workers) if worker is not None else (0, 1)
        index = self.start + offset * self.stride
        while True:
            yield self.source.batch(index)
            index += step * self.stride


def _rms(x: Stems) -> float:
    return float(np.sqrt(np.mean(np.square(x[..., ::8]))))
