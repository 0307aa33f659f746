"""Ideal masks (BSE-01, BSE-02): the best possible masks on a spectrogram with the mixture's phase."""

from __future__ import annotations

import torch
from torch import Tensor

from training.data.store import Stems
from training.oracles.stft import signal, spectra


def ratio_mask(magnitudes: Tensor, power: float = 2.0) -> Tensor:
    """``|S_s|^power / sum_j |S_j|^power`` over the first axis; equal shares if all sources are silent, so it sums to 1."""
    energies = magnitudes**power
    total = energies.sum(dim=0, keepdim=True)
    return torch.where(total > 0, energies / total.clamp_min(torch.finfo(total.dtype).tiny), 1 / len(magnitudes))


def binary_mask(magnitudes: Tensor) -> Tensor:
    """1 for the loudest source of each bin, 0 for the others (the first wins a tie)."""
    winner = magnitudes.argmax(dim=0, keepdim=True)
    return torch.zeros_like(magnitudes).scatter_(0, winner, 1.0)


def apply_mask(mask: Tensor, mix: Stems) -> Stems:
    """Apply ``mask (sources, channels, bins, frames)`` to ``mix (channels, time)``, with the mixture's phase."""
    return signal(mask * spectra(mix)[None], mix.shape[-1])


def ideal_ratio_mask(stems: Stems, power: float = 2.0) -> Stems:
    """The IRM oracle. ``power`` 2 is the one in Table 3.1 (erratum 35), 1 is the ratio of magnitudes."""
    return apply_mask(ratio_mask(spectra(stems).abs(), power), stems.sum(axis=0))


def ideal_binary_mask(stems: Stems) -> Stems:
    """The IBM oracle."""
    return apply_mask(binary_mask(spectra(stems).abs()), stems.sum(axis=0))
