"""``python -m training optim``: files of libsvm, runs that continue, verdicts, and one sentence for what cannot be."""

from __future__ import annotations

import gzip
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn.datasets import dump_svmlight_file

from rtaudio.audio.format import StemplayError
from training.cli import main
from training.optim.experiments import figures, speed
from training.optim.experiments.chapter4 import reached
from training.optim.experiments.claims import AGREES, NOT, ORDER, Claim, spread
from training.optim.experiments.clock import ENOUGH, undisturbed
from training.optim.experiments.journal import Journal
from training.optim.experiments.linear import CHECKPOINT, WEIGHTS
from training.optim.experiments.tuning import Tuned, tune
from training.optim.sparse.data import SHAPES, draw_features, frequencies, read_libsvm
from training.optim.sparse.solvers import cores

Output = pytest.CaptureFixture[str]
ROOT = Path(__file__).resolve().parents[3]
PATIENCE = 300.0
"""Seconds after which a command counts as hung."""


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """600 samples of 60 features, linearly separable but for noise."""
    rng = np.random.default_rng(0)
    x = draw_features(rng, 600, np.linspace(0.5, 0.02, 60))
    y = np.where(x @ rng.standard_normal(60) + 0.05 * rng.standard_normal(600) > 0, 1, -1)
    path = tmp_path_factory.mktemp("libsvm") / "mine.libsvm"
    dump_svmlight_file(x, y, str(path), zero_based=False)
    return path


def fit(file: Path, folder: Path, *more: str) -> int:
    return main(["optim", "fit", str(file), "-o", str(folder), "--batch", "10", *more])


# ---------------------------------------------------------------- a user's data


def test_a_libsvm_file_is_read_as_it_was_written(file: Path, tmp_path: Path) -> None:
    x, y = read_libsvm(file)
    assert x.shape == (600, 60) and set(y) == {-1, 1}
    packed = tmp_path / "mine.libsvm.gz"
    packed.write_bytes(gzip.compress(file.read_bytes()))
    again, _ = read_libsvm(packed)
    assert (again != x).nnz == 0


@pytest.mark.parametrize("rule", ["adabatch", "adagrad", "svrg", "hogwild"])
def test_a_classifier_learns_and_its_weights_are_in_the_files_order(
    rule: str, file: Path, tmp_path: Path, capsys: Output
) -> None:
    more = ["--batch", "1"] if rule == "hogwild" else []
    assert fit(file, tmp_path, "--rule", rule, "--passes", "3", *more) == 0
    assert "Step size" in capsys.readouterr().out
    x, y = read_libsvm(file)
    with np.load(tmp_path / WEIGHTS) as saved:
        weights = saved["weights"]
    assert np.mean(np.sign(x @ weights) == y) > 0.85


@pytest.mark.parametrize("rule", ["adagrad", "svrg"])
def test_a_run_that_was_interrupted_continues_to_the_same_weights(
    rule: str, file: Path, tmp_path: Path, capsys: Output
) -> None:
    options = ["--rule", rule, "--step", "0.5", "--passes"]
    assert fit(file, tmp_path / "whole", *options, "3") == 0
    assert fit(file, tmp_path / "parts", *options, "1") == 0
    assert fit(file, tmp_path / "parts", *options, "3", "--resume") == 0
    assert "Continued after pass 1" in capsys.readouterr().out
    with np.load(tmp_path / "whole" / WEIGHTS) as a, np.load(tmp_path / "parts" / WEIGHTS) as b:
        assert np.array_equal(a["weights"], b["weights"])


def test_a_signal_ends_a_run_after_its_pass_with_a_checkpoint(file: Path, tmp_path: Path, capsys: Output) -> None:
    timer = threading.Timer(1.0, signal.raise_signal, [signal.SIGINT])
    timer.start()
    assert fit(file, tmp_path, "--step", "0.5", "--passes", "1000000") == 0
    timer.join()
    with np.load(tmp_path / CHECKPOINT) as saved:
        assert 0 < int(saved["done"]) < 1_000_000
    assert not list(tmp_path.glob(".*.part")), "no half-written file"


def test_sizes_and_tables_are_printed(file: Path, capsys: Output) -> None:
    assert main(["optim", "data", str(file), "--json"]) == 0
    facts = json.loads(capsys.readouterr().out)
    assert facts["samples"] == 420 and facts["features"] == 60
    assert main(["optim", "table", "small", "--scale", "0.05"]) == 0
    rows = [line.split("|") for line in capsys.readouterr().out.splitlines() if line.startswith("| adabatch")]
    assert len(rows) == 5 and len({row[3] for row in rows}) == 1, "AdaBatch's largest step does not depend on the batch"
    assert main(["optim", "bounds", "--horizon", "400", "--json"]) == 0
    values = json.loads(capsys.readouterr().out)
    assert values["alpha"] == 0.05 and values["beta2"] == 1 - 1 / 400 and values["adam"] > 0


# ---------------------------------------------------------------- figures


def test_a_figure_is_drawn_with_verdicts_and_not_computed_twice(
    tmp_path: Path, capsys: Output, monkeypatch: pytest.MonkeyPatch
) -> None:
    command = ["optim", "figure", "5-start", "--tiny", "-o", str(tmp_path), "--json"]
    monkeypatch.setattr(figures.simulations, "DECAYS", (0.1,))
    for name in ("containments", "forgetting"):
        whole = getattr(figures.simulations, name)
        monkeypatch.setattr(figures.simulations, name, lambda plan, say, f=whole: f(plan, say, steps=200))
    assert main(command) == 0
    first = json.loads(capsys.readouterr().out)
    assert {claim["verdict"] for claim in first["5-start"]} <= {AGREES, ORDER, NOT}
    assert (tmp_path / "figure-5-start.png").read_bytes().startswith(b"\x89PNG")
    facts = json.loads((tmp_path / "figure-5-start.json").read_text(encoding="utf-8"))
    assert facts["claims"] == first["5-start"]
    monkeypatch.setattr(figures.simulations, "containment_run", lambda *_: pytest.fail("computed again"))
    assert main(command) == 0


def test_svrg_runs_in_miniature(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """On data of the same kind, the smallest there are."""
    monkeypatch.setattr(figures.chapter4, "SVRG_BATCHES", (1, 50, 200))
    assert main(["optim", "figure", "4.2", "--scale", "0.0001", "--seeds", "1", "-o", str(tmp_path)]) == 0
    assert (tmp_path / "figure-4.2.png").stat().st_size > 5000


def interrupted(words: list[str], ready: Callable[[], bool]) -> tuple[int, str]:
    """Send Ctrl-C to ``python -m training optim`` as soon as ``ready``; returns its exit code and standard error."""
    command = [sys.executable, "-m", "training", "optim", *words]
    streams = {"stdout": subprocess.DEVNULL, "stderr": subprocess.PIPE}
    with subprocess.Popen(command, cwd=ROOT, text=True, start_new_session=True, **streams) as process:
        deadline = time.monotonic() + PATIENCE
        while not ready() and process.poll() is None and time.monotonic() < deadline:
            time.sleep(0.002)
        os.killpg(process.pid, signal.SIGINT)
        _, told = process.communicate(timeout=PATIENCE)
    with pytest.raises(ProcessLookupError):
        os.killpg(process.pid, 0)  # nothing of it runs any more
    return process.returncode, told


@pytest.mark.skipif(sys.platform == "win32", reason="Windows cannot send Ctrl-C to another process alone")
def test_ctrl_c_ends_a_figure_with_one_sentence_and_the_next_run_continues(
    tmp_path: Path, capsys: Output, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Curves and workers in miniature. Threads compute when it is interrupted; what they have finished is not computed again."""
    words = ["figure", "B.2", "--tiny", "--seeds", "1", "-o", str(tmp_path)]
    journal = tmp_path / "convergence-spam.json"
    code, told = interrupted(words, journal.exists)
    assert code == 130 and told.count("\n") == 1 and "the same command continues" in told and "Traceback" not in told
    assert [path.name for path in tmp_path.iterdir()] == [journal.name], "neither a picture nor a half-written file"
    before = json.loads(journal.read_text(encoding="utf-8"))["results"]
    assert 1 <= len(before) < 12
    for name, cheaper in {"REPEATS": 1, "TRIES": 1, "tune": lambda _: Tuned(1.0, 0.0, False)}.items():
        monkeypatch.setattr(figures.chapter4, name, cheaper)
    capsys.readouterr()
    for number in ("B.2", "B.3"):
        assert main(["optim", "figure", number, *words[2:]]) == 0
        assert (tmp_path / f"figure-{number}.png").stat().st_size > 5000
    out = capsys.readouterr().out
    assert "Hogwild!" in out and out.count("Figure") == 2
    after = json.loads(journal.read_text(encoding="utf-8"))["results"]
    assert len(after) == 12 and {key: after[key] for key in before} == before


def test_what_keeps_nothing_says_so_when_interrupted(capsys: Output, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(*_: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(speed, "measure", interrupt)
    assert main(["optim", "bench", "small", "--scale", "0.02"]) == 130
    assert capsys.readouterr().err == "Interrupted: this optim bench has saved nothing.\n"


def test_an_experiment_that_is_interrupted_keeps_what_it_has(tmp_path: Path) -> None:
    path, made = tmp_path / "journal.json", []

    def make(name: str, fail: bool = False) -> Callable[[], Any]:
        def value() -> str:
            if fail:
                raise KeyboardInterrupt
            made.append(name)
            return name

        return value

    journal = Journal(path, {"scale": 1, "seeds": (0, 1)})
    journal.get("a", make("a"))
    with pytest.raises(KeyboardInterrupt):
        journal.get("b", make("b", fail=True))
    again = Journal(path, {"scale": 1, "seeds": (0, 1)})
    assert [again.get(name, make(name)) for name in "ab"] == ["a", "b"] and made == ["a", "b"]
    with pytest.raises(StemplayError, match="other settings"):
        Journal(path, {"scale": 2})
    for text in ("{", "[]", '{"settings": {}, "results": 3}'):
        path.write_text(text)
        with pytest.raises(StemplayError, match="cannot be read"):
            Journal(path, {})


def test_verdicts_are_what_the_seeds_say() -> None:
    assert Claim("It falls.", [True, True], True, "x").verdict == AGREES
    assert Claim("It falls.", [True, False], True, "x").verdict == ORDER
    assert Claim("It falls.", [True, False], False, "x").verdict == NOT
    assert spread([1.0, 2.0, 3.0]) == "2 (1 to 3)"
    assert reached({"loss": [3, 2, 1], "samples": [0, 5, 9]}, 2, "samples") == 5
    assert reached({"loss": [3, 2, 1], "samples": [0, 5, 9]}, 0.5, "samples") == float("inf")


def test_the_grid_grows_where_the_best_step_is_at_its_end() -> None:
    best = tune(lambda step: abs(np.log2(step) - 9))
    assert best.step == 512 and not best.border
    assert tune(lambda step: -step).border


# ---------------------------------------------------------------- what cannot be


BAD = {
    "cut short": (b"1 1:0.5 2:0.25\n-1 1:0.5 2:0.2", "truncated"),
    "cut in a pair": (b"1 1:0.5 2:\n", "cannot be read as a libsvm file"),
    "no labels": (b"1:0.5 2:0.5\n", "cannot be read as a libsvm file"),
    "text": (b"hello world\n", "cannot be read as a libsvm file"),
    "bytes": (bytes(range(256)) + b"\n", "cannot be read as a libsvm file"),
    "empty": (b"", "has no samples"),
    "few": (b"1 1:1\n-1 1:2\n", "at least 10"),
    "classes": (b"".join(b"%d 1:0.5\n" % (k % 3) for k in range(30)), "Labels must be -1 or 1"),
    "infinite": (b"1 1:inf\n-1 1:1\n" * 10, "infinite or not a number"),
    "not a number": (b"1 1:nan\n-1 1:1\n" * 10, "infinite or not a number"),
    "huge": (b"1 1:1e200\n-1 1:1\n" * 10, "1e100"),
    "negative column": (b"1 -5:1\n-1 1:1\n" * 10, "cannot be read as a libsvm file"),
}


@pytest.mark.parametrize("what", BAD)
def test_a_file_that_cannot_be_learned_from_gets_one_sentence(what: str, tmp_path: Path, capsys: Output) -> None:
    content, says = BAD[what]
    path = tmp_path / "bad.libsvm"
    path.write_bytes(content)
    assert main(["optim", "data", str(path)]) == 2
    told = capsys.readouterr().err
    assert says in told and told.count("\n") == 1 and "Traceback" not in told


def test_a_packed_file_that_is_cut_short_gets_one_sentence(file: Path, tmp_path: Path, capsys: Output) -> None:
    path = tmp_path / "bad.libsvm.gz"
    path.write_bytes(gzip.compress(file.read_bytes())[:-200])
    assert main(["optim", "data", str(path)]) == 2
    assert "cannot be read as a libsvm file" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (["--step", "0"], "step size must be"), (["--step", "-1"], "step size must be"), (["--step", "nan"], "step size must be"),
        (["--workers", str(cores() + 1), "--rule", "reconditioned"], "processors of this machine"),
        (["--wild"], "cannot run wild"), (["--rule", "svrg", "--wild"], "one worker"),
        (["--rule", "newton"], "There is no rule"), (["--loss", "l1"], "There is no loss"), (["--penalty", "-1"], "penalty must be"),
        (["--penalty", "inf"], "penalty must be"), (["--batch", "100000"], "A batch must have"),
        (["--rule", "hogwild"], "one sample at a time"),
        (["--resume"], "no checkpoint"), (["--test", "nowhere.libsvm"], "There is no file"),
        (["--rule", "svrg", "--loss", "hinge"], "smooth"),
        (["--rule", "svrg", "--switch-epoch", "-1"], "not -1"), (["--step", "1e300", "--loss", "least-squares"], "too large"),
    ],
)  # fmt: skip
def test_options_that_cannot_be_get_one_sentence(
    options: list[str], says: str, file: Path, tmp_path: Path, capsys: Output
) -> None:
    assert fit(file, tmp_path, *options) == 2
    told = capsys.readouterr().err
    assert says in told and told.count("\n") == 1


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["figure", "9.9"], "There is no figure"), (["figure", "4.4", "--file", "news20"], "NAME=FILE"),
        (["figure", "4.4", "--file", "mnist=x"], "There is no data set"), (["figure", "4.4", "--scale", "2"], "at most 1"),
        (["figure", "4.1", "--workers", "9999"], "processors of this machine"), (["data"], "takes one data set"),
        (["data", "nothing"], "There is no data"), (["bounds", "--horizon", "1"], "at least 2 steps"),
        (["bounds", "--horizon", "5", "--beta1", "0.95"], "beta1"), (["sing", "--store", "nowhere"], "no complete note set"),
    ],
)  # fmt: skip
def test_actions_that_cannot_be_get_one_sentence(words: list[str], says: str, tmp_path: Path, capsys: Output) -> None:
    assert main(["optim", *words, "-o", str(tmp_path)]) == 2
    told = capsys.readouterr().err
    assert says in told and told.count("\n") == 1


def test_a_checkpoint_of_other_settings_or_none_is_refused(file: Path, tmp_path: Path, capsys: Output) -> None:
    assert fit(file, tmp_path, "--step", "0.5", "--passes", "1") == 0
    assert fit(file, tmp_path, "--step", "0.5", "--rule", "minibatch", "--resume") == 2
    assert "other data or settings" in capsys.readouterr().err
    for damaged in (b"no zip", (tmp_path / CHECKPOINT).read_bytes()[:200]):
        (tmp_path / CHECKPOINT).write_bytes(damaged)
        assert fit(file, tmp_path, "--step", "0.5", "--resume") == 2
        assert "cannot be read as a checkpoint" in capsys.readouterr().err


def test_the_bench_compares_with_scikit_learn_in_the_same_rounds(capsys: Output) -> None:
    assert main(["optim", "bench", "small", "--scale", "0.1", "--seeds", "2"]) == 0
    out = capsys.readouterr().out
    assert "| scikit-learn SGDClassifier |" in out and "| AdaBatch, B = 50 |" in out and "To a test loss of" in out
    print(out)


def test_a_run_that_did_not_have_its_processors_is_repeated() -> None:
    """A job that sleeps has none, however often it is run; one that computes has one as soon as nobody disturbs it."""
    calls: list[int] = []

    def asleep() -> None:
        calls.append(1)
        time.sleep(0.001)

    run = undisturbed(asleep, 1, repeats=2, tries=5)
    assert len(calls) == 5 and run.processors < ENOUGH
    assert len(calls) == 5 and undisturbed(lambda: calls.clear(), 0, repeats=2, tries=5).seconds > 0 and not calls


def test_shapes_scale() -> None:
    half = SHAPES["news20"].scaled(0.01)
    assert half.features == 13_552 and frequencies(half).sum() == pytest.approx(455, rel=1e-6)
    with pytest.raises(StemplayError, match="cannot be drawn"):
        type(half)(10, 5, 6)
