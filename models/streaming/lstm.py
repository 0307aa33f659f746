"""A one-directional LSTM that carries its state, with an unrolled form for export."""

from __future__ import annotations

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
        self.unroll = False
        """Compute each step from matrix products instead of the LSTM operator. Export sets it: int8 quantisers leave LSTM
        operators in float, and one-step calls of the fused kernel are slow."""

    def initial_state(self, batch: int) -> LSTMState:
        """``(h, c)`` of zeros."""
        zeros = self.lstm.weight_ih_l0.new_zeros(self.layers, batch, self.hidden)
        return zeros, zeros.clone()

    def forward(self, x: Tensor, state: LSTMState) -> tuple[Tensor, LSTMState]:
        """One call of any length; returns the output and the state for the next call."""
        if self.unroll:
            return self._unrolled(x, state)
        output, (h, c) = self.lstm(x, (state[0].to(x.dtype), state[1].to(x.dtype)))
        return output, (h, c)

    def _unrolled(self, x: Tensor, state: LSTMState) -> tuple[Tensor, LSTMState]:
        hidden, cell = list(state[0].unbind(0)), list(state[1].unbind(0))
        outputs = []
        for t in range(x.shape[1]):
            value = x[:, t]
            for layer in range(self.layers):
                value, cell[layer] = self._cell(layer, value, hidden[layer], cell[layer])
                hidden[layer] = value
            outputs.append(value)
        return torch.stack(outputs, dim=1), (torch.stack(hidden), torch.stack(cell))

    def _cell(self, layer: int, x: Tensor, h: Tensor, c: Tensor) -> tuple[Tensor, Tensor]:
        """One step of one layer, gates in torch's order: input, forget, cell, output."""
        weight_ih, weight_hh, bias_ih, bias_hh = (
            getattr(self.lstm, f"{name}_l{layer}") for name in ("weight_ih", "weight_hh", "bias_ih", "bias_hh")
        )
        matrix = torch.cat([weight_ih, weight_hh], dim=1).t()
        gates = torch.cat([x, h], dim=1) @ matrix + (bias_ih + bias_hh)
        i, f, g, o = gates.chunk(4, dim=1)
        c = torch.sigmoid(f) * c + torch.sigmoid(i) * torch.tanh(g)
        return torch.sigmoid(o) * torch.tanh(c), c
