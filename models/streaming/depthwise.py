"""Dilated depthwise convolutions: one filter a channel, a sum of shifted products, which suits channels-last frames."""

from __future__ import annotations

import torch
from torch import Tensor, nn


class StreamingDepthwise(nn.Module):
    """A left-padded depthwise convolution without bias that carries its left context.

    Shape:
        input and output ``(batch, time, channels)``; state ``(batch, (kernel - 1) * dilation, channels)``.
    """

    def __init__(self, channels: int, kernel: int, dilation: int) -> None:
        super().__init__()
        self.weight = nn.Conv1d(channels, channels, kernel, groups=channels, bias=False).weight
        self.kernel, self.dilation = kernel, dilation

    @property
    def context(self) -> int:
        """Frames of the past that the next call needs."""
        return (self.kernel - 1) * self.dilation

    def initial_state(self, batch: int) -> Tensor:
        """Silence before the beginning."""
        return self.weight.new_zeros(batch, self.context, len(self.weight))

    def forward(self, x: Tensor, state: Tensor) -> tuple[Tensor, Tensor]:
        """One call of any length; returns the output and the state for the next call."""
        padded = torch.cat([state.to(x.dtype), x], dim=1)
        return self._products(padded, x.shape[1]), padded[:, padded.shape[1] - self.context :]

    def _products(self, padded: Tensor, time: int) -> Tensor:
        total = padded[:, :time] * self.weight[:, 0, 0]
        for tap in range(1, self.kernel):
            start = tap * self.dilation
            total = total + padded[:, start : start + time] * self.weight[:, 0, tap]
        return total


class CentredDepthwise(StreamingDepthwise):
    """The same padded on both sides, for networks that do not stream; it has no state."""

    def initial_state(self, batch: int) -> Tensor:
        """Nothing to remember."""
        return self.weight.new_zeros(batch, 0, len(self.weight))

    def forward(self, x: Tensor, state: Tensor) -> tuple[Tensor, Tensor]:
        """The whole of ``x``."""
        left = self.context // 2
        padded = nn.functional.pad(x, (0, 0, left, self.context - left))
        return self._products(padded, x.shape[1]), state
