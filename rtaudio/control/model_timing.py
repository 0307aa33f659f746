"""Times the model at the start and chooses its deadline (``rtaudio/engine/deadline.py``).

The processor runs under the conditions of live use: in a thread of its own with the priority of the worker, on sound that arrives at its
time, next to other programs and to simulated callbacks (``Callbacks``), which need processor time and Python's interpreter. The time from
when sound is due to when its stems are ready must fit into the deadline, including rare late results: its 99th percentile plus ``MARGIN``.
With small blocks, one late result makes many blocks miss, so the largest time counts. The deadline is the smallest number of blocks that
is long enough.
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
from rtaudio.protocol.settings import EngineConfig, MixerState
from rtaudio.system.realtime import MODEL_PRIORITY, request_realtime, switch_interval

MARGIN = 1.3
"""Added share of the 99th percentile: one call in a hundred takes longer, and the load of the machine changes."""
WAKE_S = 0.0002
"""Seconds added for passing sound from the callback to the worker and back."""
SMALL_S = 0.003
"""Blocks shorter than this count as small. Without a model only the wake-up of a thread is timed, for which small blocks are too short."""
TIMED_S = 0.5
"""Seconds for which the processor is timed."""
FEWEST, MOST = 10, 150
"""Smallest and largest number of timed bursts."""
SETTLING = 3
"""The first bursts do not count."""
LONGEST_S = 0.25
"""Longest deadline that is chosen. A model that needs more is too slow for the machine."""


@dataclass(frozen=True)
class Clock:
    """The time and how to wait; tests replace it."""

    now: Callable[[], float] = time.perf_counter
    sleep: Callable[[float], None] = time.sleep


@dataclass(frozen=True)
class Needed:
    """Result of timing a processor.

    Attributes:
        frames: the deadline that it needs, in whole blocks.
        share: computing time over the duration of the sound (median); from 1 on it is too slow for any deadline.
    """

    frames: int
    share: float = 0.0


def given_frames(
    config: EngineConfig, processor: Processor, fmt: StreamFormat, align: int, clock: Clock | None = None
) -> int:
    """The deadline in frames, whole blocks: ``config.deadline``, or else what ``processor`` needs, which is prepared and timed.

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
    """Frames of a burst: the blocks that one call of the network processes."""
    return -(-processor.burst // fmt.block) * fmt.block


class Callbacks:
    """Context manager that runs a thread with the work of the audio callback, block after block, so that threads compete as they do live.

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
    """Seconds from when each burst of sound was due to when its stems were ready, in a thread like the worker's.

    A burst is the blocks that one call of the network processes. The processor must be prepared.
    """
    found: list[float] = []

    def run() -> None:
        request_realtime(MODEL_PRIORITY)
        with contextlib.suppress(Exception):  # a failing model is reported when it plays
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
            due -= wait  # this burst started late: do not count the delay of the one before
        processor.process(sound)
        late.append(clock.now() - due)
    return late[SETTLING:]
