"""Conv-Tasnet for music (thesis section 3.3), as published and in a causal form that plays live.

A short-time filter bank, a stack of dilated convolutions that makes one mask a source, and the bank's inverse. Both networks
share their blocks. ``ConvTasnet`` normalises over the whole excerpt, so whole songs go in chunks of 8 s; ``CausalConvTasnet``
pads on the left, normalises by what was heard so far, and carries every layer's state.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal, Self

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from models.network import NamedState, Separator, SeparatorConfig, StreamingSeparator
from models.streaming import (
    CentredDepthwise,
    ChannelNorm,
    CumulativeNorm,
    GlobalNorm,
    StreamingConv1d,
    StreamingConvTranspose1d,
    StreamingDepthwise,
)

NORMS = {"global": GlobalNorm, "channel": ChannelNorm, "cumulative": CumulativeNorm}


@dataclass(frozen=True)
class ConvTasnetConfig(SeparatorConfig):
    """Sizes of a Conv-Tasnet; the defaults are the thesis' for music (EQ-CTN-1, EQ-CTN-2; errata 26 to 28).

    Attributes:
        filters, kernel, stride: of the filter bank.
        bottleneck, hidden: channels between the blocks and inside them.
        blocks: of one repeat, with dilations 1, 2, 4, ...; ``repeats`` of those follow each other.
        skip: masks are made from separate skip outputs of all blocks instead of the last one's (erratum 27).
        norm: over channels and time (``global``), a frame's channels (``channel``) or all frames so far (``cumulative``).
        chunk_seconds: longer sounds are taken apart in consecutive chunks of this length, 0 never (CTN-05).
    """

    audio_channels: int = 2
    sources: tuple[str, ...] = ("drums", "bass", "other", "vocals")
    sample_rate: int = 44_100
    filters: int = 256
    kernel: int = 20
    stride: int = 10
    bottleneck: int = 256
    hidden: int = 512
    blocks: int = 10
    repeats: int = 4
    depthwise: int = 3
    skip: bool = False
    norm: Literal["global", "channel", "cumulative"] = "global"
    chunk_seconds: float = 8.0

    @property
    def hop(self) -> int:
        """Samples between two frames of the filter bank."""
        return self.stride

    @property
    def dilations(self) -> list[int]:
        """Dilation of each block."""
        return [2**n for n in range(self.blocks)] * self.repeats

    @property
    def receptive_frames(self) -> int:
        """Frames of the filter bank that one frame of the masks depends on (erratum 26): 8185 at the thesis' sizes."""
        return 1 + (self.depthwise - 1) * sum(self.dilations)

    @classmethod
    def original(cls) -> Self:
        """The speech network it came from: mono at 8 kHz, two speakers (CTN-02)."""
        return cls(
            audio_channels=1, sources=("speaker 1", "speaker 2"), sample_rate=8_000, filters=128, kernel=16, stride=8,
            blocks=8, repeats=3,
        )  # fmt: skip

    def tiny(self) -> Self:
        """Two repeats of three narrow blocks; frames twice as long."""
        sizes = {"filters": 32, "bottleneck": 16, "hidden": 32, "blocks": 3, "repeats": 2}
        return replace(self, kernel=2 * self.kernel, stride=2 * self.stride, **sizes)  # type: ignore[arg-type]


@dataclass(frozen=True)
class CausalConvTasnetConfig(ConvTasnetConfig):
    """Defaults of the live network: hop 256 at 44.1 kHz in 16 frames, half the thesis' width, norms of each frame.

    The states of the dilated convolutions go in and out with each call, so the sum of dilations costs bandwidth: 1.6 MB here.

    Attributes:
        frames: of the filter bank in one call.
    """

    filters: int = 128
    kernel: int = 32
    stride: int = 16
    bottleneck: int = 128
    hidden: int = 256
    blocks: int = 8
    repeats: int = 3
    norm: Literal["global", "channel", "cumulative"] = "channel"
    chunk_seconds: float = 0.0
    frames: int = 16

    @property
    def hop(self) -> int:
        """Samples of one call."""
        return self.stride * self.frames

    def tiny(self) -> Self:
        """As of the other, the hop unchanged."""
        return replace(super().tiny(), frames=self.frames // 2)


class Block(nn.Module):
    """1x1 convolution, PReLU, norm, dilated depthwise convolution, PReLU, norm, 1x1 convolution; residual (EQ-CTN-2)."""

    def __init__(self, config: ConvTasnetConfig, dilation: int, causal: bool) -> None:
        super().__init__()
        norm, depthwise = NORMS[config.norm], StreamingDepthwise if causal else CentredDepthwise
        self.expand = nn.Linear(config.bottleneck, config.hidden, bias=False)
        self.act1, self.norm1 = nn.PReLU(), norm(config.hidden)
        self.depthwise = depthwise(config.hidden, config.depthwise, dilation)
        self.act2, self.norm2 = nn.PReLU(), norm(config.hidden)
        self.reduce = nn.Linear(config.hidden, config.bottleneck, bias=False)
        self.skip = nn.Linear(config.hidden, config.bottleneck, bias=False) if config.skip else None

    def initial_state(self, batch: int) -> list[Tensor]:
        """Of the convolution and the two norms."""
        return [layer.initial_state(batch) for layer in (self.depthwise, self.norm1, self.norm2)]

    def forward(self, x: Tensor, state: list[Tensor]) -> tuple[Tensor, Tensor | None, list[Tensor]]:
        """``(batch, frames, bottleneck)`` -> the same, the skip output if there is one, and the next state."""
        left, first, second = state
        y, first = self.norm1(self.act1(self.expand(x)), first)
        y, left = self.depthwise(y, left)
        y, second = self.norm2(self.act2(y), second)
        return x + self.reduce(y), None if self.skip is None else self.skip(y), [left, first, second]


class _TasnetBlocks(Separator):
    """The layers that both networks share. No layer that a silent frame passes has a bias, so silence stays silence (CTN-09)."""

    def __init__(self, config: ConvTasnetConfig, causal: bool) -> None:
        super().__init__()
        self.config: ConvTasnetConfig = config
        self.encoder = StreamingConv1d(config.audio_channels, config.filters, config.kernel, config.stride, bias=False)
        self.norm = ChannelNorm(config.filters)
        self.bottleneck = nn.Linear(config.filters, config.bottleneck, bias=False)
        self.blocks = nn.ModuleList(Block(config, dilation, causal) for dilation in config.dilations)
        self.masks = nn.Linear(config.bottleneck, len(config.sources) * config.filters, bias=False)
        self.decoder = StreamingConvTranspose1d(
            config.filters, config.audio_channels, config.kernel, config.stride, bias=False
        )

    @property
    def stack(self) -> list[Block]:
        """The blocks in order."""
        return [block for block in self.blocks if isinstance(block, Block)]

    def masked(self, frames: Tensor, states: list[list[Tensor]]) -> tuple[Tensor, list[list[Tensor]]]:
        """Encoded frames ``(batch, n, filters)`` -> those of each source ``(batch * sources, n, filters)``, and the next states."""
        batch, count, filters = frames.shape
        x, skips, after = self.bottleneck(self.norm(frames, frames)[0]), [], []
        for block, state in zip(self.stack, states, strict=True):
            x, skip, state = block(x, state)
            after.append(state)
            skips += [] if skip is None else [skip]
        x = torch.stack(skips).sum(dim=0) if skips else x
        masks = F.relu(self.masks(x)).reshape(batch, count, len(self.config.sources), filters)
        sources = (frames[:, :, None] * masks).transpose(1, 2)
        return sources.reshape(-1, count, filters), after

    def joined(self, sources: Tensor) -> Tensor:
        """``(batch * sources, time, channels)`` -> ``(batch, time, sources * channels)``."""
        _, time, channels = sources.shape
        n_sources = len(self.config.sources)
        return sources.reshape(-1, n_sources, time, channels).transpose(1, 2).reshape(-1, time, n_sources * channels)


class ConvTasnet(_TasnetBlocks):
    """The thesis' Conv-Tasnet; whole songs in consecutive chunks that are simply joined (CTN-05)."""

    def __init__(self, config: ConvTasnetConfig | None = None) -> None:
        super().__init__(config or ConvTasnetConfig(), causal=False)

    def forward(self, mix: Tensor) -> Tensor:
        """Separate ``mix``; outside of training anything longer than ``chunk_seconds`` goes chunk by chunk."""
        chunk = int(self.config.chunk_seconds * self.config.sample_rate)
        if self.training or not chunk or mix.shape[-1] <= chunk:
            return self.excerpt(mix)
        return torch.cat([self.excerpt(part) for part in mix.split(chunk, dim=-1)], dim=-1)

    def excerpt(self, mix: Tensor) -> Tensor:
        """All of ``mix`` at once; it is padded at its end to whole frames and the stems are trimmed."""
        time, config = mix.shape[-1], self.config
        frames = (
            max(0, (time - config.kernel + config.stride - 1) // config.stride) + 1
        )  # rounded up; ONNX divides towards 0
        padded = F.pad(mix, (0, (frames - 1) * config.stride + config.kernel - time)).transpose(1, 2)
        states = [block.initial_state(len(mix)) for block in self.stack]
        sources, _ = self.masked(F.relu(self.encoder.valid(padded)), states)
        return self.split_sources(self.joined(self.decoder.full(sources)))[..., :time]


class CausalConvTasnet(_TasnetBlocks, StreamingSeparator):
    """Conv-Tasnet for live use (CTN-10): a frame comes out when it has gone in, ``kernel - stride`` samples late."""

    def __init__(self, config: CausalConvTasnetConfig | None = None) -> None:
        config = config or CausalConvTasnetConfig()
        if config.norm == "global":
            raise ValueError("A causal network cannot normalise by statistics of the whole song.")
        super().__init__(config, causal=True)

    @property
    def latency(self) -> int:
        """A frame hears ``kernel`` samples and ends with the call; its own first sample is that much older."""
        return self.config.kernel - self.config.stride

    def initial_state(self, batch: int = 1) -> NamedState:
        """The zero state."""
        state = NamedState(encoder=self.encoder.initial_state(batch))
        for i, block in enumerate(self.stack):
            state |= _block_names(i, block.initial_state(batch))
        state["decoder"] = self.decoder.initial_state(batch * len(self.config.sources))
        return state

    def step_frames(self, x: Tensor, state: NamedState) -> tuple[Tensor, NamedState]:
        """``step`` in the channel-last layout."""
        frames, left = self.encoder(x, state["encoder"])
        before = [[state[name] for name in _block_names(i, [x] * 3)] for i in range(len(self.blocks))]
        sources, after = self.masked(F.relu(frames), before)
        stems, tail = self.decoder(sources, state["decoder"])
        state = NamedState(state | {"encoder": left, "decoder": tail})
        for i, tensors in enumerate(after):
            state |= _block_names(i, tensors)
        return self.joined(stems), state


def _block_names(number: int, tensors: list[Tensor]) -> dict[str, Tensor]:
    names = (f"block.{number}.{name}" for name in ("context", "norm1", "norm2"))
    return dict(zip(names, tensors, strict=True))
