"""Times a call in rounds until the 99th percentile is stable, because the p99 of a single run depends on the machine, too.

Rounds are repeated until the p99s of the last ``LAST`` rounds differ by at most ``AGREE``; then these rounds count, together.
If this does not happen within the allowed number of rounds, all rounds count, and the result is marked as not stable.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

AGREE = 0.10
"""Largest allowed value of the largest p99 of the last rounds divided by the smallest, minus 1."""
LAST = 3
ROUNDS = 8
"""Default of the largest number of rounds."""
FEWEST = 20
"""Smallest number of calls in a round, however long they take."""
MOST = 5000


@dataclass(frozen=True)
class Timing:
    """Seconds of a call.

    Attributes:
        p50, p99: over all calls of the rounds that count.
        p50_spread, p99_spread: the largest value of a round divided by the smallest, minus 1: the noise of the number.
        rounds: number of measured rounds; ``stable``: whether the last ``LAST`` agreed.
    """

    p50: float
    p99: float
    p50_spread: float
    p99_spread: float
    rounds: int
    stable: bool


def times(call: Callable[[], object], count: int, period: float = 0.0) -> list[float]:
    """Seconds of each of ``count`` calls; with a ``period``, each waits for its deadline as an audio callback does."""
    call()
    times = []
    deadline = time.perf_counter()
    for _ in range(count):
        if period:
            deadline = max(deadline + period, time.perf_counter())  # one late call must not make all later ones late
            time.sleep(max(0.0, deadline - time.perf_counter()))
        started = time.perf_counter()
        call()
        times.append(time.perf_counter() - started)
    return times


def until_stable(measure: Callable[[], list[float]], most: int = ROUNDS) -> Timing:
    """Repeat ``measure``, which measures a round (seconds of each call); see the module."""
    rounds: list[list[float]] = []
    stable = False
    while len(rounds) < most and not stable:
        rounds.append(measure())
        stable = len(rounds) >= LAST and spread([_quantile(times, 0.99) for times in rounds[-LAST:]]) <= AGREE
    counted = rounds[-LAST:] if stable else rounds
    together = [value for times in counted for value in times]
    p50_spread, p99_spread = (spread([_quantile(times, q) for times in counted]) for q in (0.5, 0.99))
    return Timing(
        _quantile(together, 0.5), _quantile(together, 0.99), p50_spread, p99_spread, len(rounds), stable
    )  # fmt: skip


def paced(call: Callable[[], object], period: float, seconds: float, most: int = ROUNDS) -> Timing:
    """Time calls that wait for their period as in use, in rounds of about ``seconds``."""
    return until_stable(lambda: times(call, max(FEWEST, round(seconds / period)), period), most)


def back_to_back(call: Callable[[], object], seconds: float, most: int = ROUNDS) -> Timing:
    """Time calls without pauses, in rounds of about ``seconds``."""
    first = max(1e-7, float(np.median(times(call, 5))))
    count = min(MOST, max(FEWEST, round(seconds / first)))
    return until_stable(lambda: times(call, count), most)


def spread(values: list[float]) -> float:
    """The largest value divided by the smallest, minus 1."""
    return max(values) / max(min(values), 1e-12) - 1


def _quantile(values: list[float], share: float) -> float:
    return float(np.quantile(values, share))
