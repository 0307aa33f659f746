"""A baseline of masked spectrograms after Open-Unmix (thesis sections 1.3.2 and 3.5.2, BSE-07).

One network a source: a linear layer squeezes a frame of magnitudes, a bidirectional LSTM of three layers reads all frames, two
linear layers make a non-negative mask. What the sources claim is shared by the ratio of their powers (a Wiener filter without
spatial model), so the stems sum to the mix; the phase is the mixture's. Layer norms stand where the original has batch norms, so
that averaged weights are all there is to average.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Self

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from models.network import Separator, SeparatorConfig


@dataclass(frozen=True)
class OpenUnmixConfig(SeparatorConfig):
    """Sizes; the defaults are the original's, four networks of 8.9 M weights (the thesis prints 136 MB).

    Attributes:
        window, hop_length: of the STFT (Hann), in samples; the window is a multiple of the hop length.
        hidden: size of the LSTM's input and output.
        bandwidth: in Hz; the network does not look at what is above, though it masks it.
        wiener: share by ratios of powers; without it each source is its own mask times the mixture.
    """

    audio_channels: int = 2
    sources: tuple[str, ...] = ("drums", "bass", "other", "vocals")
    sample_rate: int = 44_100
    window: int = 4096
    hop_length: int = 1024
    hidden: int = 512
    layers: int = 3
    bandwidth: float = 16_000.0
    wiener: bool = True

    @property
    def hop(self) -> int:
        """Samples between two frames."""
        return self.hop_length

    @property
    def bins(self) -> int:
        """Frequencies of a frame."""
        return self.window // 2 + 1

    @property
    def seen_bins(self) -> int:
        """Frequencies below ``bandwidth``."""
        return min(self.bins, int(self.bandwidth * self.window / self.sample_rate) + 1)

    def tiny(self) -> Self:
        """A quarter of the window, one narrow layer."""
        return replace(self, window=1024, hop_length=256, hidden=32, layers=1)


class Spectrum(nn.Module):
    """STFT and its inverse, centred, by torch's transform or, for export, by matrix products (``matrices``)."""

    def __init__(self, window: int, hop: int) -> None:
        super().__init__()
        if window % hop:
            raise ValueError(f"The window of {window} samples is no multiple of the hop of {hop}.")
        self.size, self.hop = window, hop
        hann = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(window) / window)
        self.register_buffer("window", torch.from_numpy(hann.astype(np.float32)), persistent=False)
        self.matrices = False

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """``(n, time)`` -> real and imaginary part, ``(n, frames, bins)`` each."""
        if self.matrices:
            padded = F.pad(x, (self.size // 2, self.size // 2 + self._missing(x.shape[-1])))
            blocks = padded.reshape(len(x), -1, self.hop)  # (an unfold needs sizes that the exporter forgets)
            overlap = self.size // self.hop
            count = blocks.shape[1] - overlap + 1
            frames = torch.cat([blocks[:, j : j + count] for j in range(overlap)], dim=2) * self.get_buffer("window")
            cosine, sine = self._basis()
            return frames @ cosine.t(), -(frames @ sine.t())
        padded = F.pad(x, (0, self._missing(x.shape[-1])))
        spectrum = torch.stft(
            padded, self.size, self.hop, window=self.get_buffer("window"), pad_mode="constant", return_complex=True
        ).transpose(1, 2)
        return spectrum.real, spectrum.imag

    def inverse(self, real: Tensor, imaginary: Tensor, time: int) -> Tensor:
        """``(n, frames, bins)`` twice -> ``(n, time)``."""
        window = self.get_buffer("window")
        if not self.matrices:
            spectrum = torch.complex(real, imaginary).transpose(1, 2)
            length = time + self._missing(time)
            whole: Tensor = torch.istft(spectrum, self.size, self.hop, window=window, length=length)
            return whole[:, :time]
        cosine, sine = self._basis()
        weights = torch.full((len(cosine), 1), 2.0 / self.size)
        weights[0] = weights[-1] = 1.0 / self.size
        frames = (real @ (weights * cosine) - imaginary @ (weights * sine)) * window
        total = self._overlap_add(frames)
        energy = self._overlap_add((window**2).expand(1, frames.shape[1], self.size))
        start = self.size // 2
        return (total / energy.clamp(min=1e-8))[:, start : start + time]

    def _missing(self, time: int) -> int:
        """Silence to append, so that the last frame is a whole one."""
        return -int(time) % self.hop

    def _basis(self) -> tuple[Tensor, Tensor]:
        angle = 2 * np.pi * (np.outer(np.arange(self.size // 2 + 1), np.arange(self.size)) % self.size) / self.size
        return torch.from_numpy(np.cos(angle).astype(np.float32)), torch.from_numpy(np.sin(angle).astype(np.float32))

    def _overlap_add(self, frames: Tensor) -> Tensor:
        n, count, _ = frames.shape
        overlap = self.size // self.hop
        blocks = frames.reshape(n, count, overlap, self.hop)
        parts = [F.pad(blocks[:, :, j], (0, 0, j, overlap - 1 - j)) for j in range(overlap)]
        return torch.stack(parts).sum(dim=0).reshape(n, -1)


class Mask(nn.Module):
    """Magnitudes ``(batch, frames, channels, bins)`` -> a source's magnitudes, of the same shape."""

    def __init__(self, config: OpenUnmixConfig) -> None:
        super().__init__()
        hidden, channels = config.hidden, config.audio_channels
        self.seen, self.bins = config.seen_bins, config.bins
        self.mean, self.scale = nn.Parameter(torch.zeros(self.seen)), nn.Parameter(torch.ones(self.seen))
        self.squeeze, self.norm1 = nn.Linear(self.seen * channels, hidden, bias=False), nn.LayerNorm(hidden)
        self.lstm = nn.LSTM(hidden, hidden // 2, config.layers, bidirectional=True, batch_first=True)
        self.join, self.norm2 = nn.Linear(2 * hidden, hidden, bias=False), nn.LayerNorm(hidden)
        self.spread, self.norm3 = (
            nn.Linear(hidden, self.bins * channels, bias=False),
            nn.LayerNorm(self.bins * channels),
        )
        self.out_scale, self.out_mean = nn.Parameter(torch.ones(self.bins)), nn.Parameter(torch.ones(self.bins))

    def forward(self, magnitudes: Tensor) -> Tensor:
        """The mask times the input."""
        x = ((magnitudes[..., : self.seen] + self.mean) * self.scale).flatten(2)
        x = torch.tanh(self.norm1(self.squeeze(x)))
        x = torch.cat([x, self.lstm(x)[0]], dim=2)
        x = F.relu(self.norm2(self.join(x)))
        x = self.norm3(self.spread(x)).reshape(magnitudes.shape)
        return F.relu(x * self.out_scale + self.out_mean) * magnitudes


class OpenUnmix(Separator):
    """``(batch, channels, time)`` -> ``(batch, sources, channels, time)``, any length; offline, as it reads both directions."""

    def __init__(self, config: OpenUnmixConfig | None = None) -> None:
        super().__init__()
        self.config: OpenUnmixConfig = config or OpenUnmixConfig()
        self.spectrum = Spectrum(self.config.window, self.config.hop_length)
        self.targets = nn.ModuleList(Mask(self.config) for _ in self.config.sources)

    def forward(self, mix: Tensor) -> Tensor:
        """Separate ``mix``."""
        batch, channels, time = mix.shape
        real, imaginary = self.spectrum(mix.reshape(batch * channels, time).float())
        shape = (batch, channels, *real.shape[1:])
        real, imaginary = real.reshape(shape), imaginary.reshape(shape)
        magnitudes = (real.square() + imaginary.square() + 1e-12).sqrt()
        x = magnitudes.transpose(1, 2).to(mix.dtype)
        claims = torch.stack([target(x) for target in self.targets], dim=1).transpose(2, 3).to(real.dtype)
        masks = self._masks(claims, magnitudes[:, None])
        parts = [(masks * part[:, None]).flatten(0, 2) for part in (real, imaginary)]
        stems = self.spectrum.inverse(parts[0], parts[1], time)
        return stems.reshape(batch, -1, channels, time).to(mix.dtype)

    def _masks(self, claims: Tensor, magnitudes: Tensor) -> Tensor:
        """``(batch, sources, channels, frames, bins)`` of claimed magnitudes -> factors of the mixture's spectrum."""
        if not self.config.wiener:
            return claims / magnitudes
        power = claims.square() + 1e-10
        return power / power.sum(dim=1, keepdim=True)
