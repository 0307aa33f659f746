"""A one-directional LSTM that carries its state, with a form for export."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

LSTMState = tuple[Tensor, Tensor]


class StreamingLSTM(nn.Module):
    """``nn.LSTM`` with explicit state.

    Shape:
        input ``(batch, time, size)``; state ``(h, c)``, each ``(layers, batch, hidden)``; output ``(batch, time, hidden)``.
    """

    def __init__(self, size: int, hidden: int, layers: int) -> None:
        super().__init__()
        self.lstm = nn.LSTM(size, hidden, layers, batch_first=True)
        self.hidden, self.layers = hidden, layers

    def initial_state(self, batch: int) -> LSTMState:
        """``(h, c)`` of zeros."""
        zeros = self.lstm.weight_ih_l0.new_zeros(self.layers, batch, self.hidden)
        return zeros, zeros.clone()

    def forward(self, x: Tensor, state: LSTMState) -> tuple[Tensor, LSTMState]:
        """One call of any length; returns the output and the state for the next call."""
        if torch.onnx.is_in_onnx_export():
            return self._exported(x, state)
        output, (h, c) = self.lstm(x, (state[0].to(x.dtype), state[1].to(x.dtype)))
        return output, (h, c)

    def _exported(self, x: Tensor, state: LSTMState) -> tuple[Tensor, LSTMState]:
        """ONNX's operator for each layer: quantisers know it, and torch's exporter puts transposes around it."""
        hidden, cell = [], []
        x = _swapped(x)
        for layer, h, c in zip(range(self.layers), state[0].split(1), state[1].split(1), strict=True):
            named = [
                getattr(self.lstm, f"{name}_l{layer}") for name in ("weight_ih", "weight_hh", "bias_ih", "bias_hh")
            ]
            weight_ih, weight_hh, bias_ih, bias_hh = (_gates(value) for value in named)
            x, h, c = _OnnxLSTM.apply(x, weight_ih, weight_hh, torch.cat([bias_ih, bias_hh], dim=1), h, c)
            x = x.squeeze(1)
            hidden.append(h)
            cell.append(c)
        return _swapped(x), (torch.cat(hidden), torch.cat(cell))


def _swapped(x: Tensor) -> Tensor:
    """``transpose(0, 1)``, which a graph need not copy for where one of the two is 1."""
    first, second, size = x.shape
    if first > 1 and second > 1:
        return x.transpose(0, 1)
    return x if first == second else x.reshape(second, first, size)


def _gates(x: Tensor) -> Tensor:
    """``(4 * hidden, ...)`` in torch's order (input, forget, cell, output) -> ``(1, 4 * hidden, ...)`` in that of ONNX."""
    enter, forget, cell, leave = x.chunk(4)
    return torch.cat([enter, leave, forget, cell])[None]


class _OnnxLSTM(torch.autograd.Function):
    """ONNX's ``LSTM``, only to be traced: the values are zeros."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, w: Tensor, r: Tensor, b: Tensor, h: Tensor, c: Tensor) -> tuple[Tensor, ...]:
        """``x (time, batch, size)`` -> ``(time, 1, batch, hidden)``, and the next states."""
        return x.new_zeros(x.shape[0], 1, x.shape[1], r.shape[2]), h.clone(), c.clone()

    @staticmethod
    def symbolic(g: Any, x: Any, w: Any, r: Any, b: Any, h: Any, c: Any) -> Any:
        """The operator's node."""
        time, batch, _ = x.type().sizes()
        size = r.type().sizes()[2]
        nothing = g.op("prim::Constant")
        nothing.setType(torch._C.NoneType.get())
        y, next_h, next_c = g.op("LSTM", x, w, r, b, nothing, h, c, hidden_size_i=size, outputs=3)
        y.setType(x.type().with_sizes([time, 1, batch, size]))
        next_h.setType(h.type())
        next_c.setType(c.type())
        return y, next_h, next_c
