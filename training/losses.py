"""Waveform losses of section 3.4.2 (EQ-DMX-2) and the optional spectral term of section 1.3.4 (DMX-13).

Shape:
    estimates and references are ``(batch, sources, channels, time)``; each loss is a scalar.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

Loss = Callable[[Tensor, Tensor], Tensor]


def l1_loss(estimate: Tensor, reference: Tensor) -> Tensor:
    """Mean absolute error over time, channels, sources and batch: the thesis' default."""
    return (estimate - reference).abs().mean()


def l2_loss(estimate: Tensor, reference: Tensor) -> Tensor:
    """Mean squared error."""
    return (estimate - reference).square().mean()


def spectral_loss(estimate: Tensor, reference: Tensor, size: int = 2048, hop: int = 512, floor: float = 1e-3) -> Tensor:
    """Mean absolute difference of log power spectra, of every channel: ``log(floor + |STFT|^2)``, Hann window of ``size``."""

    def log_power(x: Tensor) -> Tensor:
        window = torch.hann_window(size, dtype=x.dtype, device=x.device)
        spectrum = torch.stft(x.reshape(-1, x.shape[-1]), size, hop, window=window, return_complex=True)
        return torch.log(floor + spectrum.real.square() + spectrum.imag.square())

    return (log_power(estimate) - log_power(reference)).abs().mean()


WAVEFORM_LOSSES: dict[str, Loss] = {"l1": l1_loss, "l2": l2_loss}


def separation_loss(kind: str, spectral: float = 0.0, skip: int = 0) -> Loss:
    """The waveform loss ``kind`` plus ``spectral`` times the spectral loss, without the first ``skip`` samples.

    A causal network starts each example knowing nothing; its first samples would only teach it to be cautious.
    """
    waveform = WAVEFORM_LOSSES[kind]

    def loss(estimate: Tensor, reference: Tensor) -> Tensor:
        estimate, reference = estimate[..., skip:], reference[..., skip:]
        total = waveform(estimate, reference)
        return total + spectral * spectral_loss(estimate, reference) if spectral else total

    return loss
