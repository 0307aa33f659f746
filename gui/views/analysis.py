"""Turns samples into columns: power on a mel or logarithmic frequency scale (DSP-06, Fig. 1.3), and the outline of a waveform."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt

Samples = npt.NDArray[np.float32]
Columns = npt.NDArray[np.float32]

COLUMNS_PER_S = 60
WINDOW_S = 0.085
SILENT_DB = -127.5
MEL_TOP = 8000.0
"""Hz; Fig. 1.3 of the thesis ends here."""


class Analyser(Protocol):
    """Turns samples into columns. Remaining samples are kept for the next call."""

    @property
    def rows(self) -> int: ...
    @property
    def hop(self) -> int: ...
    @property
    def lag(self) -> int:
        """Samples between the newest sample and the middle of the newest column."""

    def feed(self, samples: Samples) -> npt.NDArray[np.generic]:
        """``(n,)`` -> columns ``(k, rows, ...)``."""

    def reset(self) -> None:
        """Start again, because the next samples do not continue the last ones."""


def hz_to_mel(hz: npt.ArrayLike) -> npt.NDArray[np.float64]:
    """The mel scale ``2595 log10(1 + f / 700)``, which is older than Slaney's."""
    return np.asarray(2595 * np.log10(1 + np.asarray(hz, np.float64) / 700))


def mel_to_hz(mel: npt.ArrayLike) -> npt.NDArray[np.float64]:
    """Inverse of ``hz_to_mel``."""
    return np.asarray(700 * (10 ** (np.asarray(mel, np.float64) / 2595) - 1))


@dataclass(frozen=True)
class Scale:
    """The frequencies of a spectrogram's rows: ``mel`` or logarithmic, from ``low`` to ``high`` Hz."""

    mel: bool
    low: float
    high: float
    rows: int = 200

    @classmethod
    def named(cls, name: str, rate: int) -> Scale:
        """``mel`` (to 8 kHz, as in the thesis' Fig. 1.3) or ``log`` (from 30 Hz up), both below half the rate."""
        top = rate / 2
        return cls(True, 0.0, min(MEL_TOP, top)) if name == "mel" else cls(False, 30.0, min(20_000.0, top))

    def frequency(self, row: npt.ArrayLike) -> npt.NDArray[np.float64]:
        """Hz in the middle of a row; rows count from the lowest."""
        place = (np.asarray(row, np.float64) + 0.5) / self.rows
        if self.mel:
            low, high = hz_to_mel(self.low), hz_to_mel(self.high)
            return mel_to_hz(low + place * (high - low))
        return np.asarray(self.low * (self.high / self.low) ** place)

    def row(self, hz: float) -> float:
        """The row of a frequency: inverse of ``frequency``."""
        if self.mel:
            low, high = hz_to_mel(self.low), hz_to_mel(self.high)
            place = float((hz_to_mel(hz) - low) / (high - low))
        else:
            place = float(np.log(hz / self.low) / np.log(self.high / self.low))
        return place * self.rows - 0.5


def filter_bank(scale: Scale, rate: float, size: int) -> npt.NDArray[np.float32]:
    """Triangles over the bins of a transform of ``size``: ``(rows, size // 2 + 1)``, none negative, the highest 1.

    A triangle narrower than a bin becomes an interpolation between its two neighbours.
    """
    edges = scale.frequency(np.arange(-1, scale.rows + 1))
    low, middle, high = edges[:-2, None], edges[1:-1, None], edges[2:, None]
    step = rate / size
    low, high = np.minimum(low, middle - step), np.maximum(high, middle + step)
    bins = np.arange(size // 2 + 1) * step
    rising, falling = (bins - low) / (middle - low), (high - bins) / (high - middle)
    return np.maximum(0.0, np.minimum(rising, falling)).astype(np.float32)


class Frames:
    """Overlapping frames of a stream."""

    def __init__(self, size: int, hop: int) -> None:
        self.size, self.hop = size, hop
        self._rest = np.zeros(0, np.float32)
        self.reset()

    def reset(self) -> None:
        """Start with silence before the next sample, so that the first frame is complete one hop later."""
        self._rest = np.zeros(self.size - self.hop, np.float32)

    def feed(self, samples: Samples) -> npt.NDArray[np.float32]:
        """``(n,)`` -> ``(k, size)``, a view."""
        sound = np.concatenate([self._rest, samples])
        count = max(0, (len(sound) - self.size) // self.hop + 1)
        self._rest = sound[count * self.hop :]
        if not count:
            return np.zeros((0, self.size), np.float32)
        return np.lib.stride_tricks.sliding_window_view(sound, self.size)[:: self.hop][:count]


class Spectrum:
    """Power in dB, sixty columns a second: a sine of amplitude 1 is 0 dB, silence ``SILENT_DB``."""

    def __init__(self, rate: int, scale: Scale) -> None:
        self.scale, self.rows = scale, scale.rows
        self.hop = max(1, round(rate / COLUMNS_PER_S))
        size = max(self.hop, 1 << round(np.log2(rate * WINDOW_S)))
        self.lag = size // 2
        self._frames = Frames(size, self.hop)
        window = np.hanning(size + 1)[:-1]
        self._window = (window * (2 / window.sum())).astype(np.float32)
        self._bank = np.ascontiguousarray(filter_bank(scale, rate, size).T) / np.float32(1.5)  # Hann's noise bandwidth

    def reset(self) -> None:
        self._frames.reset()

    def feed(self, samples: Samples) -> Columns:
        frames = self._frames.feed(samples)
        spectrum = np.fft.rfft(frames * self._window, axis=1)
        power = (spectrum.real**2 + spectrum.imag**2).astype(np.float32) @ self._bank
        return np.asarray(10 * np.log10(np.maximum(power, 10 ** (SILENT_DB / 10))), np.float32)


class Outline:
    """Lowest and highest sample of each column: ``(k, 2)``, a hundred and twenty a second."""

    rows = 2

    def __init__(self, rate: int) -> None:
        self.hop = max(1, round(rate / (2 * COLUMNS_PER_S)))
        self.lag = self.hop // 2
        self._frames = Frames(self.hop, self.hop)

    def reset(self) -> None:
        self._frames.reset()

    def feed(self, samples: Samples) -> Columns:
        frames = self._frames.feed(samples)
        return np.stack([frames.min(axis=1, initial=0.0), frames.max(axis=1, initial=0.0)], axis=1)
