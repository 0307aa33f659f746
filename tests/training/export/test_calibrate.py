"""Sharing the residual: the closed form is the best sharing, sums to one, and reaches the card and the sound."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from models.card import read_card
from models.demucs import CausalDemucs, CausalDemucsConfig, Demucs, DemucsConfig
from rtaudio.processors.factory import make_separator
from training.cli import main
from training.data.synthetic import validation_songs
from training.export.calibrate import calibrate, least_squares_refining, least_squares_shares
from training.export.separator import export_separator
from training.separation.evaluate import record


def test_least_squares_beats_every_other_sharing() -> None:
    rng = np.random.default_rng(0)
    stems = rng.standard_normal((4, 2, 5000)).astype(np.float32)
    estimates = (
        stems
        - rng.standard_normal((4, 2, 5000)).astype(np.float32) * np.array([3, 2, 1, 0.5], np.float32)[:, None, None]
    )
    shares = least_squares_shares([(stems, estimates)])
    assert sum(shares) == pytest.approx(1, abs=1e-3)
    assert shares == sorted(shares, reverse=True)
    residual = (stems - estimates).sum(axis=0)

    def error(weights: list[float]) -> float:
        mended = estimates + np.asarray(weights, np.float32)[:, None, None] * residual
        return float(np.square(stems - mended).sum())

    for other in rng.dirichlet(np.ones(4), 20):
        assert error(shares) <= error(list(other)) + 1e-3


def test_the_best_refining_is_between_the_stem_and_the_filtered_mix() -> None:
    rng = np.random.default_rng(0)
    stems, first, second = rng.standard_normal((3, 2, 2, 5000)).astype(np.float32)
    noise = np.array([1.0, 0.5], np.float32)[:, None, None]
    first, second = stems + noise * first, stems + 0.5 * second
    best = least_squares_refining([(stems, first, second)])
    assert best == pytest.approx([0.8, 0.5], abs=0.03)  # by the inverse of their errors' energies
    assert least_squares_refining([(stems, stems, second)]) == [0, 0]
    assert least_squares_refining([(stems, first, stems + 0.1 * (stems - first))]) == pytest.approx(
        [0.909, 0.909], abs=1e-3
    )


def test_without_residual_there_is_nothing_to_share() -> None:
    stems = np.ones((4, 2, 10), np.float32)
    with pytest.raises(ValueError, match="no residual"):
        least_squares_shares([(stems, stems)])


def test_calibration_reaches_the_card_and_the_processor(tmp_path: Path) -> None:
    torch.manual_seed(0)
    export_separator(CausalDemucs(CausalDemucsConfig(channels=8, depth=3)), tmp_path, name="small")
    songs = [(str(i), song[..., :20_000]) for i, song in enumerate(validation_songs(2))]
    shares, refining = calibrate(tmp_path, songs)
    record(tmp_path, "two synthetic songs", {"drums": 1.234, "bass": float("nan")})
    card = read_card(tmp_path)
    assert list(card.shares) == shares and list(card.refining) == refining
    assert all(0 <= share <= 1 for share in refining)
    assert card.quality == {"two synthetic songs": {"drums": 1.23}}
    np.testing.assert_allclose(make_separator(tmp_path).shares, shares, atol=1e-6)


def test_what_cannot_be_refined_gets_shares_alone_and_is_refused_by_evaluate(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    torch.manual_seed(0)
    network = Demucs(DemucsConfig(channels=4, depth=2))
    export_separator(network, tmp_path, name="chunks", chunk=4096)
    songs = [("a", validation_songs(1)[0][..., :20_000])]
    shares, refining = calibrate(tmp_path, songs)
    card = read_card(tmp_path)
    assert list(card.shares) == shares and refining == [] and card.refining == () and not card.refinable
    assert main(["evaluate", str(tmp_path), "--tiny", "--limit", "1", "--refine"]) == 2
    assert "cannot be refined" in capsys.readouterr().err
    assert main(["evaluate", str(tmp_path), "--tiny", "--limit", "1", "--refine", "--oracle", "mix4"]) == 2
    assert "--refine takes one model" in capsys.readouterr().err
