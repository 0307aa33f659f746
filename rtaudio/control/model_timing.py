"""Times the model at the start and chooses its deadline (``rtaudio/engine/deadline.py``).

The processor runs as it will run: in a thread of its own with the priority of the worker, on sound that is due at
its time, with what else the machine does meanwhile and with the callbacks that will be beside it (``Callbacks``): they take processor
time and Python's interpreter. When the results were ready after they were due is what must fit, the rare late ones included: the 99th
percentile, and ``MARGIN`` on it. Where blocks are small, many of them miss a piece that is late, and the latest one counts. The smallest
number of blocks that holds this is the deadline.
"""

from __future__ import annotations

import contextlib
import sys
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from rtaudio.audio.format import StreamFormat
from rtaudio.engine.callback import AudioCallback
from rtaudio.engine.deadline import blocks_for
from rtaudio.engine.pipeline import Pipeline
from rtaudio.files.song_player import FilePlayer
from rtaudio.ports.clock import ClockPort
from rtaudio.processors.base import Processor
from rtaudio.processors.passthrough import Passthrough
from rtaudio.protocol.messages import EngineConfig, MixerState
from rtaudio.system.realtime import MODEL_PRIORITY, request_realtime, switch_interval

MARGIN = 1.3
"""Of the 99th percentile: one call in a hundred is later, and what else runs changes."""
WAKE_S = 0.0002
"""Added for the way from the callback to the worker and back."""
SMALL_S = 0.003
"""Shorter blocks are small. Without a model there is nothing to time but the waking of a thread, which small blocks have no time for."""
TIMED_S = 0.5
"""How long the processor is tried."""
FEWEST, MOST = 10, 150
"""Pieces that are tried, whatever time that takes, and however short they are."""
SETTLING = 3
"""The first pieces do not count."""
LONGEST_S = 0.25
"""More is never chosen: a model that needs it is too slow for the machine."""


@dataclass(frozen=True)
class Clock:
    """The time, and how to wait; a test has its own."""

    now: Callable[[], float] = time.perf_counter
    sleep: Callable[[float], None] = time.sleep


@dataclass(frozen=True)
class Needed:
    """What a processor needs.

    Attributes:
        frames: of its deadline, whole blocks.
        share: of its time that it works, by the median piece: from 1 on it is too slow for any deadline.
    """

    frames: int
    share: float = 0.0


def given_frames(
    config: EngineConfig, processor: Processor, fmt: StreamFormat, align: int, clock: Clock | None = None
) -> int:
    """The deadline in frames, whole blocks: what ``config.deadline`` asks for, or what ``processor`` needs, which is prepared for that.

    Raises:
        StemplayError: the processor cannot work in this format.
    """
    if config.deadline > 0:
        return blocks_for(config.deadline / 1000, fmt) * fmt.block
    if config.model == "none" and fmt.block >= SMALL_S * fmt.rate:
        return fmt.block
    return needed(processor, fmt, align, clock).frames


def needed(processor: Processor, fmt: StreamFormat, align: int, clock: Clock | None = None) -> Needed:
    """Prepare ``processor`` and time it. Raises StemplayError if it cannot work in this format."""
    processor.prepare(fmt)
    if align:
        processor.align(align)
    if clock is not None:
        late = paced(processor, fmt, clock)
    else:
        with Callbacks(processor.outputs, fmt):
            late = paced(processor, fmt, Clock())
    counted = 1.0 if fmt.block < SMALL_S * fmt.rate else 0.99
    longest = MARGIN * float(np.quantile(late, counted, method="lower")) + WAKE_S
    frames = blocks_for(min(longest, LONGEST_S), fmt) * fmt.block
    return Needed(frames, float(np.median(late)) * fmt.rate / piece_frames(processor, fmt))


def piece_frames(processor: Processor, fmt: StreamFormat) -> int:
    """Frames that the processor works on at once: as many blocks as a call of the network takes."""
    return -(-processor.burst // fmt.block) * fmt.block


class Callbacks:
    """Within it a thread does, block after block, what the audio callback does with a song and stems that are there, and threads take
    turns as they will during sound.

    Args:
        outputs: names of the stems.
        fmt: of the stream.
    """

    def __init__(self, outputs: Sequence[str], fmt: StreamFormat) -> None:
        self._port = ClockPort(fmt.rate, fmt.block, channels=fmt.channels)
        pipeline = Pipeline(Passthrough(tuple(outputs)), fmt, fmt.block, MixerState(), realtime=True)
        pipeline.ready.write(0, np.full((2 * fmt.rate, len(outputs), fmt.channels), 0.01, np.float32), 0)
        song = FilePlayer.from_samples(np.full((fmt.rate, fmt.channels), 0.1, np.float32), fmt.rate, loop=True)
        self._callback = AudioCallback(self._port, pipeline, [], [], song, None)
        self._block_s = fmt.block / fmt.rate
        self._interval = sys.getswitchinterval()

    def __enter__(self) -> Callbacks:
        sys.setswitchinterval(switch_interval(self._block_s))
        self._port.start(self._callback)
        return self

    def __exit__(self, *error: object) -> None:
        self._port.close()
        sys.setswitchinterval(self._interval)


def paced(processor: Processor, fmt: StreamFormat, clock: Clock) -> list[float]:
    """Seconds from when each piece of sound was due to when its stems were ready, in a thread as the worker's.

    A piece is as many blocks as a call of the network takes. The processor must be prepared.
    """
    found: list[float] = []

    def run() -> None:
        request_realtime(MODEL_PRIORITY)
        with contextlib.suppress(Exception):  # a model that fails is told of when it plays
            found.extend(_paced(processor, fmt, clock))

    thread = threading.Thread(target=run, name="stemplay-timing", daemon=True)
    thread.start()
    thread.join()
    processor.reset()
    return found or [0.0]


def _paced(processor: Processor, fmt: StreamFormat, clock: Clock) -> list[float]:
    frames = piece_frames(processor, fmt)
    period = frames / fmt.rate
    count = min(MOST, max(FEWEST, round(TIMED_S / period)))
    sound = (0.1 * np.random.default_rng(0).standard_normal((frames, fmt.channels))).astype(np.float32)
    late = []
    due = clock.now()
    for _ in range(count + SETTLING):
        due += period
        wait = due - clock.now()
        if wait > 0:
            clock.sleep(wait)
        else:
            due -= wait  # it was late already: this piece is not to be blamed for the one before
        processor.process(sound)
        late.append(clock.now() - due)
    return late[SETTLING:]
