"""Training examples made on a GPU, where the prepared recordings lie as int16.

The batches are those of ``training.data.batches`` for the same seed, up to rounding: the same plan, with every extract of a collection
gathered at once. A GPU that waits for two processor cores to mix its examples learns a tenth of the time.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from training.data import augment
from training.data.config import MixingConfig
from training.data.plan import DRUMS, OTHER, SOURCES, VOCALS, BatchPlan, Cut, Level, Planner, Singing, SongPlan
from training.data.store import FULL_SCALE, Collection

ROWS = 64
"""Examples that are cut and filtered at a time, which bounds the memory of intermediate results."""
ECHOES = 32
"""Echoes that are computed; at the largest gain (0.4) the next one is 250 dB below the sound."""


class Pool:
    """A collection's recordings end to end, ``(sources * channels, total)`` int16 on ``device``."""

    def __init__(self, collection: Collection, device: torch.device) -> None:
        manifest = collection.manifest
        self.sources, self.channels = len(manifest.sources), manifest.channels
        frames = np.array([item.frames for item in collection.items])
        starts = np.concatenate([[0], np.cumsum(frames)])
        self.sound = torch.empty(self.sources * self.channels, int(starts[-1]), dtype=torch.int16, device=device)
        for item, start in zip(collection.items, starts, strict=False):
            samples = torch.from_numpy(np.load(collection.folder / item.file))
            self.sound[:, start : start + item.frames] = samples.reshape(-1, item.frames).to(device)
        self.starts = torch.as_tensor(starts[:-1], device=device)
        self.frames = torch.as_tensor(frames, device=device)
        scales = np.array([item.scale for item in collection.items])
        self.scales = torch.as_tensor(np.float32(scales / FULL_SCALE), device=device)

    def crop(self, cuts: Sequence[Cut], frames: int) -> Tensor:
        """``(len(cuts), sources, channels, frames)`` float32, with zeros after each recording's end."""
        device = self.sound.device
        items = torch.tensor([cut.item for cut in cuts], device=device)
        begins = torch.tensor([cut.start for cut in cuts], device=device)
        time = begins[:, None] + torch.arange(frames, device=device)
        inside = time < self.frames[items][:, None]
        places = (self.starts[items][:, None] + time).clamp_(max=self.sound.shape[1] - 1)
        sound = self.sound[:, places].float()
        sound *= (inside * self.scales[items][:, None])[None]
        return sound.reshape(self.sources, self.channels, len(cuts), frames).permute(2, 0, 1, 3)


class DeviceMixedSongs:
    """``MixedSongs`` on a device: batches ``(batch, 4, 2, time)`` that lie there.

    All recordings are copied to the device: 10 MB a minute for each stem in stereo. Raises StemplayError if there are no songs.
    """

    def __init__(self, store: Path, config: MixingConfig, hop: int, seed: int, device: torch.device) -> None:
        self.planner, self.device = Planner(store, config, hop, seed), device
        self.pools = {c.manifest.collection: Pool(c, device) for c in self.planner.collections}

    def batch(self, index: int) -> Tensor:
        """Batch ``index``, a pure function of the seed and ``index``."""
        return self.make(self.planner.plan(index))

    @torch.no_grad()
    def make(self, plan: BatchPlan) -> Tensor:
        """The batch of ``plan``."""
        parts = []
        if plan.coherent:
            parts.append(self._songs(plan.coherent, plan.frames))
        if plan.remixes:
            remixed = self._songs(plan.remixes, plan.extract)
            remixed = remixed[self._to(plan.order), torch.arange(SOURCES, device=self.device)]
            parts.append(_shifted(remixed, self._to(plan.offsets), plan.frames))
        batch = torch.cat(parts) * self._gain(plan.gains)
        if plan.tilts:
            batch = self._tilted(batch, plan.tilts)
        if plan.curves is not None and len(plan.curves.db):
            batch = self._equalised(batch, plan.curves)
        if plan.widths is not None:
            middle = batch.mean(dim=2, keepdim=True)
            batch = middle + (batch - middle) * self._gain(plan.widths)
        batch = torch.where(self._gain(plan.swaps), batch.flip(2), batch) * self._gain(plan.signs)
        peaks = batch.sum(dim=1).abs().amax(dim=(1, 2))
        return batch * (augment.CEILING / peaks.clamp_min(augment.CEILING))[:, None, None, None]

    def _to(self, values: np.ndarray[Any, Any]) -> Tensor:
        return torch.from_numpy(np.ascontiguousarray(values)).to(self.device)

    def _gain(self, values: np.ndarray[Any, Any]) -> Tensor:
        """``(batch, sources, 1, 1)``."""
        return self._to(values)[..., None, None]

    # -- songs ------------------------------------------------------------------------------------------------------------

    def _songs(self, plans: list[SongPlan], frames: int) -> Tensor:
        return torch.cat([self._rows(plans[start : start + ROWS], frames) for start in range(0, len(plans), ROWS)])

    def _rows(self, plans: list[SongPlan], frames: int) -> Tensor:
        """``(len(plans), 4, 2, frames)``."""
        lengths = torch.tensor([plan.frames for plan in plans], device=self.device)
        songs = torch.zeros(len(plans), SOURCES, 2, max(plan.frames for plan in plans), device=self.device)
        for pool, rows in self._grouped([plan.cut for plan in plans]):
            songs[rows, : pool.sources] = pool.crop([plans[row].cut for row in rows], songs.shape[-1]).expand(-1, -1, 2, -1)
        made = [row for row, plan in enumerate(plans) if plan.level is not None]
        if made:
            loudness = _rms(songs[made, :VOCALS].sum(dim=1), lengths[made])
            levels = self._to(np.array([plans[row].level for row in made], np.float32))
            songs[made] *= (levels / loudness.clamp_min(1e-3))[:, None, None, None]
        self._sing(songs, [plan.sung for plan in plans], lengths)
        songs = _respeeded(songs, [plan.speed for plan in plans], frames)
        whole = torch.full_like(lengths, frames)
        for source, levels_of in ((DRUMS, [plan.drums for plan in plans]), (OTHER, [plan.other for plan in plans])):
            self._replace(songs[:, source], levels_of, whole)
        resung = [row for row, plan in enumerate(plans) if plan.resung]
        songs[resung, VOCALS] = 0
        self._sing(songs, [plan.voice for plan in plans], whole)
        return songs

    def _grouped(self, cuts: Sequence[Cut | None]) -> list[tuple[Pool, list[int]]]:
        """The rows that are cut from each pool."""
        rows: dict[str, list[int]] = {}
        for row, cut in enumerate(cuts):
            if cut is not None:
                rows.setdefault(cut.collection.manifest.collection, []).append(row)
        return [(self.pools[name], found) for name, found in rows.items()]

    def _replace(self, source: Tensor, plans: list[Level | None], lengths: Tensor) -> None:
        """Write the first source of other recordings into rows of ``source (rows, 2, frames)``."""
        for pool, rows in self._grouped([None if plan is None else plan.cut for plan in plans]):
            found = [plan for row in rows if (plan := plans[row]) is not None]
            sound = pool.crop([plan.cut for plan in found], source.shape[-1])[:, 0]
            levels = self._to(np.array([plan.level for plan in found], np.float32))
            source[rows] = sound * (levels / _rms(sound, lengths[rows]).clamp_min(1e-3))[:, None, None]

    def _sing(self, songs: Tensor, plans: list[Singing | None], lengths: Tensor) -> None:
        """Write singing into the rows of ``songs`` whose plan has it."""
        for pool, rows in self._grouped([None if plan is None else plan.cut for plan in plans]):
            found = [plan for row in rows if (plan := plans[row]) is not None]
            frames = songs.shape[-1]
            needed = max(frames, *(augment.frames_at(plan.speed, frames) for plan in found))
            mono = pool.crop([plan.cut for plan in found], needed)[:, 0, :1]
            if any(plan.speed != 1 for plan in found):
                mono = _respeeded(mono[:, None], [plan.speed for plan in found], frames)[:, 0]
            levels = self._to(np.array([plan.level for plan in found], np.float32))
            mono *= (levels / _rms(mono, lengths[rows]).clamp_min(0.02))[:, None, None]
            width = torch.tensor([plan.width for plan in found], device=self.device)
            delayed = _delayed(mono, width)
            time = torch.arange(mono.shape[-1], device=self.device)
            late = (time >= width[:, None]) & (width[:, None] > 0)
            right = torch.where(late[:, None], 0.7 * mono + 0.3 * delayed, mono)
            stereo = torch.cat([mono, right], dim=1)
            delay = torch.tensor([plan.echo for plan in found], device=self.device)
            gain = self._to(np.array([plan.echo_gain for plan in found], np.float32))[:, None, None]
            songs[rows, VOCALS] = _echoed(stereo, delay, gain)

    # -- filters ----------------------------------------------------------------------------------------------------------

    def _filtered(self, batch: Tensor, places: np.ndarray[Any, Any], apply: Callable[[Tensor, slice], Tensor]) -> Tensor:
        """``batch`` with the sources at ``places (count, 2)`` replaced by ``apply(them, which)``, some at a time."""
        examples, sources = self._to(places[:, 0]), self._to(places[:, 1])
        for start in range(0, len(places), 4 * ROWS):
            which = slice(start, start + 4 * ROWS)
            batch[examples[which], sources[which]] = apply(batch[examples[which], sources[which]], which)
        return batch

    def _tilted(self, batch: Tensor, tilts: list[augment.Tilt]) -> Tensor:
        """Filters of the first order, as products of spectra: their responses have ended after ``TILT_FRAMES``."""
        frames = batch.shape[-1]
        size = frames + augment.TILT_FRAMES
        poles, lows, highs = (
            self._to(np.array([[getattr(tilt, name)] for tilt in tilts], np.float32)) for name in ("pole", "low", "high")
        )
        response = (1 - poles) * poles ** torch.arange(augment.TILT_FRAMES, device=self.device)
        response = (lows - highs) * response
        response[:, :1] += highs

        def apply(sound: Tensor, which: slice) -> Tensor:
            spectrum = torch.fft.rfft(sound, size) * torch.fft.rfft(response[which], size)[:, None]
            return torch.fft.irfft(spectrum, size)[..., :frames]

        return self._filtered(batch, np.array([tilt[:2] for tilt in tilts]), apply)

    def _equalised(self, batch: Tensor, curves: augment.Curves) -> Tensor:
        frames = batch.shape[-1]

        def apply(sound: Tensor, which: slice) -> Tensor:
            gains = self._to(augment.response(curves.db[which], frames))[:, None]
            return torch.fft.irfft(torch.fft.rfft(sound) * gains, frames)

        return self._filtered(batch, curves.places, apply)


def _rms(sound: Tensor, lengths: Tensor) -> Tensor:
    """Of ``sound (rows, channels, frames)``, each row up to its length; every eighth sample, as in the reference."""
    every = sound[..., ::8]
    counted = torch.arange(0, sound.shape[-1], 8, device=sound.device) < lengths[:, None]
    squares = (every.square() * counted[:, None]).sum(dim=(1, 2))
    return (squares / (counted.sum(dim=1) * sound.shape[1])).sqrt()


def _delayed(sound: Tensor, delay: Tensor) -> Tensor:
    """``sound (rows, channels, frames)``, each row later by its ``delay``, after zeros."""
    time = torch.arange(sound.shape[-1], device=sound.device) - delay[:, None]
    places = time.clamp_min(0)[:, None].expand_as(sound)
    return sound.gather(-1, places) * (time >= 0)[:, None]


def _echoed(sound: Tensor, delay: Tensor, gain: Tensor) -> Tensor:
    """``y[t] = x[t] + gain y[t - delay]``, as a product of ``1 + gain^k z^(-k delay)`` for k = 1, 2, 4, ..."""
    times = 1
    while times < ECHOES:
        sound = sound + gain**times * _delayed(sound, times * delay)
        times *= 2
    return sound


def _respeeded(songs: Tensor, speeds: list[float], frames: int) -> Tensor:
    """Each row at its speed, by linear interpolation, as ``augment.change_speed``."""
    places = np.arange(frames) * np.array(speeds)[:, None]
    index = places.astype(np.int64)
    weight = torch.from_numpy(np.float32(places - index)).to(songs.device)[:, None, None]
    left = torch.from_numpy(index).to(songs.device)[:, None, None].expand(*songs.shape[:3], -1)
    first = songs.gather(-1, left)
    return first + weight * (songs.gather(-1, (left + 1).clamp_max(songs.shape[-1] - 1)) - first)


def _shifted(songs: Tensor, offsets: Tensor, frames: int) -> Tensor:
    """``frames`` samples of each source from its offset on."""
    places = offsets[..., None, None] + torch.arange(frames, device=songs.device)
    return songs.gather(-1, places.expand(*songs.shape[:3], -1))
