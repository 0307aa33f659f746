"""Layer norms over channels-last frames, with one signature: ``norm(x, state) -> (y, state)``.

``ChannelNorm`` looks at one frame and ``CumulativeNorm`` at all frames so far; both stream. ``GlobalNorm`` looks at everything,
the end included (thesis section 3.3, CTN-04), and does not.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

EPS = 1e-8


class _Norm(nn.Module):
    def __init__(self, channels: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(channels))
        self.bias = nn.Parameter(torch.zeros(channels))

    def initial_state(self, batch: int) -> Tensor:
        """Nothing to remember: a tensor without elements."""
        return self.weight.new_zeros(batch, 0)

    def _scaled(self, x: Tensor, mean: Tensor, variance: Tensor) -> Tensor:
        return (x - mean) / (variance + EPS).sqrt() * self.weight + self.bias


class ChannelNorm(_Norm):
    """Each frame by the mean and variance of its own channels."""

    def forward(self, x: Tensor, state: Tensor) -> tuple[Tensor, Tensor]:
        """``(batch, time, channels)`` -> the same; frame by frame, so any cutting into calls gives the same."""
        mean = x.mean(dim=2, keepdim=True)
        return self._scaled(x, mean, (x - mean).square().mean(dim=2, keepdim=True)), state


class GlobalNorm(_Norm):
    """By the mean and variance over channels and the whole time jointly, of each example (gLN)."""

    def forward(self, x: Tensor, state: Tensor) -> tuple[Tensor, Tensor]:
        """``(batch, time, channels)`` -> the same."""
        mean = x.mean(dim=(1, 2), keepdim=True)
        return self._scaled(x, mean, (x - mean).square().mean(dim=(1, 2), keepdim=True)), state


class CumulativeNorm(_Norm):
    """Each frame by the mean and variance of everything up to it (cLN).

    The state is ``(batch, 3)``: mean, mean square and number of frames so far. Means rather than sums, so that hours of sound
    lose no precision.
    """

    def initial_state(self, batch: int) -> Tensor:
        """No frame yet."""
        return self.weight.new_zeros(batch, 3)

    def forward(self, x: Tensor, state: Tensor) -> tuple[Tensor, Tensor]:
        """``(batch, time, channels)`` -> the same, in calls of any length."""
        wide = x.float() if x.dtype == torch.bfloat16 else x
        state = state.to(wide.dtype)
        moments = torch.stack([wide.mean(dim=2), wide.square().mean(dim=2)], dim=2)
        count = torch.arange(1, x.shape[1] + 1, dtype=wide.dtype, device=x.device)[None, :, None]
        before = state[:, None, 2:]
        mean, square = ((state[:, None, :2] * before + moments.cumsum(dim=1)) / (before + count)).split(1, dim=2)
        scaled = self._scaled(wide, mean, (square - mean.square()).clamp(min=0))
        seen = state[:, 2:] + x.shape[1]
        return scaled.to(x.dtype), torch.cat([mean[:, -1], square[:, -1], seen], dim=1)
