"""Processors without a model: for ``--model none`` and for tests, which can also make them slow on purpose."""

from __future__ import annotations

import time

import numpy as np

from rtaudio.audio.format import SOURCES, Audio, StreamFormat
from rtaudio.processors.base import Processor, State


class Passthrough(Processor):
    """Every stem is an equal share of the mix, so that they sum to it.

    Args:
        outputs: names of the stems.
        delay: latency in samples, as a model would have it.
        cost_s: seconds to sleep in each call of ``process``, to simulate a slow model.
    """

    def __init__(self, outputs: tuple[str, ...] = SOURCES, delay: int = 0, cost_s: float = 0.0) -> None:
        self.outputs = tuple(outputs)
        self.delay, self.cost_s = delay, cost_s
        self._fifo = np.zeros((delay, 1), dtype=np.float32)

    def prepare(self, fmt: StreamFormat) -> None:
        self._fifo = np.zeros((self.delay, fmt.channels), dtype=np.float32)

    def process(self, block: Audio) -> Audio:
        if self.cost_s:
            time.sleep(self.cost_s)
        queue = np.concatenate((self._fifo, block), dtype=np.float32)
        self._fifo = queue[len(block) :]
        return np.repeat(queue[: len(block), None] / np.float32(len(self.outputs)), len(self.outputs), axis=1)

    def flush(self) -> Audio:
        tail = self.process(np.zeros_like(self._fifo))
        self.reset()
        return tail

    def reset(self) -> None:
        self._fifo = np.zeros_like(self._fifo)

    @property
    def latency(self) -> int:
        return self.delay

    def save_state(self) -> State:
        return {"fifo": self._fifo.copy()}

    def restore_state(self, state: State) -> None:
        self._fifo = state["fifo"].copy()
