"""Streaming layers: chunked equals offline, equals torch's own layer, and the future cannot change the past."""

from __future__ import annotations

import pytest
import torch
from torch.nn import functional as F

from models.streaming import StreamingConv1d, StreamingConvTranspose1d, StreamingLSTM

GRID = [(8, 4), (8, 8), (3, 1), (1, 1), (7, 4), (5, 2), (12, 4), (4, 3)]


def chunks(total: int, step: int, unit: int) -> list[int]:
    """Lengths that are multiples of ``unit`` and grow from call to call, summing to ``total``."""
    lengths, left, n = [], total, 1
    while left:
        lengths.append(min(left, unit * (1 + (n * step) % 5)))
        left -= lengths[-1]
        n += 1
    return lengths


@pytest.mark.parametrize(("kernel", "stride"), GRID)
def test_convolution_equals_torch_on_a_left_padded_input(kernel: int, stride: int) -> None:
    layer = StreamingConv1d(3, 5, kernel, stride).double()
    x = torch.randn(2, 20 * stride, 3, dtype=torch.float64)
    y, _ = layer(x, layer.initial_state(2))
    expected = F.conv1d(F.pad(x.transpose(1, 2), (kernel - stride, 0)), layer.weight, layer.bias, stride).transpose(
        1, 2
    )
    torch.testing.assert_close(y, expected, atol=1e-12, rtol=0)


@pytest.mark.parametrize("step", [1, 2, 3])
@pytest.mark.parametrize(("kernel", "stride"), GRID)
def test_convolution_in_chunks_equals_one_call(kernel: int, stride: int, step: int) -> None:
    layer = StreamingConv1d(3, 5, kernel, stride).double()
    x = torch.randn(2, 30 * stride, 3, dtype=torch.float64)
    whole, end = layer(x, layer.initial_state(2))
    state, parts = layer.initial_state(2), []
    for part in x.split(chunks(x.shape[1], step, stride), dim=1):
        y, state = layer(part, state)
        parts.append(y)
    torch.testing.assert_close(torch.cat(parts, 1), whole, atol=1e-12, rtol=0)
    torch.testing.assert_close(state, end)


@pytest.mark.parametrize(("kernel", "stride"), GRID)
def test_transposed_convolution_equals_torch_and_streams(kernel: int, stride: int) -> None:
    layer = StreamingConvTranspose1d(4, 3, kernel, stride).double()
    x = torch.randn(2, 31, 4, dtype=torch.float64)
    expected = F.conv_transpose1d(x.transpose(1, 2), layer.weight, layer.bias, stride).transpose(1, 2)
    torch.testing.assert_close(layer.full(x), expected, atol=1e-12, rtol=0)
    state, parts = layer.initial_state(2), []
    for part in x.split(chunks(31, 2, 1), dim=1):
        y, state = layer(part, state)
        parts.append(y)
    torch.testing.assert_close(torch.cat(parts, 1), expected[:, : 31 * stride], atol=1e-12, rtol=0)
    torch.testing.assert_close(state + layer.bias, expected[:, 31 * stride :], atol=1e-12, rtol=0)


def test_unrolled_lstm_equals_torch_and_streams() -> None:
    layer = StreamingLSTM(6, 8, 2).double()
    x = torch.randn(3, 17, 6, dtype=torch.float64)
    whole, end = layer(x, layer.initial_state(3))
    layer.unroll = True
    state, parts = layer.initial_state(3), []
    for part in x.split([1, 5, 1, 10], dim=1):
        y, state = layer(part, state)
        parts.append(y)
    torch.testing.assert_close(torch.cat(parts, 1), whole, atol=1e-12, rtol=0)
    torch.testing.assert_close(state, end, atol=1e-12, rtol=0)


@pytest.mark.parametrize(
    "layer", [StreamingConv1d(2, 3, 8, 4), StreamingConvTranspose1d(2, 3, 8, 4), StreamingConv1d(2, 4, 3)]
)
def test_the_future_cannot_change_the_past(layer: StreamingConv1d | StreamingConvTranspose1d) -> None:
    x = torch.randn(1, 40, 2)
    changed = x.clone()
    changed[:, 20:] += 1
    before, _ = layer(x, layer.initial_state(1))
    after, _ = layer(changed, layer.initial_state(1))
    cut = before.shape[1] // 2
    assert torch.equal(before[:, :cut], after[:, :cut])
    assert not torch.equal(before[:, cut:], after[:, cut:])


@pytest.mark.parametrize("kind", [lambda: StreamingConv1d(1, 1, 2, 3), lambda: StreamingConvTranspose1d(1, 1, 2, 3)])
def test_a_kernel_smaller_than_the_stride_is_refused(kind: object) -> None:
    with pytest.raises(ValueError, match="smaller than stride"):
        kind()  # type: ignore[operator]
