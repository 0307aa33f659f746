"""What ``SeparatorProcessor`` runs: a network that works frame by frame, at its own rate."""

from __future__ import annotations

from typing import Any, Protocol

from rtaudio.format import Audio, StemplayError
from rtaudio.runtime import ModelRuntime


class FrameModel(Protocol):
    """A network that works frame by frame.

    Call ``k`` (from 0) of ``run`` gets input ``k * hop`` to ``k * hop + window``, ``(window, channels)``, and returns the stems
    ``(hop, n_sources, channels)`` of input ``k * hop - delay`` onwards. All in samples at ``rate``. ``shares`` are those of the
    model's card, empty for equal ones.
    """

    name: str
    rate: int
    channels: int
    outputs: tuple[str, ...]
    shares: tuple[float, ...]
    hop: int
    window: int
    delay: int

    def run(self, mix: Audio) -> Audio: ...
    def reset(self) -> None: ...
    def get_state(self) -> dict[str, Any]: ...
    def set_state(self, state: dict[str, Any]) -> None: ...
    def warm_up(self) -> None: ...


class CausalModel:
    """An exported causal network as a FrameModel: a window is one hop."""

    def __init__(self, runtime: ModelRuntime) -> None:
        card = runtime.card
        if card.kind != "separator":
            raise StemplayError(f"The model {card.name!r} is of kind {card.kind}, not a separator.")
        self.name, self.rate, self.channels, self.outputs = card.name, card.sample_rate, card.channels, card.outputs
        self.shares = card.shares
        self.hop = self.window = card.hop
        self.delay = card.latency
        self.run = runtime.run
        self.reset = runtime.reset
        self.get_state = runtime.get_state
        self.set_state = runtime.set_state
        self._runtime = runtime

    def warm_up(self) -> None:
        """Run on silence; the state is as before."""
        self._runtime.warm_up()
