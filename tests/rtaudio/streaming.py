"""What the tests of processors share: a model that changes nothing, and sound that goes through in blocks."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from rtaudio.audio.format import SOURCES, Audio, StreamFormat
from rtaudio.processors.base import Processor


class Identity:
    """A FrameModel whose stems are parts of its input, ``delay`` samples late."""

    name = "identity"
    outputs = SOURCES
    shares = ()

    def __init__(self, rate: int = 44_100, channels: int = 2, hop: int = 256, delay: int = 0) -> None:
        self.rate, self.channels, self.hop, self.window, self.delay = rate, channels, hop, hop, delay
        self.reset()

    def run(self, mix: Audio) -> Audio:
        queue = np.concatenate((self.past, mix))
        self.past = queue[len(mix) :]
        return np.repeat(queue[: len(mix), None] / np.float32(4), 4, axis=1)

    def reset(self) -> None:
        self.past = np.zeros((self.delay, self.channels), dtype=np.float32)

    def get_state(self) -> dict[str, Audio]:
        return {"past": self.past.copy()}

    def set_state(self, state: dict[str, Audio]) -> None:
        self.past = state["past"].copy()

    def warm_up(self) -> None:
        pass


def prepared(processor: Processor, rate: int = 44_100, channels: int = 2) -> Processor:
    """``processor``, ready for a format."""
    processor.prepare(StreamFormat(rate, channels))
    return processor


def stream(processor: Processor, mix: Audio, blocks: Iterator[int], flush: bool = True) -> Audio:
    """Everything that comes out, the tail included."""
    parts, start = [], 0
    while start < len(mix):
        block = mix[start : start + next(blocks)]
        parts.append(processor.process(block))
        assert len(parts[-1]) == len(block)
        start += len(block)
    if flush:
        parts.append(processor.flush())
    return np.concatenate(parts)


def sizes(kind: int | str) -> Iterator[int]:
    """Sizes of blocks for ever: all the same, ``random`` or ``changing``."""
    rng = np.random.default_rng(7)
    step = 0
    while True:
        step += 1
        yield kind if isinstance(kind, int) else int(rng.integers(1, 3000)) if kind == "random" else 1 + step * 37 % 977
