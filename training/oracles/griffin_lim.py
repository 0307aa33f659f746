"""Sound from a magnitude spectrogram by Griffin and Lim's iteration (DSP-08), which spectrogram models needed before SING."""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
from torch import Tensor

from training.data.store import Stems
from training.oracles.stft import HOP, SIZE, signal, spectra


def convergence(magnitudes: Tensor, sound: Stems) -> float:
    """``norm(|STFT(sound)| - magnitudes) / norm(magnitudes)``; 0 when the sound has this spectrogram."""
    size = 2 * (magnitudes.shape[-2] - 1)
    return float((spectra(sound, size, size // 4).abs() - magnitudes).norm() / magnitudes.norm())


def griffin_lim(
    magnitudes: Tensor,
    length: int,
    iterations: int = 60,
    phase: Tensor | None = None,
    seed: int = 0,
    watch: Callable[[float], None] | None = None,
) -> Stems:
    """``magnitudes (..., bins, frames)``, whose hop is a quarter of the window, to ``(..., length)``.

    Args:
        phase: initial phase in radians; random by default.
        watch: called with the spectral convergence of each iteration, which never increases.
    """
    size = 2 * (magnitudes.shape[-2] - 1)
    hop = size // 4
    if phase is None:
        phase = 2 * math.pi * torch.rand(magnitudes.shape, generator=torch.Generator().manual_seed(seed))
    estimate = torch.polar(magnitudes, phase)
    for _ in range(iterations):
        again = spectra(signal(estimate, length, size, hop), size, hop)
        if watch is not None:
            watch(float((again.abs() - magnitudes).norm() / magnitudes.norm()))
        estimate = torch.polar(magnitudes, again.angle())
    return signal(estimate, length, size, hop)


def oracle_griffin_lim(stems: Stems, iterations: int = 32) -> Stems:
    """True magnitudes without their phase. It shows how much a waveform score depends on the phase."""
    return griffin_lim(spectra(stems, SIZE, HOP).abs(), stems.shape[-1], iterations)
