"""``Sing.step`` arranged for a processor, in few large operations: the function of an instrument's exported graph.

The results are those of ``Sing.step``. The window is part of the weights, the two candidates of an excitation's band share one cosine and
one sine, and the bands' sinusoids, which are even or odd about the middle of a frame, are summed over half of it. ``PRODUCTS`` lists the
kind of each matrix product's input, which determines how it is rounded in int8.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import astuple
from typing import Literal

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from models.excitation import band_basis
from models.sing import Sing, SingState

Input = Literal["unit", "positive", "signed"]
"""Kinds of a product's input: within -1 and 1, not negative, or any values."""

PRODUCTS: dict[str, Input] = {
    "recurrent": "unit",
    "context": "signed",
    "mix1": "positive",
    "mix2": "positive",
    "synthesis": "positive",
    "gain": "positive",
}
"""Prefixes of the weights' names and the kinds of their products' inputs. Other products stay float32: they are small, and the harmonics'
sinusoids need float32, since in eight bits a single loud partial would have noise only 30 dB below it."""


GATES = ("enter", "keep", "new", "leave")
"""torch's order of an LSTM's gates: input, forget, cell, output. Each has its own products, so no result has to be split."""


class VoiceStep(nn.Module):
    """One time step of any number of voices, with flat arguments; see ``Sing.step``.

    Args:
        sing: the network whose weights are copied, arranged as right-hand sides of products.

    Attributes:
        seen: dictionary in which the second moments of the products' inputs are added up by name; None (the default) for none.
    """

    def __init__(self, sing: Sing) -> None:
        super().__init__()
        self.config = config = sing.config
        self.seen: dict[str, Tensor] | None = None
        self._take_sequence(sing)
        decoder = sing.decoder
        assert decoder.synthesis.bias is not None
        self._keep("context", decoder.conv.weight.permute(2, 1, 0).reshape(-1, config.channels), decoder.conv.bias)
        for name in ("mix1", "mix2") + (("gain",) if config.bands else ()):
            layer = getattr(decoder, name)
            self._keep(name, layer.weight[:, :, 0].t(), layer.bias)
        early, late = (decoder.synthesis.weight[:, 0] * decoder.window).chunk(2, dim=1)
        self._keep("synthesis_early", early)
        self._keep("synthesis_late", late)
        self._keep("silence", decoder.synthesis.bias)
        self._keep("cycles", sing.cycles[:, None])
        if config.bands:
            self._take_bands(sing)

    def _keep(self, name: str, weight: Tensor, bias: Tensor | None = None) -> None:
        self.register_buffer(name, weight.detach().clone().contiguous())
        if bias is not None:
            self.register_buffer(f"{name}_bias", bias.detach().clone())

    def _take_sequence(self, sing: Sing) -> None:
        """Tables and gates. The first layer's input has its own product, because it is not a hidden state."""
        sequence = sing.sequence
        for name in ("velocity", "instrument", "pitch", "time"):
            table = getattr(sequence, name)
            if table is not None:
                self._keep(f"{name}_table", table.weight)
        cell = sequence.lstm.lstm
        for layer in range(self.config.layers):
            parts = [
                getattr(cell, f"{name}_l{layer}").chunk(4) for name in ("weight_ih", "weight_hh", "bias_ih", "bias_hh")
            ]
            for gate, input_weight, hidden_weight, input_bias, hidden_bias in zip(GATES, *parts, strict=True):
                if layer == 0:
                    self._keep(f"symbols_{gate}", input_weight.t())
                whole = hidden_weight if layer == 0 else torch.cat([input_weight, hidden_weight], dim=1)
                self._keep(f"recurrent{layer}_{gate}", whole.t(), input_bias + hidden_bias)
        self._keep("code", sequence.linear.weight.t(), sequence.linear.bias)

    def _take_bands(self, sing: Sing) -> None:
        """Centres of the bands in cycles per step, and their sinusoids from the middle of the frame to its end, where the window is 0."""
        config, middle = self.config, self.config.kernel // 2
        self.most = config.stride / 2
        self.spacing = self.most / config.bands
        self._keep("centres", torch.arange(1, config.bands + 1, dtype=torch.float32)[None] * self.spacing)
        half = F.pad((band_basis(config.bands, config.kernel) * sing.decoder.window)[:, middle:], (0, 1))
        self._keep("even", half[: config.bands])
        self._keep("odd", half[config.bands :])

    def _product(self, name: str, x: Tensor) -> Tensor:
        """``(voices, size)`` times the weight of this name, plus its bias if there is one."""
        if self.seen is not None:
            moments = x.t() @ x
            self.seen[name] = self.seen[name] + moments if name in self.seen else moments
        product: Tensor = x @ getattr(self, name)
        bias = getattr(self, f"{name}_bias", None)
        return product if bias is None else product + bias

    def forward(
        self, velocity: Tensor, instrument: Tensor, pitch: Tensor, time: Tensor, *states: Tensor
    ) -> tuple[Tensor, ...]:
        """Symbols, time and the four states -> audio and the next four states."""
        hidden, cell, context, tail = states
        code, hidden, cell = self._sequence(velocity, instrument, pitch, time, hidden, cell)
        latents = torch.cat([context, code[:, None]], dim=1)
        x = torch.relu(self._product("context", latents.flatten(1)))
        x = torch.relu(self._product("mix1", x))
        x = torch.relu(self._product("mix2", x))
        early, late = self._product("synthesis_early", x), self._product("synthesis_late", x)
        if self.config.bands:
            gain, cycles = self._product("gain", x), pitch @ self.cycles
            before, after = self._harmonics(gain, cycles, time[:, None].to(cycles.dtype))
            early, late = early + before, late + after
        return self._overlapped(early, late, tail, hidden, cell, latents[:, 1:])

    def _overlapped(
        self, early: Tensor, late: Tensor, tail: Tensor, hidden: Tensor, cell: Tensor, context: Tensor
    ) -> tuple[Tensor, ...]:
        """The frame in two halves and the remainder of the previous frames -> audio and the next states."""
        stride, middle = self.config.stride, self.config.kernel // 2
        early = early + tail[:, :middle]
        late = torch.cat([late[:, :-stride] + tail[:, middle:], late[:, -stride:]], dim=1)
        rest = torch.cat([early[:, stride:], late], dim=1)
        return early[:, :stride] + self.silence, hidden, cell, context, rest

    def _sequence(
        self, velocity: Tensor, instrument: Tensor, pitch: Tensor, time: Tensor, hidden: Tensor, cell: Tensor
    ) -> tuple[Tensor, Tensor, Tensor]:
        """The code and the next states of the LSTM."""
        parts = [velocity @ self.velocity_table, instrument @ self.instrument_table, pitch @ self.pitch_table]
        if self.config.time_dim:
            parts.append(F.embedding(time, self.get_buffer("time_table")))
        below = torch.cat(parts, dim=1)
        hiddens, cells = [], []
        for layer in range(self.config.layers):
            before = hidden[:, layer]
            x = before if layer == 0 else torch.cat([below, before], dim=1)
            gates = [self._product(f"recurrent{layer}_{gate}", x) for gate in GATES]
            if layer == 0:
                gates = [
                    value + below @ getattr(self, f"symbols_{gate}") for gate, value in zip(GATES, gates, strict=True)
                ]
            enter, keep, new, leave = gates
            now = torch.sigmoid(keep) * cell[:, layer] + torch.sigmoid(enter) * torch.tanh(new)
            below = torch.sigmoid(leave) * torch.tanh(now)
            hiddens.append(below)
            cells.append(now)
        return below @ self.code + self.code_bias, torch.stack(hiddens, dim=1), torch.stack(cells, dim=1)

    def _harmonics(self, gain: Tensor, cycles: Tensor, time: Tensor) -> tuple[Tensor, Tensor]:
        """``models.excitation``: the comb of each voice, shaped by ``gain``, in the two halves of a frame."""
        turns = cycles * (time - self.config.lead)
        turns = turns - torch.floor(turns)
        number = torch.floor(self.centres / cycles)
        lower = number * cycles
        upper = lower + cycles
        near = torch.relu(1 - (lower - self.centres).abs() / self.spacing)
        near = near * ((number >= 1) & (lower < self.most)).float()
        far = torch.relu(1 - (upper - self.centres).abs() / self.spacing) * (upper < self.most).float()
        angle = turns * number
        angle = 2 * torch.pi * (angle - torch.floor(angle))
        cosine, sine, turn = torch.cos(angle), torch.sin(angle), 2 * torch.pi * turns
        along, across = near + far * torch.cos(turn), far * torch.sin(turn)  # the upper candidate is one turn further
        real, imaginary = cosine * along - sine * across, sine * along + cosine * across
        gain_re, gain_im = gain.chunk(2, dim=1)
        even = (gain_re * real - gain_im * imaginary) @ self.even
        odd = (gain_re * imaginary + gain_im * real) @ self.odd
        return torch.flip((even - odd)[:, 1:], dims=(1,)), (even + odd)[:, :-1]


def input_moments(step: VoiceStep, state: SingState, time_steps: int) -> dict[str, npt.NDArray[np.float32]]:
    """For each product, the second moments ``(size, size)`` of its inputs while notes from all symbols play.

    Args:
        state: the state before the notes, with one voice for each note to be played.
        time_steps: number of time steps of each note.
    """
    config, notes = step.config, len(state.h)
    generator = torch.Generator().manual_seed(0)
    tables = (
        (config.velocities, torch.randint(config.velocities, (notes,), generator=generator)),
        (config.instruments, torch.arange(notes) % config.instruments),
        (config.pitches, torch.randint(config.pitches, (notes,), generator=generator)),
    )
    symbols = [F.one_hot(rows, size).float() for size, rows in tables]
    states: Sequence[Tensor] = astuple(state)
    step.seen = {}
    with torch.no_grad():
        for time in range(time_steps):
            _, *states = step(*symbols, torch.full((notes,), time), *states)
    seen, step.seen = step.seen, None
    return {name: value.numpy() for name, value in seen.items()}
