"""Means over clips with their errors, and one method against another on the same clips."""

from __future__ import annotations

import math

import numpy as np
import pytest

from rtaudio.audio.format import StemplayError
from training.metrics import mean_over_songs, mean_with_error
from training.metrics.pairs import duel

NAN = math.nan


def test_a_mean_leaves_silent_sources_out_and_its_error_is_over_songs():
    mean, error = mean_with_error([[1.0, 3.0], [NAN, 4.0], [NAN, NAN], [6.0, 6.0]])
    assert mean == pytest.approx(4.0)  # 2, 4 and 6
    assert error == pytest.approx(2 / math.sqrt(3))
    assert math.isnan(mean_with_error([[1.0, 2.0]])[1]) and math.isnan(mean_with_error([[NAN]])[0])
    assert mean_over_songs([[1.0, NAN], [3.0, 5.0]]) == [2.0, 5.0]


def test_a_duel_pairs_the_clips_counts_wins_and_does_not_see_what_they_have_in_common():
    rng = np.random.default_rng(0)
    level = rng.normal(0, 5, (30, 1))  # how easy a clip is moves both
    old = {str(k): list(row) for k, row in enumerate(level + rng.normal(0, 0.1, (30, 2)))}
    new = {name: [row[0] + 0.5, row[1] - 0.2] for name, row in old.items()}
    found = duel(new, old, ("a", "b"))
    assert found["a"].difference == pytest.approx(0.5) and found["a"].wins == 30 and found["a"].error < 1e-9
    assert found["b"].difference == pytest.approx(-0.2) and found["b"].wins == 0 and not found["b"].better
    assert found["All"].difference == pytest.approx(0.15) and found["All"].better
    assert found["All"].text() == "+0.15 ± 0.00, 30 of 30"


def test_better_needs_two_standard_errors_and_most_of_the_clips():
    zero = {str(k): [0.0] for k in range(9)}
    one_giant = {**{str(k): [-0.01] for k in range(8)}, "8": [90.0]}
    assert duel(one_giant, zero, ("a",))["All"].difference > 9 and not duel(one_giant, zero, ("a",))["All"].better
    noisy = {str(k): [3.0 if k < 5 else -3.0] for k in range(9)}
    assert duel(noisy, zero, ("a",))["All"].wins == 5 and not duel(noisy, zero, ("a",))["All"].better
    steady = {str(k): [0.1 + 0.01 * k] for k in range(9)}
    assert duel(steady, zero, ("a",))["All"].better


def test_clips_where_a_source_is_silent_do_not_count_for_it_and_other_clips_are_refused():
    found = duel({"x": [1.0, NAN], "y": [2.0, 2.0]}, {"x": [0.0, NAN], "y": [1.0, 3.0]}, ("a", "b"))
    assert (found["b"].clips, found["b"].wins) == (1, 0) and found["All"].clips == 2 and found["All"].wins == 1
    with pytest.raises(StemplayError, match="only one of them has 'x'"):
        duel({"z": [1.0]}, {"x": [1.0]}, ("a",))
