"""The short-time Fourier transform of all oracles: 4096 samples with a hop of 1024, Hann, perfect reconstruction (DSP-04)."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from training.data.store import Stems

SIZE, HOP = 4096, 1024


def spectra(audio: Stems | Tensor, size: int = SIZE, hop: int = HOP) -> Tensor:
    """``(..., time)`` -> complex ``(..., bins, frames)``."""
    x = torch.as_tensor(audio)
    flat = torch.stft(
        x.reshape(-1, x.shape[-1]), size, hop, window=torch.hann_window(size, dtype=x.dtype), return_complex=True
    )
    return flat.reshape(*x.shape[:-1], *flat.shape[-2:])


def signal(spectrum: Tensor, length: int, size: int = SIZE, hop: int = HOP) -> Stems:
    """The inverse, ``length`` samples long."""
    window = torch.hann_window(size, dtype=spectrum.real.dtype)
    flat = torch.istft(spectrum.reshape(-1, *spectrum.shape[-2:]), size, hop, window=window, length=length)
    return np.asarray(flat.reshape(*spectrum.shape[:-2], length).numpy(), np.float32)
