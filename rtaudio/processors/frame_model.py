"""Frame models: networks that work frame by frame at their own rate. ``SeparatorProcessor`` runs them.

``InBackground`` owns the thread ``stemplay-chunk``, which computes one frame while the caller collects the next. The caller may block
until that frame is done.
"""

from __future__ import annotations

import time
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, Protocol

import numpy as np

from rtaudio.audio.format import Audio, StemplayError
from rtaudio.inference.runtime import ModelRuntime

STEM_KINDS = ("separator", "enhancer")
"""Kinds of models whose outputs are stems."""


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
        if card.kind not in STEM_KINDS:
            raise StemplayError(f"The model {card.name!r} is of kind {card.kind}, not a separator or enhancer.")
        self.name, self.rate, self.channels, self.outputs = card.name, card.sample_rate, card.channels, card.outputs
        self.shares, self.refining, self.refinable = card.shares, card.refining, card.refinable
        self.hop = self.window = card.hop
        self.delay = card.latency
        self.run = runtime.run
        self.reset = runtime.reset
        self.get_state = runtime.get_state
        self.set_state = runtime.set_state
        self._runtime = runtime

    def warm_up(self) -> None:
        """Run on silence; the state does not change."""
        self._runtime.warm_up()


class InBackground:
    """Wraps a FrameModel and delays it by one frame: a thread computes each frame while the next one is collected.

    A chunk of a non-causal network takes far longer than a block of the stream, though less than the chunk lasts. If it were computed
    in the caller's thread, the stems of many blocks would be late at every chunk. Here the thread has the duration of a whole ``hop``,
    which is part of ``delay``. The output does not depend on the timing of the threads.

    ``spent_s``: seconds of processor time used by the thread.
    """

    def __init__(self, inner: FrameModel) -> None:
        self.name, self.rate, self.channels, self.outputs = inner.name, inner.rate, inner.channels, inner.outputs
        self.shares = inner.shares
        self.hop, self.window, self.delay = inner.hop, inner.window, inner.delay + inner.hop
        self._inner = inner
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="stemplay-chunk")
        self._future: Future[Audio] | None = None
        self._ready: Audio = self._silence()
        self.spent_s = 0.0

    def _silence(self) -> Audio:
        return np.zeros((self.hop, len(self.outputs), self.channels), dtype=np.float32)

    def _collect(self) -> Audio:
        """The stems of the previous frame; waits for them."""
        if self._future is not None:
            future, self._future = self._future, None
            self._ready = future.result()
        return self._ready

    def run(self, mix: Audio) -> Audio:
        """Start computing this frame and return the stems of the previous one."""
        stems = self._collect()
        self._future = self._pool.submit(self._compute, mix.copy())
        return stems

    def _compute(self, mix: Audio) -> Audio:
        """Compute one frame; runs in the thread."""
        started = time.thread_time()
        stems = self._inner.run(mix)
        self.spent_s += time.thread_time() - started
        return stems

    def reset(self) -> None:
        """Clear all state; waits for the frame that is being computed."""
        self._collect()
        self._ready = self._silence()
        self._inner.reset()

    def get_state(self) -> dict[str, Any]:
        """A deep copy of the state; waits for the frame that is being computed."""
        return {"ready": self._collect().copy(), "inner": self._inner.get_state()}

    def set_state(self, state: dict[str, Any]) -> None:
        """Restore what ``get_state`` returned; waits for the frame that is being computed."""
        self._collect()
        self._ready = state["ready"].copy()
        self._inner.set_state(state["inner"])

    def warm_up(self) -> None:
        """Warm up the wrapped model."""
        self._inner.warm_up()
