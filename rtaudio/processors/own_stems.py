"""The processor of a stem file: nothing is separated, its stems arrive side by side as channels of the input."""

from __future__ import annotations

import numpy as np

from rtaudio.audio.format import SOURCES, Audio, StreamFormat
from rtaudio.processors.base import Processor, State


class OwnStems(Processor):
    """Turns ``(frames, len(outputs) * channels)`` into ``(frames, len(outputs), channels)``, without latency and without a state.

    Its format states the channels of one stem.
    """

    outputs = SOURCES
    parts = len(SOURCES)

    def __init__(self) -> None:
        self._channels = 2

    def prepare(self, fmt: StreamFormat) -> None:
        self._channels = fmt.channels

    def process(self, block: Audio) -> Audio:
        return block.reshape(len(block), self.parts, self._channels).copy()

    def flush(self) -> Audio:
        return np.zeros((0, self.parts, self._channels), np.float32)

    def reset(self) -> None: ...

    @property
    def latency(self) -> int:
        return 0

    def save_state(self) -> State:
        return {}

    def restore_state(self, state: State) -> None: ...
