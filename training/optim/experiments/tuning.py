"""Step sizes by grid search, as in section 4.6: for every method and batch size, on samples outside the test set."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

FIRST, LAST, BEYOND = -4, 6, 8
"""Powers of 2 to try, and how many more if the best is at an end."""


@dataclass(frozen=True)
class Tuned:
    """The best step size, its value, and whether it is at the border of the grid."""

    step: float
    value: float
    border: bool


def tune(value_at: Callable[[float], float], first: int = FIRST, last: int = LAST) -> Tuned:
    """The power of 2 with the smallest ``value_at``. The grid grows if the best is at its end."""
    found = {k: value_at(2.0**k) for k in range(first, last + 1)}
    for _ in range(BEYOND):
        best = min(found, key=lambda k: found[k])
        low, high = min(found), max(found)
        if best not in (low, high):
            break
        next_ = low - 1 if best == low else high + 1
        found[next_] = value_at(2.0**next_)
    best = min(found, key=lambda k: found[k])
    return Tuned(2.0**best, found[best], best in (min(found), max(found)))
