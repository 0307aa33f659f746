"""The kinds of networks that take sound apart: name -> configuration and class.

Recipes (``network.kind``), weights files and cards name a kind; ``training`` builds networks through here and knows none by name.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from models.aligned import AlignedDemucs, AlignedDemucsConfig
from models.conv_tasnet import CausalConvTasnet, CausalConvTasnetConfig, ConvTasnet, ConvTasnetConfig
from models.demucs import CausalDemucs, CausalDemucsConfig, Demucs, DemucsConfig
from models.hybrid import HybridDemucs, HybridDemucsConfig
from models.masks import CausalMasks, CausalMasksConfig
from models.network import Separator, SeparatorConfig, StreamingSeparator
from models.open_unmix import OpenUnmix, OpenUnmixConfig


@dataclass(frozen=True)
class NetworkKind:
    """One row of the table: the classes of sizes and network, and a line for people."""

    config: type[SeparatorConfig]
    network: type[Separator]
    summary: str

    @property
    def streams(self) -> bool:
        """Whether it plays live hop by hop; others do so in overlapping chunks, with seconds of latency."""
        return issubclass(self.network, StreamingSeparator)


KINDS: dict[str, NetworkKind] = {
    "causal-demucs": NetworkKind(CausalDemucsConfig, CausalDemucs, "Demucs for live use, latency one hop"),
    "hybrid-demucs": NetworkKind(HybridDemucsConfig, HybridDemucs, "causal Demucs and causal masks, added"),
    "causal-masks": NetworkKind(CausalMasksConfig, CausalMasks, "masked spectrograms for live use"),
    "demucs": NetworkKind(DemucsConfig, Demucs, "the thesis' Demucs (section 3.4), bidirectional"),
    "aligned-demucs": NetworkKind(AlignedDemucsConfig, AlignedDemucs, "Demucs with the frames of the public denoiser"),
    "conv-tasnet": NetworkKind(ConvTasnetConfig, ConvTasnet, "the thesis' Conv-Tasnet for music (section 3.3)"),
    "causal-conv-tasnet": NetworkKind(CausalConvTasnetConfig, CausalConvTasnet, "Conv-Tasnet for live use"),
    "open-unmix": NetworkKind(OpenUnmixConfig, OpenUnmix, "masked spectrograms after Open-Unmix, a baseline"),
}
DEFAULT_KIND = "causal-demucs"


def kind_of(thing: SeparatorConfig | Separator) -> str:
    """Name of the kind of a network or of its configuration. Raises KeyError for strangers."""
    config = type(thing.config if isinstance(thing, Separator) else thing)
    for name, kind in KINDS.items():
        if kind.config is config:
            return name
    raise KeyError(f"{config.__name__} belongs to no kind of network")


def make_network(config: SeparatorConfig) -> Separator:
    """A network with fresh weights of the kind that ``config`` belongs to."""
    network: Any = KINDS[kind_of(config)].network
    built: Separator = network(config)
    return built


def config_to_dict(config: SeparatorConfig) -> dict[str, Any]:
    """Plain values with the kind's name among them."""
    return {"kind": kind_of(config), **config.to_dict()}


def config_from_dict(values: dict[str, Any]) -> SeparatorConfig:
    """Inverse of ``config_to_dict``; without a kind it is a causal Demucs. Raises KeyError or TypeError for unknown names."""
    rest = dict(values)
    kind = KINDS[rest.pop("kind", DEFAULT_KIND)]
    return kind.config.from_dict(rest)
