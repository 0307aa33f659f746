"""Limits how often pictures are drawn: thirty times a second, or less if that costs too much of a core."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

FASTEST_MS, SLOWEST_MS = 33, 250
SHARE = 0.10
"""Largest share of one core for drawing; the limit for the whole window is 0.15."""


class FrameRateLimiter:
    """Measures the processor time of drawing and adapts the interval between two frames."""

    def __init__(self) -> None:
        self.interval_ms = FASTEST_MS
        self._cost = 0.0
        self._looks = 0

    @contextmanager
    def work(self) -> Iterator[None]:
        """Context manager: the processor time spent inside is counted."""
        begun = time.thread_time()
        try:
            yield
        finally:
            self._cost += time.thread_time() - begun

    def look(self) -> int:
        """Call it once for each frame; returns the interval to use from now on, in ms."""
        self._looks += 1
        if self._looks >= 15:
            wanted = 1000 * self._cost / self._looks / SHARE
            self.interval_ms = round(min(SLOWEST_MS, max(FASTEST_MS, wanted)))
            self._cost, self._looks = 0.0, 0
        return self.interval_ms
