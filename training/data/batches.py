"""The endless stream of training examples: batch ``i`` is a pure function of the seed and ``i``.

Therefore a resumed run sees exactly the batches of an uninterrupted one, and the stream does not depend on the number of worker
processes. Half of each batch are coherent songs, as in actual use; half are remixes (DMX-18), of which there is no end.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np
from torch.utils.data import IterableDataset, get_worker_info

from rtaudio.audio.format import StemplayError
from training.data import augment
from training.data.store import Collection, Stems

RATE = 44_100


@dataclass(frozen=True)
class MixingConfig:
    """How examples are made; probabilities lie between 0 and 1.

    Attributes:
        seconds: length of an example.
        batch: examples per batch.
        coherent: share of a batch whose sources are from one song; the rest is shuffled in groups of ``group``.
        rendered: probability that a song is a rendered one (with singing) instead of a recorded one.
        singing: probability that a recorded song's voice in a remix is replaced by singing.
        instrumental: probability that a rendered song has no voice.
        grooves: probability that the drums of a remix are a rendered drum performance.
        solos: probability that the other instruments of a remix are a recorded solo guitar.
        speed: probability that a song plays at another speed, within ``speed_range`` of its own.
        gain_db: gains of sources in remixes are drawn from ``-gain_db`` to ``gain_db``; half of that in coherent songs.
        tilt: probability that a source's low and high frequencies get different gains.
        shift: random shift of each source of a remix, in seconds (per source: erratum 30).
        collections: names of the prepared collections to learn from, such as those with an open licence; if empty, all of them.
    """

    seconds: float = 1.5
    batch: int = 8
    coherent: float = 0.5
    group: int = 4
    rendered: float = 0.35
    singing: float = 0.35
    instrumental: float = 0.2
    grooves: float = 0.15
    solos: float = 0.0
    speed: float = 0.4
    speed_range: float = 0.08
    gain_db: float = 6.0
    tilt: float = 0.0
    shift: float = 0.5
    collections: tuple[str, ...] = ()


class BatchSource(Protocol):
    """The interface that a trainer needs from its data."""

    def batch(self, index: int) -> Stems:
        """Batch ``index``: ``(batch, sources, channels, time)`` float32."""
        ...


class MixedSongs:
    """Recorded songs, rendered songs, drum performances and singing, mixed by a ``MixingConfig``.

    ``hop``: the length of an example is rounded down to a multiple of it.
    """

    songs_of, rendered_of, voices_of, drums_of, solos_of = (
        ("musdb", "stems", "stems-open", "stems-research"),
        ("freedoom", "openmsx", "mma"),
        ("mir1k", "ravdess", "makam", "voices-open"),
        ("groove", "drums-open"),
        ("guitar", "guitar-sharealike"),
    )
    voice_weights = (0.4, 0.35, 0.25, 0.4)
    """Narrow-band MIR-1K is the largest of them. It is weighted down, or the network would learn that voices end at 8 kHz."""

    def __init__(self, store: Path, config: MixingConfig, hop: int, seed: int) -> None:
        self.config = config
        self.frames = int(config.seconds * RATE) // hop * hop
        self.seed = seed
        self.songs, self.rendered, self.voices, self.drums, self.solos = (
            _open(store, chosen(config, names))
            for names in (self.songs_of, self.rendered_of, self.voices_of, self.drums_of, self.solos_of)
        )
        if not self.songs and not (config.collections and self.rendered):
            raise StemplayError(
                f"There are no recorded songs in {store}: run `python -m training prepare stems` first."
            )

    def batch(self, index: int) -> Stems:
        """Batch ``index``, a pure function of the seed and ``index``."""
        config = self.config
        rng = np.random.default_rng([self.seed, index])
        n_coherent = round(config.batch * config.coherent)
        extract = self.frames + int(config.shift * RATE)
        coherent = [self._song(rng, self.frames) for _ in range(n_coherent)]
        remixed = [self._remix_material(rng, extract) for _ in range(config.batch - n_coherent)]
        parts = []
        if coherent:
            parts.append(augment.random_gain(np.stack(coherent), rng, -config.gain_db / 2, config.gain_db / 2))
        if remixed:
            shuffled = augment.shuffle_sources(np.stack(remixed), rng, config.group)
            shifted = augment.shift_sources(shuffled, rng, self.frames)
            parts.append(augment.random_gain(shifted, rng, -config.gain_db, config.gain_db))
        batch = np.concatenate(parts)
        if config.tilt:
            batch = augment.random_tilt(batch, rng, config.tilt)
        batch = augment.flip_signs(augment.swap_channels(batch, rng), rng)
        return augment.limit_peaks(batch)

    def _song(self, rng: np.random.Generator, frames: int) -> Stems:
        """The sources of one song, ``(4, 2, frames)``."""
        factor = 1.0
        if rng.random() < self.config.speed:
            factor = float(rng.uniform(1 - self.config.speed_range, 1 + self.config.speed_range))
        needed = frames if factor == 1.0 else int(frames * factor) + 2
        rendered = not self.songs or (self.rendered and rng.random() < self.config.rendered)
        song = self._rendered_song(rng, needed) if rendered else _crop(self.songs, rng, needed)
        return song if factor == 1.0 else augment.change_speed(song, factor, frames)

    def _rendered_song(self, rng: np.random.Generator, frames: int) -> Stems:
        song = np.zeros((4, 2, frames), np.float32)
        made = _crop(self.rendered, rng, frames)
        song[: len(made)] = made
        song *= rng.uniform(0.05, 0.15) / max(_rms(augment.mixture(song[:3])), 1e-3)
        if len(made) < 4 and rng.random() >= self.config.instrumental:
            song[3] = self._voice(rng, frames)
        return song

    def _remix_material(self, rng: np.random.Generator, frames: int) -> Stems:
        """A song for the shuffle, with some of its sources replaced."""
        song = self._song(rng, frames)
        if self.drums and rng.random() < self.config.grooves:
            drums = _crop(_one_of(self.drums, rng), rng, frames)[0]
            song[0] = drums * (rng.uniform(0.03, 0.12) / max(_rms(drums), 1e-3))
        if self.solos and rng.random() < self.config.solos:
            solo = _crop(self.solos, rng, frames)[0]
            song[2] = solo * (rng.uniform(0.03, 0.12) / max(_rms(solo), 1e-3))
        if rng.random() < self.config.singing:
            song[3] = self._voice(rng, frames)
        return song

    def _voice(self, rng: np.random.Generator, frames: int) -> Stems:
        """Singing in stereo, ``(2, frames)``, with a little width and sometimes an echo."""
        if not self.voices:
            return np.zeros((2, frames), np.float32)
        weights = np.array([self.voice_weights[self.voices_of.index(c.manifest.collection)] for c in self.voices])
        collection = self.voices[rng.choice(len(self.voices), p=weights / weights.sum())]
        mono = _crop([collection], rng, frames)[0, 0]
        mono = mono * (rng.uniform(0.03, 0.12) / max(_rms(mono), 0.02))
        stereo = np.stack([mono, mono])
        if rng.random() < 0.5:
            delay = int(rng.integers(1, 800))
            stereo[1, delay:] = 0.7 * mono[delay:] + 0.3 * mono[:-delay]
        if rng.random() < 0.5:
            delay = int(rng.integers(1_500, 9_000))
            gain = np.float32(rng.uniform(0.1, 0.4))
            for start in range(delay, frames, delay):
                stop = min(start + delay, frames)
                stereo[:, start:stop] += gain * stereo[:, start - delay : stop - delay]
        return stereo


COLLECTIONS = (
    *MixedSongs.songs_of, *MixedSongs.rendered_of, *MixedSongs.voices_of, *MixedSongs.drums_of, *MixedSongs.solos_of
)  # fmt: skip
"""Names of all collections that can be learned from."""


class BatchStream(IterableDataset[Stems]):
    """Batches ``start``, ``start + stride``, ... of a source. DataLoader workers share them without changing their order."""

    def __init__(self, source: BatchSource, start: int = 0, stride: int = 1) -> None:
        self.source = source
        self.start = start
        self.stride = stride

    def __iter__(self) -> Iterator[Stems]:
        worker = get_worker_info()
        offset, step = (worker.id, worker.num_workers) if worker is not None else (0, 1)
        index = self.start + offset * self.stride
        while True:
            yield self.source.batch(index)
            index += step * self.stride


def chosen(config: MixingConfig, names: tuple[str, ...]) -> tuple[str, ...]:
    """Those of the collections ``names`` that ``config`` selects. Raises StemplayError if it names an unknown collection."""
    unknown = sorted(set(config.collections) - set(COLLECTIONS))
    if unknown:
        raise StemplayError(f"There is no collection {unknown[0]!r}; choose from {', '.join(COLLECTIONS)}.")
    return tuple(name for name in names if not config.collections or name in config.collections)


def _open(store: Path, names: tuple[str, ...]) -> list[Collection]:
    found = [Collection(store / name) for name in names if (store / name / "manifest.json").exists()]
    return [collection for collection in found if len(collection)]


def _one_of(collections: list[Collection], rng: np.random.Generator) -> list[Collection]:
    """Choose one of several collections with equal probability: a few recorded drummers count as much as hundreds of rendered ones."""
    return [collections[rng.integers(len(collections))]] if len(collections) > 1 else collections


def _crop(collections: list[Collection], rng: np.random.Generator, frames: int) -> Stems:
    """A random extract; every item is equally likely, whatever its collection."""
    number = int(rng.integers(sum(len(collection) for collection in collections)))
    for collection in collections:
        if number < len(collection):
            start = int(rng.integers(max(1, collection.items[number].frames - frames)))
            return collection.crop(number, start, frames)
        number -= len(collection)
    raise AssertionError("unreachable")


def _rms(x: Stems) -> float:
    return float(np.sqrt(np.mean(np.square(x[..., ::8]))))
