"""What every separating network has in common, so that training, export and the engine need not know which one it is.

``Separator`` takes a mix apart; ``StreamingSeparator`` does so in hops with explicit state. Offline *is* streaming from the
zero state: ``forward`` calls ``step`` and takes the network's latency off.
"""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import asdict
from typing import Any, Protocol, Self

from torch import Tensor, nn
from torch.nn import functional as F

SPEECH = ("voice", "noise")
"""Sources of an enhancer; networks with these are exported with the kind ``enhancer``."""


class SeparatorConfig:
    """Base of the networks' frozen dataclasses of sizes; each has these fields, and defaults for all of its own."""

    audio_channels: int
    sources: tuple[str, ...]
    sample_rate: int

    @property
    def hop(self) -> int:
        """Samples a frame (or a call, for networks that stream): training examples are a multiple of it long."""
        raise NotImplementedError

    def tiny(self) -> Self:
        """The same network with small sizes, for tests and ``--tiny``."""
        raise NotImplementedError

    def to_dict(self) -> dict[str, Any]:
        """Plain values, for a card or a checkpoint."""
        return {**asdict(self), "sources": list(self.sources)}  # type: ignore[call-overload]  # subclasses are dataclasses

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> Self:
        """Inverse of ``to_dict``; unknown keys raise TypeError."""
        return cls(**{**values, "sources": tuple(values["sources"])})


class State(Protocol):
    """What a streaming network remembers between two calls."""

    def named(self) -> dict[str, Tensor]:
        """Name -> tensor in a fixed order, without tensors that have no elements."""
        ...

    def replaced(self, values: dict[str, Tensor]) -> Any:
        """A state with the tensors of ``values`` in place of this one's."""
        ...


class NamedState(dict[str, Tensor]):
    """The plainest ``State``: tensors by name."""

    def named(self) -> dict[str, Tensor]:
        """Those that have elements."""
        return {name: value for name, value in self.items() if value.numel()}

    def replaced(self, values: dict[str, Tensor]) -> NamedState:
        """A copy with other tensors; an unknown name raises KeyError."""
        unknown = set(values) - set(self)
        if unknown:
            raise KeyError(f"no state {sorted(unknown)[0]}")
        return NamedState({**self, **values})


class Separator(nn.Module):
    """``(batch, channels, time)`` -> ``(batch, sources, channels, time)``, any length, aligned with the mix."""

    config: Any
    """The network's ``SeparatorConfig``."""

    @property
    def hop(self) -> int:
        """Samples a frame."""
        return int(self.config.hop)

    def split_sources(self, x: Tensor) -> Tensor:
        """``(batch, time, sources * channels)`` -> ``(batch, sources, channels, time)``; channel 2 s + c is source s (DMX-06)."""
        batch, time, _ = x.shape
        shaped = x.reshape(batch, time, len(self.config.sources), self.config.audio_channels)
        return shaped.permute(0, 2, 3, 1)


class StreamingSeparator(Separator):
    """A network that plays live: ``step`` takes any multiple of the hop, and the future cannot change what came out.

    ``step`` gives the stems of what came ``latency`` samples earlier; ``forward`` has them aligned.
    """

    @property
    def latency(self) -> int:
        """Samples by which the output of ``step`` lags behind its input; the hop itself is not counted."""
        return 0

    @abstractmethod
    def initial_state(self, batch: int = 1) -> Any:
        """The zero ``State``: silence since ever."""

    @abstractmethod
    def step_frames(self, x: Tensor, state: Any) -> tuple[Tensor, Any]:
        """One call, channels last: ``(batch, time, channels)`` -> ``(batch, time, sources * channels)`` and the next state."""

    def forward(self, mix: Tensor) -> Tensor:
        """The whole of ``mix`` from the zero state, padded to whole hops and trimmed again."""
        time = mix.shape[-1]
        padded = F.pad(mix, (0, self.latency + -(time + self.latency) % self.hop))
        stems, _ = self.step(padded, self.initial_state(len(mix)))
        return stems[..., self.latency : self.latency + time]

    def step(self, mix: Tensor, state: Any) -> tuple[Tensor, Any]:
        """One call: ``(batch, channels, time)``, time a multiple of the hop; returns the stems and the next state.

        Raises:
            ValueError: the length is no multiple of the hop.
        """
        if mix.shape[-1] % self.hop:
            raise ValueError(f"{mix.shape[-1]} samples are no multiple of the hop of {self.hop}.")
        x, state = self.step_frames(mix.transpose(1, 2), state)
        return self.split_sources(x), state
