"""The spectra that the networks of ``rtaudio.music`` take. Pure functions on mono sound at ``RATE``."""

from __future__ import annotations

import functools
from collections.abc import Iterator

import numpy as np
import numpy.typing as npt
import soxr

Mono = npt.NDArray[np.float32]
Rows = npt.NDArray[np.float32]
RATE = 22_050

BEAT_FRAME, BEAT_HOP, BEAT_BINS = 1411, 441, 705
"""A spectrum every 20 ms, of 64 ms."""

CQT_HOP, BINS_PER_OCTAVE, OCTAVES = 512, 36, 8
LOWEST_HZ = 440.0 * 2.0 ** (-51 / 12)  # F#0
SHORT = 512
"""Filters up to this length are applied to the magnitudes of a short spectrum, as the chord network was trained."""
SHORT_FFT = 1024
AT_ONCE = 1024
"""Frames transformed in one go: it bounds the memory."""


def beat_spectrum(sound: Mono) -> Rows:
    """Magnitudes ``(frames, 705)``; row i is centred on sample ``441 i``."""
    frames = max(1, -(-len(sound) // BEAT_HOP))
    window = np.hanning(BEAT_FRAME).astype(np.float32)
    rows = np.empty((frames, BEAT_BINS), np.float32)
    for cut, part in _frames(sound, BEAT_FRAME, BEAT_HOP, frames):
        rows[cut] = np.abs(np.fft.rfft(part * window, axis=1))[:, :BEAT_BINS]
    return rows


def constant_q(sound: Mono, tuning: float = 0.0) -> Rows:
    """Constant-Q magnitudes ``(frames, 288)``: 36 bins an octave from F#0; row i is centred on sample ``512 i``.

    Each bin is the product of the sound with a Hann window of Q cycles, normalised to the root of its length; bins above 2.2 kHz are
    sums of the magnitudes of a short spectrum, weighted with the filter's. These are the definitions of ``librosa.hybrid_cqt``, which
    made the network's training data (C. Schörkhuber, A. Klapuri, 2010).

    Args:
        tuning: of the song, in bins (a third of a semitone), -0.5 to 0.5.
    """
    frames = 1 + len(sound) // CQT_HOP
    rows = np.zeros((frames, BINS_PER_OCTAVE * OCTAVES), np.float32)
    lengths = _lengths(tuning)
    for octave in range(OCTAVES):
        bins = np.arange(octave * BINS_PER_OCTAVE, (octave + 1) * BINS_PER_OCTAVE)
        bins = bins[lengths[bins] > SHORT]
        if len(bins):
            step = 1 << max(0, 4 - octave)
            slow = sound if step == 1 else soxr.resample(sound, RATE, RATE / step)
            _long(np.asarray(slow, np.float32), step, bins, tuning, rows)
    _short(sound, np.flatnonzero(lengths <= SHORT), tuning, rows)
    return rows


def find_tuning(sound: Mono) -> float:
    """How far the song is from A = 440 Hz, in bins of a third of a semitone, -0.5 to 0.5: the commonest place of its spectral peaks."""
    size = 8192
    counts = np.zeros(50)
    frames = max(1, len(sound) // (4 * size))
    window = np.hanning(size).astype(np.float32)
    for _, part in _frames(sound, size, 4 * size, frames):
        power = np.abs(np.fft.rfft(part * window, axis=1))[:, : size // 8]
        inner = power[:, 1:-1]
        peaks = (inner > power[:, :-2]) & (inner >= power[:, 2:]) & (inner > 0.1 * power.max(axis=1, keepdims=True))
        peaks[:, : 100 * size // RATE] = False
        row, column = np.nonzero(peaks)
        a, b, c = (np.log(power[row, column + k] + 1e-9) for k in range(3))
        shift = 0.5 * (a - c) / np.minimum(a - 2 * b + c, -1e-9)
        places = BINS_PER_OCTAVE * np.log2((column + 1 + np.clip(shift, -0.5, 0.5)) * RATE / size / 440.0)
        counts += np.bincount(np.floor((places - np.floor(places + 0.5) + 0.5) * 50).astype(int) % 50, minlength=50)
    if not counts.any():
        return 0.0
    smooth = sum(np.roll(counts, k) for k in range(-2, 3))
    return float((np.argmax(smooth) + 0.5) / 50 - 0.5)


def _lengths(tuning: float) -> npt.NDArray[np.float64]:
    """Samples of each bin's filter."""
    ratio = 2.0 ** (2 / BINS_PER_OCTAVE)
    lengths: npt.NDArray[np.float64] = (ratio + 1) / (ratio - 1) * RATE / _frequencies(tuning)
    return lengths


def _frequencies(tuning: float) -> npt.NDArray[np.float64]:
    return LOWEST_HZ * 2.0 ** ((np.arange(BINS_PER_OCTAVE * OCTAVES) + tuning) / BINS_PER_OCTAVE)


@functools.lru_cache(maxsize=32)
def _filters(bins: tuple[int, ...], step: int, size: int, tuning: float) -> npt.NDArray[np.complex64]:
    """Spectra ``(size // 2 + 1, bins)`` of the filters at the rate ``RATE / step``, centred, so that they multiply a spectrum."""
    columns = []
    for index in bins:
        length, hz = _lengths(tuning)[index] / step, _frequencies(tuning)[index]
        places = np.arange(-length // 2, length // 2)
        window = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(len(places)) / len(places))
        wave = window / window.sum() * np.exp(2j * np.pi * hz * step / RATE * places)
        start = (size - len(places)) // 2
        padded = np.zeros(size, complex)
        padded[start : start + len(places)] = wave * np.sqrt(length * step)
        columns.append(np.conj(np.fft.fft(padded)[: size // 2 + 1]))
    return np.stack(columns, axis=1).astype(np.complex64)


def _long(sound: Mono, step: int, bins: npt.NDArray[np.intp], tuning: float, rows: Rows) -> None:
    longest = _lengths(tuning)[bins[0]] / step
    size = 1 << int(np.ceil(np.log2(longest)))
    filters = _filters(tuple(bins.tolist()), step, size, tuning)
    for cut, part in _frames(sound, size, CQT_HOP // step, len(rows)):
        # a real sound and an analytic filter: the half spectrum is all of the product
        rows[cut, bins[0] : bins[-1] + 1] = np.abs(np.fft.rfft(part, axis=1).astype(np.complex64) @ filters) / size


def _short(sound: Mono, bins: npt.NDArray[np.intp], tuning: float, rows: Rows) -> None:
    weights = np.abs(_filters(tuple(bins.tolist()), 1, SHORT_FFT, tuning))
    lengths = _lengths(tuning)[bins]
    scale = (np.sqrt(lengths) / SHORT_FFT / np.sqrt(SHORT_FFT)).astype(np.float32)
    window = np.hanning(SHORT_FFT + 1)[:-1].astype(np.float32)
    for cut, part in _frames(sound, SHORT_FFT, CQT_HOP, len(rows)):
        rows[cut, bins] = np.abs(np.fft.rfft(part * window, axis=1)).astype(np.float32) @ weights * scale


def _frames(sound: Mono, size: int, hop: int, frames: int) -> Iterator[tuple[slice, npt.NDArray[np.float32]]]:
    """Slices of the frames and the frames, centred on multiples of ``hop``, with zeros beyond the ends."""
    needed = (frames - 1) * hop + size
    padded = np.zeros(max(needed, len(sound) + size // 2), np.float32)
    padded[size // 2 : size // 2 + len(sound)] = sound
    views = np.lib.stride_tricks.sliding_window_view(padded, size)[::hop]
    for start in range(0, frames, AT_ONCE):
        cut = slice(start, min(start + AT_ONCE, frames))
        yield cut, views[cut]
