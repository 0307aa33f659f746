"""What the bench makes of its numbers: JSON, a comparison that knows the noise, the README's tables. And what it refuses."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import pytest

from rtaudio.bench import table
from rtaudio.bench.compare import changes, differences
from rtaudio.bench.report import read, tidy, write
from rtaudio.cli.main import main

ROOT = Path(__file__).resolve().parents[3]


def model(name: str = "demucs-live", **values: Any) -> dict[str, Any]:
    return {
        "name": name, "precision": "int8", "hop_ms": 5.8, "timing_only": False, "back_to_back_p50_ms": 1.0,
        "back_to_back_p99_ms": 1.2, "paced_p50_ms": 1.1, "paced_p99_ms": 1.5, "paced_p99_of_hop": 0.26, "processor_p50_ms": 1.0,
        "refining_ms": 0.37, "rtf": 0.2, "compute_bound_ms": 0.5, "weights_bound_ms": 0.25, "ratio_to_bound": 2.0, "stable": True,
        "spread": {"back_to_back_p50_ms": 0.02, "paced_p99_ms": 0.1},
    } | values  # fmt: skip


def played(name: str, misses: int, block: int = 256, total: float = 11.6, **values: Any) -> dict[str, Any]:
    return {
        "model": name, "look_ahead": 0.0, "rate": 44_100, "block": block, "server": "jack", "seconds": 10.0, "blocks": 1722,
        "misses": misses, "missed": misses / 1722, "load": {"p50": 0.3, "p99": 0.5, "own": 0.3}, "latency_ms": {"total": total},
    } | values  # fmt: skip


def result(**values: Any) -> dict[str, Any]:
    machine = {
        "processor": "AMD EPYC", "units": ["AVX2", "AVX-512"], "virtual": True, "cores": 2, "system": "Debian 12",
        "python": "3.11", "onnxruntime": "1.22", "numpy": "2.0", "gflops": 100.0, "read_gb_s": 30.0, "load": 0.1,
    }  # fmt: skip
    peer = {
        "name": "denoiser", "version": "0.1.5", "model": "dns48", "rate": 16_000, "hop": 256, "hop_ms": 16.0, "p50_ms": 8.0,
        "p99_ms": 9.0, "rtf": 0.5, "one_thread": True, "error": "",
    }  # fmt: skip
    voice = {
        "name": "sing-gm", "precision": "int8", "timing_only": False, "synth_voices_half_core": 116.4, "notes_rate": 470.0,
        "notes_bound": 940.0, "eager_rate": 235.0, "step_ms": {"1": 0.15, "64": 2.1},
    }  # fmt: skip
    return {
        "day": "2026-01-02", "machine": machine, "busy": {}, "models": [model()], "instruments": [voice],
        "note_latency": {"sing-gm": {"p50_ms": 8.9, "p99_ms": 9.4}}, "peers": [peer],
        "live": [played("none", 1), played("demucs-live", 7), played("demucs-live", 0, 512, 17.4)], "warnings": [],
    } | values  # fmt: skip


def written(tmp_path: Path, value: Any, name: str = "bench.json") -> Path:
    path = tmp_path / name
    path.write_text(value if isinstance(value, str) else json.dumps(value), encoding="utf-8")
    return path


# ---------------------------------------------------------------- comparison


def test_a_change_counts_only_beyond_the_noise_of_both_runs() -> None:
    before = result()
    now = result(models=[model(back_to_back_p50_ms=0.5, paced_p99_ms=1.7, paced_p50_ms=1.18, processor_p50_ms=1.2)])
    found = {change.number: change for change in changes(before, now) if change.what == "demucs-live int8"}
    assert found["back_to_back_p50_ms"].ratio == 0.5 and found["back_to_back_p50_ms"].verdict == "better"
    # 1.5 to 1.7 is 13 %, and the rounds of each run differed by 10 %.
    assert found["paced_p99_ms"].noise == pytest.approx(0.2) and found["paced_p99_ms"].verdict == "within the noise"
    # A number whose noise no run knows is given a tenth.
    assert found["paced_p50_ms"].noise == 0.1 and found["paced_p50_ms"].verdict == "within the noise"
    assert found["processor_p50_ms"].verdict == "worse"
    quiet = result(models=[model(spread={"back_to_back_p50_ms": 0.0})])
    twin = result(models=[model(back_to_back_p50_ms=1.04, spread={"back_to_back_p50_ms": 0.0})])
    (least,) = (c for c in changes(quiet, twin) if c.number == "back_to_back_p50_ms")
    assert least.noise == 0.05 and not least.beyond


def test_more_is_better_where_it_is_a_rate() -> None:
    now = result()
    now["instruments"][0]["notes_rate"] = 940.0
    now["instruments"][0]["step_ms"]["64"] = 4.2
    verdicts = {change.number: change.verdict for change in changes(result(), now) if change.what == "sing-gm int8"}
    assert verdicts["notes_rate"] == "better" and verdicts["step_ms.64"] == "worse"
    assert verdicts["step_ms.1"] == verdicts["eager_rate"] == "within the noise"


@pytest.mark.parametrize(
    ("before", "now", "verdict"),
    [(7, 7, "within the noise"), (7, 15, "within the noise"), (0, 3, "within the noise"), (7, 60, "worse"), (60, 7, "better")],
)  # fmt: skip
def test_misses_are_judged_as_counts(before: int, now: int, verdict: str) -> None:
    first, second = (result(live=[played("demucs-live", misses)]) for misses in (before, now))
    (change,) = (c for c in changes(first, second) if c.number == "missed")
    assert change.verdict == verdict and change.what == "demucs-live, block 256 at 44100 Hz"
    assert (change.ratio is None) == (before == 0)


def test_misses_of_a_longer_run_are_scaled() -> None:
    longer = played("demucs-live", 70, blocks=17_220, missed=70 / 17_220)
    (change,) = (
        c for c in changes(result(live=[longer]), result(live=[played("demucs-live", 7)])) if c.number == "missed"
    )
    assert change.ratio == pytest.approx(1.0) and not change.beyond


def test_latencies_are_exact_and_runs_of_other_blocks_are_not_compared() -> None:
    now = result(live=[played("demucs-live", 7, total=11.7), played("demucs-live", 7, block=64)])
    found = [change for change in changes(result(), now) if change.number == "latency_ms.total"]
    assert [change.verdict for change in found] == ["worse"]


def test_the_same_run_twice_shows_no_change_and_no_difference() -> None:
    assert differences(result(), result()) == []
    found = changes(result(), result())
    assert len(found) > 10 and not any(change.beyond for change in found)


def test_another_machine_is_told() -> None:
    other = result()
    other["machine"] |= {"processor": "Intel Xeon", "units": ["AVX2"], "gflops": 150.0, "numpy": "2.1"}
    told = differences(result(warnings=["Other programs took 30% of it."]), other)
    text = " ".join(told)
    for words in (
        "processor was AMD EPYC and is Intel Xeon", "units was AVX2, AVX-512 and is AVX2", "numpy was 2.0", "1.50 times as fast",
        "Warnings of the earlier run: Other programs",
    ):  # fmt: skip
        assert words in text
    assert len(told) == 5
    old = result()
    old["machine"] = {"gflops": 100.0, "read_gb_s": 30.0, "load": None}
    assert differences(old, result()) == ["The earlier result does not name its machine."]


def test_an_earlier_run_is_compared_with_from_its_file(
    tiny_model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    kept = tmp_path / "kept.json"
    line = ["bench", str(tiny_model), "--seconds", "0.02", "--rounds", "3"]
    assert main([*line, "--save", str(kept)]) == 0
    assert "AVX" in capsys.readouterr().out or read(kept)["machine"]["processor"]
    earlier = read(kept)
    earlier["models"][0]["back_to_back_p50_ms"] /= 1000
    earlier["machine"]["processor"] = "an abacus"
    assert main([*line, "--compare", str(written(tmp_path, earlier))]) == 0
    text = capsys.readouterr().out
    (changed,) = [row for row in text.splitlines() if "back_to_back_p50_ms" in row]
    assert changed.startswith("tiny fp32") and changed.endswith("worse")
    assert "The machine differs: processor was an abacus" in text and "Beyond the noise:" in text
    assert main([*line, "--compare", str(kept), "--json"]) == 0
    compared = json.loads(capsys.readouterr().out)["compared"]
    assert {change["number"] for change in compared["changes"]} >= {"paced_p50_ms", "paced_p99_ms"}


# ---------------------------------------------------------------- the README's tables


def test_the_tables_follow_from_the_result_alone() -> None:
    text = table.markdown(result())
    assert text == table.markdown(json.loads(json.dumps(result())))
    assert "AMD EPYC (2 cores, virtual; AVX2, AVX-512)" in text and "100 GFLOP/s" in text
    rows = [
        [cell.strip() for cell in line.strip("|").split("|")] for line in text.splitlines() if line.startswith("| `")
    ]
    assert rows[0] == [
        "`demucs-live` int8",
        "5.8",
        "1.10 / 1.50",
        "26.0%",
        "1.00",
        "0.37",
        "0.50 (2.0)",
        "0.200",
        "2.5 times as much",
    ]
    assert rows[1] == ["`sing-gm` int8", "116", "470", "50%", "2.0", "40", "8.9 / 9.4 ms"]
    assert rows[2] == ["`demucs-live`", "0.41%, 11.6 ms", "0.00%, 17.4 ms"]
    assert "| a pass-through, no model | 0.06%, 11.6 ms | - |" in text
    assert "8 ms for a hop of 16.0 ms of mono at 16 kHz" in text


def test_what_was_not_measured_has_no_table_and_doubts_are_printed() -> None:
    bare = result(instruments=[], peers=[], live=[], warnings=["Other programs took 30 %."])
    bare["models"].append(model("causal-48-4", timing_only=True))
    text = table.markdown(bare)
    assert "sing-gm" not in text and "needs" not in text and "Played" not in text and "causal-48-4" not in text
    assert text.endswith("Other programs took 30 %.")


def test_a_page_gets_the_tables_between_its_comments_and_keeps_the_rest(tmp_path: Path) -> None:
    file = written(tmp_path, result())
    page = written(tmp_path, f"before\n{table.BEGIN}\nold\n{table.END}\nafter\n", "page.md")
    page.chmod(0o644)
    assert main(["bench", "--table", str(file), "--into", str(page)]) == 0
    text = page.read_text(encoding="utf-8")
    assert text == f"before\n{table.BEGIN}\n{table.markdown(result())}\n{table.END}\nafter\n"
    assert main(["bench", "--table", str(file), "--into", str(page)]) == 0
    assert page.read_text(encoding="utf-8") == text
    assert sorted(path.name for path in tmp_path.iterdir()) == ["bench.json", "page.md"], "nothing is left beside it"


def test_the_readme_shows_what_the_stored_result_says() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    shown = readme.partition(f"{table.BEGIN}\n")[2].partition(f"\n{table.END}")[0]
    assert shown == table.markdown(read(ROOT / "docs" / "bench.json")), f"`{table.COMMAND}` makes it"


def test_a_file_is_replaced_at_one_blow_or_not_at_all(tmp_path: Path) -> None:
    path = written(tmp_path, "old")
    with pytest.raises(UnicodeEncodeError):
        write(path, "half \ud800")
    assert path.read_text() == "old" and [p.name for p in tmp_path.iterdir()] == ["bench.json"]


def test_numbers_are_rounded_to_what_the_clock_can_tell() -> None:
    assert tidy({1: (1.234567, [0.000123456], True, 7, None, "x")}) == {"1": [1.235, [0.0001235], True, 7, None, "x"]}


# ---------------------------------------------------------------- what is refused

BROKEN = {
    "no JSON": "{",
    "a list": [],
    "not ours": {"a": 1},
    "models is no list": result(models={}),
    "a model is a number": result(models=[3]),
    "a run without a model": result(live=[{}]),
    "machine is text": result(machine="x"),
}


@pytest.mark.parametrize("what", BROKEN)
@pytest.mark.parametrize("option", ["--compare", "--table"])
def test_a_damaged_result_is_one_sentence(
    what: str, option: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = written(tmp_path, copy.deepcopy(BROKEN[what]))
    assert main(["bench", option, str(path)]) == 2
    streams = capsys.readouterr()
    assert len(streams.err.strip().splitlines()) == 1 and "bench.json" in streams.err and not streams.out


def test_a_table_without_its_numbers_is_one_sentence(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for value in ({"machine": {}}, result(models=[{"name": "x"}]), result(live=[{"model": "x", "rate": "y"}])):
        assert main(["bench", "--table", str(written(tmp_path, value))]) == 2
        assert "measure again" in capsys.readouterr().err


@pytest.mark.parametrize(
    "arguments",
    [
        ["--compare", "none-such.json"],
        ["--table", "none-such.json"],
        ["--live", "none-such"],
        ["--live", "sing-gm"],
        ["--live", "--blocks", "0"],
        ["--live", "--blocks", "256,x"],
        ["--live", "--blocks", ""],
        ["--live", "--rates", "0"],
        ["--live", "--live-seconds", "-1"],
        ["--live", "--look-ahead", "1000"],
        ["--live", "--song", "none-such.ogg"],
        ["--rounds", "0"],
        ["--save", "no/such/folder/bench.json"],
        ["--into", "no-such-page.md"],
        ["--full", "--into", "pyproject.toml"],
        ["--live", "demucs-live", "--compare", "pyproject.toml"],
    ],
)
def test_bad_input_is_one_sentence_and_nothing_is_measured(
    arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    try:
        code = main(["bench", *arguments])
    except SystemExit as error:
        code = int(error.code or 0)
    streams = capsys.readouterr()
    assert code == 2 and len(streams.err.strip().splitlines()) == 1 and not streams.out


def test_a_page_without_a_place_is_left_alone(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    page = written(tmp_path, "no comments here\n", "page.md")
    assert main(["bench", "--table", str(written(tmp_path, result())), "--into", str(page)]) == 2
    assert "has no place" in capsys.readouterr().err and page.read_text() == "no comments here\n"
