"""Finds beats, bars, tempo, key and chords of a song: a file to a ``SongMap``."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import numpy.typing as npt
import soxr

from rtaudio.files.sound_file import open_reader
from rtaudio.music import spectra
from rtaudio.music.beats import NONE, Rhythm, find_beats, find_rhythm, smooth
from rtaudio.music.harmony import NOTES, Chord, chord_changes, find_chords, find_key
from rtaudio.music.networks import ChordNetwork, beat_activations
from rtaudio.protocol.song_map import SongMap

LONGEST_S = 30 * 60.0
"""What is beyond is not analysed: it bounds the memory."""
SILENT = 1e-4
"""Peak below which a song is silence."""
SHORTEST_S = 3.0

Progress = Callable[[float], None]
Mono = npt.NDArray[np.float32]


def _nothing(share: float) -> None:
    pass


def find_in_file(path: str | Path, progress: Progress = _nothing) -> SongMap:
    """The map of the song at ``path``. Raises StemplayError if it is no sound file.

    Args:
        progress: called with the share done, 0 to 1; what it raises ends the search.
    """
    return find(read_mono(path, lambda share: progress(0.2 * share)), lambda share: progress(0.2 + 0.8 * share))


def read_mono(path: str | Path, progress: Progress = _nothing) -> Mono:
    """The song's first ``LONGEST_S`` at ``spectra.RATE``, its channels averaged."""
    parts: list[Mono] = []
    with open_reader(str(path)) as reader:
        stream = soxr.ResampleStream(reader.rate, spectra.RATE, 1, dtype="float32", quality="HQ")
        for block in reader.blocks(1 << 16):
            parts.append(stream.resample_chunk(np.ascontiguousarray(block.mean(axis=1), np.float32)))
            if reader.position > LONGEST_S * reader.rate:
                break
            progress(min(1.0, reader.position / reader.frames) if reader.frames else 0.5)
        parts.append(stream.resample_chunk(np.zeros(0, np.float32), last=True))
    return np.concatenate(parts)


def find(sound: Mono, progress: Progress = _nothing) -> SongMap:
    """The map of mono ``sound`` at ``spectra.RATE``; without beats and key if it is silent or shorter than ``SHORTEST_S``."""
    seconds = len(sound) / spectra.RATE
    if seconds < SHORTEST_S or not np.isfinite(sound).all() or float(np.abs(sound).max()) < SILENT:
        return SongMap(seconds=seconds)
    activations = beat_activations(spectra.beat_spectrum(sound))
    progress(0.2)
    cqt = spectra.constant_q(sound, spectra.find_tuning(sound))
    progress(0.5)
    network, parts = ChordNetwork(), []
    pieces = network.chunks(len(cqt))
    for number, cut in enumerate(pieces, 1):
        parts.append(network.run(cqt, cut))
        progress(0.5 + 0.45 * number / len(pieces))
    found = assemble(seconds, activations, np.concatenate(parts))
    progress(1.0)
    return found


def assemble(seconds: float, activations: npt.NDArray[np.float32], network: npt.NDArray[np.float32]) -> SongMap:
    """The map, from what the two networks say."""
    beats = find_beats(activations)
    rhythm = NONE
    if len(beats):
        beats, bpm, steady = smooth(beats)
        beats = beats[(beats >= 0) & (beats <= seconds)]
        rhythm = find_rhythm(activations, beats, bpm, steady, chord_changes(network, beats))
    chords = _chords(seconds, rhythm, network)
    key, clear = "", 0.0
    if any(chord.name != "N" for chord in chords):
        tonic, minor, clear = find_key(network, chords)
        key = f"{NOTES[tonic]} {'minor' if minor else 'major'}"
    return SongMap(
        round(seconds, 3), round(rhythm.bpm, 3), rhythm.steady, rhythm.metre, [round(float(t), 5) for t in rhythm.beats],
        rhythm.numbers.tolist(), key, round(min(1.0, max(0.0, clear)), 3),
        [(round(chord.start, 5), round(chord.end, 5), chord.name) for chord in chords],
    )  # fmt: skip


def _chords(seconds: float, rhythm: Rhythm, network: npt.NDArray[np.float32]) -> list[Chord]:
    """Chords between the beats; without beats between half seconds."""
    inner = rhythm.beats if len(rhythm.beats) else np.arange(0.5, seconds, 0.5)
    inner = inner[(inner > 0.05) & (inner < seconds - 0.05)]
    edges = np.concatenate([[0.0], inner, [seconds]])
    downbeats = np.ones(len(edges), bool)
    if len(rhythm.beats):
        first = rhythm.beats[rhythm.numbers == 1]
        downbeats[1:-1] = np.isin(inner, first)
    return find_chords(network, edges, downbeats)
