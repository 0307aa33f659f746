"""The thesis' protocol: epochs, augmentations, recipes (DMX-12, -13, -17 to -19, BSE-10)."""

from __future__ import annotations

import shutil
from dataclasses import dataclass, replace

import numpy as np
import pytest
import torch

from models.registry import make_network
from rtaudio.audio.format import StemplayError
from training.data import augment
from training.data.stretch import repitch, stretch
from training.data.thesis import EpochConfig, EpochSongs, made_up_songs, stored_songs
from training.losses import (
    l1_loss,
    l2_loss,
    multiresolution_loss,
    separation_loss,
    si_snr_loss,
    spectral_loss,
)
from training.runs.checkpoint import load_network
from training.separation.fit import FitOptions, fit, open_source, plan
from training.separation.recipe import Recipe, read_recipe
from training.separation.trainer import Budget, SeparatorTrainer

RATE = 44_100


@dataclass
class Numbered:
    """A song whose samples tell where they are from: source s of song n holds ``100 n + 10 s`` plus the second, both channels."""

    number: int
    frames: int

    def crop(self, start, frames):
        at = np.arange(start, start + frames) / RATE
        names = 1000.0 * (1 + self.number) + 100.0 * np.arange(4)
        return np.broadcast_to((names[:, None] + at)[:, None], (4, 2, frames)).astype(np.float32).copy()


def origins(batch):
    """(song, source, second) of the first sample of each source of each example."""
    first = np.abs(batch[:, :, 0, 0]).astype(np.float64)
    return first // 1000 - 1, first % 1000 // 100, first % 100


PLAIN = EpochConfig(remix=0, swap=0, flip=0)
FRAMES = 451_924


def epoch_songs(config=PLAIN, batch=4, frames=FRAMES):
    return EpochSongs([Numbered(0, 13 * RATE), Numbered(1, int(14.5 * RATE))], config, batch, frames, seed=0)


def test_an_epoch_has_all_extracts_of_11_s_and_items_of_one_length_that_are_shifted_by_less_than_a_second():
    source = epoch_songs(batch=7)
    assert source.batches == 1  # floor(13 - 11) + 1 and floor(14.5 - 11) + 1 make 3 + 4 examples
    first, second = source.batch(0), source.batch(1)
    assert first.shape == second.shape == (7, 4, 2, FRAMES)
    for batch in (first, second):
        songs, sources, seconds = origins(batch)
        assert (songs == songs[:, :1]).all() and (sources == np.arange(4)).all()
        assert sorted(zip(songs[:, 0], seconds[:, 0].astype(int), strict=True)) == [
            *((0, k) for k in range(3)), *((1, k) for k in range(4))
        ]  # fmt: skip
        shifts = seconds % 1
        assert (shifts < 33_177 / RATE).all() and np.ptp(
            shifts, axis=1
        ).min() > 0  # 11 s less the valid length; each source its own
    assert not np.array_equal(origins(first)[2], origins(second)[2])
    assert np.array_equal(epoch_songs(batch=7).batch(1), second)


def test_shifts_may_be_of_the_whole_example_and_stay_under_a_second_for_short_ones():
    together = epoch_songs(replace(PLAIN, shift_per_source=False)).batch(0)
    assert np.ptp(origins(together)[2], axis=1).max() < 1e-3
    short = epoch_songs(replace(PLAIN, extract=3.0), frames=RATE, batch=16).batch(0)
    shifts = origins(short)[2] % 1
    assert shifts.max() > 0.8 and np.all(origins(short)[2] < 12.5)


def test_remixes_take_sources_from_the_same_batch_and_every_source_keeps_its_class():
    batch = epoch_songs(EpochConfig(flip=0.5), batch=4).batch(0)
    _, sources, _ = origins(batch)
    assert (sources == np.arange(4)).all()
    plain = epoch_songs(batch=4).batch(0)
    songs, _, seconds = (x.astype(int) for x in origins(batch))
    songs_before, _, seconds_before = (x.astype(int) for x in origins(plain))
    for source in range(4):
        assert sorted(zip(songs[:, source], seconds[:, source], strict=True)) == sorted(
            zip(songs_before[:, source], seconds_before[:, source], strict=True)
        )
    assert not np.array_equal(seconds, seconds_before)
    assert {-1.0, 1.0} == set(np.sign(batch[:, :, 0, 0]).ravel())


def test_epochs_refuse_songs_that_are_too_short_and_examples_that_are_too_long():
    with pytest.raises(StemplayError, match="shorter extracts"):
        EpochSongs([Numbered(0, 7 * RATE)], PLAIN, 1, FRAMES, 0)
    with pytest.raises(StemplayError, match="use longer extracts"):
        epoch_songs(replace(PLAIN, extract=10.0))


def test_linear_gains_lie_between_a_quarter_and_five_quarters(stems):
    gained = augment.uniform_gain(stems, np.random.default_rng(5))
    ratios = (gained / stems).reshape(8, 4, -1)
    assert np.allclose(ratios, ratios[..., :1], atol=1e-4)
    assert 0.25 <= ratios.min() < 0.5 and 1.0 < ratios.max() <= 1.25
    assert gained.dtype == np.float32


def peak(x):
    return np.abs(np.fft.rfft(x * np.hanning(len(x)))).argmax() * RATE / len(x)


def test_pitch_moves_without_tempo_and_tempo_without_pitch():
    time = np.arange(2 * RATE) / RATE
    clicks = (np.arange(2 * RATE) % (RATE // 2) < 50).astype(np.float32)
    tone = np.stack([np.sin(2 * np.pi * 440 * time), clicks]).astype(np.float32)
    higher = stretch(tone[:1].repeat(2, 0), 1.0, 12.0, RATE)
    assert peak(higher[0, RATE // 4 :]) == pytest.approx(880, abs=3)
    faster = stretch(tone[:1].repeat(2, 0), 1.25, 0.0, RATE)
    assert peak(faster[0, RATE // 4 :]) == pytest.approx(440, abs=3)
    hurried = stretch(tone[1:].repeat(2, 0), 1.25, 0.0, RATE)[0]
    second = np.abs(hurried[RATE // 5 : 3 * RATE // 5]).argmax() / RATE + 0.2
    assert second == pytest.approx(0.4, abs=0.03)  # the click at half a second


def test_repitched_batches_are_pure_and_change_some_sources_of_their_own_accord():
    batch = np.random.default_rng(0).standard_normal((2, 4, 2, 12_000)).astype(np.float32)
    before = batch.copy()
    changed = repitch(batch, np.random.default_rng(1), 10_000, 0.5, 0.12, 2.0)
    assert np.array_equal(changed, repitch(batch, np.random.default_rng(1), 10_000, 0.5, 0.12, 2.0))
    assert np.array_equal(batch, before) and changed.shape == (2, 4, 2, 10_000)
    same = (changed == batch[..., :10_000]).all(axis=(2, 3))
    assert same.any() and not same.all()
    assert np.array_equal(repitch(batch, np.random.default_rng(1), 10_000, 0.0, 0.12, 2.0), batch[..., :10_000])
    with pytest.raises(ValueError, match="too few"):
        repitch(batch, np.random.default_rng(1), 11_000, 0.5, 0.12, 2.0)


def test_all_options_together_give_batches_of_the_right_length():
    config = EpochConfig(extract=1.75, gain_low=0.25, gain_high=1.25, stretch=0.5)
    source = EpochSongs(made_up_songs(2), config, 4, 33_075, seed=0)
    batch = source.batch(0)
    assert batch.shape == (4, 4, 2, 33_075) and batch.dtype == np.float32 and np.isfinite(batch).all()


def test_songs_of_every_collection_with_four_stems_are_found(store, tmp_path):
    copy = shutil.copytree(store, tmp_path / "copy")
    (copy / "notes").mkdir()
    (copy / "notes" / "manifest.json").write_text('{"instruments": []}')  # of another kind, beside the songs
    songs = stored_songs(copy)
    assert len(songs) == 2 and songs[0].frames == 4 * RATE  # musdb's; the validation song is held back
    assert songs[0].crop(0, 10).shape == (4, 2, 10)
    with pytest.raises(StemplayError, match="prepare stems"):
        stored_songs(tmp_path / "none")


# ---------------------------------------------------------------- recipes


def test_the_thesis_recipe_has_the_thesis_numbers():
    recipe = read_recipe("demucs-thesis")
    network, optim, epochs = recipe.network, recipe.optim, recipe.epochs
    assert (network.channels, network.depth, network.kernel, network.stride, network.lstm_layers) == (100, 6, 8, 4, 2)
    assert (network.growth, network.rescale, network.decoder_context) == (2.0, 0.1, 3)
    assert (optim.epochs, optim.lr, optim.loss, optim.spectral) == (240, 3e-4, "l1", 0.0)
    assert (optim.schedule, optim.warmup, optim.clip, optim.ema) == ("constant", 1, 0.0, 0.0)
    assert optim.accumulate * recipe.mixing.batch == 64
    assert (epochs.extract, epochs.stride, epochs.shift_per_source, epochs.remix) == (11.0, 1.0, True, 4)
    assert (epochs.swap, epochs.flip, epochs.gain_low, epochs.gain_high, epochs.stretch) == (0.5, 0.5, 1.0, 1.0, 0.0)
    assert recipe.frames == FRAMES
    assert Recipe.from_dict(recipe.to_dict()) == recipe


def test_epochs_set_the_length_of_the_run_and_when_it_is_validated(tmp_path):
    recipe = read_recipe("demucs-thesis").tiny()
    source = open_source(recipe, FitOptions(tmp_path))
    budget, intervals = plan(recipe, FitOptions(tmp_path), source)
    assert isinstance(source, EpochSongs)
    updates = source.batches // recipe.optim.accumulate
    assert budget.steps == 10 * updates and intervals.epoch == updates
    assert plan(recipe, FitOptions(tmp_path, epochs=3), source)[0].steps == 3 * updates
    assert plan(recipe, FitOptions(tmp_path, budget=Budget(steps=5)), source)[0].steps == 5
    state = fit(recipe, FitOptions(tmp_path, epochs=1, workers=0))
    assert [row["step"] for row in state.history] == [0, updates]
    live = read_recipe("demucs-live").tiny()
    with pytest.raises(StemplayError, match="no epochs"):
        plan(live, FitOptions(tmp_path, epochs=1), open_source(live, FitOptions(tmp_path)))


# ---------------------------------------------------------------- losses


def test_losses_are_the_thesis_formulas():
    rng = np.random.default_rng(0)
    x, y = rng.standard_normal((2, 2, 4, 2, 100))
    ours = [float(loss(torch.from_numpy(x), torch.from_numpy(y))) for loss in (l1_loss, l2_loss)]
    theirs = [np.mean(np.sum(np.abs(x - y) ** p, axis=-1) / 100) for p in (1, 2)]
    np.testing.assert_allclose(ours, theirs, rtol=1e-12)


def test_the_spectral_term_is_off_by_default_and_has_finite_gradients_at_silence():
    estimate = torch.zeros(1, 4, 2, 8192, requires_grad=True)
    reference = torch.randn(1, 4, 2, 8192)
    assert separation_loss("l1")(estimate, reference) == l1_loss(estimate, reference)
    loss = separation_loss("l1", spectral=0.1)(estimate, reference)
    loss.backward()
    assert estimate.grad is not None and torch.isfinite(estimate.grad).all() and loss > l1_loss(estimate, reference)


def test_the_warm_up_of_the_left_context_teaches_nothing():
    estimate, reference = torch.randn(1, 4, 2, 4000, requires_grad=True), torch.randn(1, 4, 2, 4000)
    separation_loss("l1", skip=1000)(estimate, reference).backward()
    assert estimate.grad is not None
    assert not estimate.grad[..., :1000].any() and estimate.grad[..., 1000:].all()


def test_si_snr_is_blind_to_scale_and_ends_at_100_db():
    torch.manual_seed(0)
    reference = torch.randn(1, 2, 2, 4000)
    estimate = reference + 0.1 * torch.randn(1, 2, 2, 4000)
    loss = si_snr_loss(estimate, reference)
    assert float(loss) == pytest.approx(-20, abs=0.5)
    torch.testing.assert_close(si_snr_loss(7 * estimate + 3, reference), loss, atol=1e-2, rtol=1e-3)
    assert float(si_snr_loss(2 * reference, reference)) == pytest.approx(-100, abs=1)
    silent = torch.zeros_like(reference)
    silence = torch.zeros_like(reference, requires_grad=True)
    si_snr_loss(silence, reference).backward()
    assert silence.grad is not None and torch.isfinite(silence.grad).all()
    assert float(si_snr_loss(estimate, silent)) == 0


def test_several_windows_are_the_mean_of_each_of_them():
    estimate, reference = torch.randn(1, 1, 2, 8000), torch.randn(1, 1, 2, 8000)
    each = [spectral_loss(estimate, reference, size, size // 4) for size in (512, 2048, 4096)]
    torch.testing.assert_close(multiresolution_loss(estimate, reference), torch.stack(each).mean())
    total = separation_loss("l1_si_snr", spectral=0.5, windows=3)(estimate, reference)
    expected = l1_loss(estimate, reference) + 1e-3 * si_snr_loss(estimate, reference) + 0.5 * torch.stack(each).mean()
    torch.testing.assert_close(total, expected)


def test_a_teacher_is_learned_from_by_its_share(tmp_path):
    recipe = read_recipe("demucs-live").tiny()
    first = replace(recipe, mixing=replace(recipe.mixing, seconds=0.3, batch=2))
    fit(first, FitOptions(tmp_path / "teacher", budget=Budget(steps=1), workers=0))
    weights = tmp_path / "teacher" / "best.safetensors"
    stems = torch.randn(2, 4, 2, 4096)

    def goal(share):
        taught = replace(first, optim=replace(first.optim, distil=share))
        trainer = SeparatorTrainer(
            taught, make_network(taught.network), [], tmp_path / "x", Budget(steps=1), teacher=load_network(weights)
        )
        return trainer._goal(stems.sum(1), stems)

    torch.testing.assert_close(goal(0.0), stems)
    with torch.no_grad():
        torch.testing.assert_close(goal(1.0), load_network(weights)(stems.sum(1)))
    assert fit(first, FitOptions(tmp_path / "y", budget=Budget(steps=1), workers=0, teacher=weights)).step == 1
    speech = read_recipe("denoiser").tiny()
    with pytest.raises(StemplayError, match="The sources of the teacher"):
        fit(speech, FitOptions(tmp_path / "z", budget=Budget(steps=1), workers=0, teacher=weights))
