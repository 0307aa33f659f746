"""Our scores are those of museval (MUS-04), and fast-bss-eval's of mono signals are too."""

from __future__ import annotations

import museval
import numpy as np
import pytest
import torch

from training.data.synthetic import synthetic_song
from training.metrics import frame_sdr
from training.metrics.museval4 import References, bss_eval_sources

RATE = 44_100


@pytest.fixture(scope="module")
def pair() -> tuple[np.ndarray, np.ndarray]:
    """Two sources and estimates with leaks, a wrong filter and noise, 3.4 s: ``(2, 2, time)`` each."""
    song = synthetic_song(3, int(3.4 * RATE))[[0, 3]]
    song += 1e-3 * np.random.default_rng(1).standard_normal(song.shape).astype(np.float32)
    noise = np.random.default_rng(0).standard_normal(song.shape).astype(np.float32)
    estimate = 0.7 * song + 0.2 * np.roll(song, 40, axis=-1) + 0.1 * song.sum(axis=0) + 0.01 * noise
    return song, estimate


def test_scores_equal_musevals_to_a_thousandth_of_a_decibel(pair):
    song, estimate = pair
    frames = (x.transpose(0, 2, 1) for x in (song, estimate))
    theirs = museval.evaluate(*frames, win=RATE, hop=RATE)
    ours = References(song).score(estimate)
    for name, values in zip(("sdr", "isr", "sir", "sar"), theirs, strict=True):
        assert values.shape == (2, 3) and np.isfinite(values).all()
        assert np.abs(getattr(ours, name) - values).max() < 1e-3, name


def test_musevals_sdr_needs_no_filters(pair):
    song, estimate = (torch.from_numpy(x) for x in pair)
    filtered = np.median(References(pair[0]).score(pair[1]).sdr, axis=1)
    assert np.abs(frame_sdr(estimate, song).numpy() - filtered).max() < 1e-3


def test_a_frame_in_which_a_source_is_silent_has_no_score(pair):
    song, estimate = pair[0].copy(), pair[1]
    song[0, :, RATE : 2 * RATE] = 0
    scores = References(song, taps=32).score(estimate)
    assert np.isnan(scores.sir[:, 1]).all() and np.isfinite(scores.sir[:, [0, 2]]).all()
    with pytest.raises(ValueError, match="shorter than a frame"):
        References(song[..., :1000])


def test_fast_bss_eval_equals_museval_on_mono(pair):
    song, estimate = (x.mean(axis=1) for x in pair)
    sdr, sir, sar, _ = museval.metrics.bss_eval_sources(song[..., None], estimate[..., None], compute_permutation=False)
    for ours, theirs in zip(bss_eval_sources(song, estimate), (sdr, sir, sar), strict=True):
        assert np.abs(ours - np.ravel(theirs)).max() < 1e-3
