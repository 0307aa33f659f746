"""Several processes learn what one learns from the same global batch; sharing of work, energy, progress."""

from __future__ import annotations

import csv
import io
import shutil
import subprocess
import sys
from pathlib import Path

import lightning
import numpy as np
import pytest
import torch

from models.registry import make_network
from rtaudio.audio.format import StemplayError
from training.cli import main
from training.data.synthetic import validation_songs
from training.optim.parallel import Share
from training.runs.checkpoint import load_checkpoint
from training.runs.energy import EnergyMeter
from training.runs.progress import ProgressBar, clock
from training.separation.fit import FitOptions, batches
from training.separation.recipe import Recipe
from training.separation.trainer import Budget, SeparatorTrainer

ROOT = Path(__file__).resolve().parents[3]


def losses(folder: Path) -> list[float]:
    (log,) = folder.rglob("metrics.csv")
    with log.open() as file:
        return [float(row["loss"]) for row in csv.DictReader(file) if row.get("loss")]


@pytest.fixture(scope="module")
def one_process(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three updates from 2 x 4 examples each, by one process."""
    folder = tmp_path_factory.mktemp("one")
    assert main([*ARGUMENTS, "--accumulate", "2", "-o", str(folder)]) == 0
    return folder


ARGUMENTS = ["fit", "demucs-live", "--tiny", "--steps", "3", "--precision", "fp32", "--device", "cpu"]
ARGUMENTS += ["--log-every", "1e-9", "--workers", "0", "--threads", "1"]


def two_processes(*more: str) -> None:
    launch = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2", "-m", "training"]
    for _ in range(2):  # the port that torchrun found may be taken when it opens it: once more, then it is a fault
        done = subprocess.run([*launch, *ARGUMENTS, *more], cwd=ROOT, capture_output=True, text=True, timeout=150)
        if done.returncode == 0:
            return
        if "--resume" not in more:
            shutil.rmtree(more[-1], ignore_errors=True)
    raise AssertionError(done.stderr[-4000:])


@pytest.mark.long
def test_two_processes_have_the_losses_of_one_with_the_same_global_batch(one_process, tmp_path):
    """gloo on the CPU; 2 x 4 examples are a batch for each process."""
    two_processes("--accumulate", "2", "-o", str(tmp_path / "two"))
    assert len(losses(one_process)) == 3
    np.testing.assert_allclose(losses(tmp_path / "two"), losses(one_process), rtol=1e-5)
    one, two = (load_checkpoint(folder / "last.ckpt") for folder in (one_process, tmp_path / "two"))
    for name, weight in one["network"].items():
        torch.testing.assert_close(two["network"][name], weight, atol=2e-5, rtol=1e-3)
    assert two["cost"]["processes"] == 2 and two["cost"]["batches"] == one["cost"]["batches"] == 6
    for name in ("valid_loss", "sdr_vocals"):
        assert two["history"][-1][name] == pytest.approx(one["history"][-1][name], rel=1e-3)


@pytest.mark.slow
def test_two_processes_continue_with_the_losses_of_the_one_that_began(tmp_path):
    """Four batches an update, two for each process: their gradients are added up before they are shared."""
    whole, cut = tmp_path / "whole", tmp_path / "cut"
    assert main([*ARGUMENTS, "--accumulate", "4", "-o", str(whole)]) == 0
    recipe = Recipe.from_dict(load_checkpoint(whole / "last.ckpt")["recipe"])
    lightning.seed_everything(0, verbose=False)
    first = SeparatorTrainer(recipe, make_network(recipe.network), validation_songs(1, 0.5), cut, Budget(steps=3))
    first.check()
    began = first.step(*first.take(batches(recipe, FitOptions(cut, workers=0), 0)))[0]
    first.save()
    shutil.rmtree(cut / "csv")
    two_processes("--resume", "-o", str(cut))
    np.testing.assert_allclose([began, *losses(cut)], losses(whole), rtol=1e-5)


def test_every_example_of_an_update_is_computed_once_by_any_number_of_processes():
    for accumulate, world in ((4, 1), (4, 2), (4, 4), (4, 8), (1, 4), (2, 4), (6, 3)):
        seen = []
        for rank in range(world):
            share = Share(rank, world, accumulate, batch=8)
            for number in range(share.batches):
                index = share.start(5) + number * share.stride
                seen += [(index, row) for row in range(8)[share.rows]]
        assert sorted(seen) == [(5 * accumulate + k, row) for k in range(accumulate) for row in range(8)]


@pytest.mark.parametrize(("world", "accumulate", "batch"), [(3, 1, 8), (2, 3, 8), (16, 1, 8)])
def test_work_that_cannot_be_shared_equally_is_refused(world, accumulate, batch):
    with pytest.raises(StemplayError, match="--accumulate"):
        Share(0, world, accumulate, batch)


def counters(folder: Path, value: int) -> None:
    for name, text in (("energy_uj", str(value)), ("max_energy_range_uj", "1000000000")):
        (folder / "intel-rapl:0").mkdir(exist_ok=True)
        (folder / "intel-rapl:0" / name).write_text(text)


def test_energy_is_that_of_the_processors_counter_also_when_it_goes_round(tmp_path):
    counters(tmp_path, 999_000_000)
    meter = EnergyMeter(torch.device("cpu"), 2, rapl=tmp_path)
    counters(tmp_path, 5_000_000)  # 6 J later
    assert meter.read() == pytest.approx(6 / 3.6e6)
    assert meter.read() == pytest.approx(6 / 3.6e6)
    assert "RAPL" in meter.method


def test_energy_that_cannot_be_read_is_assumed_and_says_so(tmp_path, monkeypatch):
    clock = iter([100.0, 460.0])
    monkeypatch.setattr("training.runs.energy.time.monotonic", lambda: next(clock))
    meter = EnergyMeter(torch.device("cpu"), 2, rapl=tmp_path)
    assert meter.read() == pytest.approx(0.002)  # 20 W for a tenth of an hour
    assert meter.method == "10 W assumed for each of 2 threads"
    clock = iter([0.0, 3600.0])
    assert EnergyMeter(torch.device("cpu"), 2, watts=65, rapl=tmp_path).read() == pytest.approx(0.065)


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_the_bar_shows_speed_and_time_left_on_a_terminal_only():
    for stream, drawn in ((Terminal(), True), (io.StringIO(), False)):
        bar = ProgressBar(file=stream)
        bar.show(0.25, 3723.0, 12, 0.123, 21.5)
        bar._bar.refresh()
        bar.close()
        text = stream.getvalue()
        assert ("left 1:02:03" in text and "21.5 s of audio a second" in text and " 25%" in text) == drawn
    assert clock(61.2) == "1:01"
