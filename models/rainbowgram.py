"""Rainbowgrams (DSP-07, Fig. 1.1 and 2.2): a constant-Q transform whose brightness is the log power and whose colour is the derivative of
the phase, that is how far the sounding frequency lies from the bin's. NumPy only, so that the window can draw them too.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

HOP = 256
BINS_PER_OCTAVE = 48
DYNAMIC_DB = 70.0

Real = npt.NDArray[np.float64]


def bin_frequencies(lowest: float = 65.406, octaves: int = 6) -> Real:
    """Centres in Hz: 48 an octave from C2."""
    return np.asarray(lowest * 2 ** (np.arange(octaves * BINS_PER_OCTAVE) / BINS_PER_OCTAVE))


def constant_q(
    audio: npt.ArrayLike, rate: float, frequencies: Real | None = None, hop: int = HOP
) -> npt.NDArray[np.complex128]:
    """``(samples,)`` -> ``(bins, 1 + samples // hop)``: Hann-windowed, as long as 34 periods; a sine of amplitude 1 gives magnitude 1.

    A window's phase counts from its centre. Bins above half the rate are 0.
    """
    x = np.asarray(audio, dtype=np.float64)
    frequencies = bin_frequencies() if frequencies is None else frequencies
    count = 1 + len(x) // hop
    result = np.zeros((len(frequencies), count), np.complex128)
    for k, frequency in enumerate(frequencies):
        if frequency >= rate / 2:
            continue
        atom = kernel(frequency, rate)
        half = len(atom) // 2
        padded = np.pad(x, (half, half + hop))
        frames = np.lib.stride_tricks.sliding_window_view(padded, len(atom))[::hop][:count]
        result[k] = frames @ atom
    return result


def kernel(frequency: float, rate: float) -> npt.NDArray[np.complex128]:
    """What one bin multiplies the sound around a moment with: a Hann window of 34 periods, of odd length, phase 0 at its centre."""
    half = round(17 * rate / frequency)
    moments = np.arange(-half, half + 1)
    window = np.hanning(2 * half + 3)[1:-1]
    return np.asarray(window * np.exp(-2j * np.pi * frequency / rate * moments) * (2 / window.sum()))


def phase_deviation(transform: npt.NDArray[np.complex128], rate: float, frequencies: Real, hop: int = HOP) -> Real:
    """Derivative of the phase less that of the bin's own frequency, in turns a hop, -.5 to .5: ``(bins, frames)``.

    A tone in the middle of a bin has 0; one beside it a constant.
    """
    turns = np.angle(transform) / (2 * np.pi)
    change = np.diff(turns, axis=1, prepend=turns[:, :1]) - (frequencies * hop / rate)[:, None]
    change[:, 0] = change[:, 1] if change.shape[1] > 1 else 0.0
    return np.asarray(np.mod(change + 0.5, 1.0) - 0.5)


def rainbowgram(
    audio: npt.ArrayLike, rate: float, frequencies: Real | None = None, peak: float | None = None
) -> npt.NDArray[np.uint8]:
    """A picture ``(bins, frames, 3)``, low frequencies last; black where nothing sounds.

    Args:
        peak: magnitude of full brightness, to compare pictures; that of this sound if None.
    """
    frequencies = bin_frequencies() if frequencies is None else frequencies
    transform = constant_q(audio, rate, frequencies)
    magnitude = np.abs(transform)
    top = magnitude.max() if peak is None else peak
    level = 20 * np.log10(np.maximum(magnitude, 1e-9) / max(float(top), 1e-9))
    value = np.clip(1 + level / DYNAMIC_DB, 0, 1) if top > 1e-7 else np.zeros_like(level)
    return colours(value, phase_deviation(transform, rate, frequencies))[::-1]


def colours(value: Real, deviation: Real) -> npt.NDArray[np.uint8]:
    """Brightness 0 to 1 and deviation in turns (the hue) as red, green and blue ``(..., 3)``."""
    hue = np.mod(deviation, 1.0)
    colour = np.clip(np.abs(np.mod(6 * hue[..., None] + np.array([0, 4, 2]), 6) - 3) - 1, 0, 1)
    return np.asarray(255 * value[..., None] * (0.25 + 0.75 * colour), dtype=np.uint8)
