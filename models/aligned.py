"""Demucs with the frames of the public ``denoiser`` package: unpadded, so that frame ``t`` begins at sample ``t * stride``.

``CausalDemucs`` ends each frame where the call ends. Networks trained with unpadded convolutions have theirs begin where the
sound begins; here each layer holds back what that takes, and the declared latency says so. The rate is raised by a windowed
sinc before the network and lowered after it, also in the stream, so the stream is exactly the whole.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Any, Self

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from models.demucs import DecoderBlock, DemucsBlocks, DemucsConfig, EncoderBlock, activate
from models.network import SPEECH, NamedState, StreamingSeparator
from models.rescale import rescale_weights
from models.streaming import StreamingDelay, StreamingDownsample2, StreamingLSTM, StreamingUpsample2


@dataclass(frozen=True)
class AlignedDemucsConfig(DemucsConfig):
    """Sizes; the defaults are those of the package's ``dns48``.

    Attributes:
        resample: the network works at this many times the rate (1, 2 or 4).
        zeros: zero crossings on each side of the resampling filter; fewer are faster and less late.
        rest: the last source is not synthesised: it is what the others leave of the input.
        normalize: divide by the standard deviation: in ``offline`` of the whole, as the package's ``forward`` does; in the stream
            of the last ``level_seconds``, which is close to that and cannot be the same.
    """

    channels: int = 48
    depth: int = 5
    audio_channels: int = 1
    sources: tuple[str, ...] = SPEECH
    decoder_context: int = 1
    sample_rate: int = 16_000
    resample: int = 4
    zeros: int = 56
    rest: bool = True
    level_seconds: float = 5.0
    floor: float = 1e-3

    @property
    def hop(self) -> int:
        """Samples a frame, at the input's rate."""
        return self.stride**self.depth // self.resample

    @property
    def n_outputs(self) -> int:
        """Channels that the last layer synthesises."""
        return (len(self.sources) - int(self.rest)) * self.audio_channels

    def tiny(self) -> Self:
        """Three narrow blocks and a short filter."""
        return replace(super().tiny(), zeros=8)


class AlignedDemucs(DemucsBlocks, StreamingSeparator):
    """``(batch, channels, time)`` -> ``(batch, sources, channels, time)``; ``step`` streams, ``offline`` is the package's way."""

    config: AlignedDemucsConfig

    def __init__(self, config: AlignedDemucsConfig | None = None) -> None:
        config = config or AlignedDemucsConfig()
        if config.decoder_context != 1 or config.decoder_padding or config.resample not in (1, 2, 4):
            raise ValueError("Unpadded frames stream without context in the decoder, at 1, 2 or 4 times the rate.")
        super().__init__(config)
        width = config.widths[-1]
        self.lstm = StreamingLSTM(width, width, config.lstm_layers) if config.lstm_layers else None
        rescale_weights(self, config.rescale)
        self._lay_out()

    def _lay_out(self) -> None:
        """Hold-backs of all layers. ``late[i]``: frames by which level ``i`` lags behind an ideal one after any number of calls."""
        config = self.config
        doublings = config.resample.bit_length() - 1
        self.up = nn.ModuleList(StreamingUpsample2(config.audio_channels, config.zeros) for _ in range(doublings))
        late = [0]
        self.up_late, self.down_late = [], []
        for _ in range(doublings):
            late[0] = 2 * (late[0] + config.zeros)
            self.up_late.append(late[0])
        for block in self.encoders:
            late.append(-(-(late[-1] + config.kernel - config.stride) // config.stride))
            block.conv.delay = config.stride * late[-1] + config.stride - config.kernel - late[-2]
        self.late_frames = late[-1]
        spans = [config.stride ** (config.depth - 1 - i) for i in range(config.depth)]
        self.skips = nn.ModuleList(
            StreamingDelay(span * late[-1] - late[i + 1], config.widths[i + 1]) for i, span in enumerate(spans)
        )
        rest, self.evens, self.down = config.stride**config.depth * late[-1], nn.ModuleList(), nn.ModuleList()
        for _ in range(doublings):
            self.evens.append(StreamingDelay(rest % 2, config.n_outputs))
            self.down.append(StreamingDownsample2(config.n_outputs, config.zeros))
            rest = (rest + rest % 2) // 2 + config.zeros - 1
            self.down_late.append(rest)
        self._latency = rest
        self.dry = StreamingDelay(rest if config.rest else 0, config.audio_channels)
        self.gain = StreamingDelay(rest if config.normalize else 0, 1)

    @property
    def encoders(self) -> list[EncoderBlock]:
        """The encoder's blocks."""
        return [block for block in self.encoder if isinstance(block, EncoderBlock)]

    @property
    def decoders(self) -> list[DecoderBlock]:
        """The decoder's blocks, the outermost first."""
        return [block for block in self.decoder if isinstance(block, DecoderBlock)]

    @property
    def latency(self) -> int:
        """Samples beside the hop: what a frame reaches ahead and what resampling looks ahead, in whole calls."""
        return self._latency

    def valid_length(self, length: int) -> int:
        """The smallest length >= ``length`` at which no layer has a remainder; of one sample it is a frame's span."""
        config = self.config
        length = int(length) * config.resample
        for _ in range(config.depth):
            length = max(1, math.ceil((length - config.kernel) / config.stride) + 1)
        for _ in range(config.depth):
            length = (length - 1) * config.stride + config.kernel
        return -(-length // config.resample)

    def offline(self, mix: Tensor) -> Tensor:
        """All of ``mix`` as the package does it: padded with silence at its end to ``valid_length``, and nothing after that."""
        time, config = mix.shape[-1], self.config
        scale = mix.mean(dim=1, keepdim=True).std(dim=-1, keepdim=True) if config.normalize else torch.ones(())
        x = mix / (config.floor + scale) if config.normalize else mix
        x = F.pad(x, (0, self.valid_length(time) - time)).transpose(1, 2) * config.input_gain
        for layer in self.up:
            x = _whole(layer, x, config.zeros)
        skips = []
        for block in self.encoders:
            x = block.finish(block.conv.valid(x))
            skips.append(x)
        if self.lstm is not None:
            x, _ = self.lstm(x, self.lstm.initial_state(len(x)))
        for outer, skip in zip(reversed(self.decoders), reversed(skips), strict=True):
            x = activate(outer.conv.valid(x + skip[:, : x.shape[1]]), outer.activation)
            x = outer.finish(outer.up.full(x))
        for layer in self.down:
            x = _whole(layer, F.pad(x, (0, 0, 0, x.shape[1] % 2)), config.zeros - 1)
        made = x[:, :time] / config.input_gain * (scale.transpose(1, 2) if config.normalize else scale)
        return self.split_sources(self._with_rest(made, mix.transpose(1, 2)))

    def _with_rest(self, made: Tensor, dry: Tensor) -> Tensor:
        if not self.config.rest:
            return made
        batch, time, _ = made.shape
        others = made.reshape(batch, time, -1, self.config.audio_channels).sum(dim=2)
        return torch.cat([made, dry - others], dim=2)

    def initial_state(self, batch: int = 1) -> NamedState:
        """The zero state."""
        state = NamedState({name: layer.initial_state(batch) for name, layer in self._layers()})
        if self.lstm is not None:
            state |= dict(zip(("lstm.h", "lstm.c"), self.lstm.initial_state(batch), strict=True))
        state["age"] = torch.zeros(1)
        if self.config.normalize:
            state["level"] = torch.zeros(batch, 1, 1)
        example = self.encoders[0].conv.weight
        return NamedState({name: value.to(example) for name, value in state.items()})

    def _layers(self) -> list[tuple[str, Any]]:
        """Name of the state and layer, of all that have one tensor of it."""
        groups = {"up": self.up, "skip": self.skips, "even": self.evens, "down": self.down}
        found: list[tuple[str, Any]] = [
            (f"{name}.{i}", layer) for name, layers in groups.items() for i, layer in enumerate(layers)
        ]
        found += [(f"encoder.{i}", block.conv) for i, block in enumerate(self.encoders)]
        found += [(f"overlap.{i}", block.up) for i, block in enumerate(self.decoders)]
        return [*found, ("dry", self.dry), ("gain", self.gain)]

    def step_frames(self, x: Tensor, state: NamedState) -> tuple[Tensor, NamedState]:
        """``step`` in the channel-last layout."""
        config, before, after = self.config, state, NamedState(state)

        def run(name: str, layer: nn.Module, value: Tensor) -> Tensor:
            out: Tensor
            out, after[name] = layer(value, before[name])
            return out

        frames = x.shape[1] // config.hop
        begun = _begun(before["age"], frames, 1, self.late_frames)
        after["age"] = (before["age"] + frames).clamp(max=float(1 << 16))
        dry = run("dry", self.dry, x) if config.rest else x
        scale = None
        if config.normalize:
            x, levels = self._normalized(x, before, after)
            scale = run("gain", self.gain, levels)
        x = x * config.input_gain
        for i, layer in enumerate(self.up):
            x = run(f"up.{i}", layer, x)
            x = x * _begun(before["age"], frames, x.shape[1] // frames, self.up_late[i])
        skips = []
        for i, block in enumerate(self.encoders):
            x = block.finish(run(f"encoder.{i}", block.conv, x))
            skips.append(run(f"skip.{i}", self.skips[i], x))
        x = self._recurrent(x, begun, before, after)
        for i in reversed(range(config.depth)):
            outer = self.decoders[i]
            x = activate(outer.conv.valid(x + skips[i]), outer.activation) * begun
            x = outer.finish(run(f"overlap.{i}", outer.up, x))
            begun = begun.repeat_interleave(config.stride, dim=1)
        x = x * begun
        for i, layer in enumerate(self.down):
            x = run(f"down.{i}", layer, run(f"even.{i}", self.evens[i], x))
            x = x * _begun(before["age"], frames, x.shape[1] // frames, self.down_late[i])
        x = x / config.input_gain
        return self._with_rest(x if scale is None else x * scale, dry), after

    def _recurrent(self, x: Tensor, begun: Tensor, before: NamedState, after: NamedState) -> Tensor:
        """The LSTM, whose state stays zero until the first frame that exists."""
        if self.lstm is None:
            return x
        state = (before["lstm.h"], before["lstm.c"])
        if x.shape[1] == 1:  # one frame a call: without a branch, so that it can be exported
            out, (h, c) = self.lstm(x, state)
            after["lstm.h"], after["lstm.c"] = h * begun[0], c * begun[0]
            return out
        silent = int((begun == 0).sum())
        if silent < x.shape[1]:
            out, (after["lstm.h"], after["lstm.c"]) = self.lstm(x[:, silent:], state)
            return F.pad(out, (0, 0, silent, 0))
        return x

    def _normalized(self, x: Tensor, before: NamedState, after: NamedState) -> tuple[Tensor, Tensor]:
        """``x`` by the level so far, hop by hop, and that level for each sample ``(batch, time, 1)``."""
        config, level, levels = self.config, before["level"], []
        slowest = config.hop / (config.level_seconds * config.sample_rate)
        for number, hop in enumerate(x.split(config.hop, dim=1)):
            power = hop.mean(dim=2, keepdim=True).square().mean(dim=1, keepdim=True)
            weight = (1 / (before["age"] + number + 1)).clamp(min=slowest)
            level = level + weight * (power - level)
            levels.append(level.sqrt().expand(-1, config.hop, -1))
        after["level"] = level
        deviation = torch.cat(levels, dim=1)
        return x / (config.floor + deviation), deviation


def _begun(age: Tensor, calls: int, each: int, late: int) -> Tensor:
    """``(1, calls * each, 1)``: 0 for what lies before the sound's beginning, where the package's network has nothing, else 1.

    Args:
        age: calls so far; ``each``: frames of a call; ``late``: frames by which these lag.
    """
    number = age * each - late + torch.arange(calls * each, dtype=age.dtype, device=age.device)
    return (number >= 0).to(age.dtype)[None, :, None]


def _whole(layer: nn.Module, x: Tensor, delay: int) -> Tensor:
    """A resampling layer over all of ``x``: silence before and after it, the delay taken off."""
    assert isinstance(layer, StreamingUpsample2 | StreamingDownsample2)
    up = isinstance(layer, StreamingUpsample2)
    out, _ = layer(F.pad(x, (0, 0, 0, delay if up else 2 * delay)), layer.initial_state(len(x)))
    return out[:, 2 * delay :] if up else out[:, delay:]
