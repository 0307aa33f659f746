"""The scores of the ``museval`` package (BSS Eval v4), for many estimates of one song at the cost of one (MUS-04).

museval solves a linear system of ``sources * channels * 512`` unknowns for every estimate of every source. The matrix depends only on
the references, so it is factorised once per song here, by the same LAPACK routine; scores agree to a thousandth of a decibel
(``tests/training/metrics/test_museval.py`` compares).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.fft import irfft, next_fast_len, rfft
from scipy.linalg import lu_factor, lu_solve, toeplitz

Array = npt.NDArray[np.float64]
TAPS = 512


@dataclass(frozen=True)
class FrameScores:
    """Scores in dB, ``(sources, frames)`` each; NaN in frames where a reference or an estimate is all zero, as in museval."""

    sdr: Array
    isr: Array
    sir: Array
    sar: Array


class References:
    """The true sources of a song, prepared for scoring.

    Args:
        stems: ``(sources, channels, time)``.
        frame: samples of a frame. Frames do not overlap, and an incomplete last one does not count.

    Raises:
        ValueError: the stems are shorter than a frame.
    """

    def __init__(self, stems: npt.NDArray[Any], frame: int = 44_100, taps: int = TAPS) -> None:
        self.stems = np.asarray(stems, np.float64)
        self.frame, self.taps = frame, taps
        self.sources, self.channels, length = self.stems.shape
        if length < frame:
            raise ValueError(f"a song of {length} samples is shorter than a frame of {frame}")
        self.size = next_fast_len(length + taps - 1, real=True)
        flat = self.stems.reshape(-1, length)
        self.spectra = rfft(flat, self.size)
        gram = self._gram()
        block = self.channels * taps
        self.own = [
            lu_factor(gram[k : k + block, k : k + block], check_finite=False) for k in range(0, len(gram), block)
        ]
        self.all = lu_factor(gram, overwrite_a=True, check_finite=False)

    def _gram(self) -> Array:
        """Inner products of all delayed references, ``(sources * channels * taps,) * 2``, with museval's regularisation."""
        count, taps = len(self.spectra), self.taps
        gram = np.empty((count * taps, count * taps))
        for i in range(count):
            for j in range(i, count):
                products = irfft(self.spectra[j] * np.conj(self.spectra[i]), self.size)
                tile = toeplitz(np.hstack((products[0], products[-1:-taps:-1])), products[:taps])
                gram[j * taps : (j + 1) * taps, i * taps : (i + 1) * taps] = tile
                gram[i * taps : (i + 1) * taps, j * taps : (j + 1) * taps] = tile.T
        gram[np.diag_indices_from(gram)] += np.finfo(float).eps
        return gram

    def score(self, estimates: npt.NDArray[Any]) -> FrameScores:
        """Scores of estimates of all sources, shaped like the references."""
        estimates = np.asarray(estimates, np.float64)
        if estimates.shape != self.stems.shape:
            raise ValueError(f"estimates of shape {estimates.shape} for references of {self.stems.shape}")
        own, every = self._filters(estimates)
        count = self.stems.shape[-1] // self.frame
        rows = np.full((4, self.sources, count), np.nan)
        for number in range(count):
            window = slice(number * self.frame, (number + 1) * self.frame)
            true, guess = self.stems[..., window], estimates[..., window]
            if true.any(axis=(1, 2)).all() and guess.any(axis=(1, 2)).all():
                rows[:, :, number] = self._frame(true, guess, own, every)
        return FrameScores(*rows)

    def _filters(self, estimates: Array) -> tuple[Array, Array]:
        """Least-squares filters from references to estimates, as spectra of a frame's size.

        Returns:
            ``own (sources, channels in, channels out, bins)``: from the source itself; ``every (sources, references, channels out, bins)``.
        """
        spectra = rfft(estimates.reshape(-1, estimates.shape[-1]), self.size)
        products = irfft(self.spectra[:, None] * np.conj(spectra[None]), self.size)
        delays = np.concatenate((products[..., :1], products[..., -1 : -self.taps : -1]), axis=-1)
        # (references, estimates, taps) -> (references * taps, estimates)
        right = delays.transpose(0, 2, 1).reshape(-1, delays.shape[1])
        block, taps, channels = self.channels * self.taps, self.taps, self.channels
        every = lu_solve(self.all, right, check_finite=False).reshape(-1, taps, self.sources, channels)
        own = np.stack(
            [
                lu_solve(
                    lu, right[k * block : (k + 1) * block, k * channels : (k + 1) * channels], check_finite=False
                ).reshape(channels, taps, channels)
                for k, lu in enumerate(self.own)
            ]
        )
        size = next_fast_len(self.frame + taps - 1, real=True)
        return rfft(own.swapaxes(2, 3), size), rfft(every.transpose(2, 0, 3, 1), size)

    def _frame(self, true: Array, guess: Array, own: Array, every: Array) -> Array:
        """``(4, sources)``: SDR, ISR, SIR, SAR of one frame."""
        length = self.frame + self.taps - 1
        size = next_fast_len(length, real=True)
        spectra = rfft(true, size)
        filtered = irfft(np.einsum("sib,siob->sob", spectra, own), size)[..., :length]
        explained = irfft(np.einsum("rb,srob->sob", spectra.reshape(-1, spectra.shape[-1]), every), size)[..., :length]
        padding = ((0, 0), (0, 0), (0, self.taps - 1))
        true, guess = np.pad(true, padding), np.pad(guess, padding)
        return np.stack(
            [
                _decibels(true, guess - true),
                _decibels(true, filtered - true),
                _decibels(filtered, explained - filtered),
                _decibels(explained, guess - explained),
            ]
        )


def _decibels(signal: Array, error: Array) -> Array:
    with np.errstate(divide="ignore"):
        return np.asarray(10 * np.log10(np.square(signal).sum(axis=(1, 2)) / np.square(error).sum(axis=(1, 2))))


def bss_eval_sources(reference: npt.NDArray[Any], estimate: npt.NDArray[Any]) -> tuple[Array, Array, Array]:
    """SDR, SIR and SAR of whole mono signals ``(sources, time)`` with 512-tap filters (BSS Eval v3), by ``fast-bss-eval``.

    It has no scores of stereo images or of frames, for which ``References`` exists. For mono it equals museval and is faster.
    """
    import fast_bss_eval
    import torch

    pair = (torch.as_tensor(np.asarray(x, np.float64)) for x in (reference, estimate))
    sdr, sir, sar = fast_bss_eval.bss_eval_sources(*pair, compute_permutation=False)
    return sdr.numpy(), sir.numpy(), sar.numpy()
