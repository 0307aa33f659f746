"""Joining two finished networks to a hybrid, and what is kept of how they were made."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from models.demucs import CausalDemucs, CausalDemucsConfig
from models.hybrid import HybridDemucs
from models.masks import CausalMasks, CausalMasksConfig
from training.cli import main
from training.commands.join import best_shares, parse_shares
from training.export.release import read_making
from training.metrics import make_consistent
from training.runs.checkpoint import load_network, save_weights
from training.separation.fit import FitOptions, fit
from training.separation.recipe import Recipe
from training.separation.trainer import Budget, Intervals


def saved(folder: Path) -> tuple[Path, Path]:
    """Weights of two small branches that fit."""
    torch.manual_seed(0)
    masks = replace(CausalMasksConfig().tiny(), hop_length=64)
    paths = []
    for name, network in (
        ("waves", CausalDemucs(CausalDemucsConfig(channels=8, depth=3))),
        ("masks", CausalMasks(masks)),
    ):
        paths.append(folder / f"{name}.safetensors")
        save_weights(paths[-1], network.state_dict(), network.config)
    return paths[0], paths[1]


def test_two_branches_become_one_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    waves, masks = saved(tmp_path)
    out = tmp_path / "joined.safetensors"
    assert main(["join", str(waves), str(masks), "--shares", "1,0,.5,.5", "-o", str(out)]) == 0
    assert "drums 1, bass 0" in capsys.readouterr().out
    joined = load_network(out)
    assert isinstance(joined, HybridDemucs)
    mix = torch.randn(1, 2, 2048)
    with torch.no_grad():
        drums = make_consistent(load_network(waves)(mix), mix)[:, 0]
        torch.testing.assert_close(joined(mix)[:, 0, :, 64:], drums[..., 64:], atol=1e-5, rtol=1e-4)


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["{waves}", "{masks}", "--shares", "2"], "one number from 0 to 1, or 4"),
        (["{waves}", "{masks}", "--shares", ".5,.5"], "one number from 0 to 1, or 4"),
        (["{waves}", "{masks}", "--shares", "a"], "one number from 0 to 1, or 4"),
        (["{masks}", "{waves}", "--shares", ".5"], "in this order"),
        (["{waves}", "{missing}", "--shares", ".5"], "cannot be read"),
        (["{waves}", "{masks}", "--store", "{missing}"], "run `python -m training prepare stems` first"),
    ],
)
def test_what_cannot_be_joined_is_one_sentence(
    arguments: list[str], sentence: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    waves, masks = saved(tmp_path)
    names = {"waves": waves, "masks": masks, "missing": tmp_path / "missing"}
    line = [part.format(**names) for part in arguments]
    assert main(["join", *line, "-o", str(tmp_path / "out.safetensors")]) == 2
    error = capsys.readouterr().err
    assert sentence in error and error.count("\n") == 1 and not (tmp_path / "out.safetensors").exists()


def test_one_share_serves_all_sources() -> None:
    assert parse_shares(".3", 4) == [0.3] * 4


def test_the_shares_are_those_that_score_best() -> None:
    """One network gives the drums as they are and nothing else, the other all but the drums."""

    class Knows(torch.nn.Module):
        def __init__(self, sources: list[int]) -> None:
            super().__init__()
            self.sources = sources

        def forward(self, mix: torch.Tensor) -> torch.Tensor:
            stems = torch.zeros(1, 4, *mix.shape[1:])
            for source in self.sources:
                stems[:, source] = truth[:, source]
            return stems

    truth = torch.randn(1, 4, 2, 4000)
    shares = best_shares(Knows([0]), Knows([1, 2, 3]), [truth[0].numpy()])  # type: ignore[arg-type]
    assert shares[0] > 0.7 and max(shares[1:]) < 0.3


def test_release_keeps_the_runs_of_the_branches(tmp_path: Path) -> None:
    for name in ("branches/waves", "branches/masks", "demucs-live"):
        line = ["fit", name, "--tiny", "--steps", "2", "--workers", "0", "-o", str(tmp_path / Path(name).name)]
        assert main(line) == 0
    line = ["release", str(tmp_path / "demucs-live"), "-o", str(tmp_path / "model")]
    assert main([*line, "--branch", str(tmp_path / "waves"), "--branch", str(tmp_path / "masks")]) == 0
    making = read_making(tmp_path / "model" / "weights.safetensors")
    assert [run["note"] for run in making["earlier"]] == [
        "a branch of its own: waves (causal-demucs)",
        "a branch of its own: masks (causal-masks)",
    ]
    assert all(run["steps"] == 2 and len(run["curve"]) >= 1 for run in making["earlier"])
    assert np.isfinite(making["validation"]["sdr_mean"])


def test_a_release_can_be_the_mean_of_two_runs(store: Path, tiny: Recipe, tmp_path: Path) -> None:
    recipe = replace(tiny, data="prepared")
    never = Intervals(1e9, 1e9, 1e9)
    for name, seed in (("a", 1), ("b", 2)):
        fit(recipe, FitOptions(tmp_path / name, store, budget=Budget(steps=2), workers=0, intervals=never, seed=seed))
    line = ["release", str(tmp_path / "a"), "--average", str(tmp_path / "b"), "--store", str(store)]
    assert main([*line, "-o", str(tmp_path / "model")]) == 0
    weights = [load_network(tmp_path / name).state_dict() for name in ("a/best.safetensors", "b/best.safetensors")]
    released = load_network(tmp_path / "model" / "weights.safetensors").state_dict()
    for name, weight in released.items():
        torch.testing.assert_close(weight, (weights[0][name] + weights[1][name]) / 2, atol=2e-3, rtol=1e-3)
    making = read_making(tmp_path / "model" / "weights.safetensors")
    assert len(making["earlier"]) == 1 and np.isfinite(making["validation"]["sdr_mean"])
    fit(
        replace(recipe, network=replace(recipe.network, channels=12)),
        FitOptions(tmp_path / "c", store, budget=Budget(steps=1), workers=0, intervals=never),
    )
    assert main([*line[:3], str(tmp_path / "c"), "-o", str(tmp_path / "no")]) == 2
    assert main([*line[:3], str(tmp_path / "missing"), "-o", str(tmp_path / "no")]) == 2
