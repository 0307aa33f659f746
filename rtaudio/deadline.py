"""How much time the model gets for a piece of sound: its deadline, a part of the latency.

**What is given.** Callbacks tell the worker of sound in blocks of B frames and fetch stems in blocks. Let the processor's latency be
such that stems that are ready are fetched at once (``SeparatorProcessor.align``): with hops of H frames, H - gcd(H, B). Callback number
j ends at j B and fetches stems up to j B - latency - D for a deadline of D frames. If the worker has done with what it was told k callbacks
ago, floor((j - k) B / H) H stems are ready. That is enough in every callback if and only if

    D >= max over j of  j B - (H - gcd(H, B)) - floor((j - k) B / H) H  =  k B,

for (j - k) B modulo H is at most H - gcd(H, B). So D in frames gives the worker the time of floor(D / B) blocks and never a part of
one more: deadlines are whole blocks, one at least. With rate conversion the processor holds back what its grids need at worst, and
the same holds. A hop that takes longer than a block, but less than a hop, just needs more than one of them: its work is spread over
several blocks.

**How much is chosen.** The processor runs as it will run: in a thread of its own with the priority of the worker, on sound that is due at
its time, with what else the machine does meanwhile. When the results were ready after they were due is what must fit, the rare late
ones included: the 99th percentile, and ``MARGIN`` on it, and what the callbacks take. The smallest number of blocks that holds this is
the deadline.

**When the worker wakes.** Only when a hop is complete (``Processor.missing``): it then writes all stems that are ready, before they are
due (``Processor.ahead``), and sleeps. Small blocks cost the model no more than large ones.
"""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from rtaudio.format import StreamFormat
from rtaudio.messages import EngineConfig
from rtaudio.processors.base import Processor
from rtaudio.realtime import request_realtime

MARGIN = 1.3
"""Of the 99th percentile: one call in a hundred is later, and what else runs changes."""
WAKE_S = 0.0002
"""Added for the way from the callback to the worker and back."""
CALLBACK_S = 0.0001
"""What the audio callback takes of each block, roughly; meanwhile it holds Python's lock. It counts where blocks are small."""
SMALL_S = 0.003
"""Without a model there is nothing to time, but that waking a thread takes a while: with blocks shorter than this it is timed."""
TIMED_S = 0.5
"""How long the processor is tried."""
FEWEST, MOST = 10, 150
"""Pieces that are tried, whatever time that takes, and however short they are."""
SETTLING = 3
"""The first pieces do not count."""
LONGEST_S = 0.25
"""More is never chosen: a model that needs it is too slow for the machine."""
PRIORITY = 40
"""Of whoever runs a model: below the audio callback's and the sound server's, above everything ordinary."""


@dataclass(frozen=True)
class Clock:
    """The time, and how to wait; a test has its own."""

    now: Callable[[], float] = time.perf_counter
    sleep: Callable[[float], None] = time.sleep


def blocks_for(seconds: float, fmt: StreamFormat) -> int:
    """The fewest blocks that last ``seconds``, at least one."""
    return max(1, math.ceil(round(seconds * fmt.rate / fmt.block, 6)))


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
    processor.prepare(fmt)
    if align:
        processor.align(align)
    late = paced(processor, fmt, clock or Clock())
    needed = (MARGIN * float(np.quantile(late, 0.99, method="lower")) + WAKE_S) / (1 - callback_share(fmt))
    return blocks_for(min(needed, LONGEST_S), fmt) * fmt.block


def callback_share(fmt: StreamFormat) -> float:
    """How much of a processor the audio callbacks take, roughly; at most a half."""
    return min(0.5, CALLBACK_S * fmt.rate / fmt.block)


def paced(processor: Processor, fmt: StreamFormat, clock: Clock) -> list[float]:
    """Seconds from when each piece of sound was due to when its stems were ready, in a thread as the worker's.

    A piece is as many blocks as a call of the network takes. The processor must be prepared.
    """
    found: list[float] = []

    def run() -> None:
        request_realtime(PRIORITY)
        found.extend(_paced(processor, fmt, clock))

    thread = threading.Thread(target=run, name="stemplay-timing", daemon=True)
    thread.start()
    thread.join()
    processor.reset()
    return found or [0.0]


def _paced(processor: Processor, fmt: StreamFormat, clock: Clock) -> list[float]:
    frames = -(-processor.burst // fmt.block) * fmt.block
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
