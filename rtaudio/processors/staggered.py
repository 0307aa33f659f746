"""Lower latency by calling a network several times for each hop.

Several copies of a causal network run in turn, each a part of a hop later than the one before. Only the newest part of each output
frame is used, so no sample waits for a whole hop. ``count`` copies need ``count`` times the computing time. Quality falls, because the
first part of a hop is computed without the samples in the rest of it.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from rtaudio.audio.format import Audio, StemplayError
from rtaudio.inference.runtime import ModelRuntime
from rtaudio.processors.frame_model import CausalModel


class StaggeredModel:
    """A FrameModel whose hop is the network's hop divided by ``count``.

    Args:
        runtime: a causal network without delay, in its zero state.
        count: how many copies run in turn; divides the hop.

    Raises:
        StemplayError: the network works in chunks or with a delay, or its hop is not divisible by ``count``.
    """

    def __init__(self, runtime: ModelRuntime, count: int) -> None:
        card = runtime.card
        if not card.states or card.latency:
            raise StemplayError(f"The model {card.name!r} is not causal, so it cannot be called several times for each hop.")
        if count < 1 or card.hop % count:
            raise StemplayError(f"A hop of {card.hop} samples cannot be divided by {count}.")
        first = CausalModel(runtime)
        self._models = [first, *(CausalModel(runtime.sibling()) for _ in range(count - 1))]
        self.name, self.rate, self.channels, self.outputs = first.name, first.rate, first.channels, first.outputs
        self.shares, self.delay = first.shares, 0
        self.hop = self.window = card.hop // count
        self._frame = np.zeros((card.hop, card.channels), np.float32)
        self._next = 0

    def run(self, mix: Audio) -> Audio:
        """One part of a hop: ``(hop, channels)`` -> ``(hop, n_sources, channels)``."""
        self._frame = np.concatenate((self._frame[self.hop :], mix), dtype=np.float32)
        stems = self._models[self._next].run(self._frame)
        self._next = (self._next + 1) % len(self._models)
        return np.array(stems[-self.hop :])

    def reset(self) -> None:
        """Clear all state."""
        for model in self._models:
            model.reset()
        self._frame = np.zeros_like(self._frame)
        self._next = 0

    def warm_up(self) -> None:
        """Run each copy on silence."""
        for model in self._models:
            model.warm_up()

    def get_state(self) -> dict[str, Any]:
        """A deep copy of the state."""
        models = [model.get_state() for model in self._models]
        return {"models": models, "frame": self._frame.copy(), "next": self._next}

    def set_state(self, state: dict[str, Any]) -> None:
        """Restore what ``get_state`` returned."""
        for model, values in zip(self._models, state["models"], strict=True):
            model.set_state(values)
        self._frame, self._next = state["frame"].copy(), state["next"]
