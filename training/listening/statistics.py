"""Mean opinion scores and ABX proportions with their intervals, and rejection of unreliable listeners (LIS-01, LIS-02).

As in crowdMOS (Ribeiro et al. 2011), a score is ``mean + sound + listener + rest``; each of the last three has its own variance.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from scipy import stats

from training.listening.answers import Rating

LEAST_CORRELATION = 0.25
"""A listener whose ratings correlate less than this with those of all others is left out (crowdMOS' threshold)."""

LEAST_RATINGS = 8
"""Listeners with fewer ratings are not judged, because the correlation of so few ratings is meaningless."""


@dataclass(frozen=True)
class Score:
    """A mean, the half width of its 95 % interval, and the number of ``ratings``. Unknown values are ``nan``."""

    mean: float
    interval: float
    ratings: int

    def text(self) -> str:
        """Text in the form of the thesis: ``3.22 ± .09``."""
        if not self.ratings:
            return "-"
        half = "?" if math.isnan(self.interval) else f"{self.interval:.2f}".removeprefix("0")
        return f"{self.mean:.2f} ± {half}"


def mean_opinion(ratings: Sequence[Rating], confidence: float = 0.95) -> Score:
    """Pooled mean of all ratings, with the two-way interval of crowdMOS.

    The variances follow from three moments: within a listener (sound + rest), within a sound (listener + rest) and over all
    (the three together). The mean's variance is ``v_sound / sounds + v_listener / listeners + v_rest / ratings``, and the interval
    is Student's with ``min(sounds, listeners) - 1`` degrees of freedom.
    """
    values = np.array([rating.value for rating in ratings], float)
    if not len(values):
        return Score(math.nan, math.nan, 0)
    by_listener, by_sound = _groups(ratings, "listener"), _groups(ratings, "sound")
    total = float(values.var(ddof=1)) if len(values) > 1 else math.nan
    v_sound, v_listener, v_rest = variances(_within(by_listener.values()), _within(by_sound.values()), total)
    variance = v_sound / len(by_sound) + v_listener / len(by_listener) + v_rest / len(values)
    degrees = min(len(by_sound), len(by_listener)) - 1
    if degrees < 1:
        return Score(float(values.mean()), math.nan, len(values))
    half = float(stats.t.ppf((1 + confidence) / 2, degrees)) * math.sqrt(variance)
    return Score(float(values.mean()), half, len(values))


def variances(within_listener: float, within_sound: float, total: float) -> tuple[float, float, float]:
    """``(sound, listener, rest)`` from the three moments, none below 0. Parts that cannot be separated (nan) count as rest."""
    listener = 0.0 if math.isnan(within_listener) else max(0.0, total - within_listener)
    sound = 0.0 if math.isnan(within_sound) else max(0.0, total - within_sound)
    return sound, listener, max(0.0, total - sound - listener)


def _groups(ratings: Iterable[Rating], by: str) -> dict[str, list[int]]:
    groups: dict[str, list[int]] = defaultdict(list)
    for rating in ratings:
        groups[getattr(rating, by)].append(rating.value)
    return groups


def _within(groups: Iterable[list[int]]) -> float:
    """Pooled variance inside the groups; nan if none has two values."""
    pairs = [(np.var(group, ddof=1), len(group) - 1) for group in groups if len(group) > 1]
    if not pairs:
        return math.nan
    return float(sum(var * df for var, df in pairs) / sum(df for _, df in pairs))


def unreliable(ratings: Sequence[Rating], least: float = LEAST_CORRELATION) -> dict[str, float]:
    """Listeners to leave out -> correlation of their ratings with those of the others.

    The others' rating is their mean for the same sound if at least three of them heard it, else for the same system and source.
    The worst listener is removed first, then all are judged again, since a bad listener distorts the others' means. At most half of
    the listeners are removed.
    """
    rejected: dict[str, float] = {}
    listeners = {rating.listener for rating in ratings}
    while len(rejected) < len(listeners) // 2:
        left = [rating for rating in ratings if rating.listener not in rejected]
        agreement = correlations(left)
        if not agreement:
            break
        worst = min(agreement, key=lambda name: (agreement[name], name))
        if agreement[worst] >= least:
            break
        rejected[worst] = agreement[worst]
    return rejected


def correlations(ratings: Sequence[Rating]) -> dict[str, float]:
    """Each listener with ``LEAST_RATINGS`` or more -> correlation with the others' means, averaged over the questions."""
    found: dict[str, list[float]] = defaultdict(list)
    for question in {rating.question for rating in ratings}:
        asked = [rating for rating in ratings if rating.question == question]
        for listener, value in _agreement(asked).items():
            found[listener].append(value)
    return {listener: float(np.mean(values)) for listener, values in found.items()}


def _agreement(ratings: Sequence[Rating]) -> dict[str, float]:
    sounds, kinds = _Others(), _Others()
    by_listener: dict[str, list[Rating]] = defaultdict(list)
    for rating in ratings:
        sounds.add((rating.sound,), rating)
        kinds.add((rating.system, rating.source), rating)
        by_listener[rating.listener].append(rating)
    result = {}
    for listener, own in by_listener.items():
        expected = []
        for rating in own:
            mean, count = sounds.mean((rating.sound,), listener)
            expected.append(mean if count >= 3 else kinds.mean((rating.system, rating.source), listener)[0])
        pairs = [(e, r.value) for e, r in zip(expected, own, strict=True) if not math.isnan(e)]
        if len(pairs) >= LEAST_RATINGS:
            result[listener] = _correlation(*np.array(pairs, float).T)
    return result


class _Others:
    """Sums of ratings in cells, from which one listener's own can be taken out."""

    def __init__(self) -> None:
        self._all: dict[tuple[str, ...], tuple[int, int]] = defaultdict(lambda: (0, 0))

    def add(self, cell: tuple[str, ...], rating: Rating) -> None:
        for key in (cell, (*cell, "listener", rating.listener)):
            total, count = self._all[key]
            self._all[key] = (total + rating.value, count + 1)

    def mean(self, cell: tuple[str, ...], listener: str) -> tuple[float, int]:
        """Mean and number of the ratings of everybody else."""
        total, count = self._all[cell]
        own, owned = self._all[(*cell, "listener", listener)]
        return ((total - own) / (count - owned) if count > owned else math.nan), count - owned


def _correlation(one: np.ndarray, other: np.ndarray) -> float:
    """Pearson's correlation; 0 for a listener who always gives the same rating."""
    if one.std() == 0 or other.std() == 0:
        return 0.0
    return float(np.corrcoef(one, other)[0, 1])


@dataclass(frozen=True)
class Preference:
    """How often a system was chosen.

    Attributes:
        share: share of the trials. half: half width of its normal 95 % interval.
        exact: Clopper and Pearson's 95 % interval. p: probability of such a share or a rarer one if both were equally close.
    """

    share: float
    half: float
    exact: tuple[float, float]
    p: float
    trials: int


def preference(chosen: int, trials: int) -> Preference:
    """A binomial proportion: 697 of 1000 gives 0.697 ± 0.028."""
    share = chosen / trials
    test = stats.binomtest(chosen, trials)
    exact = test.proportion_ci(0.95, "exact")
    half = float(stats.norm.ppf(0.975)) * math.sqrt(share * (1 - share) / trials)
    return Preference(share, half, (float(exact.low), float(exact.high)), float(test.pvalue), trials)
