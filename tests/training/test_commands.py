"""The command line: help everywhere, bad input is one sentence and exit code 2."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from models.demucs import CausalDemucs
from training.cli import COMMANDS, load, main
from training.commands.aggregate import aggregate
from training.runs.checkpoint import save_weights
from training.separation.recipe import Recipe

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize("name", list(COMMANDS))
def test_every_command_has_help(name, capsys):
    assert load(name).HELP
    with pytest.raises(SystemExit) as exit_:
        main([name, "--help"])
    assert exit_.value.code == 0
    assert name in capsys.readouterr().out


def test_without_arguments_the_commands_are_listed(capsys):
    assert main([]) == 0
    out = capsys.readouterr().out
    assert all(name in out for name in COMMANDS)


@pytest.mark.parametrize(
    "line",
    [
        "nonsense",
        "fit no-such-recipe",
        "evaluate no-such-model --tiny",
        "export missing.safetensors -o {tmp}",
        "prepare stems --data {tmp}/missing",
        "prepare stems --only nonsense",
        "quantize {tmp}/missing -o {tmp}/out",
        "aggregate {tmp}/missing.json",
        "release {tmp} -o {tmp}/out",
        "fit demucs-live --tiny --init {tmp}/missing -o {tmp}/run",
        "fit demucs-live --resume -o {tmp}/none",
        "fit demucs-live --store {tmp}/none -o {tmp}/run",
    ],
)
def test_bad_input_is_one_sentence_and_exit_code_2(line, tmp_path, capsys):
    assert main(line.format(tmp=tmp_path).split()) == 2
    captured = capsys.readouterr()
    assert captured.err.count("\n") == 1 and "Traceback" not in captured.err


@pytest.mark.parametrize(
    "line", ["fit demucs-live --minutes 0", "fit", "describe nonsense", "fit x --steps 1 --hours 1"]
)
def test_wrong_options_are_one_sentence_and_exit_code_2(line, capsys):
    with pytest.raises(SystemExit) as exit_:
        main(line.split())
    assert exit_.value.code == 2
    assert capsys.readouterr().err.count("\n") == 1


@pytest.mark.parametrize(
    ("name", "facts"),
    [
        ("demucs", ("648,548,208 weights", "2.416 GiB", "607,591,908", "hop 4096", "only in overlapping chunks")),
        ("conv-tasnet", ("10,977,872 weights", "41.9 MiB", "8185 frames, 1.856 s", "61.9 MiB", "x 40")),
        ("conv-tasnet-live", ("hop 256 samples", "plays live, 272 samples late (6.2 ms)")),
        ("denoiser", ("14.5 MiB", "hop 256 samples, 16.0 ms at 16000 Hz", "plays live, 256 samples late")),
        ("sing", ("63,747,927 weights", "243.2 MiB")),
    ],
)
def test_describe_knows_the_sizes_of_the_thesis(name, facts, capsys):
    assert main(["describe", name]) == 0
    out = capsys.readouterr().out
    assert [fact for fact in facts if fact not in out] == []


@pytest.mark.parametrize("name", ["demucs", "sing"])
def test_describe_lists_what_tiny_trains(name, capsys):
    assert main(["describe", name, "--tiny", "--seed", "1"]) == 0
    words = capsys.readouterr().out
    assert int(re.search(r"([\d,]+) weights", words)[1].replace(",", "")) < 1_000_000


def test_describe_refuses_a_size_that_the_network_does_not_have(capsys):
    assert main(["describe", "conv-tasnet", "--depth", "3"]) == 2
    assert capsys.readouterr().err == "This network has no option --depth.\n"


def test_weights_export_quantise_and_score(tmp_path, capsys):
    recipe = Recipe("x").tiny()
    save_weights(tmp_path / "weights.safetensors", CausalDemucs(recipe.network).state_dict(), recipe.network)
    making = {
        "licence": "free",
        "data": [{"collection": "a", "hours": 1, "licence": "b"}],
        "steps": 7,
        "validation": {"sdr_mean": 1},
    }
    (tmp_path / "weights.json").write_text(json.dumps(making))
    assert main(["export", str(tmp_path / "weights.safetensors"), "-o", str(tmp_path / "tiny")]) == 0
    card = json.loads((tmp_path / "tiny" / "card.json").read_text())
    assert (
        card["licence"] == "free" and card["training"]["steps"] == 7 and card["quality"]["validation"]["sdr_mean"] == 1
    )
    assert main(["quantize", str(tmp_path / "tiny"), "-o", str(tmp_path / "tiny-int8")]) == 0
    capsys.readouterr()
    for wrong in (["--refine"], ["--oracle", "mix4"]):
        assert main(["evaluate", str(tmp_path / "tiny"), "--tiny", "--phases", "2", *wrong]) == 2
        assert "--phases" in capsys.readouterr().err
    assert main(["evaluate", str(tmp_path / "tiny"), "--tiny", "--limit", "1", "--phases", "2"]) == 0
    assert "2 calls per hop" in capsys.readouterr().out
    assert main(["evaluate", str(tmp_path / "tiny"), "--tiny", "--limit", "1", "--json"]) == 0
    result = json.loads(capsys.readouterr().out)
    assert set(result["table"]) == {"model", "mix", "mix/4", "silence"}
    assert result["table"]["silence"]["drums"] == 0
    assert result["table"]["mix/4"]["accompaniment"] > 3
    (tmp_path / "a.json").write_text(json.dumps(result))
    assert main(["aggregate", str(tmp_path / "a.json"), str(tmp_path / "a.json")]) == 0
    assert "+- 0.00" in capsys.readouterr().out


def test_a_tiny_network_is_exported_without_any_weights_and_the_seed_decides(tmp_path):
    for name, seed in (("a", "1"), ("b", "1"), ("c", "2")):
        assert main(["export", "demucs-live", "--tiny", "--seed", seed, "-o", str(tmp_path / name), "--name", "x"]) == 0
    a, b, c = (sorted((tmp_path / name).glob("*.onnx"))[0].read_bytes() for name in "abc")
    assert a == b != c
    assert main(["export", "nonsense", "--tiny", "-o", str(tmp_path / "d")]) == 2


def test_aggregation_is_mean_and_standard_error_and_all_is_the_mean_of_sources():
    table = aggregate(
        [{"drums": 1.0, "vocals": 2.0, "accompaniment": 9.0}, {"drums": 3.0, "vocals": 4.0, "accompaniment": 9.0}]
    )
    assert table["drums"] == pytest.approx((2.0, 1.0))
    assert table["All"] == pytest.approx((2.5, 1.0))
    assert table["accompaniment"] == (9.0, 0.0)


def test_a_grid_is_sorted_by_validation_loss_and_goes_on_where_it_was(tmp_path, capsys):
    line = ["grid", "demucs-live", "--tiny", "--steps", "1", "--lr", "1e-4,1e-2", "-o", str(tmp_path)]
    line += ["--vary", "network.rescale=.1"]
    assert main(line) == 0
    rows = [row.split() for row in capsys.readouterr().out.splitlines()[-2:]]
    assert float(rows[0][0]) <= float(rows[1][0])
    assert {row[2] for row in rows} == {"lr0.0001-rescale0.1", "lr0.01-rescale0.1"}
    assert [row["run"] for row in json.loads((tmp_path / "grid.json").read_text())] == [row[2] for row in rows]
    assert main(line) == 0
    again = capsys.readouterr().out
    assert [row.split() for row in again.splitlines()[-2:]] == rows and "step 0 " not in again
    for bad in (["--lr", "fast"], ["--vary", "network.nonsense=1"], ["--vary", "nonsense"], ["--vary", "x.y=1"]):
        assert main(["grid", "demucs-live", "--tiny", *bad, "-o", str(tmp_path / "bad")]) == 2


def test_a_reader_that_leaves_ends_a_command_quietly():
    command = [sys.executable, "-m", "training", "tables", "all"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=ROOT) as running:
        running.stdout.close()  # as `head` does, before the first line
        assert running.stderr.read() == b"" and running.wait(120) == 1
