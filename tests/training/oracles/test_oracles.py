"""Oracles and baselines: masks sum to one, estimates to the mixture, and they are far above it (BSE-01 to -04, -11, DSP-08)."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import torch

from rtaudio.audio.format import StemplayError
from training.data.decode import read_stem_file
from training.data.synthetic import synthetic_song
from training.metrics import global_sdr
from training.oracles import ORACLES, find_oracle
from training.oracles.griffin_lim import convergence, griffin_lim
from training.oracles.masks import binary_mask, ratio_mask
from training.oracles.nmf import divergence, factorise, supervised
from training.oracles.stft import signal, spectra
from training.oracles.wiener import wiener

RATE = 44_100
CLIPS = Path(__file__).resolve().parents[4] / "shared" / "data" / "musdb18-7s" / "dev"


@pytest.fixture(scope="module")
def song() -> np.ndarray:
    return synthetic_song(4, 2 * RATE)


def sdr(estimate: np.ndarray, reference: np.ndarray) -> np.ndarray:
    return global_sdr(torch.from_numpy(estimate), torch.from_numpy(reference)).numpy()


def test_masks_lie_between_0_and_1_and_sum_to_1(song):
    magnitudes = spectra(song).abs()
    magnitudes[:, :, :5] = 0
    for power in (1.0, 2.0):
        mask = ratio_mask(magnitudes, power)
        assert mask.min() >= 0 and mask.max() <= 1
        assert torch.allclose(mask.sum(0), torch.ones_like(mask[0]), atol=1e-6)
    binary = binary_mask(magnitudes)
    assert set(binary.unique().tolist()) == {0.0, 1.0} and (binary.sum(0) == 1).all()


@pytest.mark.parametrize("name", ["irm", "irm1", "ibm", "wiener", "nmf"])
def test_oracles_sum_to_the_mixture_and_are_far_above_it(name, song):
    estimates = find_oracle(name).estimate(song)
    assert estimates.shape == song.shape and estimates.dtype == np.float32
    assert np.abs(estimates.sum(0) - song.sum(0)).max() < 1e-5 * max(1, np.abs(song.sum(0)).max()) + 1e-5
    floor = sdr(find_oracle("mixture").estimate(song), song)
    assert (sdr(estimates, song) > floor + (5 if name == "nmf" else 10)).all()


def test_the_ratio_of_powers_beats_the_other_masks_on_the_mean(song):
    means = {name: sdr(ORACLES[name].estimate(song), song).mean() for name in ("irm", "irm1", "ibm")}
    assert max(means, key=means.__getitem__) == "irm"


def test_floors_have_their_marks(song):
    assert np.allclose(sdr(ORACLES["silence"].estimate(song), song), 0)
    assert np.allclose(ORACLES["mix4"].estimate(song) * 4, ORACLES["mixture"].estimate(song))


def test_the_wiener_filter_reduces_to_ratio_masks(song):
    magnitudes, mix = spectra(song).abs(), spectra(song.sum(0))
    assert torch.allclose(wiener(magnitudes, mix, 0), ratio_mask(magnitudes, 1.0) * mix, atol=1e-3)
    mono = song.mean(axis=1, keepdims=True)
    magnitudes, mix = spectra(mono).abs(), spectra(mono.sum(0))
    expected = ratio_mask(magnitudes) * mix
    assert (wiener(magnitudes, mix, 1) - expected).norm() < 0.02 * expected.norm()


def test_nmf_stays_positive_and_its_divergence_never_rises():
    magnitudes = np.random.default_rng(0).random((40, 30), dtype=np.float32)
    values = []
    for updates in (1, 2, 3, 5, 10, 40):
        dictionary, weights = factorise(magnitudes, 5, updates)
        assert (dictionary >= 0).all() and (weights >= 0).all()
        values.append(divergence(magnitudes, dictionary @ weights))
    assert values == sorted(values, reverse=True)


def test_supervised_nmf_tells_two_notes_apart():
    time = np.arange(3 * RATE) / RATE
    gates = (np.mod(time, 0.7) < 0.5, np.mod(time, 1.1) < 0.6)
    notes = [
        sum(np.sin(2 * np.pi * k * f * time) / k for k in range(1, 8)) * g
        for f, g in zip((220, 311), gates, strict=True)
    ]
    stems = np.stack(notes)[:, None].astype(np.float32)
    mono = spectra(stems).abs().mean(1).numpy()
    estimates = supervised(stems.sum(0), [factorise(source, 8, 60)[0] for source in mono], 60)
    assert (sdr(estimates, stems) > sdr(np.repeat(stems.sum(0)[None], 2, 0), stems) + 10).all()


def test_griffin_lim_never_gets_worse_and_keeps_a_true_phase(song):
    vocals = song[3, :1, :RATE]
    true = spectra(vocals, 1024, 256)
    seen: list[float] = []
    sound = griffin_lim(true.abs(), RATE, 30, watch=seen.append)
    assert all(later <= earlier + 1e-6 for earlier, later in pairwise(seen))
    assert seen[-1] < 0.5 * seen[0] and convergence(true.abs(), sound) <= seen[-1] + 1e-6
    assert convergence(true.abs(), griffin_lim(true.abs(), RATE, 1, phase=true.angle())) < 1e-5


def test_the_transform_reconstructs(song):
    assert np.abs(signal(spectra(song), song.shape[-1]) - song).max() < 1e-5


def test_an_unknown_oracle_is_one_sentence():
    with pytest.raises(StemplayError, match="did you mean irm"):
        find_oracle("imr")


@pytest.mark.skipif(not CLIPS.is_dir(), reason="the MUSDB18 previews are not at hand")
def test_on_music_oracles_are_far_above_the_mixture_too():
    stems = read_stem_file(sorted(CLIPS.glob("*.mp4"))[0])[..., : 4 * RATE]
    floor = sdr(ORACLES["mixture"].estimate(stems), stems)
    for name in ("irm", "ibm", "wiener"):
        estimates = ORACLES[name].estimate(stems)
        assert (sdr(estimates, stems) > floor + 6).all() and np.abs(estimates.sum(0) - stems.sum(0)).max() < 1e-4
