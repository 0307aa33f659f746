"""Scores of beats, bars, tempo, key and chords against the truth, with ``mir_eval`` (C. Raffel and others, ISMIR 2014)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from rtaudio.protocol.song_map import SongMap

if TYPE_CHECKING:
    from training.data.known_songs import Known

RATE = 44_100
HEADINGS = ("beats, F", "downbeats, F", "tempo within 4 %", "beats a bar", "key", "key, weighted", "chords (major and minor)")
SAME_TEMPO = 0.04

Audio = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Score:
    """Scores of one song, 0 to 1; None for what the finder does not say. A beat counts within 70 ms."""

    beats: float | None = None
    downbeats: float | None = None
    tempo: float | None = None
    metre: float | None = None
    key: float | None = None
    key_weighted: float | None = None
    chords: float | None = None

    def cells(self) -> str:
        """The cells of a table."""
        return " | ".join("–" if value is None else f"{value:.3f}" for value in asdict(self).values())


def mean(scores: list[Score]) -> Score:
    """The mean of each."""
    columns: dict[str, float | None] = {}
    for name in asdict(Score()):
        values = [value for score in scores if (value := getattr(score, name)) is not None]
        columns[name] = float(np.mean(values)) if values else None
    return Score(**columns)


def score_song(found: SongMap, song: Known) -> Score:
    """Score a map."""
    import mir_eval

    from training.data.known_songs import key_name

    recipe = song.recipe
    truth = key_name(recipe.key, recipe.minor)
    beats, downbeats = np.array(found.beats), np.array(found.downbeats)
    tempo = recipe.tempo / recipe.pulses
    return Score(
        float(mir_eval.beat.f_measure(song.beats, beats)) if len(beats) else 0.0,
        float(mir_eval.beat.f_measure(song.downbeats, downbeats)) if found.metre and len(downbeats) else None,
        float(abs(found.bpm / tempo - 1) <= SAME_TEMPO),
        float(found.metre == recipe.beats) if found.metre else None,
        float(found.key == truth) if found.key else None,
        float(mir_eval.key.weighted_score(truth.lower(), found.key.lower())) if found.key else None,
        _chords(found, song) if found.chords else None,
    )


def _chords(found: SongMap, song: Known) -> float:
    """Share of the song in which the chord is right, by root and major or minor."""
    import mir_eval

    labels, spans = [name for *_, name in song.chords], np.array([chord[:2] for chord in song.chords])
    guess, guessed = [name for *_, name in found.chords], np.array([chord[:2] for chord in found.chords])
    guessed, guess = mir_eval.util.adjust_intervals(guessed, guess, spans.min(), spans.max(), "N", "N")
    pieces, labels, guess = mir_eval.util.merge_labeled_intervals(spans, labels, guessed, guess)
    durations = mir_eval.util.intervals_to_durations(pieces)
    return float(mir_eval.chord.weighted_accuracy(mir_eval.chord.majmin(labels, guess), durations))


def ours(samples: Audio) -> SongMap:
    """``rtaudio.music``."""
    import soxr

    from rtaudio.music.song_map import find

    return find(np.asarray(soxr.resample(samples.mean(axis=1), RATE, 22_050), np.float32))


def by_librosa(samples: Audio) -> SongMap:
    """``librosa.beat.beat_track``: it has no bars, no key and no chords."""
    import librosa

    sound = librosa.resample(samples.mean(axis=1), orig_sr=RATE, target_sr=22_050)
    tempo, beats = librosa.beat.beat_track(y=sound, sr=22_050, units="time")
    return SongMap(len(sound) / 22_050, float(np.atleast_1d(tempo)[0]), beats=beats.tolist(), numbers=[1] * len(beats))


def by_essentia(samples: Audio) -> SongMap:
    """Essentia's ``RhythmExtractor2013``, ``KeyExtractor`` and ``ChordsDetection``: they have no bars."""
    import essentia.standard as es

    sound = np.ascontiguousarray(samples.mean(axis=1), np.float32)
    bpm, beats, *_ = es.RhythmExtractor2013(method="multifeature")(sound)
    key, scale, _ = es.KeyExtractor()(sound)
    flats = {"C#": "Db", "D#": "Eb", "F#": "Gb", "G#": "Ab", "A#": "Bb"}
    return SongMap(
        len(sound) / RATE, float(bpm), beats=[float(x) for x in beats], numbers=[1] * len(beats), key=f"{flats.get(key, key)} {scale}",
        chords=_essentia_chords(sound),
    )  # fmt: skip


def _essentia_chords(sound: Audio) -> list[tuple[float, float, str]]:
    import essentia.standard as es

    frame, hop = 8192, 2048
    window, spectrum, peaks = es.Windowing(type="blackmanharris62"), es.Spectrum(), es.SpectralPeaks(
        orderBy="magnitude", magnitudeThreshold=1e-5, minFrequency=40, maxFrequency=5000, maxPeaks=10_000, sampleRate=RATE
    )
    hpcp = es.HPCP(size=36, referenceFrequency=440, harmonics=8, bandPreset=True, minFrequency=40, maxFrequency=5000, sampleRate=RATE)
    rows = [hpcp(*peaks(spectrum(window(part)))) for part in es.FrameGenerator(sound, frameSize=frame, hopSize=hop, startFromZero=True)]
    names, _ = es.ChordsDetection(hopSize=hop, windowSize=2, sampleRate=RATE)(np.array(rows, np.float32))
    labels = [f"{name[:-1]}:min" if name.endswith("m") else f"{name}:maj" for name in names]
    return [(k * hop / RATE, (k + 1) * hop / RATE, label) for k, label in enumerate(labels)]


FINDERS: dict[str, Callable[[Audio], SongMap]] = {"stemplay": ours, "librosa": by_librosa, "essentia": by_essentia}
"""What can be scored. librosa and Essentia are installed apart: ``pip install librosa essentia``."""
