"""Voice and noise, mono at 16 kHz, to train a speech denoiser (thesis chapter 6, which names no data).

Stems are ``(2, 1, frames)``: voice and noise. The synthetic set needs no data; the prepared one takes speech, singing, noises and
songs from the store. Both scale the noise to a random signal-to-noise ratio. The mix is always the sum of the stems. The voice keeps
the room that it was recorded in: a denoiser of one hop cannot know a room's echoes before they come.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import soxr

from rtaudio.audio.format import StemplayError
from training.data import augment
from training.data.config import MixingConfig
from training.data.filters import fftconvolve
from training.data.noises import MADE_UP
from training.data.plan import DRUMMERS, NOISES, RENDERED, SOLOS, SONGS, SPOKEN, VOICES, chosen
from training.data.rooms import room_response
from training.data.splits import split_of_singer
from training.data.store import FULL_SCALE, Collection, Stems

RATE = 16_000
SNR_DB = (-3.0, 15.0)
"""Range of the signal-to-noise ratio of synthetic examples."""
STORED_SNR_DB, QUIETEST, LOUDEST = (-5.0, 20.0), 0.01, 0.16
"""The same for examples of the store, and the range of their level (RMS of the mix)."""
NOISE_KINDS = ("recorded", "music", "crowd", "made-up")

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


def mixed(
    rng: np.random.Generator, voice: Mono, noise: Mono, snr_db: float | None = None, level: float | None = None
) -> Stems:
    """Stems ``(2, 1, frames)`` with a random ratio of their powers and a random level, unless ``snr_db`` and ``level`` say which."""
    power = np.mean(voice**2) + 1e-9
    wanted = power * 10 ** (-(rng.uniform(*SNR_DB) if snr_db is None else snr_db) / 10)
    noise = noise * np.sqrt(wanted / (np.mean(noise**2) + 1e-9))
    level = (rng.uniform(0.03, 0.15) if level is None else level) / np.sqrt(power + wanted)
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


class Recordings:
    """Mono recordings at 16 kHz, of several collections. Long ones are drawn more often, by the root of their length.

    Each is converted when it is first used and kept in memory (115 MB for an hour).
    """

    def __init__(self, items: list[tuple[Collection, int]]) -> None:
        self.items = items
        lengths = np.sqrt([collection.items[index].frames for collection, index in items])
        self.chances = lengths / max(lengths.sum(), 1e-9)
        self._sounds: dict[int, npt.NDArray[np.int16]] = {}

    def __len__(self) -> int:
        return len(self.items)

    def crop(self, rng: np.random.Generator, frames: int, speed: float = 1.0) -> Mono:
        """``frames`` samples of one of them, played ``speed`` times as fast; of several tries the first that is not nearly silent."""
        number = int(rng.choice(len(self.items), p=self.chances))
        sound = self._sound(number)
        needed = min(len(sound), int(frames * speed) + 64)
        piece = np.zeros(needed)
        for _ in range(6):
            start = int(rng.integers(len(sound) - needed + 1))
            piece = sound[start : start + needed] / FULL_SCALE
            if piece.std() > 0.01:
                break
        if speed != 1.0:
            piece = soxr.resample(piece, speed, 1.0, quality="MQ")
        piece = np.tile(piece, -(-frames // max(1, len(piece)))) if len(piece) < frames else piece
        return np.asarray(piece[:frames], np.float64)

    def _sound(self, number: int) -> npt.NDArray[np.int16]:
        if number not in self._sounds:
            collection, index = self.items[number]
            stems = collection.whole(index)
            stems = stems[:3] if len(stems) > 3 else stems  # a song without its voice
            mono = soxr.resample(stems.sum(axis=0).mean(axis=0), collection.manifest.sample_rate, RATE, quality="MQ")
            peak = max(float(np.abs(mono).max(initial=0.0)), 1e-6)
            self._sounds[number] = np.rint(mono * (FULL_SCALE / peak)).astype(np.int16)
        return self._sounds[number]


class MixedSpeech:
    """Speech and singing of the store, in noises: recorded ones, songs without voices, crowds of speakers, and made-up ones.

    Speakers, songs and kinds of recorded noise belong to one ``split`` each: ``train``, ``valid`` or ``test``.

    Raises:
        StemplayError: the store has no voices of the split.
    """

    voices_of = (*SPOKEN, *VOICES)
    songs_of = (*SONGS, *RENDERED, *DRUMMERS, *SOLOS)

    def __init__(self, store: Path, config: MixingConfig, hop: int, seed: int, split: str = "train") -> None:
        self.config, self.seed, self.split = config, seed, split
        self.frames = int(config.seconds * RATE) // hop * hop
        self.voices = Recordings(_items(store, chosen(config, self.voices_of), split, voices=True))
        self.songs = Recordings(_items(store, chosen(config, self.songs_of), split))
        self.noises = Recordings(_items(store, chosen(config, NOISES), split))
        if not len(self.voices):
            raise StemplayError(f"There are no voices in {store}: run `python -m training prepare stems` first.")

    def batch(self, index: int) -> Stems:
        """``(batch, 2, 1, time)``, a pure function of the seed and ``index``."""
        rng = np.random.default_rng([self.seed, index, ("train", "valid", "test").index(self.split)])
        return augment.limit_peaks(np.stack([self._example(rng) for _ in range(self.config.batch)]))

    def _example(self, rng: np.random.Generator) -> Stems:
        level = QUIETEST * (LOUDEST / QUIETEST) ** rng.random()
        stems = mixed(rng, self.voice(rng), self.noise(rng), rng.uniform(*STORED_SNR_DB), level)
        alone = rng.random()
        if (
            alone < 0.08 and self.split == "train"
        ):  # to leave clean voices as they are, and noise without a voice silent
            stems[int(alone < 0.04)] = 0
        return stems

    def voice(self, rng: np.random.Generator) -> Mono:
        """A voice at another speed, in a room or none, through a microphone."""
        voice = self.voices.crop(rng, self.frames, rng.uniform(0.87, 1.18) if rng.random() < 0.6 else 1.0)
        if rng.random() < 0.5:
            voice = fftconvolve(voice, room_response(rng, RATE))[: self.frames]
        return _coloured(rng, voice, 5.0) if rng.random() < 0.6 else voice

    def noise(self, rng: np.random.Generator, kind: str = "") -> Mono:
        """One to three noises together, or a single one of ``NOISE_KINDS``."""
        total = np.zeros(self.frames)
        for _ in range(1 if kind else rng.choice([1, 2, 3], p=[0.6, 0.3, 0.1])):
            noise = self._one_noise(rng, kind or str(rng.choice(NOISE_KINDS, p=[0.3, 0.2, 0.15, 0.35])))
            if rng.random() < 0.4:
                noise = fftconvolve(noise, room_response(rng, RATE, near=False))[: self.frames]
            if rng.random() < 0.5:
                noise = _coloured(rng, noise, 8.0)
            total += noise * 10 ** (rng.uniform(-6, 6) / 20) / (noise.std() + 1e-6)
        return total

    def _one_noise(self, rng: np.random.Generator, kind: str) -> Mono:
        if kind == "recorded" and len(self.noises):
            return self.noises.crop(rng, self.frames, rng.uniform(0.8, 1.25))
        if kind == "music" and len(self.songs):
            return self.songs.crop(rng, self.frames, rng.uniform(0.9, 1.1))
        if kind == "crowd":
            return sum(
                (
                    10 ** rng.uniform(-0.3, 0.3) * self.voices.crop(rng, self.frames, rng.uniform(0.85, 1.2))
                    for _ in range(rng.integers(3, 9))
                ),
                np.zeros(self.frames),
            )
        return MADE_UP[int(rng.integers(len(MADE_UP)))](rng, self.frames, RATE)


def stored_validation_speech(store: Path, count: int = 32, seconds: float = 4.0) -> list[Stems]:
    """Examples of the voices and noises kept for validation."""
    return list(MixedSpeech(store, MixingConfig(seconds=seconds, batch=count), 1, 7, "valid").batch(0))


def _coloured(rng: np.random.Generator, sound: Mono, range_db: float) -> Mono:
    """``sound`` through a random response, up to ``range_db`` up or down in each octave, as of a microphone."""
    octaves = np.log2(np.maximum(np.fft.rfftfreq(len(sound), 1 / RATE), 60) / 60)
    decibels = np.interp(octaves, np.arange(8), rng.uniform(-range_db, range_db, 8))
    return np.fft.irfft(np.fft.rfft(sound) * 10 ** (decibels / 20), len(sound))


def _items(store: Path, names: tuple[str, ...], split: str, voices: bool = False) -> list[tuple[Collection, int]]:
    """The items of the collections that belong to ``split``: as the manifest says, of singing by ``split_of_singer``."""
    found = []
    for name in names:
        if (store / name / "manifest.json").exists():
            collection = Collection(store / name, ("train", "valid", "test"))
            count = len(collection)
            for index, item in enumerate(collection.items):
                own = split_of_singer(name, item.group, index, count) if voices and name not in SPOKEN else item.split
                if own == split or (voices and count == 1):
                    found.append((collection, index))
    return found


@dataclass(frozen=True)
class Clip:
    """One clip of the denoisers' test set: ``stems`` ``(2, 1, frames)``, and what is in them."""

    name: str
    voice: str
    noise: str
    snr_db: float
    stems: Stems
    room: bool = False


TEST_SNRS = (0.0, 5.0, 10.0)
TEST_VOICES = {"speech": SPOKEN, "singing": ("makam", "mir1k", "ravdess")}


def clips_of_test(store: Path, count: int = 3, seconds: float = 5.0, seed: int = 0) -> Iterator[Clip]:
    """``count`` clips for each kind of voice, kind of noise and signal-to-noise ratio; voices, songs and sounds are of the test split.

    Raises:
        StemplayError: the store has no such voices.
    """
    beside = (*MixedSpeech.songs_of, *NOISES)
    for number, (voice_kind, names) in enumerate(TEST_VOICES.items()):
        source = MixedSpeech(store, MixingConfig(seconds=seconds, collections=(*names, *beside)), 1, seed, "test")
        for other, noise_kind in enumerate(NOISE_KINDS):
            for snr_db in TEST_SNRS:
                for take in range(count):
                    rng = np.random.default_rng([seed, number, other, int(snr_db), take])
                    voice = source.voices.crop(rng, source.frames)
                    if take % 2:
                        voice = fftconvolve(voice, room_response(rng, RATE))[: source.frames]
                    stems = mixed(rng, voice, source.noise(rng, noise_kind), snr_db)
                    name = f"{voice_kind}, {noise_kind}, {snr_db:g} dB, {take}"
                    loudest = max(1.0, float(np.abs(stems.sum(axis=0)).max()) / 0.95)
                    yield Clip(name, voice_kind, noise_kind, snr_db, stems / loudest, bool(take % 2))
