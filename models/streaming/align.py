"""Layers that shift time or change the rate, with state: what aligns networks whose frames begin where their input begins."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F


class StreamingDelay(nn.Module):
    """The input, ``frames`` frames later. Shape: ``(batch, time, channels)``; state ``(batch, frames, channels)``."""

    def __init__(self, frames: int, channels: int) -> None:
        super().__init__()
        self.frames, self.channels = frames, channels

    def initial_state(self, batch: int) -> Tensor:
        """Zeros."""
        return torch.zeros(batch, self.frames, self.channels)

    def forward(self, x: Tensor, state: Tensor) -> tuple[Tensor, Tensor]:
        """One call of any length."""
        if not self.frames:
            return x, state
        queue = torch.cat([state.to(x.dtype), x], dim=1)
        return queue[:, : x.shape[1]], queue[:, x.shape[1] :]


class _HalfBand(nn.Module):
    """A windowed sinc of ``2 * zeros`` taps between the samples (Smith and Gossett), for each channel."""

    def __init__(self, channels: int, zeros: int) -> None:
        super().__init__()
        self.channels, self.zeros = channels, zeros
        place = np.arange(-zeros, zeros) + 0.5
        taps = np.sinc(place) * np.cos(np.pi * place / (2 * zeros)) ** 2
        self.register_buffer("taps", torch.from_numpy(taps), persistent=False)

    def initial_state(self, batch: int) -> Tensor:
        """Silence before the beginning."""
        return torch.zeros(batch, 2 * self.zeros - 1, self._width)

    @property
    def _width(self) -> int:
        return self.channels

    def _between(self, x: Tensor) -> Tensor:
        """``(batch, time + 2 * zeros - 1, channels)`` -> ``(batch, time, channels)``."""
        batch, _, channels = x.shape
        taps = self.get_buffer("taps").to(x.dtype)[None, None]
        lanes = x.transpose(1, 2).reshape(batch * channels, 1, -1)
        return F.conv1d(lanes, taps).reshape(batch, channels, -1).transpose(1, 2)


class StreamingUpsample2(_HalfBand):
    """Twice the rate, ``delay`` input samples late. Shape: ``(batch, time, channels)`` -> ``(batch, 2 * time, channels)``."""

    @property
    def delay(self) -> int:
        """Input samples by which the output lags."""
        return self.zeros

    def forward(self, x: Tensor, state: Tensor) -> tuple[Tensor, Tensor]:
        """One call of any length."""
        batch, time, channels = x.shape
        queue = torch.cat([state.to(x.dtype), x], dim=1)
        here = queue[:, self.zeros - 1 : self.zeros - 1 + time]
        both = torch.stack([here, self._between(queue)], dim=2)
        return both.reshape(batch, 2 * time, channels), queue[:, time:]


class StreamingDownsample2(_HalfBand):
    """Half the rate, ``delay`` output samples late. Shape: ``(batch, 2 * time, channels)`` -> ``(batch, time, channels)``."""

    @property
    def delay(self) -> int:
        """Output samples by which the output lags."""
        return self.zeros - 1

    @property
    def _width(self) -> int:
        return 2 * self.channels

    def forward(self, x: Tensor, state: Tensor) -> tuple[Tensor, Tensor]:
        """One call of an even number of samples."""
        batch, time, channels = x.shape
        pairs = torch.cat([state.to(x.dtype), x.reshape(batch, time // 2, 2 * channels)], dim=1)
        even, odd = pairs[:, self.zeros : self.zeros + time // 2, :channels], pairs[:, :, channels:]
        return 0.5 * (even + self._between(odd)), pairs[:, time // 2 :]
