"""Measurements of a note besides the losses: fundamental, restarts, tonal artefacts (SING-20), distances of spectra (SING-28).

All functions take ``(samples,)`` NumPy arrays at 16 kHz.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

RATE = 16_000
TRANSPOSED_HZ = 62.5
"""16,000 / 256: the decoder's stride as a frequency. Artefacts of a transposed convolution are at its multiples."""

Wave = npt.NDArray[np.floating]
Real = npt.NDArray[np.float64]


def hertz(pitch: float) -> float:
    """Frequency of a MIDI pitch, A4 = 440 Hz."""
    return float(440 * 2 ** ((pitch - 69) / 12))


def cents(frequency: float, reference: float) -> float:
    """Distance of two frequencies in cents."""
    return float(1200 * np.log2(frequency / reference))


def fundamental(wav: Wave, near: float, *, within: float = 100.0, start: float = 0.3, stop: float = 1.8) -> float:
    """The frequency within ``within`` cents of ``near`` Hz at which eight harmonics together are strongest.

    It is a comb on the spectrum of one long window. Through the harmonics it resolves a fraction of a hertz even for the lowest notes.
    """
    part = np.asarray(wav[int(start * RATE) : int(stop * RATE)], dtype=np.float64)
    size = 1 << 18
    spectrum = np.sqrt(np.abs(np.fft.rfft(part * np.hanning(len(part)), size)))
    grid = near * 2 ** (np.arange(-within, within + 0.5) / 1200)
    numbers = np.arange(1, 9)
    numbers = numbers[numbers * grid[-1] < 0.48 * RATE]
    at = np.outer(grid, numbers) * size / RATE
    low = at.astype(int)
    strength = (spectrum[low] * (1 - (at - low)) + spectrum[low + 1] * (at - low)).sum(1)
    best = int(np.argmax(strength))
    if 0 < best < len(grid) - 1:
        left, middle, right = strength[best - 1 : best + 2]
        shift = 0.5 * (left - right) / (left - 2 * middle + right) if left + right < 2 * middle else 0.0
        return float(grid[best] * 2 ** (shift / 1200))
    return float(grid[best])


def partial_level(wav: Wave, f0: float, *, hop: int = 64) -> tuple[Real, Real]:
    """Level in dB of the note's strongest partials over time, and the times in seconds. Each partial is followed in its own narrow band."""
    x = np.asarray(wav, dtype=np.float64)
    size = int(np.clip(2 ** np.round(np.log2(6 * RATE / f0)), 512, 4096))
    frames = np.lib.stride_tricks.sliding_window_view(x, size)[::hop]
    numbers = np.arange(1, 9)
    numbers = numbers[numbers * f0 < 0.45 * RATE]
    moments = np.arange(size)
    kernels = np.hanning(size)[:, None] * np.exp(-2j * np.pi * np.outer(moments, numbers * f0) / RATE)
    power = np.abs(frames @ kernels) ** 2
    strongest = np.argsort(power.sum(0))[-3:]
    level = 10 * np.log10(power[:, strongest].sum(1) + 1e-9)
    return level, (np.arange(len(frames)) * hop + size / 2) / RATE


def restarts(wav: Wave, f0: float, *, depth: float = 10.0, until: float = 2.9) -> int:
    """How often the partials of a note drop by ``depth`` dB and recover within a tenth of a second (SING-20).

    A change of the phase in the middle of a note sounds like this, and hardly affects the spectral loss. Counted until the key's release.
    """
    level, times = partial_level(wav, f0)
    chosen = (times > 0.1) & (times < until)
    level = level[chosen]
    if len(level) < 100:
        return 0
    step = 64 / RATE
    reach = round(0.12 / step)
    width = round(0.01 / step)
    # The levels around a gap: the highest level shortly before and shortly after it.
    padded = np.pad(level, reach, mode="edge")
    windows = np.lib.stride_tricks.sliding_window_view(padded, 2 * reach + 1)
    before, after = windows[:, : reach - width].max(1), windows[:, reach + width + 1 :].max(1)
    loud = np.minimum(before, after) > level.max() - 40
    gap = loud & (np.minimum(before, after) - level > depth)
    return int(np.count_nonzero(np.diff(gap.astype(int), prepend=0) == 1))


def tonal_artefact(wav: Wave, f0: float, *, start: float = 0.3, stop: float = 2.3) -> float:
    """Power of the lines at multiples of 62.5 Hz that exceed their surroundings, in dB of the note's power (SING-20).

    Lines of the note itself (harmonics within 8 Hz of a multiple) do not count. -120 if there are none.
    """
    part = np.asarray(wav[int(start * RATE) : int(stop * RATE)], dtype=np.float64)
    power = np.abs(np.fft.rfft(part * np.hanning(len(part)))) ** 2
    spacing = RATE / len(part)
    total = power.sum()
    excess = 0.0
    for multiple in np.arange(1, int(0.5 * RATE / TRANSPOSED_HZ)) * TRANSPOSED_HZ:
        distance = abs(multiple - round(multiple / f0) * f0) if multiple > f0 / 2 else multiple
        if distance < 8:
            continue
        middle = round(multiple / spacing)
        line = power[middle - 2 : middle + 3].sum()
        around = np.concatenate([power[middle - 16 : middle - 5], power[middle + 6 : middle + 17]])
        floor = 5 * float(np.median(around))
        if line > 4 * floor:
            excess += line - floor
    return float(10 * np.log10(max(excess / max(total, 1e-20), 1e-12)))


def level_error(wav: Wave, reference: Wave) -> float:
    """Level of a note relative to its recording in dB, from the energies of both; at most 60 dB either way."""
    energies = [float(np.square(np.asarray(x, dtype=np.float64)).sum()) + 1e-9 for x in (wav, reference)]
    return float(np.clip(10 * np.log10(energies[0] / energies[1]), -60, 60))


def power_spectrogram(wav: Wave) -> Real:
    """``(513, frames)``: windows of 1024, hop 256, as the spectral loss has them."""
    frames = np.lib.stride_tricks.sliding_window_view(np.asarray(wav, dtype=np.float64), 1024)[::256]
    return np.asarray(np.abs(np.fft.rfft(frames * np.hanning(1025)[:-1])).T ** 2)


def itakura_saito(power: Real, reference: Real, floor: float = 1e-6) -> float:
    """``mean(P / Q - ln(P / Q) - 1)`` of two power spectra (SING-28): 0 for equal ones, the same when both are scaled."""
    scale = floor * float(reference.mean()) + 1e-30
    ratio = (power + scale) / (reference + scale)
    return float(np.mean(ratio - np.log(ratio) - 1))


def distances(wav: Wave, reference: Wave) -> dict[str, float]:
    """The candidates for choosing a model (SING-28): mean squares of waveform, magnitudes and log spectrogram, and Itakura-Saito."""
    p, q = power_spectrogram(wav), power_spectrogram(reference)
    return {
        "waveform": float(np.square(np.asarray(wav, float) - np.asarray(reference, float)).mean()),
        "magnitude": float(np.square(np.sqrt(p) - np.sqrt(q)).mean()),
        "log_spectrogram": float(np.square(np.log(1 + p) - np.log(1 + q)).mean()),
        "itakura_saito": itakura_saito(p, q),
    }
