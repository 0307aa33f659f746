"""Transforms in two stages against those of numpy."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from models.fourier import SplitTransform

SIZES = [(1024, 256), (2048, 256), (128, 32), (96, 24), (100, 10), (50, 5), (14, 7)]


def ordered(spectrum: np.ndarray, transform: SplitTransform) -> np.ndarray:
    """All bins of a transform as the two stages order them."""
    return spectrum[..., transform.bins.reshape(-1)]


@pytest.mark.parametrize(("size", "hop"), SIZES)
def test_two_stages_make_the_spectrum(size: int, hop: int) -> None:
    transform = SplitTransform(size, hop)
    frames = np.random.default_rng(0).standard_normal((3, 2, size)).astype(np.float32)
    real, imaginary = transform(torch.from_numpy(frames))
    expected = ordered(np.fft.fft(frames.astype(np.float64)), transform)
    assert np.abs(real.numpy() - expected.real).max() < 1e-4
    assert np.abs(imaginary.numpy() - expected.imag).max() < 1e-4


@pytest.mark.parametrize(("size", "hop"), SIZES)
def test_each_bin_counts_once(size: int, hop: int) -> None:
    transform = SplitTransform(size, hop)
    folded = np.minimum(transform.bins, size - transform.bins)
    counts = np.bincount(folded.reshape(-1), weights=transform.weights.reshape(-1), minlength=size // 2 + 1)
    assert np.array_equal(counts, np.ones(size // 2 + 1))


@pytest.mark.parametrize(("size", "hop"), SIZES)
def test_the_newest_hop_is_filtered(size: int, hop: int) -> None:
    transform, rng = SplitTransform(size, hop), np.random.default_rng(1)
    frame, response = rng.standard_normal((2, size)), rng.standard_normal((4, 2, size))
    filters = ordered(np.fft.fft(response), transform).reshape(4, 2, *transform.bins.shape)
    flat = np.concatenate([filters.real, filters.imag], axis=3).reshape(4, 2, -1)
    parts = transform.doubled(torch.from_numpy(frame).float())
    newest = transform.newest(torch.from_numpy(flat).float(), *parts).numpy()
    expected = np.fft.ifft(np.fft.fft(response) * np.fft.fft(frame)).real[..., -hop:]
    assert newest.shape == (4, 2, hop)
    assert np.abs(newest - expected).max() < 1e-5 * np.abs(expected).max() * np.sqrt(size)
