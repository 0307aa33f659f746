"""Skips the network during long silence, so that it rests.

With silence at its input a network uses as much processor time as ever. (Its noise is silenced much sooner, see ``silence``.) After
``REST_S`` of digital silence its stems are silent, and its states stay unchanged until there is sound again. This depends on the input
alone, in whole hops, so the output is the same offline, live and for any block size.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from rtaudio.audio.format import Audio
from rtaudio.processors.frame_model import FrameModel

REST_S = 1.0
"""Seconds of silence after which a network rests: longer than its memory of a single sound, shorter than a pause between songs.

Running on would cost time and quality: in longer silence the states drift to where no music has ever put them (docs/real-time.md)."""


class SilenceSkipper:
    """Wraps a FrameModel and does not run it (``inner``) during long silence.

    The last hop before it rests is faded out, so that its noise ends without a step.

    Args:
        settled: samples of silence, beyond ``REST_S`` and ``inner.delay``, after which the output of ``inner`` is silent, too.
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
        """Whether the network rests as long as the input stays silent."""
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
        """Clear all state."""
        self._silent = 0
        self._inner.reset()

    def warm_up(self) -> None:
        """Warm up the wrapped model."""
        self._inner.warm_up()

    def get_state(self) -> dict[str, Any]:
        """A deep copy of the state."""
        return {"silent": self._silent, "inner": self._inner.get_state()}

    def set_state(self, state: dict[str, Any]) -> None:
        """Restore what ``get_state`` returned."""
        self._silent = state["silent"]
        self._inner.set_state(state["inner"])
