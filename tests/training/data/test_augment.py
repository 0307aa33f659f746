"""Augmentations (DMX-18): pure functions of a batch and a generator."""

from __future__ import annotations

import numpy as np
import pytest

from training.data import augment

AUGMENTATIONS = [
    augment.shuffle_sources,
    augment.swap_channels,
    augment.flip_signs,
    augment.random_gain,
    lambda batch, rng: augment.shift_sources(batch, rng, 900),
]


@pytest.mark.parametrize("function", AUGMENTATIONS)
def test_the_same_generator_gives_the_same_result_and_the_input_stays(function, stems):
    before = stems.copy()
    first = function(stems, np.random.default_rng(7))
    second = function(stems, np.random.default_rng(7))
    other = function(stems, np.random.default_rng(8))
    assert np.array_equal(first, second)
    assert not np.array_equal(first, other)
    assert np.array_equal(stems, before)
    assert first.dtype == np.float32


def test_shuffling_keeps_the_multiset_of_each_source_within_its_group(stems):
    shuffled = augment.shuffle_sources(stems, np.random.default_rng(1), group=4)
    for start in (0, 4):
        for source in range(4):
            before = sorted(stems[start : start + 4, source].sum(axis=(1, 2)))
            after = sorted(shuffled[start : start + 4, source].sum(axis=(1, 2)))
            assert np.allclose(before, after, atol=1e-4)
    assert not np.array_equal(shuffled, stems)


def test_a_last_group_may_be_smaller(stems):
    shuffled = augment.shuffle_sources(stems[:5], np.random.default_rng(1), group=4)
    assert np.array_equal(shuffled[4], stems[4])


def test_swapping_exchanges_left_and_right_of_some_sources(stems):
    swapped = augment.swap_channels(stems, np.random.default_rng(2))
    same = (swapped == stems).all(axis=(2, 3))
    exchanged = (swapped == stems[:, :, ::-1]).all(axis=(2, 3))
    assert (same ^ exchanged).all()
    assert same.any() and exchanged.any()


def test_flipping_signs_keeps_magnitudes_and_signs_are_whole_sources(stems):
    flipped = augment.flip_signs(stems, np.random.default_rng(3))
    assert np.array_equal(np.abs(flipped), np.abs(stems))
    ratio = (flipped / stems).reshape(8, 4, -1)
    assert (ratio == ratio[..., :1]).all()
    assert set(np.unique(ratio)) == {-1.0, 1.0}


@pytest.mark.parametrize("per_source", [True, False])
def test_shifts_cut_what_was_there(stems, per_source):
    cut = augment.shift_sources(stems, np.random.default_rng(4), 900, per_source)
    assert cut.shape == (8, 4, 2, 900)
    offsets = np.array(
        [
            [next(o for o in range(101) if np.array_equal(stems[b, s, :, o : o + 900], cut[b, s])) for s in range(4)]
            for b in range(8)
        ]
    )
    assert (offsets == offsets[:, :1]).all() != per_source
    with pytest.raises(ValueError):
        augment.shift_sources(stems, np.random.default_rng(4), 1001)


def test_gains_lie_in_the_documented_range(stems):
    gained = augment.random_gain(stems, np.random.default_rng(5), -6, 6)
    decibels = 20 * np.log10((gained / stems).reshape(8, 4, -1))
    assert np.allclose(decibels, decibels[..., :1], atol=1e-3)
    assert decibels.min() >= -6.001 and decibels.max() <= 6.001 and np.ptp(decibels) > 3


def test_the_mixture_is_the_sum_of_what_was_augmented(stems):
    augmented = augment.flip_signs(augment.shuffle_sources(stems, np.random.default_rng(1)), np.random.default_rng(2))
    assert np.allclose(
        augment.mixture(augmented), augmented[:, 0] + augmented[:, 1] + augmented[:, 2] + augmented[:, 3], atol=1e-6
    )


def test_a_speed_of_one_half_reads_between_samples():
    ramp = np.arange(20, dtype=np.float32)[None]
    assert np.allclose(augment.change_speed(ramp, 0.5, 10), np.arange(10) / 2)
    with pytest.raises(ValueError):
        augment.change_speed(ramp, 2.0, 15)


def test_only_loud_mixtures_are_scaled_down(stems):
    stems[0] *= 0.01
    limited = augment.limit_peaks(stems, 1.2)
    assert np.array_equal(limited[0], stems[0])
    assert np.abs(augment.mixture(limited)).max() <= 1.2 + 1e-5


def test_an_equaliser_has_the_gains_that_were_drawn():
    frames = 44_100
    time = np.arange(frames) / 44_100
    places = np.array([[0, 0], [1, 1]])
    db = np.zeros((2, augment.KNOTS), np.float32)
    db[0, -1], db[1, 0] = -20.0, 6.0
    low, high = (np.sin(2 * np.pi * f * time).astype(np.float32) for f in (augment.LOWEST, augment.HIGHEST))
    batch = np.tile(low + high, (2, 2, 2, 1))
    out = augment.equalised(batch, augment.Curves(places, db))
    assert np.allclose(out[0, 0], low + 0.1 * high, atol=1e-3)
    assert np.allclose(out[1, 1], 10 ** (6 / 20) * low + high, atol=1e-3)
    assert np.array_equal(out[0, 1], batch[0, 1])
    drawn = augment.draw_curves((200, 4), np.random.default_rng(0), 0.5, 3.5)
    assert 300 < len(drawn.places) < 500 and 3.2 < drawn.db.std() < 3.8


def test_widths_reach_from_mono_to_wider_than_the_recording(stems):
    widths = np.ones((len(stems), 4), np.float32)
    widths[0, 1], widths[0, 2] = 0.0, 1.5
    out = augment.widened(stems, widths)
    assert np.allclose(out[0, 1, 0], out[0, 1, 1]) and np.allclose(out[1:], stems[1:], atol=1e-6)
    sides = [x[0, 2, 0] - x[0, 2, 1] for x in (stems, out)]
    assert np.allclose(sides[1], 1.5 * sides[0], atol=1e-5)
    assert np.allclose(out.mean(axis=2), stems.mean(axis=2), atol=1e-6)
    drawn = augment.draw_widths((300, 4), np.random.default_rng(0), 0.3)
    assert 0.25 < np.mean(drawn != 1) < 0.35 and drawn.min() >= 0 and drawn.max() <= 1.6
