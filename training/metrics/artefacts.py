"""Meters of the faults that the thesis' listeners named (MUS-09): static noise between 1 and 2 kHz, and missing notes.

Shape:
    ``(channels, time)`` each.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]
FRAME_SECONDS = 0.05


def band_error_db(estimate: Array, reference: Array, rate: int = 44_100, low: float = 1e3, high: float = 2e3) -> float:
    """Energy of the error between ``low`` and ``high`` Hz, in dB of the reference's whole energy; -inf if there is none."""
    spectrum = np.abs(np.fft.rfft(np.asarray(estimate, np.float64) - reference)) ** 2
    frequencies = np.fft.rfftfreq(reference.shape[-1], 1 / rate)
    band = spectrum[..., (frequencies >= low) & (frequencies < high)].sum()
    whole = (np.abs(np.fft.rfft(np.asarray(reference, np.float64))) ** 2).sum()
    if whole == 0:
        return float("nan")
    return float(10 * np.log10(band / whole)) if band > 0 else float("-inf")


def missing_share(estimate: Array, reference: Array, rate: int = 44_100, drop_db: float = 20.0) -> float:
    """Share of the reference's audible frames (within 40 dB of its loudest) where the estimate is ``drop_db`` or more below it."""
    frame = int(FRAME_SECONDS * rate)
    true, guess = _energies(reference, frame), _energies(estimate, frame)
    audible = true > 1e-4 * true.max(initial=0.0)
    if not audible.any():
        return float("nan")
    return float(np.mean(guess[audible] < true[audible] * 10 ** (-drop_db / 10)))


def _energies(x: Array, frame: int) -> npt.NDArray[np.float64]:
    count = x.shape[-1] // frame
    framed = np.asarray(x, np.float64)[..., : count * frame].reshape(*x.shape[:-1], count, frame)
    return np.asarray(np.square(framed).mean(axis=(0, -1)))
