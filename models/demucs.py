"""Demucs (thesis section 3.4), as published and in the causal form that plays live.

Both networks share their blocks. ``Demucs`` is the thesis' model: no padding inside, a bidirectional LSTM, centre-trimmed
skips, any input length through ``valid_length``. ``CausalDemucs`` pads on the left only, has a one-directional LSTM and carries
every layer's state, so that a hop of ``stride ** depth`` samples comes out as soon as it has gone in; its offline forward is the
streaming step from the zero state.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Literal, Self

from torch import Tensor, nn
from torch.nn import functional as F

from models.network import Separator, SeparatorConfig, StreamingSeparator
from models.rescale import rescale_weights
from models.streaming import StreamingConv1d, StreamingConvTranspose1d, StreamingLSTM

Activation = Literal["glu", "relu"]
LSTM_STATES = ["h", "c", "outer_h", "outer_c"]


@dataclass(frozen=True)
class DemucsConfig(SeparatorConfig):
    """Sizes of a Demucs; the defaults are the thesis' (section 3.4.1, errata 19 to 21).

    Attributes:
        channels: output channels of the first encoder block (C_1).
        depth: number of encoder blocks (L).
        growth: factor of channels from block to block; ``max_channels`` caps it.
        encoder_activation: what follows the encoder's 1x1 convolution; ``encoder_mix=False`` leaves that convolution out.
        decoder_context: kernel of the decoder's stride-1 convolution (3 or 1).
        decoder_padding: pad that convolution with zeros on both sides, as versions 3 and 4 of the public package do (offline only).
        resample: work at this many times the rate (offline networks: 1 or 2, as version 2 of the public package).
        rescale: reference of the weight rescaling, 0 to disable it.
        input_gain: the mix is multiplied by it and the stems are divided by it: a fixed gain, so that what streams is what was
            trained.
        normalize: subtract the mean of the mono mix and divide by its standard deviation (offline networks only).
    """

    channels: int = 100
    depth: int = 6
    kernel: int = 8
    stride: int = 4
    audio_channels: int = 2
    sources: tuple[str, ...] = ("drums", "bass", "other", "vocals")
    growth: float = 2.0
    max_channels: int | None = None
    lstm_layers: int = 2
    encoder_activation: Activation = "glu"
    encoder_mix: bool = True
    decoder_activation: Activation = "glu"
    decoder_context: int = 3
    decoder_padding: bool = False
    resample: int = 1
    rescale: float = 0.1
    input_gain: float = 1.0
    normalize: bool = True
    sample_rate: int = 44_100

    @property
    def hop(self) -> int:
        """Total stride in samples: ``stride ** depth`` (EQ-RT-2)."""
        return self.stride**self.depth

    @property
    def n_outputs(self) -> int:
        """Channels that the last layer synthesises."""
        return len(self.sources) * self.audio_channels

    @property
    def widths(self) -> list[int]:
        """Channels at the input and after each encoder block, ``depth + 1`` numbers."""
        cap = self.max_channels or 1 << 30
        return [self.audio_channels, *(min(int(self.channels * self.growth**i), cap) for i in range(self.depth))]

    def tiny(self) -> Self:
        """Three blocks of 8 channels and more."""
        return replace(self, channels=8, depth=3, max_channels=None)


@dataclass(frozen=True)
class CausalDemucsConfig(DemucsConfig):
    """Defaults of the live network: hop 256 at 44.1 kHz (5.8 ms).

    Attributes:
        outer_lstm: a second LSTM one level further out, where frames are ``stride`` times as many: the innermost remembers longer
            and, as a call is one of its frames, tells the other what comes later in the call.
    """

    channels: int = 32
    depth: int = 4
    input_gain: float = 5.0
    normalize: bool = False
    outer_lstm: bool = False

    @property
    def heard_hop(self) -> int:
        """Samples a frame at the level of the outermost LSTM, where ``heard`` is added (``models.hybrid``)."""
        return self.stride ** (self.depth - self.outer_lstm)


class EncoderBlock(nn.Module):
    """Strided convolution, ReLU, 1x1 convolution, GLU (EQ-DMX-3)."""

    def __init__(self, config: DemucsConfig, in_channels: int, out_channels: int) -> None:
        super().__init__()
        self.conv = StreamingConv1d(in_channels, out_channels, config.kernel, config.stride)
        self.activation = config.encoder_activation
        self.mix = _mix(out_channels, 1, self.activation) if config.encoder_mix else None

    def finish(self, x: Tensor) -> Tensor:
        """What follows the strided convolution; frame by frame, so the same in both networks."""
        x = F.relu(x)
        return x if self.mix is None else activate(self.mix.valid(x), self.activation)


class DecoderBlock(nn.Module):
    """Convolution with context, GLU, transposed convolution (EQ-DMX-5); ReLU unless it is the outermost block."""

    def __init__(self, config: DemucsConfig, in_channels: int, out_channels: int, outermost: bool) -> None:
        super().__init__()
        self.activation = config.decoder_activation
        self.conv = _mix(in_channels, config.decoder_context, self.activation)
        self.up = StreamingConvTranspose1d(in_channels, out_channels, config.kernel, config.stride)
        self.outermost = outermost

    def finish(self, x: Tensor) -> Tensor:
        """The last layer has no activation, so that outputs have both signs."""
        return x if self.outermost else F.relu(x)


def _mix(channels: int, kernel: int, activation: Activation) -> StreamingConv1d:
    return StreamingConv1d(channels, channels * (2 if activation == "glu" else 1), kernel)


def activate(x: Tensor, activation: Activation) -> Tensor:
    """GLU over the channels, or ReLU."""
    return F.glu(x, dim=2) if activation == "glu" else F.relu(x)


class DemucsBlocks(Separator):
    """The encoder and decoder blocks that all Demucs share. ``decoder[i]`` is the counterpart of ``encoder[i]``."""

    def __init__(self, config: DemucsConfig) -> None:
        super().__init__()
        self.config: DemucsConfig = config
        widths = config.widths
        self.encoder = nn.ModuleList(EncoderBlock(config, widths[i], widths[i + 1]) for i in range(config.depth))
        self.decoder = nn.ModuleList(
            DecoderBlock(config, widths[i + 1], widths[i] if i else config.n_outputs, outermost=i == 0)
            for i in range(config.depth)
        )


class Demucs(DemucsBlocks):
    """The thesis' Demucs: ``(batch, channels, time)`` -> ``(batch, sources, channels, time)``, any length, no time shift."""

    def __init__(self, config: DemucsConfig | None = None) -> None:
        config = config or DemucsConfig()
        super().__init__(config)
        width = config.widths[-1]
        self.lstm = (
            nn.LSTM(width, width, config.lstm_layers, bidirectional=True, batch_first=True)
            if config.lstm_layers
            else None
        )
        self.linear = nn.Linear(2 * width, width) if config.lstm_layers else None
        rescale_weights(self, config.rescale)

    def valid_length(self, length: int) -> int:
        """The smallest length >= ``length`` at which no layer has a remainder (EQ-DMX-8)."""
        config = self.config
        grown = 0 if config.decoder_padding else config.decoder_context - 1
        length = int(length) * config.resample
        for _ in range(config.depth):
            length = max(1, math.ceil((length - config.kernel) / config.stride) + 1) + grown
        for _ in range(config.depth):
            length = (length - 1) * config.stride + config.kernel
        return -(-length // config.resample)

    def forward(self, mix: Tensor) -> Tensor:
        """Separate ``mix``; it is centre-padded to ``valid_length`` and the stems are centre-trimmed to its length."""
        time = mix.shape[-1]
        mean, scale = self._statistics(mix)
        padding = self.valid_length(time) - time
        x = F.pad((mix - mean) / scale, (padding // 2, padding - padding // 2))
        x = self._resampled(x, 1, self.config.resample).transpose(1, 2) * self.config.input_gain
        stems = self.split_sources(self._network(x)) / self.config.input_gain
        stems = self._resampled(stems, self.config.resample, 1)
        return _centre_trim(stems, time, dim=3) * scale[:, None] + mean[:, None]

    @staticmethod
    def _resampled(x: Tensor, old: int, new: int) -> Tensor:
        """Another rate, by the sinc filter of the library that the public package uses."""
        if old == new:
            return x
        from julius.resample import resample_frac

        resampled: Tensor = resample_frac(x, old, new)
        return resampled

    def _network(self, x: Tensor) -> Tensor:
        skips, side = [], (self.config.decoder_context // 2 if self.config.decoder_padding else 0)
        for block in self.encoder:
            x = block.finish(block.conv.valid(x))
            skips.append(x)
        if self.lstm is not None and self.linear is not None:
            x = self.linear(self.lstm(x)[0])
        for block in reversed(self.decoder):
            skip = skips.pop()
            x = x + _centre_trim(skip, x.shape[1], dim=1)
            x = activate(block.conv.valid(F.pad(x, (0, 0, side, side))), block.activation)
            x = block.finish(block.up.full(x))
        return x

    def _statistics(self, mix: Tensor) -> tuple[Tensor, Tensor]:
        """Mean and standard deviation of the mono mix, ``(batch, 1, 1)`` each (DMX-27)."""
        if not self.config.normalize:
            return mix.new_zeros(len(mix), 1, 1), mix.new_ones(len(mix), 1, 1)
        mono = mix.mean(dim=1, keepdim=True)
        return mono.mean(dim=2, keepdim=True), mono.std(dim=2, keepdim=True, correction=0) + 1e-5


@dataclass
class CausalDemucsState:
    """Everything a CausalDemucs remembers between two calls; ``batch`` leads each tensor except the LSTM's (layers lead).

    Attributes:
        encoder: left context of each strided convolution, ``(batch, kernel - stride, channels)``.
        lstm: ``(h, c)`` of each LSTM, from the innermost, each ``(layers, batch, hidden)``; empty without LSTM.
        context: left context of each decoder convolution, ``(batch, decoder_context - 1, channels)``.
        overlap: overlap tail of each transposed convolution, ``(batch, kernel - stride, channels)``.
    """

    encoder: list[Tensor]
    lstm: list[Tensor]
    context: list[Tensor]
    overlap: list[Tensor]

    def named(self) -> dict[str, Tensor]:
        """Name -> tensor, in a fixed order; tensors without elements (a kernel of 1 has no context) are left out."""
        names = {f"encoder.{i}": x for i, x in enumerate(self.encoder)}
        names |= {f"lstm.{name}": x for name, x in zip(LSTM_STATES, self.lstm, strict=False)}
        names |= {f"context.{i}": x for i, x in enumerate(self.context)}
        names |= {f"overlap.{i}": x for i, x in enumerate(self.overlap)}
        return {name: x for name, x in names.items() if x.numel()}

    def replaced(self, values: dict[str, Tensor]) -> CausalDemucsState:
        """A state with the tensors of ``values`` (as from ``named``) in place of this one's."""

        def pick(group: str, old: list[Tensor], keys: list[str]) -> list[Tensor]:
            return [values.get(f"{group}.{key}", x) for key, x in zip(keys, old, strict=False)]

        numbers = [str(i) for i in range(len(self.encoder))]
        return CausalDemucsState(
            pick("encoder", self.encoder, numbers),
            pick("lstm", self.lstm, LSTM_STATES),
            pick("context", self.context, numbers),
            pick("overlap", self.overlap, numbers),
        )


class CausalDemucs(DemucsBlocks, StreamingSeparator):
    """Demucs for live use (DMX-28): latency one hop, ``(batch, channels, time)`` -> ``(batch, sources, channels, time)``."""

    def __init__(self, config: CausalDemucsConfig | None = None) -> None:
        config = config or CausalDemucsConfig()
        if config.normalize or config.decoder_padding or config.resample != 1:
            raise ValueError(
                "A causal network cannot normalise by statistics of the whole song, pad its decoder or resample."
            )
        if config.outer_lstm and (config.depth < 2 or not config.lstm_layers):
            raise ValueError("A second LSTM needs two levels and layers to be made of.")
        super().__init__(config)
        self.config: CausalDemucsConfig = config
        width, outer = config.widths[-1], config.widths[-2]
        self.lstm = StreamingLSTM(width, width, config.lstm_layers) if config.lstm_layers else None
        self.outer_lstm = StreamingLSTM(outer, outer, config.lstm_layers) if config.outer_lstm else None
        rescale_weights(self, config.rescale)

    def initial_state(self, batch: int = 1) -> CausalDemucsState:
        """Reset to the zero state."""
        recurrent = [lstm for lstm in (self.lstm, self.outer_lstm) if lstm is not None]
        return CausalDemucsState(
            [block.conv.initial_state(batch) for block in self.encoder],
            [x for lstm in recurrent for x in lstm.initial_state(batch)],
            [block.conv.initial_state(batch) for block in self.decoder],
            [block.up.initial_state(batch) for block in self.decoder],
        )

    def step_frames(
        self, x: Tensor, state: CausalDemucsState, heard: Tensor | None = None
    ) -> tuple[Tensor, CausalDemucsState]:
        """``step`` in the channel-last layout; ``heard`` is added where frames have ``heard_hop`` samples (``models.hybrid``)."""
        config, lstm = self.config, list(state.lstm)
        context, overlap = list(state.context), list(state.overlap)
        x, skips, encoder = self._encode(x * config.input_gain, state.encoder, heard)
        if self.lstm is not None:
            x, lstm[:2] = self.lstm(x, (lstm[0], lstm[1]))
        for i in reversed(range(config.depth)):
            block = self.decoder[i]
            if self.outer_lstm is not None and i == config.depth - 2:
                x, lstm[2:] = self.outer_lstm(x + _sum(skips[i], heard), (lstm[2], lstm[3]))
            x, context[i] = block.conv(x + skips[i], context[i])
            x, overlap[i] = block.up(activate(x, block.activation), overlap[i])
            # What goes to an LSTM may have both signs.
            x = x if self.outer_lstm is not None and i == config.depth - 1 else block.finish(x)
        return x / config.input_gain, CausalDemucsState(encoder, lstm, context, overlap)

    def _encode(
        self, x: Tensor, lefts: list[Tensor], heard: Tensor | None
    ) -> tuple[Tensor, list[Tensor], list[Tensor]]:
        """What comes out of the innermost block, and with ``heard`` in it; the skips without it; the next states."""
        skips, states = [], []
        level = self.config.depth - self.config.outer_lstm
        for number, (block, left) in enumerate(zip(self.encoder, lefts, strict=True), start=1):
            x, left = block.conv(x, left)
            states.append(left)
            x = block.finish(x)
            skips.append(x)
            if number == level:
                x = _sum(x, heard)
        return x, skips, states


def _sum(x: Tensor, heard: Tensor | None) -> Tensor:
    return x if heard is None else x + heard


def _centre_trim(x: Tensor, length: int, dim: int) -> Tensor:
    surplus = x.shape[dim] - length
    if surplus < 0:
        raise ValueError(f"cannot trim {x.shape[dim]} frames to {length}")
    return x.narrow(dim, surplus // 2, length)
