"""Streaming convolutions in channel-last MatMul form.

Weights keep the layout of ``nn.Conv1d`` and ``nn.ConvTranspose1d`` so that state dicts of other implementations load; the
arithmetic is a matrix product over blocks of ``stride`` frames. On a CPU a convolution that sees one frame a call is limited by
the bandwidth of its weights, and the MatMul form both streams them once and quantises to int8.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn


class StreamingConv1d(nn.Module):
    """A left-padded (causal) ``Conv1d`` that carries its left context.

    Shape:
        input ``(batch, time, in_channels)``, ``time`` a multiple of ``stride``; state ``(batch, context, in_channels)``;
        output ``(batch, time // stride, out_channels)``.

    Args:
        delay: input frames that are held back beside the left context; they move the grid of the output's frames.
    """

    def __init__(
        self, in_channels: int, out_channels: int, kernel: int, stride: int = 1, *, bias: bool = True, delay: int = 0
    ) -> None:
        super().__init__()
        if kernel < stride:
            raise ValueError(f"kernel {kernel} is smaller than stride {stride}: samples would be skipped")
        reference = nn.Conv1d(
            in_channels, out_channels, kernel, stride, bias=bias
        )  # its default initialisation is the Kaiming-type one
        self.weight = reference.weight
        self.bias = reference.bias
        self.in_channels, self.out_channels, self.kernel, self.stride = in_channels, out_channels, kernel, stride
        self.delay = delay

    @property
    def context(self) -> int:
        """Frames of the past that the next call needs: ``kernel - stride + delay``."""
        return self.kernel - self.stride + self.delay

    def initial_state(self, batch: int) -> Tensor:
        """Silence before the beginning: ``(batch, context, in_channels)`` of zeros."""
        return self.weight.new_zeros(batch, self.context, self.in_channels)

    def forward(self, x: Tensor, state: Tensor) -> tuple[Tensor, Tensor]:
        """One call of any length (a multiple of ``stride``); returns the output and the state for the next call."""
        if self.context == 0:
            return self.valid(x), state
        padded = torch.cat([state.to(x.dtype), x], dim=1)
        end = padded.shape[1]
        left = x if x.shape[1] == self.context else padded[:, end - self.context :]
        return self.valid(padded[:, : end - self.delay] if self.delay else padded), left

    def valid(self, x: Tensor) -> Tensor:
        """The unpadded convolution: ``(batch, time, in)`` -> ``(batch, (time - kernel) // stride + 1, out)``."""
        frames = _frames(x, self.kernel, self.stride)
        matrix = self.weight.permute(2, 1, 0).reshape(self.kernel * self.in_channels, self.out_channels)
        return _biased(frames @ matrix, self.bias)


class StreamingConvTranspose1d(nn.Module):
    """A causal ``ConvTranspose1d`` that carries its overlap tail (without the bias, or the bias would count twice).

    Shape:
        input ``(batch, time, in_channels)``; state ``(batch, kernel - stride, out_channels)``;
        output ``(batch, time * stride, out_channels)``.
    """

    def __init__(self, in_channels: int, out_channels: int, kernel: int, stride: int, *, bias: bool = True) -> None:
        super().__init__()
        if kernel < stride:
            raise ValueError(f"kernel {kernel} is smaller than stride {stride}: gaps would remain")
        reference = nn.ConvTranspose1d(in_channels, out_channels, kernel, stride, bias=bias)
        self.weight = reference.weight
        self.bias = reference.bias
        self.in_channels, self.out_channels, self.kernel, self.stride = in_channels, out_channels, kernel, stride

    @property
    def overlap(self) -> int:
        """Frames that the next call's output shares with this call's."""
        return self.kernel - self.stride

    def initial_state(self, batch: int) -> Tensor:
        """No overlap before the beginning: ``(batch, overlap, out_channels)`` of zeros."""
        return self.weight.new_zeros(batch, self.overlap, self.out_channels)

    def forward(self, x: Tensor, state: Tensor) -> tuple[Tensor, Tensor]:
        """One call of any length; returns the finished frames and the tail to be added to the next ones."""
        if self.kernel == 2 * self.stride:
            return self._half_overlap(x, state)
        full = self._overlap_add(x)
        if self.overlap == 0:
            return _biased(full, self.bias), state
        time = x.shape[1] * self.stride
        head = torch.zeros_like(full)
        head[:, : self.overlap] = state
        full = full + head
        return _biased(full[:, :time], self.bias), full[:, time:]

    def full(self, x: Tensor) -> Tensor:
        """The whole transposed convolution: ``(batch, time, in)`` -> ``(batch, (time - 1) * stride + kernel, out)``."""
        return _biased(self._overlap_add(x), self.bias)

    def _products(self, x: Tensor, taps: int) -> Tensor:
        """``(batch, time, taps * out)``: what each frame adds to the blocks it touches."""
        weight = self.weight.permute(0, 2, 1)
        if taps > self.kernel:
            weight = nn.functional.pad(weight, (0, 0, 0, taps - self.kernel))
        return x @ weight.reshape(self.in_channels, taps * self.out_channels)

    def _half_overlap(self, x: Tensor, state: Tensor) -> tuple[Tensor, Tensor]:
        """kernel = 2 * stride, the thesis' case: each block is the sum of two halves, with no scatter in the graph."""
        batch, time, _ = x.shape
        products = self._products(x, self.kernel)
        if self.bias is not None:  # with the product, and once: to the first half
            products = products + torch.cat([self.bias] * self.stride + [torch.zeros_like(self.bias)] * self.stride)
        heads, tails = products.chunk(2, dim=2)
        previous = state.to(x.dtype).reshape(batch, 1, -1)
        if time > 1:
            previous, tails = torch.cat([previous, tails], dim=1).split([time, 1], dim=1)
        output = (heads + previous).reshape(batch, time * self.stride, self.out_channels)
        return output, tails.reshape(batch, self.overlap, self.out_channels)

    def _overlap_add(self, x: Tensor) -> Tensor:
        batch, time, _ = x.shape
        blocks = -(-self.kernel // self.stride)
        products = self._products(x, blocks * self.stride).unflatten(2, (blocks, -1))
        total = products.new_zeros(batch, time + blocks - 1, self.stride * self.out_channels)
        for block in range(blocks):
            total[:, block : block + time] += products[:, :, block]
        length = (time - 1) * self.stride + self.kernel
        return total.reshape(batch, -1, self.out_channels)[:, :length]


def _biased(x: Tensor, bias: Tensor | None) -> Tensor:
    return x if bias is None else x + bias


def _frames(x: Tensor, kernel: int, stride: int) -> Tensor:
    """Overlapping frames, flattened tap by tap: ``(batch, time, channels)`` -> ``(batch, n_frames, kernel * channels)``."""
    batch, time, channels = x.shape
    if kernel == 1 and stride == 1:
        return x
    if kernel % stride == 0:
        overlap = kernel // stride
        n_blocks = time // stride
        blocks = x[:, : n_blocks * stride].reshape(batch, n_blocks, stride * channels)
        count = n_blocks - overlap + 1
        if overlap == 1:
            return blocks
        if count == 1:
            return blocks.reshape(batch, 1, -1)
        if torch.onnx.is_in_onnx_export():  # one operator instead of a slice for each tap and a concatenation
            taps = torch.arange(count)[:, None] + torch.arange(overlap)
            return blocks.index_select(1, taps.flatten()).reshape(batch, count, -1)
        return torch.cat([blocks[:, j : j + count] for j in range(overlap)], dim=2)
    return x.unfold(1, kernel, stride).transpose(2, 3).reshape(batch, -1, kernel * channels)
