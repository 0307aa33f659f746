"""Losses and scores against closed forms (DMX-12, DMX-13, MUS-03, MUS-04)."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from training.losses import l1_loss, l2_loss, log_mse_loss, separation_loss, spectral_loss
from training.metrics import (
    frame_sdr,
    global_sdr,
    make_consistent,
    mean_over_sources,
    median_over_songs,
    median_with_spread,
    projection_scores,
    with_accompaniment,
)
from training.metrics.artefacts import band_error_db, missing_share
from training.metrics.summary import median_over_frames


def test_waveform_losses_equal_numpy():
    rng = np.random.default_rng(0)
    estimate, reference = rng.standard_normal((2, 3, 4, 2, 50))
    pair = torch.from_numpy(estimate), torch.from_numpy(reference)
    assert float(l1_loss(*pair)) == pytest.approx(np.abs(estimate - reference).mean())
    assert float(l2_loss(*pair)) == pytest.approx(((estimate - reference) ** 2).mean())
    assert float(separation_loss("l2", skip=10)(*pair)) == pytest.approx(((estimate - reference)[..., 10:] ** 2).mean())


def test_the_logarithmic_loss_is_the_negative_sdr_and_does_not_care_how_loud_a_song_is():
    rng = np.random.default_rng(5)
    reference = torch.from_numpy(rng.standard_normal((3, 4, 2, 2000)))
    estimate = reference + 0.3 * torch.from_numpy(rng.standard_normal(reference.shape))
    loss = log_mse_loss(estimate, reference, floor=0.0)
    share = 10 * torch.log10(reference.square().sum((2, 3)) / reference.sum(1).square().sum((1, 2))[:, None])
    assert float(loss) == pytest.approx(float((share - global_sdr(estimate, reference)).mean()), abs=1e-4)
    assert float(log_mse_loss(0.1 * estimate, 0.1 * reference)) == pytest.approx(
        float(log_mse_loss(estimate, reference)), abs=1e-3
    )
    silent = reference.clone()
    silent[:, 3] = 0
    assert torch.isfinite(log_mse_loss(silent, silent))


def test_the_spectral_term_is_zero_for_equal_sounds_and_has_finite_gradients():
    reference = torch.randn(1, 2, 2, 4096, generator=torch.Generator().manual_seed(0))
    assert float(spectral_loss(reference, reference)) == 0
    estimate = torch.zeros_like(reference, requires_grad=True)
    separation_loss("l1", spectral=0.1)(estimate, reference).backward()
    assert estimate.grad is not None and torch.isfinite(estimate.grad).all()


def test_global_sdr_has_its_marks():
    song = torch.randn(3, 2, 1000, generator=torch.Generator().manual_seed(0))
    song[2] = 0
    assert torch.allclose(global_sdr(torch.zeros_like(song), song)[:2], torch.zeros(2, dtype=torch.double))
    assert global_sdr(0.9 * song, song)[0].item() == pytest.approx(20, abs=1e-4)
    assert global_sdr(song, song)[0].item() > 100
    assert math.isnan(global_sdr(song, song)[2].item())


def test_the_frame_score_is_a_median_without_silent_frames():
    reference = torch.ones(1, 2, 4 * 100)
    reference[..., 300:] = 0
    estimate = reference.clone()
    for frame, error in enumerate((0.1, 0.01, 0.5)):
        estimate[..., 100 * frame : 100 * (frame + 1)] += error
    assert frame_sdr(estimate, reference, 100).item() == pytest.approx(20, abs=1e-4)
    assert math.isnan(frame_sdr(estimate, torch.zeros_like(reference), 100).item())


def test_medians_over_songs_leave_silence_out():
    nan = float("nan")
    result = median_over_songs(np.array([[1.0, nan, nan], [3.0, 5.0, nan], [8.0, 7.0, nan]]))
    assert result[:2] == [3.0, 6.0] and math.isnan(result[2])


@pytest.mark.parametrize(("leak", "noise"), [(0.5, 0.3), (0.1, 1.0)])
def test_projection_scores_have_closed_forms_on_orthogonal_sources(leak, noise):
    basis = np.linalg.qr(np.random.default_rng(0).standard_normal((400, 5)))[0].T * np.array(
        [[3.0], [2], [1], [1], [1]]
    )
    sources, rest = basis[:4], basis[4]
    estimate = sources[0] + leak * sources[1] + noise * rest
    e1, e2, en = 9.0, leak**2 * 4.0, noise**2
    scores = projection_scores(estimate, sources, 0)
    assert scores.sdr == pytest.approx(10 * np.log10(e1 / (e2 + en)), abs=1e-6)
    assert scores.sir == pytest.approx(10 * np.log10(e1 / e2), abs=1e-6)
    assert scores.sar == pytest.approx(10 * np.log10((e1 + e2) / en), abs=1e-6)
    scaled = projection_scores(7 * estimate, sources, 0)
    assert scaled.sdr == pytest.approx(scores.sdr, abs=1e-9)
    assert projection_scores(sources[0], sources, 0).sdr == float("inf")


def test_consistent_stems_sum_to_the_mix_and_share_equally():
    stems, mix = torch.randn(4, 2, 100), torch.randn(2, 100)
    fixed = make_consistent(stems, mix)
    assert torch.allclose(fixed.sum(0), mix, atol=1e-5)
    assert torch.allclose(fixed[0] - stems[0], fixed[3] - stems[3], atol=1e-5)


def test_accompaniment_is_all_but_the_last():
    stems = torch.randn(4, 2, 10)
    assert torch.allclose(with_accompaniment(stems)[4], stems[0] + stems[1] + stems[2])


def test_spread_is_the_standard_error_over_songs_and_all_is_the_mean():
    median, spread = median_with_spread([1.0, 2.0, float("nan"), 6.0])
    assert median == 2.0 and spread == pytest.approx(np.std([1, 2, 6], ddof=1) / np.sqrt(3))
    assert all(math.isnan(value) for value in median_with_spread([float("nan")]))
    assert mean_over_sources([8.45, 7.12, 7.85, 9.43]) == pytest.approx(8.2125)


def test_a_song_is_the_median_of_its_frames_and_a_method_of_its_songs():
    nan = float("nan")
    songs = [
        median_over_frames(np.array(frames)) for frames in ([[1.0, nan, 3.0]], [[7.0, 8.0, 100.0]], [[nan, nan, nan]])
    ]
    assert [float(song[0]) for song in songs[:2]] == [2.0, 8.0]
    assert median_over_songs(songs) == [5.0]


def test_artefact_meters_hear_noise_in_the_band_and_missing_notes():
    time = np.arange(44_100) / 44_100
    notes = np.sin(2 * np.pi * 110 * time)[None]
    hiss = 0.1 * np.sin(2 * np.pi * 1500 * time)[None]
    assert band_error_db(notes + hiss, notes) == pytest.approx(-20, abs=0.1)
    assert band_error_db(notes + 0.1 * np.sin(2 * np.pi * 5000 * time)[None], notes) < -60
    cut = notes.copy()
    cut[:, 22_050:33_075] = 0
    assert missing_share(cut, notes) == pytest.approx(0.25, abs=0.03)
    assert missing_share(0.2 * notes, notes) == 0 and math.isnan(missing_share(notes, 0 * notes))
