"""Hybrid Demucs for live use: a causal Demucs of waveforms and masks on a spectrogram, whose stems are added.

After the thesis' Demucs (section 3.4) and the hybrids that followed it (Défossez 2021; HS-TasNet, Venkatesh et al. 2024). The two err
differently: masks keep what is sure (silence between notes, the phase of the mixture) and learn from little music, waveforms have the
bass and the attacks. What the masks' LSTM has heard also reaches the innermost level of the Demucs.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields, replace
from typing import Any, Self

import torch
from torch import Tensor, nn

from models.demucs import CausalDemucs, CausalDemucsConfig
from models.masks import CausalMasks, CausalMasksConfig
from models.network import NamedState, State, StreamingSeparator


@dataclass(frozen=True)
class HybridDemucsConfig(CausalDemucsConfig, CausalMasksConfig):
    """Sizes of both branches; what they have in common they share, and the hop is that of the masks."""

    @property
    def hop(self) -> int:
        """Samples a call: a multiple of the total stride."""
        return self.masks.hop

    @property
    def waves(self) -> CausalDemucsConfig:
        """Of the branch of waveforms."""
        return self._part(CausalDemucsConfig)

    @property
    def masks(self) -> CausalMasksConfig:
        """Of the branch of masks."""
        return self._part(CausalMasksConfig)

    def _part(self, kind: Any) -> Any:
        values = {f.name: getattr(self, f.name) for f in fields(kind)}
        return kind(**values)

    @classmethod
    def of(cls, waves: CausalDemucsConfig, masks: CausalMasksConfig) -> Self:
        """The sizes of two branches. Raises ValueError if they do not agree on what is common to them."""
        first, second = asdict(waves), asdict(masks)
        for name in sorted(set(first) & set(second)):
            if first[name] != second[name]:
                raise ValueError(f"The branches differ in {name}: {first[name]} and {second[name]}.")
        return cls(**{**first, **second})

    def tiny(self) -> Self:
        """Both branches tiny, at the hop of the smaller Demucs or a multiple of it. Masks cost a window for every hop: a quarter of one."""
        small = replace(self, channels=8, depth=3, max_channels=None)
        masks = replace(self.masks, hop_length=max(64, small.heard_hop)).tiny()
        return replace(small, **asdict(replace(masks, window=4 * masks.hop_length, seen_window=8 * masks.hop_length)))


class HybridDemucs(StreamingSeparator):
    """``(batch, channels, time)`` -> ``(batch, sources, channels, time)``, latency one hop."""

    def __init__(self, config: HybridDemucsConfig | None = None) -> None:
        super().__init__()
        self.config: HybridDemucsConfig = config or HybridDemucsConfig()
        config = self.config
        strides = ((config.hop, config.waves.hop), (config.hop_length, config.heard_hop))
        for hop, stride in strides:
            if hop % stride:
                raise ValueError(f"The hop of {hop} is no multiple of the total stride {stride}.")
        self.waves, self.masks = CausalDemucs(config.waves), CausalMasks(config.masks)
        self.link = nn.Linear(config.hidden, config.widths[config.depth - config.outer_lstm], bias=False)
        nn.init.zeros_(self.link.weight)

    def initial_state(self, batch: int = 1) -> NamedState:
        """The zero states of both branches."""
        return _joined(self.waves.initial_state(batch), self.masks.initial_state(batch))

    def step_frames(self, x: Tensor, state: NamedState) -> tuple[Tensor, NamedState]:
        """``step`` in the channel-last layout."""
        batch = x.shape[0]
        masks = self.masks.initial_state(batch).replaced(_part(state, "masks."))
        waves = self.waves.initial_state(batch).replaced(_part(state, "waves."))
        masked, hidden, masks = self.masks.step_and_tell(x, masks)
        heard, repeats = self.link(hidden), self.config.hop_length // self.config.heard_hop
        if repeats > 1:
            heard = torch.repeat_interleave(heard, repeats, dim=1)
        plain, waves = self.waves.step_frames(x, waves, heard)
        return plain + masked, _joined(waves, masks)


def join(waves: CausalDemucs, masks: CausalMasks, shares: Sequence[float]) -> HybridDemucs:
    """A hybrid that begins with the mean of two finished networks, as they play: with their residual shared equally among the stems.

    Args:
        shares: for each source, how much of the first's stem is in it; the rest is the second's.

    Raises:
        ValueError: they differ in rate, sources or gain, or their hops do not fit.
    """
    config: Any = waves.config
    network = HybridDemucs(HybridDemucsConfig.of(config, masks.config))
    network.waves.load_state_dict(waves.state_dict())
    network.masks.load_state_dict(masks.state_dict())
    count = len(waves.config.sources)
    share = torch.tensor(list(shares)).repeat_interleave(waves.config.audio_channels)
    last: Any = network.waves.decoder[0].up
    masked = network.masks
    rest = (1 - share).repeat_interleave(2)  # real and imaginary part of each output
    with torch.no_grad():
        # Stems less their mean, and a quarter of the mixture: which is a mask's to give, for both branches.
        last.weight.copy_(_centred(last.weight.transpose(0, 1), count).transpose(0, 1) * share[:, None])
        last.bias.copy_(_centred(last.bias, count) * share)
        masked.band2.weight.copy_(_centred(masked.band2.weight, count) * rest[:, None])
        masked.band2.bias.copy_(_centred(masked.band2.bias, count) * rest)
        masked.base.copy_(_centred(masked.base, count) * (1 - share) + 1 / count)
    return network.eval()


def _centred(x: Tensor, sources: int) -> Tensor:
    """Rows less their mean over the sources, which are the slowest."""
    rows = x.reshape(sources, len(x) // sources, *x.shape[1:])
    return (rows - rows.mean(dim=0)).reshape(x.shape)


def _joined(waves: State, masks: State) -> NamedState:
    """The states of both branches as one; ``_part`` takes it apart."""
    parts = {"waves": waves.named(), "masks": masks.named()}
    return NamedState({f"{part}.{name}": x for part, named in parts.items() for name, x in named.items()})


def _part(state: NamedState, prefix: str) -> dict[str, Tensor]:
    return {name[len(prefix) :]: x for name, x in state.items() if name.startswith(prefix)}
