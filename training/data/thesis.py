"""The thesis' protocol (section 3.5.3): epochs of extracts, a random shift of each source, remixing, swapped channels and signs.

Here too, batch ``i`` is a pure function of the seed and ``i``: it is batch ``i % len`` of epoch ``i // len``.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np

from rtaudio.audio.format import StemplayError
from training.data import augment
from training.data.config import RATE
from training.data.epoch import epoch
from training.data.store import Collection, Stems
from training.data.stretch import repitch
from training.data.synthetic import synthetic_song


@dataclass(frozen=True)
class EpochConfig:
    """The thesis' epochs and augmentations. Augmentations that it does not use are off by default (BSE-10).

    Attributes:
        extract, stride: seconds. A song gives ``floor((its seconds - extract) / stride) + 1`` examples per epoch.
        shift_per_source: whether each source of an example is shifted independently (erratum 30) or all of them together.
        remix: number of examples in a group within which sources are shuffled; 0 for no shuffling.
        swap, flip: probabilities that a source's channels are exchanged and that its sign is inverted.
        gain_low, gain_high: each source is multiplied by a random number between them; the usual range is 0.25 to 1.25.
        stretch: probability that a source plays at another tempo and pitch.
        tempo_range, semitones: largest change of tempo and of pitch; drums keep their pitch.
    """

    extract: float = 11.0
    stride: float = 1.0
    shift_per_source: bool = True
    remix: int = 4
    swap: float = 0.5
    flip: float = 0.5
    gain_low: float = 1.0
    gain_high: float = 1.0
    stretch: float = 0.0
    tempo_range: float = 0.12
    semitones: float = 2.0


class Song(Protocol):
    """A recording with its stems."""

    @property
    def frames(self) -> int:
        """Length in samples."""
        ...

    def crop(self, start: int, frames: int) -> Stems:
        """``(sources, channels, frames)`` from ``start`` on, zeros past the end."""
        ...


class EpochSongs:
    """Batches of the thesis' epochs.

    Args:
        batch: examples per batch.
        frames: samples of an example. The random shift stays within the extract and is at most ``stride`` seconds.

    Raises:
        StemplayError: the songs do not give a full batch, or examples are longer than the extracts.
    """

    def __init__(self, songs: Sequence[Song], config: EpochConfig, batch: int, frames: int, seed: int) -> None:
        self.songs, self.config, self.size, self.frames, self.seed = songs, config, batch, frames, seed
        self.extract = int(config.extract * RATE)
        if frames > self.extract:
            raise StemplayError(
                f"Examples of {frames / RATE:.2f} s do not fit into extracts of {config.extract:g} s: use longer extracts."
            )
        self.longest = min(self.extract, frames + int(config.stride * RATE) - 1)
        self._epoch = -1
        self._places = self._examples(0)
        self.batches = len(self._places) // batch
        if not self.batches:
            raise StemplayError(
                f"The songs give {len(self._places)} extracts of {config.extract:g} s, which is less than a batch of {batch}: "
                "prepare whole songs, or use shorter extracts."
            )

    def _examples(self, number: int) -> list[tuple[int, int]]:
        """``(song, start)`` of every extract, in the order of epoch ``number``."""
        if number != self._epoch:
            lengths = [song.frames for song in self.songs]
            config = self.config
            found = epoch(
                lengths, number, seed=self.seed, rate=RATE, extract=config.extract, stride=config.stride,
                keep=self.extract,
            )  # fmt: skip
            self._epoch, self._places = number, [(extract.song, extract.start) for extract in found]
        return self._places

    def batch(self, index: int) -> Stems:
        """Batch ``index``, ``(batch, sources, channels, frames)``."""
        number, place = divmod(index, self.batches)
        rng = np.random.default_rng([self.seed, 1, index])
        config = self.config
        chosen = self._examples(number)[place * self.size : (place + 1) * self.size]
        needed = round(self.longest * (1 + config.tempo_range)) if config.stretch else self.longest
        batch = np.stack([self.songs[song].crop(start, needed) for song, start in chosen])
        if config.stretch:
            batch = repitch(batch, rng, self.longest, config.stretch, config.tempo_range, config.semitones)
        batch = augment.shift_sources(batch, rng, self.frames, config.shift_per_source)
        if config.remix:
            batch = augment.shuffle_sources(batch, rng, config.remix)
        batch = augment.flip_signs(augment.swap_channels(batch, rng, config.swap), rng, config.flip)
        if (config.gain_low, config.gain_high) != (1.0, 1.0):
            batch = augment.uniform_gain(batch, rng, config.gain_low, config.gain_high)
        return batch


@dataclass(frozen=True)
class StoredSong:
    """A song of a prepared collection."""

    collection: Collection
    index: int

    @property
    def frames(self) -> int:
        return self.collection.items[self.index].frames

    def crop(self, start: int, frames: int) -> Stems:
        return self.collection.crop(self.index, start, frames)


class MadeUpSong:
    """A synthetic song, kept in memory."""

    def __init__(self, seed: int, seconds: float) -> None:
        self.stems = synthetic_song([1, seed], int(seconds * RATE))

    @property
    def frames(self) -> int:
        return int(self.stems.shape[-1])

    def crop(self, start: int, frames: int) -> Stems:
        piece = self.stems[..., start : start + frames]
        return np.pad(piece, ((0, 0), (0, 0), (0, frames - piece.shape[-1])))


def made_up_songs(count: int = 8, seconds: float = 4.0) -> list[Song]:
    """Synthetic songs, for tests and first experiments."""
    return [MadeUpSong(seed, seconds) for seed in range(count)]


def stored_songs(store: Path) -> list[Song]:
    """The training songs of the prepared MUSDB and of every further collection of whole songs beside it (MUS-02)."""
    found: list[Song] = []
    for manifest in sorted(store.glob("*/manifest.json")):
        if json.loads(manifest.read_text(encoding="utf-8")).get("sources") != ["drums", "bass", "other", "vocals"]:
            continue  # singing, drums alone, notes of instruments
        collection = Collection(manifest.parent)
        if len(collection):
            found += [StoredSong(collection, index) for index in range(len(collection))]
    if not found:
        raise StemplayError(f"There are no recorded songs in {store}: run `python -m training prepare stems` first.")
    return found
