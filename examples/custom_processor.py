"""A processor of one's own: what is in the middle of a stereo mix, and what is at its sides.

It is used here as any model is, offline and by an engine in this process, whose port writes a file instead of playing.

    python examples/custom_processor.py SONG OUT.wav
"""

import sys
import time

import numpy as np
import soundfile

from rtaudio import EngineConfig, MixerState, Processor, StemState, StreamFormat, separate
from rtaudio.engine.engine import Engine
from rtaudio.files.song_player import FilePlayer
from rtaudio.ports.clock import ClockPort


class MiddleAndSides(Processor):
    """Two stems without delay: their sum is the mix. ``rtaudio/processors/base.py`` says what a processor must keep to."""

    outputs = ("middle", "sides")

    def prepare(self, fmt: StreamFormat) -> None:
        """Nothing depends on the rate or on the size of blocks."""

    def process(self, block: np.ndarray) -> np.ndarray:
        middle = np.repeat(block.mean(axis=1, keepdims=True), block.shape[1], axis=1)
        return np.stack((middle, block - middle), axis=1)

    def flush(self) -> np.ndarray:
        return np.zeros((0, 2, 2), np.float32)

    def reset(self) -> None:
        """Nothing is remembered."""

    @property
    def latency(self) -> int:
        return 0


song, rate = soundfile.read(sys.argv[1], dtype="float32", always_2d=True)
stems = separate(song, rate, MiddleAndSides())
print(f"middle {np.abs(stems[:, 0]).max():.3f}, sides {np.abs(stems[:, 1]).max():.3f} at most")

port = ClockPort(rate, 256, channels=2, path=sys.argv[2], paced=False)  # at full speed; paced=True follows the clock
mixer = MixerState(stems={"middle": StemState(gain_db=-60)})
engine = Engine(EngineConfig(), mixer, port=port, processor=MiddleAndSides(), source=FilePlayer(sys.argv[1], rate, 2))
engine.start()
while engine.snapshot().state not in ("finished", "stopped"):
    time.sleep(0.02)
engine.stop()
print(f"wrote the sides to {sys.argv[2]}")
