"""What a batch is made of, in numbers: which extract of which recording plays where, how fast and how loud.

The numbers depend on the seed and on the batch's index alone, never on the sound. So NumPy (``MixedSongs``, the reference) and a GPU
(``training.data.device``) make the same batch from the same plan, up to rounding.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from rtaudio.audio.format import StemplayError
from training.data import augment
from training.data.config import MixingConfig
from training.data.store import Collection

SOURCES = 4
"""Sources of a song: drums, bass, other and vocals, in this order."""
DRUMS, OTHER, VOCALS = 0, 2, 3

SONGS = ("musdb", "stems", "stems-open", "stems-research")
RENDERED = ("freedoom", "openmsx", "mma")
VOICES = ("mir1k", "ravdess", "makam", "voices-open")
DRUMMERS = ("groove", "drums-open")
SOLOS = ("guitar", "guitar-sharealike")
SPOKEN, NOISES = ("prompts", "prompts-sharealike", "words"), ("noises", "noises-copyleft", "noises-sharealike")
"""For the denoiser alone (``training.data.speech``)."""
COLLECTIONS = (*SONGS, *RENDERED, *VOICES, *DRUMMERS, *SOLOS, *SPOKEN, *NOISES)
"""Names of all collections that can be learned from."""

VOICE_WEIGHTS = (0.4, 0.35, 0.25, 0.4)
"""Narrow-band MIR-1K is the largest of the ``VOICES``. It is weighted down, or the network would learn that voices end at 8 kHz."""


class Cut(NamedTuple):
    """An extract of a recording, from frame ``start`` on."""

    collection: Collection
    item: int
    start: int


class Level(NamedTuple):
    """An extract that is brought to the RMS level ``level``."""

    cut: Cut
    level: float


@dataclass(frozen=True)
class Singing:
    """An extract of a mono recording, and how it becomes stereo.

    Attributes:
        level: RMS level it is brought to.
        width: delay in frames of a part of the right channel; 0 for none.
        echo: delay in frames of an echo, 0 for none; ``echo_gain``: gain from one echo to the next.
        speed: factor of the speed at which the recording is played.
    """

    cut: Cut
    level: float
    width: int = 0
    echo: int = 0
    echo_gain: float = 0.0
    speed: float = 1.0


@dataclass(frozen=True)
class SongPlan:
    """One example before the sources of a batch are shuffled.

    Attributes:
        frames: samples of the recording that are needed; with ``speed`` they become fewer or more.
        speed: factor of the speed at which the recording is played.
        level: RMS level of the mix without the voice, for rendered songs; None for recorded ones.
        sung: the voice of a rendered song, at the speed of the song.
        drums, other: what replaces these sources, at its own speed.
        resung: whether the voice is replaced by ``voice``, or by silence where that is None.
    """

    cut: Cut
    frames: int
    speed: float = 1.0
    level: float | None = None
    sung: Singing | None = None
    drums: Level | None = None
    other: Level | None = None
    resung: bool = False
    voice: Singing | None = None


@dataclass(frozen=True)
class BatchPlan:
    """A whole batch: coherent songs first, then remixes.

    Attributes:
        frames, extract: samples of an example, and of a remix before its sources are shifted.
        order, offsets: ``(remixes, sources)``: from which remix each source comes, and its first sample.
        gains: ``(batch, sources)``.
        tilts, curves, widths, swaps, signs: see ``training.data.augment``.
    """

    frames: int
    extract: int
    coherent: list[SongPlan]
    remixes: list[SongPlan]
    gains: npt.NDArray[np.float32]
    order: npt.NDArray[np.int64]
    offsets: npt.NDArray[np.int64]
    swaps: npt.NDArray[np.bool_]
    signs: npt.NDArray[np.float32]
    tilts: list[augment.Tilt] = field(default_factory=list)
    curves: augment.Curves | None = None
    widths: npt.NDArray[np.float32] | None = None


class Planner:
    """Draws batches from the prepared collections of ``store`` by a ``MixingConfig``.

    ``hop``: the length of an example is rounded down to a multiple of it. Raises StemplayError if there are no songs.
    """

    def __init__(self, store: Path, config: MixingConfig, hop: int, seed: int, rate: int = 44_100) -> None:
        self.config, self.seed = config, seed
        self.frames = int(config.seconds * rate) // hop * hop
        self.extract = self.frames + int(config.shift * rate)
        self.songs, self.rendered, self.voices, self.drums, self.solos = (
            open_collections(store, chosen(config, names)) for names in (SONGS, RENDERED, VOICES, DRUMMERS, SOLOS)
        )
        if not self.songs and not (config.collections and self.rendered):
            raise StemplayError(
                f"There are no recorded songs in {store}: run `python -m training prepare stems` first."
            )

    @property
    def collections(self) -> list[Collection]:
        """All that can be drawn from."""
        return [*self.songs, *self.rendered, *self.voices, *self.drums, *self.solos]

    def plan(self, index: int) -> BatchPlan:
        """Batch ``index``, a pure function of the seed and ``index``."""
        config = self.config
        rng = np.random.default_rng([self.seed, index])
        n_coherent = round(config.batch * config.coherent)
        coherent = [self._song(rng, self.frames) for _ in range(n_coherent)]
        remixes = [self._remix(rng, self.extract) for _ in range(config.batch - n_coherent)]
        near, far = (len(coherent), SOURCES), (len(remixes), SOURCES)
        gains = [augment.draw_gains(near, rng, -config.gain_db / 2, config.gain_db / 2)] if coherent else []
        order = augment.draw_order(far, rng, config.group)
        offsets = augment.draw_offsets(far, rng, self.extract - self.frames)
        if remixes:
            gains.append(augment.draw_gains(far, rng, -config.gain_db, config.gain_db))
        shape = (len(coherent) + len(remixes), SOURCES)
        tilts = augment.draw_tilts(shape, rng, config.tilt) if config.tilt else []
        curves = augment.draw_curves(shape, rng, config.equaliser, config.equaliser_db) if config.equaliser else None
        widths = augment.draw_widths(shape, rng, config.width) if config.width else None
        swaps, signs = augment.draw_swaps(shape, rng), augment.draw_signs(shape, rng)
        return BatchPlan(
            self.frames, self.extract, coherent, remixes, np.concatenate(gains), order, offsets, swaps, signs, tilts, curves, widths
        )

    def _song(self, rng: np.random.Generator, frames: int) -> SongPlan:
        """A recorded or rendered song."""
        speed = 1.0
        if rng.random() < self.config.speed:
            speed = float(rng.uniform(1 - self.config.speed_range, 1 + self.config.speed_range))
        needed = augment.frames_at(speed, frames)
        if not self.songs or (self.rendered and rng.random() < self.config.rendered):
            return self._rendered(rng, needed, speed)
        return SongPlan(draw_cut(self.songs, rng, needed), needed, speed)

    def _rendered(self, rng: np.random.Generator, frames: int, speed: float) -> SongPlan:
        cut = draw_cut(self.rendered, rng, frames)
        level = rng.uniform(0.05, 0.15)
        sung = None
        if len(cut.collection.manifest.sources) < SOURCES and rng.random() >= self.config.instrumental:
            sung = self._singing(rng, frames)
        return SongPlan(cut, frames, speed, level, sung)

    def _remix(self, rng: np.random.Generator, frames: int) -> SongPlan:
        """A song for the shuffle, with some of its sources replaced."""
        config, song = self.config, self._song(rng, frames)
        drums = other = None
        if self.drums and rng.random() < config.grooves:
            drums = Level(draw_cut(_one_of(self.drums, rng), rng, frames), rng.uniform(0.03, 0.12))
        if self.solos and rng.random() < config.solos:
            other = Level(draw_cut(self.solos, rng, frames), rng.uniform(0.03, 0.12))
        resung = rng.random() < config.singing
        voice = self._singing(rng, frames) if resung else None
        return replace(song, drums=drums, other=other, resung=resung, voice=voice)

    def _singing(self, rng: np.random.Generator, frames: int) -> Singing | None:
        """Singing with a little width and sometimes an echo; None without recorded voices."""
        if not self.voices:
            return None
        weights = np.array([VOICE_WEIGHTS[VOICES.index(c.manifest.collection)] for c in self.voices])
        collection = self.voices[rng.choice(len(self.voices), p=weights / weights.sum())]
        speed = float(rng.uniform(1 - self.config.voice_speed, 1 + self.config.voice_speed)) if self.config.voice_speed else 1.0
        cut, level = draw_cut([collection], rng, augment.frames_at(speed, frames)), rng.uniform(0.03, 0.12)
        width = int(rng.integers(1, 800)) if rng.random() < 0.5 else 0
        if rng.random() < 0.5:
            echo, gain = int(rng.integers(1_500, 9_000)), float(np.float32(rng.uniform(0.1, 0.4)))
            return Singing(cut, level, width, echo, gain, speed)
        return Singing(cut, level, width, speed=speed)


def chosen(config: MixingConfig, names: tuple[str, ...]) -> tuple[str, ...]:
    """Those of the collections ``names`` that ``config`` selects. Raises StemplayError if it names an unknown collection."""
    unknown = sorted(set(config.collections) - set(COLLECTIONS))
    if unknown:
        raise StemplayError(f"There is no collection {unknown[0]!r}; choose from {', '.join(COLLECTIONS)}.")
    return tuple(name for name in names if not config.collections or name in config.collections)


def open_collections(store: Path, names: tuple[str, ...]) -> list[Collection]:
    """Those of ``names`` that have been prepared and are not empty."""
    found = [Collection(store / name) for name in names if (store / name / "manifest.json").exists()]
    return [collection for collection in found if len(collection)]


def draw_cut(collections: list[Collection], rng: np.random.Generator, frames: int) -> Cut:
    """A random extract of ``frames`` samples; every item is equally likely, whatever its collection."""
    number = int(rng.integers(sum(len(collection) for collection in collections)))
    for collection in collections:
        if number < len(collection):
            return Cut(collection, number, int(rng.integers(max(1, collection.items[number].frames - frames))))
        number -= len(collection)
    raise AssertionError("unreachable")


def _one_of(collections: list[Collection], rng: np.random.Generator) -> list[Collection]:
    """Choose one of several collections with equal probability: a few recorded drummers count as much as hundreds of rendered ones."""
    return [collections[rng.integers(len(collections))]] if len(collections) > 1 else collections
