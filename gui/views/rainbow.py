"""A live rainbowgram (DSP-07): the constant-Q transform of ``models.rainbowgram``, one column at a time.

Each kernel is a narrow band of frequencies. So one Fourier transform for each column and a few products for each bin give the same result
as the sum over time offline; a test compares the two.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from gui.views.analysis import Frames, Samples
from models.rainbowgram import DYNAMIC_DB, bin_frequencies, colours, kernel

COLUMN_S = 0.016
_KEPT = 1e-3
"""Parts of a kernel's spectrum below this share of its peak are left out."""


class Rainbow:
    """Columns ``(k, bins, 3)`` of red, green and blue, lowest frequency first.

    Args:
        rate: Hz.
        peak_db: level of full brightness, dB of full scale.
    """

    def __init__(self, rate: int, peak_db: float = -12.0) -> None:
        frequencies = bin_frequencies()
        self.frequencies = frequencies[frequencies < 0.45 * rate]
        self.rows = len(self.frequencies)
        self.hop = max(1, round(rate * COLUMN_S))
        self._peak = 10 ** (peak_db / 20)
        self._build(rate)
        self._advance = self.frequencies * self.hop / rate
        self._turns: npt.NDArray[np.float64] | None = None

    def _build(self, rate: int) -> None:
        self.lag = len(kernel(self.frequencies[0], rate)) // 2
        self._frames = Frames(2 * self.lag + 1, self.hop)
        self._size = 1 << (2 * self.lag).bit_length()
        places, weights, starts, count = [], [], [], 0
        for frequency in self.frequencies:
            atom = kernel(frequency, rate)
            padded = np.zeros(self._size, np.complex128)
            first = self.lag - len(atom) // 2
            padded[first : first + len(atom)] = atom
            spectrum = np.fft.ifft(padded)[: self._size // 2 + 1]  # sum x h = sum X ifft(h), positive frequencies only
            kept = np.flatnonzero(np.abs(spectrum) > _KEPT * np.abs(spectrum).max())
            places.append(kept)
            weights.append(spectrum[kept].astype(np.complex64))
            starts.append(count)
            count += len(kept)
        self._places, self._weights = np.concatenate(places), np.concatenate(weights)
        self._starts = np.array(starts)

    def reset(self) -> None:
        """Announce that the next samples do not continue the last ones."""
        self._frames.reset()
        self._turns = None

    def transform(self, samples: Samples) -> npt.NDArray[np.complex64]:
        """The constant-Q transform of the columns that are complete: ``(k, bins)``."""
        frames = self._frames.feed(samples)
        result = np.empty((len(frames), self.rows), np.complex64)
        for row, frame in enumerate(frames):
            spectrum = np.fft.rfft(frame, self._size)
            result[row] = np.add.reduceat(spectrum[self._places] * self._weights, self._starts)
        return result

    def feed(self, samples: Samples) -> npt.NDArray[np.uint8]:
        """``(n,)`` -> columns."""
        found = self.transform(samples)
        if not len(found):
            return np.zeros((0, self.rows, 3), np.uint8)
        turns = np.angle(found).astype(np.float64) / (2 * np.pi)
        before = np.concatenate([(turns[:1] if self._turns is None else self._turns[None]), turns[:-1]])
        self._turns = turns[-1]
        deviation = np.mod(turns - before - self._advance + 0.5, 1.0) - 0.5
        level = 20 * np.log10(np.maximum(np.abs(found), 1e-9) / self._peak)
        return colours(np.clip(1 + level / DYNAMIC_DB, 0.0, 1.0), deviation)
