"""Times a piece of work on a machine that other programs use, too: repeats it until it had the processors that it asked for."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import NamedTuple

ENOUGH = 0.93
"""Share of its processors from which a run counts as undisturbed."""
TRIES = 12
"""Number of runs of which an undisturbed one is sought."""


class Timed(NamedTuple):
    """A run: seconds by the clock, and processors that it had on average (processor time over seconds)."""

    seconds: float
    processors: float


def timed(work: Callable[[], object]) -> Timed:
    """Run ``work`` once."""
    clock, processor = time.perf_counter(), time.process_time()
    work()
    processor = time.process_time() - processor
    seconds = max(time.perf_counter() - clock, 1e-9)
    return Timed(seconds, processor / seconds)


def undisturbed(work: Callable[[], object], workers: int, repeats: int = 1, tries: int = TRIES) -> Timed:
    """The shortest of ``repeats`` runs that had ``workers`` processors.

    If fewer than that are among ``tries`` runs, the one that had most of its processors, so that the caller can tell.
    """
    runs: list[Timed] = []
    good: list[Timed] = []
    while len(good) < repeats and len(runs) < max(tries, repeats):
        runs.append(timed(work))
        if runs[-1].processors >= ENOUGH * workers:
            good.append(runs[-1])
    return min(good) if good else max(runs, key=lambda run: run.processors)
