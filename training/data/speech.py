"""Voice and noise, mono at 16 kHz, to train a speech denoiser (thesis chapter 6, which names no data).

Stems are ``(2, 1, frames)``: voice and noise. The synthetic set needs no data; the prepared one takes voices and songs from the
store. Both scale the noise to a random signal-to-noise ratio. The mix is always the sum of the stems.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
from scipy.signal import resample_poly

from rtaudio.audio.format import StemplayError
from training.data import augment
from training.data.config import MixingConfig
from training.data.plan import chosen
from training.data.store import Collection, Stems

RATE = 16_000
STORED_RATE = 44_100
SNR_DB = (-3.0, 15.0)
"""Range of the examples' signal-to-noise ratio."""

Mono = npt.NDArray[np.float64]


def speech_like(rng: np.random.Generator, frames: int, rate: int = RATE) -> Mono:
    """Syllables and pauses: harmonics of a gliding pitch with two formants that change from syllable to syllable."""
    time = np.arange(frames) / rate
    syllable = rng.uniform(0.12, 0.3)
    number = (time / syllable).astype(int)
    count = int(number[-1]) + 2
    spoken = rng.random(count) < 0.75
    pitch = rng.uniform(90, 240) * (1 + 0.15 * rng.uniform(-1, 1, count))
    first, second = rng.uniform(300, 900, count), rng.uniform(900, 2600, count)
    place = np.arange(count) * syllable
    glide = np.interp(time, place, pitch)
    phase = 2 * np.pi * np.cumsum(glide) / rate
    voice = np.zeros(frames)
    for k in range(1, 24):
        hertz = k * glide
        formants = np.exp(-(((hertz - first[number]) / 250) ** 2)) + 0.5 * np.exp(
            -(((hertz - second[number]) / 350) ** 2)
        )
        voice += (formants + 0.02) * np.sin(k * phase) * (hertz < 0.45 * rate)
    envelope = np.sin(np.pi * np.mod(time, syllable) / syllable) ** 2 * spoken[number]
    return 0.3 * voice * envelope


def noise_like(rng: np.random.Generator, frames: int, rate: int = RATE) -> Mono:
    """Coloured noise whose level drifts, sometimes with a hum."""
    spectrum = np.fft.rfft(rng.standard_normal(frames))
    hertz = np.maximum(np.fft.rfftfreq(frames, 1 / rate), 50)
    noise: Mono = np.fft.irfft(spectrum * hertz ** -rng.uniform(0, 1), frames)
    noise /= noise.std() + 1e-9
    time = np.arange(frames) / rate
    noise *= 1 + 0.5 * np.sin(2 * np.pi * (rng.uniform(0.1, 0.7) * time + rng.random()))
    if rng.random() < 0.3:
        mains = rng.choice([50, 60])
        noise += sum(np.sin(2 * np.pi * k * mains * time) / k for k in range(1, 6))
    return noise


def mixed(rng: np.random.Generator, voice: Mono, noise: Mono) -> Stems:
    """Stems ``(2, 1, frames)`` with a random ratio of their powers and a random level."""
    power = np.mean(voice**2) + 1e-9
    wanted = power * 10 ** (-rng.uniform(*SNR_DB) / 10)
    noise = noise * np.sqrt(wanted / (np.mean(noise**2) + 1e-9))
    level = rng.uniform(0.03, 0.15) / np.sqrt(power + wanted)
    return (level * np.stack([voice, noise])[:, None]).astype(np.float32)


def synthetic_speech(seed: int | list[int], frames: int) -> Stems:
    """Example ``seed``: ``(2, 1, frames)``."""
    rng = np.random.default_rng(seed)
    return mixed(rng, speech_like(rng, frames), noise_like(rng, frames))


class SyntheticSpeech:
    """Batches of ``synthetic_speech``, each example made once. Validation examples have other seeds."""

    def __init__(self, config: MixingConfig, hop: int, seed: int, examples: int = 64) -> None:
        self.config, self.seed, self.examples = config, seed, examples
        self.frames = int(config.seconds * RATE) // hop * hop
        self._made: dict[int, Stems] = {}

    def batch(self, index: int) -> Stems:
        """``(batch, 2, 1, time)``, a pure function of the seed and ``index``."""
        rng = np.random.default_rng([self.seed, index])
        return np.stack([self._example(int(n)) for n in rng.integers(self.examples, size=self.config.batch)])

    def _example(self, number: int) -> Stems:
        if number not in self._made:
            self._made[number] = synthetic_speech([1, number], self.frames)
        return self._made[number]


def validation_speech(count: int = 4, seconds: float = 2.0, seed: int = 0) -> list[Stems]:
    """Examples that no training batch contains; another ``seed`` gives others."""
    return [synthetic_speech([2, number, *([seed] if seed else [])], int(seconds * RATE)) for number in range(count)]


class MixedSpeech:
    """Voices of the store with the other stems of its songs, or synthetic noise, as the noise.

    The last tenth of each collection of voices is kept for validation.
    """

    voices_of = ("ravdess", "mir1k", "makam")
    songs_of = ("musdb", "freedoom", "openmsx", "groove")

    def __init__(self, store: Path, config: MixingConfig, hop: int, seed: int, validation: bool = False) -> None:
        self.config, self.seed, self.validation = config, seed, validation
        self.frames = int(config.seconds * RATE) // hop * hop
        self.voices, self.songs = (_open(store, chosen(config, names)) for names in (self.voices_of, self.songs_of))
        if not self.voices:
            raise StemplayError(f"There are no voices in {store}: run `python -m training prepare stems` first.")

    def batch(self, index: int) -> Stems:
        """``(batch, 2, 1, time)``, a pure function of the seed and ``index``."""
        rng = np.random.default_rng([self.seed, index, int(self.validation)])
        return augment.limit_peaks(np.stack([self._example(rng) for _ in range(self.config.batch)]))

    def _example(self, rng: np.random.Generator) -> Stems:
        voices = self.voices[int(rng.integers(len(self.voices)))]
        last = max(1, len(voices) // 10)
        kept = len(voices) - last if len(voices) > 1 else 1
        number = int(rng.integers(kept, len(voices)) if self.validation and len(voices) > 1 else rng.integers(kept))
        voice = _mono_crop(rng, voices, number, self.frames)
        if self.songs and rng.random() < 0.4:
            songs = self.songs[int(rng.integers(len(self.songs)))]
            noise = _mono_crop(rng, songs, int(rng.integers(len(songs))), self.frames)
            if noise.std() > 1e-4:
                return mixed(rng, voice, noise)
        return mixed(rng, voice, noise_like(rng, self.frames))


def stored_validation_speech(store: Path, count: int = 16, seconds: float = 4.0) -> list[Stems]:
    """Examples of the voices kept for validation."""
    return list(MixedSpeech(store, MixingConfig(seconds=seconds, batch=count), 1, 7, validation=True).batch(0))


def _mono_crop(rng: np.random.Generator, collection: Collection, number: int, frames: int) -> Mono:
    """``frames`` samples at 16 kHz of an item: the sum of its stems, without the voice of a whole song."""
    needed = frames * STORED_RATE // RATE + 64
    item = collection.items[number]
    stems = collection.crop(number, int(rng.integers(max(1, item.frames - needed))), needed)
    stems = stems[:3] if len(stems) > 3 else stems
    mono: Mono = resample_poly(stems.sum(axis=0).mean(axis=0), RATE // 100, STORED_RATE // 100)[:frames]
    return mono.astype(np.float64)


def _open(store: Path, names: Sequence[str]) -> list[Collection]:
    found = [Collection(store / name) for name in names if (store / name / "manifest.json").exists()]
    return [collection for collection in found if len(collection)]
