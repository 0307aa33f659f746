"""Theorems of chapter 4 as calculators: the moments of AdaBatch's average, Table 4.1, SVRG's corollaries with the errata."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import norm

from rtaudio.audio.format import StemplayError
from tests.training.optim.sampling import presence, strata
from training.optim.sparse import bounds
from training.optim.sparse.bounds import Setting, table_4_1

SETTING = Setting(mu=0.05, smooth=5.0, radius2=0.25, p_min=1e-5, p_max=0.9)


def average(z: np.ndarray) -> np.ndarray:
    count = (z != 0).sum(axis=1)
    return np.where(count > 0, z.sum(axis=1) / np.maximum(count, 1), 0.0)


@pytest.mark.parametrize(("p", "copies"), [(0.1, 10), (0.01, 10), (0.5, 10), (0.05, 100)])
def test_moments_of_the_average_by_monte_carlo(p: float, copies: int) -> None:
    """Lemma B.1 as corrected (ERR-42): at p = .1, N = 10 the printed form would give .5509 and not .7780."""
    rng = np.random.default_rng(0)
    there = presence(rng, p, copies, 1_000_000 // copies)
    z = np.zeros(there.shape)
    z[there] = 1 + 0.25 * norm.ppf(strata(rng, np.count_nonzero(there)))
    a = average(z)
    mean, square = bounds.average_moments(p, copies, p, p * (1 + 0.25**2))
    assert a.mean() == pytest.approx(mean, rel=0.01)
    assert np.square(a).mean() == pytest.approx(square, rel=0.01)


def test_the_second_moment_stays_below_its_bounds() -> None:
    for p in (0.001, 0.01, 0.1, 0.5, 0.9, 1.0):
        for copies in (1, 5, 10, 50, 500):
            for spread in (0.0, 1.0, 10.0):
                mean, square = p, p * (1 + spread)
                bound = bounds.average_square_bound(p, copies, mean, square)
                assert bounds.average_moments(p, copies, mean, square)[1] <= bound * (1 + 1e-9)


def test_adabatch_forgets_as_fast_as_single_samples_and_mini_batches_do_not() -> None:
    """Table 4.1, while p_min B is small."""
    samples = 100_000_000
    one = table_4_1("adabatch", SETTING, samples, 1)
    many = table_4_1("adabatch", SETTING, samples, 100)
    assert (
        many.bias == pytest.approx(one.bias, rel=0.01)
        and many.variance == one.variance
        and many.largest_step == one.largest_step
    )
    assert table_4_1("minibatch", SETTING, samples, 100).bias > 10 * table_4_1("minibatch", SETTING, samples, 1).bias


def test_the_largest_step_of_mini_batches_grows_with_the_batch_and_then_no_more() -> None:
    s = Setting(0.1, smooth=0.01, radius2=1.0, p_min=0.01, p_max=0.5)
    few, some = (table_4_1("minibatch", s, 1000, batch).largest_step for batch in (1, 4))
    assert bounds.saturates_at(s) == 400 and some == pytest.approx(4 * few, rel=0.02)
    assert table_4_1("minibatch", s, 1000, 400_000).largest_step == pytest.approx(1 / (0.01 * 0.5), rel=0.01)


def test_dividing_by_p_has_a_tiny_step_and_a_huge_variance() -> None:
    inverse, ada = (table_4_1(method, SETTING, 1000, 10, None) for method in ("inverse", "adabatch"))
    assert inverse.largest_step < 0.01 * ada.largest_step
    step = inverse.largest_step
    ratio = (
        table_4_1("inverse", SETTING, 1000, 10, step).variance / table_4_1("adabatch", SETTING, 1000, 10, step).variance
    )
    assert ratio == pytest.approx(1 / (SETTING.p_min * 10))


def test_the_bounds_hold_in_a_simulation_of_least_squares() -> None:
    """Theorem 5 on dense Gaussian-free data: uniform features, known constants."""
    rng = np.random.default_rng(0)
    target, batch, steps, step = np.array([1.0, -2.0]), 4, 60, 0.1
    distances = []
    for _ in range(300):
        w = np.zeros(2)
        for _ in range(steps):
            x = rng.choice([-1.0, 1.0], (batch, 2))
            w = w - step * ((x @ w - x @ target + rng.uniform(-1, 1, batch)) @ x) / batch
        distances.append(np.square(w - target).sum())
    sigma2 = 2 / 3  # |x|^2 times the variance of the noise
    assert np.mean(distances) <= bounds.iterate_bound(1.0, 1.0, 2.0, sigma2, 5.0, steps, batch, step)
    mean = bounds.weighted_mean(np.array([[0.0], [1.0]]), 0.1, 1.0)
    assert mean[0] == pytest.approx(1 / 1.95) and bounds.mean_iterate_bound(SETTING, 10, 5, 0.1, adaptive=True) > 0


def test_the_corollaries_on_svrg_with_the_corrected_constant() -> None:
    """ERR-48: as printed .957 at B = 50 and no convergence at B = 10; corrected .9. AdaBatch .875."""
    for batch, printed in ((50, 0.957), (10, 1.29)):
        values = {}
        for misprinted in (True, False):
            step, inner = bounds.corollary_1(1e-3, 1.0, batch, misprinted)
            values[misprinted] = bounds.svrg_contraction(1e-3, 1.0, step, inner, batch)  # type: ignore[arg-type]
        assert values[True] == pytest.approx(printed, abs=0.005) and values[False] == pytest.approx(0.9, abs=1e-9)
    step, inner = bounds.corollary_2(1e-3, 1.0, 10, 1e-6)
    value = bounds.svrg_contraction(1e-3, 1.0, step, inner, 10, adaptive=True, p_min=1e-6)  # type: ignore[arg-type]
    assert value == pytest.approx(0.875, abs=1e-4)
    assert bounds.corollary_1(1e-3, 1.0, 50)[1] == pytest.approx(bounds.corollary_1(1e-3, 1.0, 500)[1], rel=0.2)
    assert bounds.corollary_2(1e-3, 1.0, 50, 1e-6)[1] == pytest.approx(bounds.corollary_2(1e-3, 1.0, 500, 1e-6)[1] * 10)


def test_steps_that_no_theorem_covers_are_refused() -> None:
    with pytest.raises(StemplayError, match="at most"):
        table_4_1("adabatch", SETTING, 100, 10, 1.0)
    with pytest.raises(StemplayError, match="too large"):
        bounds.svrg_contraction(0.1, 1.0, 0.5, 100, adaptive=True)
    with pytest.raises(StemplayError, match="at least 8"):
        bounds.corollary_1(0.1, 1.0, 5)
    with pytest.raises(StemplayError, match="Frequencies"):
        Setting(0.1, 1, 1, 0.0, 0.5)
