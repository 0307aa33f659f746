"""Rest: in long silence a network does not run.

A network that hears nothing works as hard as ever. (The noise that it makes then is silenced much sooner, see ``silence``.) After
``REST_S`` of digital silence its stems are silence and its states stay as they are until there is sound again. This is a function of
the input alone, on the grid of hops: what comes out is the same offline, live and for any chunking.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from rtaudio.audio.format import Audio
from rtaudio.processors.frame import FrameModel

REST_S = 1.0
"""Silence after which a network rests: longer than what its states remember of a single sound, shorter than a pause between songs.

Running on would cost work and quality: in longer silence the states drift to where no music has ever put them (docs/real-time.md)."""


class Resting:
    """Another FrameModel that does not run ``inner`` in long silence.

    The last hop before it rests is faded out, so that its noise ends without a step.

    Args:
        settled: samples of silence beyond ``REST_S`` and ``inner.delay`` after which what ``inner`` gives is silence, too.
    """

    def __init__(self, inner: FrameModel, settled: int = 0) -> None:
        self.name, self.rate, self.channels, self.outputs = inner.name, inner.rate, inner.channels, inner.outputs
        self.shares, self.hop, self.window, self.delay = inner.shares, inner.hop, inner.window, inner.delay
        self.refining: tuple[float, ...] = getattr(inner, "refining", ())
        self.refinable: bool = getattr(inner, "refinable", False)
        self._inner = inner
        self._after = round(REST_S * inner.rate) + inner.delay + settled
        self._silent = 0
        self._nothing = np.zeros((self.hop, len(self.outputs), self.channels), np.float32)
        self._nothing.flags.writeable = False
        self._fall = (1 - (np.arange(self.hop, dtype=np.float32) + 1) / self.hop)[:, None, None]

    @property
    def resting(self) -> bool:
        """Whether more silence is answered with silence."""
        return self._silent >= self._after

    def run(self, mix: Audio) -> Audio:
        """One frame, see ``FrameModel``."""
        if mix.any():
            self._silent = 0
            return self._inner.run(mix)
        if self.resting:
            return self._nothing
        self._silent += self.hop
        stems = self._inner.run(mix)
        return stems * self._fall if self.resting else stems

    def reset(self) -> None:
        """Forget the past."""
        self._silent = 0
        self._inner.reset()

    def warm_up(self) -> None:
        """Warm the other model up."""
        self._inner.warm_up()

    def get_state(self) -> dict[str, Any]:
        """A deep copy."""
        return {"silent": self._silent, "inner": self._inner.get_state()}

    def set_state(self, state: dict[str, Any]) -> None:
        """Put back what ``get_state`` returned."""
        self._silent = state["silent"]
        self._inner.set_state(state["inner"])
