"""Every recipe of a separating network in miniature: fit, export, and score through the player's own path."""

from __future__ import annotations

from pathlib import Path

import pytest

from models.card import read_card
from training.cli import main


@pytest.mark.parametrize("name", ["conv-tasnet", "conv-tasnet-live", "open-unmix"])
def test_a_recipe_learns_is_exported_and_scored(name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run, model = tmp_path / "run", tmp_path / "model"
    assert main(["fit", name, "--tiny", "--steps", "2", "--workers", "0", "-o", str(run)]) == 0
    assert main(["export", str(run / "best.safetensors"), "-o", str(model), "--chunk-seconds", "1"]) == 0
    card = read_card(model)
    streams = name.endswith("live")
    assert bool(card.states) == streams and (card.hop == 44_100) != streams
    assert ("plays live only in overlapping chunks of 1 s, 1750 ms late" in card.description) != streams
    assert main(["evaluate", str(model), "--tiny", "--limit", "1"]) == 0
    assert "vocals" in capsys.readouterr().out
