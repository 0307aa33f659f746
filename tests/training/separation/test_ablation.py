"""The runner of Table 3.4 (DMX-21)."""

from __future__ import annotations

import json
import re
from dataclasses import replace

import pytest
import torch

from models.registry import make_network
from training.cli import main
from training.separation.ablation import PLAIN, REFERENCE, VARIANTS, sdr_of, songs_to_test
from training.separation.recipe import Recipe, read_recipe
from training.tables.thesis import thesis_table


def test_all_rows_are_trained_evaluated_and_printed_beside_those_of_the_thesis(tmp_path, capsys):
    line = ["ablation", "--tiny", "--steps", "1", "--threads", "1", "-o", str(tmp_path)]
    assert main(line) == 0
    out = capsys.readouterr().out
    names = [row.name for row in thesis_table("3.4").rows]
    for name in names:
        (row,) = re.findall(rf"^{name} +([\d.]+) +(-?[\d.]+) +(\S+) +(\S+)$", out, re.MULTILINE)
        assert row[3] == f"{dict((r.name, r.values[1]) for r in thesis_table('3.4').rows)[name]:g}"
    assert "0.06 dB are noise" in out
    kept = json.loads((tmp_path / "ablation.json").read_text())
    assert set(kept["rows"]) == set(names)
    assert kept["rows"][PLAIN][0] == kept["rows"][REFERENCE][0] and kept["rows"][PLAIN] != kept["rows"][REFERENCE]
    recipes = {
        folder.name: json.loads((folder / "recipe.json").read_text())
        for folder in tmp_path.iterdir()
        if folder.is_dir()
    }
    assert len(recipes) == len({json.dumps(recipe) for recipe in recipes.values()}) == 7
    assert main(["tables", "3.4", "--ablation", str(tmp_path / "ablation.json")]) == 0
    assert main(["ablation", "conv-tasnet-thesis", "--tiny", "-o", str(tmp_path / "x")]) == 2


def test_each_variant_changes_one_thing():
    recipe = read_recipe("demucs-thesis")
    counts = {}
    for name, change in VARIANTS.items():
        varied = change(recipe)
        with torch.device("meta"):
            network = make_network(replace(varied.network, rescale=0.0))
        counts[name] = sum(weight.numel() for weight in network.parameters())
    whole = counts[REFERENCE]
    assert whole == 648_548_208 and counts["no BiLSTM"] == whole - 430_185_600
    assert counts["no initial weight rescaling"] == counts["MSE loss"] == whole
    assert VARIANTS["no initial weight rescaling"](recipe).network.rescale == 0
    assert VARIANTS["MSE loss"](recipe).optim.loss == "l2"
    assert len({counts[name] for name in counts}) == 5


@pytest.mark.parametrize("shifts", [0, 2])
def test_the_score_of_the_truth_is_high_with_any_shifts(shifts):
    recipe = Recipe("x").tiny()
    songs = songs_to_test(recipe, None)
    truth = {len(song[0][0]): torch.from_numpy(song) for song in songs[:1]}

    class Oracle(torch.nn.Module):
        def forward(self, mix):
            (song,) = truth.values()
            start = int(mix[0].abs().sum(0).gt(0).nonzero()[0, 0])
            out = torch.zeros(1, 4, 2, mix.shape[-1])
            out[0, ..., start : start + song.shape[-1]] = song
            return out

    assert sdr_of(Oracle(), songs[:1], shifts, 0) > 30
    assert sdr_of(make_network(recipe.network), songs[:1], shifts, 0) < 10
