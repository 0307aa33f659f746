"""Results, the thesis' tables beside them, box plots and spectra (MUS-05 to MUS-07, DSP-06); the commands that make them."""

from __future__ import annotations

import json
import math
import re
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from rtaudio.audio.format import SOURCES, StemplayError
from training.cli import main
from training.separation.comparison import ProcessorBudget, compared_recipes
from training.separation.scoring import Result, read_results
from training.tables.figures import draw_boxes, draw_mel_panels, mel_filters, mel_spectrogram
from training.tables.layout import Block, block_of, markdown
from training.tables.thesis import Row, thesis_table, thesis_tables

RATE = 44_100
ROOT = Path(__file__).resolve().parents[3]


def result(name: str, values: list[float], data: str = "3 songs") -> Result:
    songs = {f"song {k}": [v + k for v in values] for k in range(3)}
    return Result(name, name.capitalize(), data, SOURCES, {"sdr": songs, "sir": songs, "sar": songs})


@pytest.mark.parametrize("name", ["3.1", "A.2-SIR", "A.2-SAR"])
def test_in_the_thesis_all_is_the_mean_over_sources(name):
    for row in thesis_table(name).rows:
        assert row.values[0] == pytest.approx(np.mean(row.values[1:]), abs=0.011), row.name


def test_every_row_of_the_thesis_is_as_wide_as_its_table():
    assert list(thesis_tables()) == ["2.1", "2.2", "3.1", "A.2-SIR", "A.2-SAR", "3.2", "3.3", "3.4"]
    for table in thesis_tables().values():
        assert all(len(row.values) == len(table.columns) for row in table.rows)
        assert all(row.spread is None or len(row.spread) == len(table.columns) for row in table.rows)


def test_results_come_back_from_their_files(tmp_path):
    before = result("demucs", [1.0, 2.0, 3.0, 4.0])
    before.scores["sdr"]["song 1"][2] = math.nan
    before.write(tmp_path)
    (after,) = read_results(tmp_path)
    assert math.isnan(after.scores["sdr"]["song 1"][2])
    assert after.summary("sdr")["Other"[:5].lower()] == (4.0, pytest.approx(1.0))
    assert after.summary("sir")["All"][0] == pytest.approx(3.5)
    with pytest.raises(StemplayError, match="--museval"):
        after.summary("global")
    (tmp_path / "x.json").write_text("{}")
    with pytest.raises(StemplayError, match="not a result"):
        read_results(tmp_path)


def test_our_rows_stand_below_the_thesis_with_their_own_data_and_best():
    ours = block_of(
        [result("a", [1.0, 2, 3, 4]), result("b", [5.0, 6, 7, 8]), result("c", [0.0, 0, 0, 0], "5 others")], "sdr"
    )
    assert [block.data for block in ours] == ["Ours: 3 songs; ± over songs", "Ours: 5 others; ± over songs"]
    text = markdown(thesis_table("3.1"), ours)
    lines = text.splitlines()
    assert lines.index("| *Ours: 3 songs; ± over songs* | | | | | | | |") > lines.index(
        "| *Thesis: 50 MUSDB18 test songs, museval, median of medians* | | | | | | | |"
    )
    assert [line.split(" |")[0] for line in lines[-5:]] == [
        "| *Ours: 3 songs; ± over songs*",
        "| B",
        "| A",
        "| *Ours: 5 others; ± over songs*",
        "| C",
    ]


def test_bold_is_what_is_not_below_the_best_by_more_than_its_interval():
    rows = (
        Row("IRM oracle", (9.0,)), Row("best", (6.3,), (0.05,)), Row("close", (6.26,), (0.5,)), Row("below", (6.2,), (0.05,)),
    )  # fmt: skip
    text = markdown(thesis_table("3.1"), [Block("ours", rows)])
    assert "| best | - | - | **6.30 ± 0.05** |" in text and "| close | - | - | **6.26 ± 0.50** |" in text
    assert "| below | - | - | 6.20 ± 0.05 |" in text and "| IRM oracle | - | - | 9.00 |" in text
    assert "**6.33 ± 0.02**" in text and "**7.11 ± 0.13**" in text and "| 5.58 ± 0.03 |" in text


def test_mel_filters_are_triangles_that_cover_the_band():
    filters = mel_filters(2049, RATE, 64)
    assert (filters >= 0).all() and filters.shape == (64, 2049)
    frequencies = np.linspace(0, RATE / 2, 2049)
    inside = (frequencies > 60) & (frequencies < 7700)
    assert (filters[:, inside].sum(axis=0) > 0).all()
    tone = np.sin(2 * np.pi * 1000 * np.arange(RATE) / RATE)[None]
    picture = mel_spectrogram(tone, bands=64)
    loudest = int(np.bincount(picture.argmax(axis=0)).argmax())
    assert abs(frequencies[filters[loudest].argmax()] - 1000) < 60


def test_pictures_are_drawn_without_a_screen(tmp_path):
    draw_boxes(tmp_path / "boxes.png", [result("a", [1.0, 2, 3, 4]), result("b", [5.0, 6, 7, 8])], "drums")
    noise = np.random.default_rng(0).standard_normal((2, RATE // 2))
    draw_mel_panels(tmp_path / "mel.png", {"one": noise, "two": 0 * noise})
    for name in ("boxes.png", "mel.png"):
        picture = np.asarray(Image.open(tmp_path / name).convert("L"))
        assert picture.shape[0] > 150 and picture.std() > 5


def test_methods_are_scored_kept_printed_and_drawn(tmp_path, capsys):
    results = tmp_path / "results"
    assert main(f"evaluate --tiny --limit 1 --oracle irm --oracle mixture --museval -o {results}".split()) == 0
    assert "IRM oracle" in capsys.readouterr().out
    assert [r.method for r in read_results(results)] == ["irm", "mixture"]
    assert main(f"tables 3.1 --results {results}".split()) == 0
    assert "| IRM oracle | no | - | 8.22 |" in (out := capsys.readouterr().out) and "1 synthetic songs" in out
    assert main(f"tables A.2 --results {results} --save {tmp_path / 'a2.md'}".split()) == 0
    assert (tmp_path / "a2.md").read_text().count("1 synthetic songs") == 2
    assert main(f"tables boxes --results {results} -o {tmp_path}".split()) == 0
    assert len(list(tmp_path.glob("figure-A.*.png"))) == 4
    assert main(f"tables mel -o {tmp_path}".split()) == 0 and (tmp_path / "figure-1.3.png").exists()


def test_every_table_prints_without_results_and_with_those_of_other_commands(tmp_path, capsys):
    assert main(["tables", "all"]) == 0
    out = capsys.readouterr().out
    assert all(f"Table {name}" in out for name in ("2.1", "2.2", "3.1", "3.2", "3.3", "3.4")) and "SIR in dB" in out
    (tmp_path / "ablation.json").write_text(json.dumps({"data": "tiny", "rows": {"Reference": [0.05, None]}}))
    assert main(f"tables 3.4 --ablation {tmp_path / 'ablation.json'}".split()) == 0
    assert "| Reference | 0.05 | - |" in capsys.readouterr().out
    assert main(f"tables 3.4 --ablation {tmp_path / 'none.json'}".split()) == 2
    assert main(["tables", "boxes"]) == 2


def test_tables_in_miniature_have_rows_of_their_own(tmp_path, capsys):
    printed = []
    for seed in ("0", "1"):
        assert main(["tables", "3.1", "--tiny", "--seed", seed]) == 0
        printed.append(capsys.readouterr().out)
        assert "| IRM oracle" in printed[-1].split("2 synthetic songs")[1]
    assert printed[0] != printed[1], "another seed, other songs"
    assert main(["tables", "boxes", "--tiny", "-o", str(tmp_path)]) == 0
    assert len(list(tmp_path.glob("figure-A.*.png"))) == 4


def test_the_curve_of_a_model_has_all_its_runs(tmp_path, capsys):
    assert main(["tables", "curve", "--model", "demucs-live", "-o", str(tmp_path)]) == 0
    assert (tmp_path / "curve-demucs-live.png").stat().st_size > 10_000
    assert main(["tables", "curve", "--model", "sing-gm", "-o", str(tmp_path)]) == 2
    assert "no training curve of a separator" in capsys.readouterr().err
    assert main(["tables", "curve"]) == 2


def test_a_budget_of_processor_time_ends_by_work_not_by_the_clock():
    import time

    budget = ProcessorBudget(seconds=0.2)
    sum(range(3_000_000))  # what comes before the first question, such as a validation, does not count
    assert budget.progress(0, 0.0) == 0
    start = time.process_time()
    time.sleep(0.3)
    assert budget.progress(0, 99.0) < 1
    while budget.progress(0, 0.0) < 1:
        sum(range(10_000))
    assert time.process_time() - start >= 0.19


def test_compared_networks_have_about_as_many_weights():
    from models.registry import make_network

    sizes = {
        name: sum(w.numel() for w in make_network(r.network).parameters()) for name, r in compared_recipes().items()
    }
    assert len(sizes) >= 3 and all(1.0e6 < size < 2.0e6 for size in sizes.values()), sizes


def test_networks_are_trained_and_scored_with_one_command(tmp_path, capsys):
    command = f"compare causal-demucs --tiny --oracle mix4 -o {tmp_path}".split()
    assert main(command) == 0 and "compare-causal-demucs" not in capsys.readouterr().err
    assert {r.method for r in read_results(tmp_path / "results")} == {"causal-demucs", "mix4"}
    making = json.loads((tmp_path / "causal-demucs" / "making.json").read_text())
    assert making["steps"] > 0 and making["processor_seconds"] >= 2
    assert main(command) == 0 and "kept" in capsys.readouterr().err


def test_means_over_clips_are_printed_and_counted_against_one_of_the_methods(tmp_path, capsys):
    for name, shift in (("old", 0.0), ("new", 0.5)):
        made = Result(name, name, "two clips", SOURCES, {"global": {c: [shift + k for k in range(4)] for c in "xy"}})
        made.write(tmp_path)
    assert main(["tables", "means", "--results", str(tmp_path), "--against", "old"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[2] == "| new | 2.00 ± 0.00 | 0.50 ± 0.00 | 1.50 ± 0.00 | 2.50 ± 0.00 | 3.50 ± 0.00 | +0.50 ± 0.00, 2 of 2 |"
    assert lines[3].endswith("| - |") and len(lines) == 4
    assert main(["tables", "means", "--results", str(tmp_path), "--against", "nobody"]) == 2
    assert main(["tables", "means"]) == 2


def test_the_means_on_the_page_are_those_of_the_kept_scores(capsys):
    page = (ROOT / "docs" / "comparison.md").read_text(encoding="utf-8")
    for line in re.findall(r"<!-- means: begin; made by `python -m training (.+?)` -->\n", page):
        kept = page.split(f"`python -m training {line}` -->\n")[1].split("<!-- means: end")[0]
        assert main([str(ROOT / part) if part.startswith("docs/") else part for part in line.split()]) == 0
        assert capsys.readouterr().out == kept
    assert "means: begin" in page


@pytest.mark.parametrize("name", ["demucs-live", "demucs-open"])
@pytest.mark.parametrize(
    ("folder", "clips", "row"),
    [("", "25 MUSDB18 test", "25 test"), ("valid", "14 MUSDB18 validation", "14 validation")],
)
def test_cards_and_pages_have_the_means_of_the_kept_scores(name, folder, clips, row):
    means = Result.read(ROOT / "docs" / "comparison" / folder / f"{name}.json").means("global")
    quality = json.loads((ROOT / "models" / "zoo" / name / "card.json").read_text(encoding="utf-8"))["quality"]
    what = f"{clips} clips of 7 s: mean global SDR in dB"
    for source, (mean, error) in means.items():
        assert quality[what][source.lower()] == pytest.approx(mean, abs=0.006)
        assert quality[f"{what}, its standard error"][source.lower()] == pytest.approx(error, abs=0.006)
    cells = " | ".join("{:.2f} ± {:.2f}".format(*means[source]) for source in (*SOURCES, "All"))
    page = (ROOT / "models" / "zoo" / name / "README.md").read_text(encoding="utf-8")
    assert f"| {row} clips, mean over clips | {cells} | |" in page
