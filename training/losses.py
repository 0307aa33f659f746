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


def log_mse_loss(estimate: Tensor, reference: Tensor, floor: float = 1e-3) -> Tensor:
    """Mean over examples and sources of ``10 log10(sum (s - e)^2 + floor * sum x^2)`` relative to the mix's energy, in dB.

    If a source is not silent, this is its negative SDR up to a constant, so quiet songs count as much as loud ones, as in the median of
    SDRs that we report. With ``floor``, errors more than 30 dB below the mix hardly count, also for silent sources (Wisdom et al. 2021).
    """
    error = (estimate - reference).square().sum((2, 3))
    mix = reference.sum(dim=1).square().sum((1, 2))[:, None] + 1e-6
    return 10 * torch.log10(error / mix + floor).mean()


def si_snr_loss(estimate: Tensor, reference: Tensor) -> Tensor:
    """Mean negative SI-SNR in dB of every channel (CTN-03), from -100 for a perfect estimate. Scale and constant offset do not matter.

    A silent reference does not count: all estimates of it are equally good.
    """
    estimate = estimate - estimate.mean(dim=-1, keepdim=True)
    reference = reference - reference.mean(dim=-1, keepdim=True)
    energy = reference.square().sum(dim=-1, keepdim=True)
    wanted = reference * (estimate * reference).sum(dim=-1, keepdim=True) / energy.clamp_min(1e-8)
    signal, error = wanted.square().sum(dim=-1), (estimate - wanted).square().sum(dim=-1)
    decibels = 10 * torch.log10((signal + 1e-10 * error + 1e-20) / (error + 1e-10 * signal + 1e-20))
    sounding = (energy[..., 0] > 1e-8).to(decibels.dtype)
    return -(decibels * sounding).mean()


def l1_si_snr_loss(estimate: Tensor, reference: Tensor, weight: float = 1e-3) -> Tensor:
    """L1, which depends on the level, plus a little SI-SNR, in which quiet sources count as much as loud ones."""
    return l1_loss(estimate, reference) + weight * si_snr_loss(estimate, reference)


def multiresolution_loss(estimate: Tensor, reference: Tensor, sizes: tuple[int, ...] = (512, 2048, 4096)) -> Tensor:
    """The spectral loss with several windows, in equal parts: short windows resolve attacks, long ones neighbouring lines."""
    parts = [spectral_loss(estimate, reference, size, size // 4) for size in sizes if size <= estimate.shape[-1]]
    return torch.stack(parts).mean()


def spectral_loss(estimate: Tensor, reference: Tensor, size: int = 2048, hop: int = 512, floor: float = 1e-3) -> Tensor:
    """Mean absolute difference of log power spectra, of every channel: ``log(floor + |STFT|^2)``, Hann window of ``size``."""

    def log_power(x: Tensor) -> Tensor:
        window = torch.hann_window(size, dtype=x.dtype, device=x.device)
        spectrum = torch.stft(x.reshape(-1, x.shape[-1]), size, hop, window=window, return_complex=True)
        return torch.log(floor + spectrum.real.square() + spectrum.imag.square())

    return (log_power(estimate) - log_power(reference)).abs().mean()


WAVEFORM_LOSSES: dict[str, Loss] = {
    "l1": l1_loss,
    "l2": l2_loss,
    "log_mse": log_mse_loss,
    "si_snr": si_snr_loss,
    "l1_si_snr": l1_si_snr_loss,
}


def separation_loss(kind: str, spectral: float = 0.0, skip: int = 0, windows: int = 1) -> Loss:
    """The waveform loss ``kind`` plus ``spectral`` times the spectral loss, without the first ``skip`` samples.

    With more ``windows`` than one the spectral loss is the multi-resolution one.

    A causal network starts each example without any past; its first samples would only teach it to be cautious.
    """
    waveform = WAVEFORM_LOSSES[kind]

    def loss(estimate: Tensor, reference: Tensor) -> Tensor:
        estimate, reference = estimate[..., skip:], reference[..., skip:]
        total = waveform(estimate, reference)
        if not spectral:
            return total
        return total + spectral * (multiresolution_loss if windows > 1 else spectral_loss)(estimate, reference)

    return loss


def log_power(x: Tensor, floor: float = 1.0, size: int = 1024) -> Tensor:
    """Log-power spectrogram of notes (thesis 2.2, SING-16): ``(batch, time)`` -> ``(batch, size // 2 + 1, frames)``.

    STFT of 1024 with hop 256 (a quarter of ``size``), un-normalised, Hann window of maximum 1, no centre padding, natural logarithm of
    ``floor + power``.
    """
    window = torch.hann_window(size, dtype=x.dtype, device=x.device)
    spectrum = torch.stft(x, size, size // 4, window=window, center=False, return_complex=True)
    return torch.log(floor + spectrum.real.square() + spectrum.imag.square())


def note_spectral_loss(estimate: Tensor, reference: Tensor, floor: float = 1.0) -> Tensor:
    """Mean absolute difference of log-power spectrograms (thesis 2.3, errata 11, SING-17), independent of sign and nearly of phase."""
    return (log_power(estimate, floor) - log_power(reference, floor)).abs().mean()


def multiscale_loss(estimate: Tensor, reference: Tensor) -> Tensor:
    """The spectral loss with windows of 1024 and 4096 samples, in equal parts.

    A window of 1024 at 16 kHz does not resolve lines less than 62.5 Hz apart, which is the rate of the decoder's frames. It shows neither
    a change of the phase from frame to frame nor a line beside a harmonic. A window four times as long does.
    """
    long = (log_power(estimate, 4.0, 4096) - log_power(reference, 4.0, 4096)).abs().mean()
    return 0.5 * (note_spectral_loss(estimate, reference) + long)


def loudness_loss(estimate: Tensor, reference: Tensor, weight: float = 0.01, floor: float = 1e-7) -> Tensor:
    """``multiscale_loss`` plus ``weight`` times the mean difference of the frames' log energies (1024 samples, hop 256).

    Absolute differences of log spectra are least at the median: where a network is not sure of a line's frequency, silence is the best
    answer, and quiet lines hardly count beside the 1 that is added to each power. Notes of bells came out 15 dB too quiet. The energy of
    a frame does not depend on where the lines are. ``floor`` is -70 dBFS.
    """

    def energy(x: Tensor) -> Tensor:
        return torch.log(floor + x.unfold(-1, 1024, 256).square().mean(-1))

    return multiscale_loss(estimate, reference) + weight * (energy(estimate) - energy(reference)).abs().mean()


def relative_loss(estimate: Tensor, reference: Tensor) -> Tensor:
    """Squared error relative to each note's own energy.

    An autoencoder starts with this loss: near silence the spectral loss is flat (``log(1 + power)`` of a small power), and a network whose
    first output is nearly silent stays there for thousands of updates.
    """
    return ((estimate - reference).square().mean(-1) / (reference.square().mean(-1) + 1e-4)).mean()


NOTE_LOSSES: dict[str, Loss] = {
    "spectral": note_spectral_loss,
    "waveform": l2_loss,
    "relative": relative_loss,
    "multiscale": multiscale_loss,
    "loudness": loudness_loss,
}
"""Losses by name: the thesis' final choice, its baseline (SING-14), our first loss and our last two."""
