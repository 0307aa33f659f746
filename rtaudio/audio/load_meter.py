"""A histogram of loads with bounded memory and a negligible cost for each count."""

from __future__ import annotations

import math

STEPS_PER_OCTAVE = 8
"""Resolution: a quantile is right within half a step, 4.4 %."""

_LOWEST = -14  # octaves: 2 ** -14 is a load of 0.006 %
_OCTAVES = 24


class LoadMeter:
    """A histogram of loads on a logarithmic scale. A load of 1.0 uses all of the available time.

    ``add`` belongs to one thread; the others may be called from any. Memory is the same after an hour as after a second.
    """

    def __init__(self) -> None:
        self._counts = [0] * (_OCTAVES * STEPS_PER_OCTAVE)
        self.largest = 0.0

    def add(self, load: float) -> None:
        """Count one ``load``."""
        step = math.floor((math.log2(load) - _LOWEST) * STEPS_PER_OCTAVE) if load > 0 else 0
        self._counts[min(max(step, 0), len(self._counts) - 1)] += 1
        if load > self.largest:
            self.largest = load

    def reset(self) -> None:
        """Clear the histogram."""
        self._counts = [0] * len(self._counts)
        self.largest = 0.0

    def quantile(self, share: float) -> float:
        """The load that a ``share`` (0 to 1) of all counted loads did not exceed; 0 if none were counted."""
        counts = self._counts.copy()
        wanted, seen = share * sum(counts), 0
        if wanted <= 0:
            return 0.0
        for step, count in enumerate(counts):
            seen += count
            if seen >= wanted:
                return float(min(2.0 ** ((step + 0.5) / STEPS_PER_OCTAVE + _LOWEST), self.largest))
        return self.largest

    def summary(self) -> dict[str, float]:
        """``{"p50", "p99", "max"}``."""
        return {"p50": self.quantile(0.5), "p99": self.quantile(0.99), "max": self.largest}
