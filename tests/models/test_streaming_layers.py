"""Streaming layers: chunked equals offline, equals torch's own layer, and the future cannot change the past."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnxruntime
import pytest
import torch
from torch import Tensor, nn
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


@pytest.mark.parametrize(("batch", "time"), [(1, 1), (1, 5), (3, 1), (3, 5)])
def test_an_exported_lstm_equals_torch_and_streams(batch: int, time: int, tmp_path: Path) -> None:
    layer = StreamingLSTM(6, 8, 2).eval()
    x = torch.randn(batch, 4 * time, 6)
    whole, end = layer(x, layer.initial_state(batch))
    h, c = layer.initial_state(batch)
    path = str(tmp_path / "lstm.onnx")
    names = {"input_names": ["x", "h", "c"], "output_names": ["y", "next_h", "next_c"]}
    torch.onnx.export(Flat(layer), (x[:, :time], h, c), path, opset_version=17, dynamo=False, **names)
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    parts, state = [], [h.numpy(), c.numpy()]
    for part in x.split(time, dim=1):
        y, *state = session.run(None, dict(zip("xhc", [part.numpy(), *state], strict=True)))
        parts.append(y)
    assert np.abs(np.concatenate(parts, axis=1) - whole.detach().numpy()).max() < 1e-6
    assert all(np.abs(x - y.detach().numpy()).max() < 1e-6 for x, y in zip(state, end, strict=True))


class Flat(nn.Module):
    """A layer with its state as flat arguments and results."""

    def __init__(self, layer: StreamingLSTM) -> None:
        super().__init__()
        self.layer = layer

    def forward(self, x: Tensor, h: Tensor, c: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        y, (h, c) = self.layer(x, (h, c))
        return y, h, c


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
