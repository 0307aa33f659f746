"""Opinion scores: the interval covers what it should, bad listeners leave, and the tables look like the thesis'."""

from __future__ import annotations

import json
import random
import re
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from rtaudio.audio.format import StemplayError
from tests.training.listening.conftest import MakeSystems, answer, systems_in
from training.cli import main
from training.listening.answers import Rating, read_answers
from training.listening.folders import read_systems
from training.listening.sheets import Plan, make_abx, make_mos
from training.listening.statistics import mean_opinion, preference, unreliable, variances
from training.listening.tables import Report

TRUTH = {"Reference": 4.5, "Demucs": 3.3, "Conv-Tasnet": 2.4, "Open-Unmix": 1.8}


def rounded(value: float) -> int:
    return int(min(5, max(1, round(value))))


def honest(trial: dict[str, Any], rng: random.Random) -> dict[str, int]:
    return {name: rounded(rng.gauss(TRUTH[trial["sound"]["system"]], 0.7)) for name in ("quality", "contamination")}


def at_random(trial: dict[str, Any], rng: random.Random) -> dict[str, int]:
    return {name: rng.randint(1, 5) for name in ("quality", "contamination")}


def test_variances_of_a_known_design_are_found() -> None:
    rng = np.random.default_rng(1)
    sounds, listeners = rng.normal(0, 0.9, 60), rng.normal(0, 0.5, 50)
    scores = sounds[:, None] + listeners + rng.normal(0, 0.3, (60, 50))
    within_listener, within_sound = scores.var(0, ddof=1).mean(), scores.var(1, ddof=1).mean()
    sound, listener, rest = variances(within_listener, within_sound, scores.var(ddof=1))
    assert sound == pytest.approx(sounds.var(ddof=1), rel=0.1)
    assert listener == pytest.approx(listeners.var(ddof=1), rel=0.15)
    assert rest == pytest.approx(0.09, rel=0.2)


def test_the_interval_covers_the_truth_where_a_plain_one_does_not() -> None:
    """Twelve listeners with opinions of their own: their ratings are no independent draws, however many they are."""
    rng = np.random.default_rng(3)
    covered = plain = 0
    for _ in range(150):
        scores = 3 + rng.normal(0, 0.5, (25, 1)) + rng.normal(0, 0.6, (1, 12)) + rng.normal(0, 0.4, (25, 12))
        ratings = [
            Rating(f"l{j}", f"s{i}", "S", "", "quality", value)
            for (i, j), value in np.ndenumerate(scores)  # type: ignore[arg-type]
        ]
        score = mean_opinion(ratings)
        covered += abs(score.mean - 3) <= score.interval
        plain += abs(score.mean - 3) <= 1.96 * scores.std() / np.sqrt(scores.size)
    assert covered >= 135  # of 150: 95 % are 142
    assert plain < 90


def test_one_listener_or_one_sound_gives_a_mean_and_no_interval() -> None:
    score = mean_opinion([Rating("one", f"s{i}", "S", "", "quality", i % 5 + 1) for i in range(10)])
    assert score.mean == 3 and np.isnan(score.interval) and score.text() == "3.00 ± ?"
    assert mean_opinion([]).text() == "-"


@pytest.fixture(scope="module")
def unanswered(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Twenty sheets of twenty samples; made once, sounds and all."""
    place = tmp_path_factory.mktemp("separation")
    systems = read_systems(systems_in(place)(tuple(TRUTH), 10, ("drums", "bass", "other", "vocals")))
    make_mos(systems, place / "test", Plan(participants=20, per_participant=20, seed=1))
    return place / "test"


@pytest.fixture
def separation(unanswered: Path, tmp_path: Path) -> Path:
    """A test of one's own: evaluating it needs no sounds."""
    shutil.copytree(unanswered / "sheets", tmp_path / "test" / "sheets")
    shutil.copy(unanswered / "key.json", tmp_path / "test")
    return tmp_path / "test"


def test_who_answers_at_random_is_rejected_and_nobody_else(separation: Path) -> None:
    answer(separation, honest)
    assert Report(read_answers(separation)).rejected == {}
    answer(separation, at_random, ["p07"])
    answer(separation, lambda trial, rng: {"quality": 3, "contamination": 3}, ["p13"])
    report = Report(read_answers(separation))
    assert set(report.rejected) == {"p07", "p13"}
    assert "p07 (r" in report.text()


def test_a_random_worker_among_sixty_is_rejected_by_the_sounds_means() -> None:
    rng = random.Random(5)
    quality = [rng.uniform(1, 5) for _ in range(30)]
    ratings = [
        Rating(f"w{w}", f"s{s}", "S", "", "quality", rounded(rng.gauss(q, 0.8)) if w else rng.randint(1, 5))
        for w in range(60)
        for s, q in enumerate(quality)
    ]
    assert set(unreliable(ratings)) == {"w0"}


def test_the_tables_have_the_thesis_layout_with_its_rows_beside_ours(separation: Path) -> None:
    answer(separation, honest)
    report = Report(read_answers(separation))
    text = report.text()
    assert re.search(r"Table 3.2, quality.* All +Drums +Bass +Other +Vocals\n thesis: MUSDB18 test", text)
    assert re.search(r"Ground truth +4.46 ± .07 +4.56 ± .13", text)
    assert re.search(r"Table 3.3, contamination(.*\n)+ +Conv-Tasnet +3.42 ± .09", text)
    assert "ours: 10 tracks, 20 listeners, 400 samples rated" in text
    rows = report.to_dict()["scores"]["quality"]
    assert rows["Reference"]["All"]["mean"] > rows["Demucs"]["All"]["mean"] > rows["Open-Unmix"]["All"]["mean"]
    assert 0.05 < rows["Demucs"]["All"]["interval"] < 0.5


def test_all_pools_the_ratings(separation: Path) -> None:
    """ERR-32: with unequal numbers the pooled mean is not the mean of the columns."""
    answer(
        separation, lambda trial, rng: {"quality": 5 if trial["sound"]["source"] == "bass" else 1, "contamination": 1}
    )
    answers = read_answers(separation)
    answers.ratings = [r for i, r in enumerate(answers.ratings) if r.source != "bass" or i % 4 < 2]
    scores = Report(answers, least=-1).to_dict()["scores"]["quality"]["Demucs"]
    pooled = [r.value for r in answers.ratings if r.question == "quality" and r.system == "Demucs"]
    assert scores["All"]["mean"] == pytest.approx(np.mean(pooled))
    columns = [scores[name]["mean"] for name in ("Drums", "Bass", "Other", "Vocals")]
    assert columns == [1, 5, 1, 1] and scores["All"]["mean"] < np.mean(columns)


def test_listeners_without_headphones_are_left_out_and_named(separation: Path) -> None:
    answer(separation, honest)
    answer(separation, honest, ["p03"], headphones=False)
    assert "given without headphones: answers of p03" in Report(read_answers(separation)).text()
    assert len(read_answers(separation, keep_loudspeakers=True).listeners) == 20


def test_the_last_answer_counts_and_a_torn_line_does_not(separation: Path) -> None:
    answer(separation, honest)
    path = separation / "answers" / "p01.jsonl"
    rows = [json.loads(line) for line in path.read_text().splitlines()]
    again = {**rows[1], "ratings": {"quality": 1, "contamination": 1}}
    path.write_text("".join(json.dumps(row) + "\n" for row in [*rows[:3], again]) + '{"trial": "p01-0')
    own = [rating for rating in read_answers(separation).ratings if rating.listener == "p01"]
    assert [rating.value for rating in own[:2]] == [1, 1] and len(own) == 4


@pytest.mark.parametrize(
    "row",
    [
        {"trial": "p01-001", "ratings": {"quality": 6}},
        {"trial": "nobody", "ratings": {"quality": 3}},
        {"trial": "p01-001"},
    ],
)
def test_answers_that_do_not_fit_are_told(separation: Path, row: dict[str, Any]) -> None:
    answer(separation, honest, ["p01"])
    with (separation / "answers" / "p01.jsonl").open("a") as file:
        file.write(json.dumps(row) + "\n")
    with pytest.raises(StemplayError, match="does not fit the test"):
        read_answers(separation)


def test_synthesis_gives_the_opinions_of_table_2_2(make_systems: MakeSystems, tmp_path: Path) -> None:
    make_mos(read_systems(make_systems(tuple(TRUTH)[:3], 10)), tmp_path / "test", Plan(participants=5))
    answer(tmp_path / "test", lambda trial, rng: {"quality": honest(trial, rng)["quality"]})
    text = Report(read_answers(tmp_path / "test")).text()
    assert re.search(r"Table 2.2.*MOS\n thesis: 100 NSynth(.*\n)+  SING +3.55 ± .23", text)


# ---------------------------------------------------------------- ABX


def test_697_of_1000_are_69_7_percent_within_2_8() -> None:
    result = preference(697, 1000)
    assert (round(100 * result.share, 1), round(100 * result.half, 1)) == (69.7, 2.8)
    assert result.exact[0] < 0.67 < 0.72 < result.exact[1] and result.p < 1e-30


def test_abx_share_counts_choices_whatever_the_order(make_systems: MakeSystems, tmp_path: Path) -> None:
    make_abx(
        read_systems(make_systems(("Truth", "SING", "WaveNet"), 20)), "Truth", tmp_path / "test", Plan(participants=10)
    )

    def prefers_sing(trial: dict[str, Any], rng: random.Random) -> str:
        sing, other = ("A", "B") if trial["A"]["system"] == "SING" else ("B", "A")
        return sing if rng.random() < 0.7 else other

    answer(tmp_path / "test", prefers_sing)
    report = Report(read_answers(tmp_path / "test"))
    best = report.preferences()
    assert next(iter(best)) == "SING" and 0.6 < best["SING"].share < 0.8
    assert best["SING"].share + best["WaveNet"].share == pytest.approx(1)
    assert "of 200 tests prefer SING" in report.text() and "69.7 ± 2.8 % of 1000" in report.text()


# ---------------------------------------------------------------- the command


def test_the_command_makes_a_test_and_evaluates_it(
    make_systems: MakeSystems, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folders = [str(folder) for folder in make_systems(tuple(TRUTH), 3, ("drums", "vocals"))]
    test = str(tmp_path / "test")
    assert main(["listening", "mos", *folders, "-o", test, "--participants", "4", "--trials", "10"]) == 0
    assert "4 sheets of 10 trials" in capsys.readouterr().out
    assert main(["listening", "table", test]) == 2
    assert "no listener has finished a trial" in capsys.readouterr().err
    answer(Path(test), honest)
    assert main(["listening", "table", test, "--json"]) == 0
    values = json.loads(capsys.readouterr().out)
    assert set(values["scores"]["contamination"]["Demucs"]) == {"All", "Drums", "Vocals"}
    assert main(["listening", "table", test]) == 0
    assert re.search(
        r"Demucs +3.22 ± .09 +3.77 ± .15 +2.55 ± .20\n", capsys.readouterr().out
    )  # the thesis', its columns chosen
    assert main(["listening", "mos", *folders]) == 2
    assert "--output" in capsys.readouterr().err
