"""Every shipped recipe in miniature: fit, export, and score or play through the paths that everybody uses."""

from __future__ import annotations

from pathlib import Path

import pytest

from models.card import read_card
from rtaudio.audio.format import StemplayError
from training.cli import main
from training.runs.checkpoint import load_network
from training.separation.recipe import RECIPES, read_recipe

SEPARATING = sorted(
    [*RECIPES.glob("*.toml"), *(RECIPES / "compare").glob("*.toml"), *(RECIPES / "branches").glob("*.toml")]
)
SING = sorted(RECIPES.glob("sing/*.toml"))


@pytest.mark.parametrize("recipe", SEPARATING, ids=lambda path: path.relative_to(RECIPES).with_suffix("").as_posix())
def test_a_recipe_learns_is_exported_and_scored(
    recipe: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run, model = tmp_path / "run", tmp_path / "model"
    name = recipe.stem if recipe.parent == RECIPES else str(recipe)
    assert main(["fit", name, "--tiny", "--steps", "2", "--workers", "0", "-o", str(run)]) == 0
    assert main(["export", str(run / "best.safetensors"), "-o", str(model), "--chunk-seconds", "1"]) == 0
    card = read_card(model)
    streams = hasattr(load_network(run / "best.safetensors"), "step")
    assert bool(card.states) == streams and (card.hop == card.sample_rate) != streams
    assert ("plays live only in overlapping chunks of 1 s, with a latency of 1750 ms" in card.description) != streams
    assert main(["evaluate", str(model), "--tiny", "--limit", "1"]) == 0
    assert card.outputs[-1] in capsys.readouterr().out


@pytest.fixture(scope="module")
def notes(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("notes")
    assert main(["prepare", "notes", "--tiny", "--workers", "1", "-o", str(folder)]) == 0
    return folder


@pytest.mark.parametrize("recipe", SING, ids=lambda path: path.stem)
def test_a_recipe_of_sing_learns_in_all_its_stages(recipe: Path, notes: Path, tmp_path: Path) -> None:
    line = ["sing", "fit", recipe.stem, "--tiny", "--steps", "1", "--store", str(notes), "-o", str(tmp_path / "run")]
    assert main(line) == 0
    assert main(line) == 2, "a run is not overwritten"
    assert any((tmp_path / "run").glob("*.safetensors"))


def test_no_recipe_is_left_out() -> None:
    assert set(RECIPES.rglob("*.toml")) == {*SEPARATING, *SING} and len(SING) >= 2 and len(SEPARATING) >= 11


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        ("depth = 9223372036854775807", "at most 64"), ("channels = 10000000000", "at most 1048576"), ("q = nan", "at most"),
        ("growth = inf", "at most"), ("kernel = -3", "network"), ("stride = 0", "network"), ("kind = {}", "kind of network"),
    ],
)  # fmt: skip
def test_a_network_that_could_never_run_is_refused_at_once(tmp_path: Path, line: str, sentence: str) -> None:
    kind = "causal-masks" if line.startswith("q") else "causal-demucs"
    chosen = "" if line.startswith("kind") else f'kind = "{kind}"\n'
    (tmp_path / "r.toml").write_text(f'name = "x"\n[network]\n{chosen}{line}\n')
    with pytest.raises(StemplayError, match=sentence) as error:
        read_recipe(str(tmp_path / "r.toml"))
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("table", ["network", "mixing", "epochs", "optim"])
def test_a_table_that_is_none_is_refused(tmp_path: Path, table: str) -> None:
    (tmp_path / "r.toml").write_text(f'name = "x"\n{table} = 3\n')
    with pytest.raises(StemplayError, match="must be a table"):
        read_recipe(str(tmp_path / "r.toml"))
