"""Recipes, checkpoints, foreign weights and the training loop (DMX-19, DMX-20, TOOL-02)."""

from __future__ import annotations

import csv
import json
import math
import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from models.demucs import CausalDemucs, CausalDemucsConfig
from rtaudio.audio.format import StemplayError
from training.data.synthetic import validation_songs
from training.export.release import release
from training.metrics import make_consistent
from training.runs.checkpoint import load_checkpoint, load_network, save_checkpoint, save_weights
from training.runs.import_matmul import matmul_demucs, read_matmul_demucs
from training.separation.fit import FitOptions, batches, fit
from training.separation.precision import Forward
from training.separation.recipe import OptimConfig, Recipe, read_recipe
from training.separation.trainer import Budget, Intervals, SeparatorTrainer, ema_decay, learning_rate
from training.separation.validation import validate

ROOT = Path(__file__).resolve().parents[3]
NEVER = Intervals(1e9, 1e9, 1e9)


def trainer(recipe: Recipe, folder: Path, steps: int) -> SeparatorTrainer:
    torch.manual_seed(0)
    return SeparatorTrainer(
        recipe, CausalDemucs(recipe.network), validation_songs(1, 0.5), folder, Budget(steps=steps), intervals=NEVER
    )


def run(trainer: SeparatorTrainer, steps: int, folder: Path) -> list[float]:
    stream = batches(trainer.recipe, FitOptions(folder, workers=0), trainer.state.step)
    return [trainer.step(torch.as_tensor(next(stream)))[0] for _ in range(steps)]


@pytest.mark.parametrize("precision", ["fp32", "bf16"])
def test_a_resumed_run_has_the_losses_of_an_uninterrupted_one(tiny, tmp_path, precision):
    tiny = replace(tiny, optim=replace(tiny.optim, precision=precision))
    whole = run(trainer(tiny, tmp_path / "a", 6), 6, tmp_path)
    first = trainer(tiny, tmp_path / "b", 6)
    losses = run(first, 3, tmp_path)
    first.save()
    second = trainer(tiny, tmp_path / "b", 6)
    second.resume()
    assert losses + run(second, 3, tmp_path) == whole


def test_lstm_weights_in_one_piece_change_no_number(tiny):
    torch.manual_seed(0)
    network = CausalDemucs(tiny.network)
    mix = torch.randn(2, 2, 16 * tiny.network.hop)
    found = []
    for one_piece in (False, True):
        forward = Forward(network, "bf16", one_piece)
        assert bool(forward._pieces) == one_piece and set(forward.state_dict()) == {f"network.{n}" for n in network.state_dict()}
        for _ in range(2):  # the memory is used again
            network.zero_grad()
            stems = forward(mix)
            stems.square().mean().backward()
        found.append([stems.detach(), *(weight.grad for weight in network.parameters())])
    assert len(found[0]) > 10 and all(torch.equal(*pair) for pair in zip(*found, strict=True))


def test_examples_mixed_on_the_device_train_like_those_of_the_cpu(tiny, store, tmp_path):
    recipe = replace(tiny, data="prepared", optim=replace(tiny.optim, precision="fp32"))
    weights = []
    for mix_on in ("cpu", "device"):
        folder = tmp_path / mix_on
        state = fit(recipe, FitOptions(folder, store, Budget(steps=2), workers=0, device="cpu", mix_on=mix_on))
        assert state.step == 2
        weights.append(load_network(folder / "ema.safetensors").state_dict())
    for first, second in zip(*(found.values() for found in weights), strict=True):
        torch.testing.assert_close(first, second, rtol=1e-3, atol=1e-4)
    with pytest.raises(StemplayError, match="--mix-on cpu"):
        fit(tiny, FitOptions(tmp_path / "no", store, Budget(steps=1), device="cpu", mix_on="device"))


def test_a_recipe_may_train_what_the_engine_plays(tiny, tmp_path):
    """The loss of stems that share their residual, before any step."""
    stream = batches(tiny, FitOptions(tmp_path, workers=0), 0)
    stems = torch.as_tensor(next(stream))
    learner = trainer(replace(tiny, optim=replace(tiny.optim, consistent=True, precision="fp32")), tmp_path, 1)
    with torch.no_grad():
        mix = stems.sum(dim=1)
        expected = learner.loss(make_consistent(learner.network(mix), mix), stems)
    assert learner.step(stems)[0] == pytest.approx(float(expected), rel=1e-5)


def test_bf16_learns_like_fp32(tiny, tmp_path):
    losses = {
        precision: run(
            trainer(replace(tiny, optim=replace(tiny.optim, precision=precision)), tmp_path / precision, 6), 6, tmp_path
        )
        for precision in ("fp32", "bf16")
    }
    assert np.allclose(losses["bf16"], losses["fp32"], rtol=0.05)


def test_a_fit_writes_logs_weights_and_a_checkpoint_that_load_without_unpickling(tiny, tmp_path):
    recipe = replace(tiny, mixing=replace(tiny.mixing, seconds=0.2))
    state = fit(recipe, FitOptions(tmp_path, budget=Budget(steps=3), workers=0, intervals=Intervals(0, 0, 0)))
    assert state.step == 3 and len(state.history) >= 2
    assert load_checkpoint(tmp_path / "last.ckpt")["recipe"] == recipe.to_dict()
    assert load_network(tmp_path / "best.safetensors").config == recipe.network
    assert Recipe.from_dict(json.loads((tmp_path / "recipe.json").read_text())) == recipe
    (log,) = tmp_path.rglob("metrics.csv")
    columns = set(next(csv.reader(log.read_text().splitlines())))
    assert {"loss", "lr", "elapsed", "audio_rate", "valid_loss", "sdr_vocals"} <= columns
    assert list(tmp_path.rglob("events.out.tfevents*"))


def test_a_stop_request_ends_the_run_with_a_checkpoint_to_continue_from(tiny, tmp_path):
    first = trainer(tiny, tmp_path, 50)
    stream = batches(tiny, FitOptions(tmp_path, workers=0), 0)

    def interrupted():
        for number, batch in enumerate(stream):
            first.stop_requested = number == 1
            yield batch

    assert first.fit(interrupted()).step == 2
    assert load_checkpoint(tmp_path / "last.ckpt")["step"] == 2


@pytest.mark.slow
@pytest.mark.skipif(os.name == "nt", reason="Windows has no SIGTERM to send; Ctrl-Break takes its place")
def test_sigterm_leaves_a_checkpoint(tmp_path):
    command = [
        sys.executable,
        "-m",
        "training",
        "fit",
        "demucs-live",
        "--tiny",
        "--minutes",
        "5",
        "--threads",
        "1",
        "-o",
        str(tmp_path),
    ]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    while "  loss" not in process.stdout.readline() and process.poll() is None:
        time.sleep(0.05)
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=60)
    assert process.returncode == 0
    assert load_checkpoint(tmp_path / "last.ckpt")["step"] > 0


def test_the_learning_rate_warms_up_and_falls_to_its_end():
    optim = OptimConfig(lr=1e-3, warmup=10, final=0.02)
    assert learning_rate(optim, 0, 0) == pytest.approx(1e-4)
    assert learning_rate(optim, 9, 0) == pytest.approx(1e-3)
    assert learning_rate(optim, 500, 0.5) == pytest.approx(0.51e-3)
    assert learning_rate(optim, 999, 1.0) == learning_rate(optim, 999, 2.0) == pytest.approx(2e-5)
    assert ema_decay(0.998, 0) == 0.1 and ema_decay(0.998, 10**6) == 0.998


def test_a_loss_that_is_no_number_stops_the_run(tiny, tmp_path):
    with pytest.raises(StemplayError, match="lower learning rate"):
        trainer(tiny, tmp_path, 5).step(torch.full((1, 4, 2, 8192), float("nan")))


def test_weights_keep_their_config_and_half_precision_is_close(tmp_path):
    config = CausalDemucsConfig(channels=4, depth=2)
    network = CausalDemucs(config)
    save_weights(tmp_path / "w.safetensors", network.state_dict(), config, half=True)
    loaded = load_network(tmp_path / "w.safetensors")
    assert loaded.config == config
    mix = torch.randn(1, 2, 160)
    assert torch.allclose(loaded(mix), network(mix), atol=1e-3)


def test_files_that_are_no_weights_or_checkpoints_are_refused(tmp_path):
    (tmp_path / "bad").write_bytes(b"nonsense")
    torch.save({"code": Path}, tmp_path / "pickle")
    for name in ("bad", "pickle", "missing"):
        with pytest.raises(StemplayError):
            load_checkpoint(tmp_path / name)
        with pytest.raises(StemplayError):
            load_network(tmp_path / name)


def foreign_weights(config: CausalDemucsConfig) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(0)
    weights = {}
    widths = config.widths
    for i in range(config.depth):
        below, width = widths[i], widths[i + 1]
        up = below if i else len(config.sources) * config.audio_channels
        shapes = {
            "ew": (8 * below, width),
            "rw": (width, 2 * width),
            "dw": (3 * width, 2 * width),
            "tw": (width, 8 * up),
        }
        shapes |= {"eb": (width,), "rb": (2 * width,), "db": (2 * width,), "tb": (up,)}
        weights |= {f"{name}.{i}": rng.standard_normal(shape) * 0.2 for name, shape in shapes.items()}
    lstm = torch.nn.LSTM(widths[-1], widths[-1], config.lstm_layers)
    return weights | {f"lstm.{name}": w.detach().numpy() for name, w in lstm.state_dict().items()}


def test_foreign_matrices_compute_what_their_own_formula_says(tmp_path):
    config = CausalDemucsConfig(channels=3, depth=1, input_gain=1.0)
    weights = foreign_weights(config)
    np.savez(tmp_path / "w.npz", **weights)
    network = CausalDemucs(config)
    network.load_state_dict(read_matmul_demucs(tmp_path / "w.npz", config))
    mix = torch.randn(1, 2, 40)
    blocks = mix.transpose(1, 2).reshape(10, 8).double().numpy()
    frames = np.concatenate([np.vstack([np.zeros((1, 8)), blocks[:-1]]), blocks], axis=1)
    hidden = np.maximum(frames @ weights["ew.0"] + weights["eb.0"], 0) @ weights["rw.0"] + weights["rb.0"]
    expected = hidden[:, :3] / (1 + np.exp(-hidden[:, 3:]))
    block = network.encoder[0]
    ours = block.finish(block.conv(mix.transpose(1, 2), block.conv.initial_state(1))[0])
    assert np.allclose(ours[0].detach().numpy(), expected, atol=1e-5)


def test_foreign_weights_that_do_not_fit_are_one_sentence(tmp_path):
    config = CausalDemucsConfig(channels=3, depth=1)
    weights = foreign_weights(config)
    weights.pop("tw.0")
    with pytest.raises(StemplayError, match=r"tw\.0"):
        matmul_demucs(weights, config)
    with pytest.raises(StemplayError):
        read_matmul_demucs(tmp_path / "missing.npz", config)


def test_recipes_survive_a_round_trip_and_say_what_is_wrong(tmp_path):
    recipe = read_recipe("demucs-live")
    assert Recipe.from_dict(recipe.to_dict()) == recipe
    assert recipe.network.hop == 256
    for values, message in (
        ({"name": "x", "oops": 1}, "oops"),
        ({"name": "x", "optim": {"learning_rate": 1}}, "learning_rate"),
        ({"name": "x", "optim": {"lr": "fast"}}, "float"),
        ({}, "name"),
    ):
        with pytest.raises(StemplayError, match=message):
            Recipe.from_dict(values)
    (tmp_path / "broken.toml").write_text("name =")
    with pytest.raises(StemplayError, match="TOML"):
        read_recipe(str(tmp_path / "broken.toml"))


def test_validation_scores_the_consistent_output():
    class Silent(torch.nn.Module):
        def forward(self, mix: torch.Tensor) -> torch.Tensor:
            return mix.new_zeros(len(mix), 4, 2, mix.shape[-1])

    song = validation_songs(1, 1.0)[0]
    result = validate(Silent(), [song], ("drums", "bass", "other", "vocals"))
    error = np.square(song[0] - song.sum(0) / 4).sum()
    assert result.sdr["drums"] == pytest.approx(10 * math.log10(np.square(song[0]).sum() / error), abs=1e-3)
    assert result.loss == pytest.approx(np.abs(song).mean(), rel=1e-4)


def test_a_release_tells_how_the_weights_were_made(tiny, store, tmp_path):
    recipe = replace(tiny, data="prepared")
    fit(recipe, FitOptions(tmp_path / "run", store, budget=Budget(steps=2), workers=0, intervals=NEVER))
    making = release(tmp_path / "run", tmp_path / "zoo", store=store, note="a test")
    assert making == json.loads((tmp_path / "zoo" / "weights.json").read_text())
    assert "research" in making["licence"] and making["steps"] == 2
    cost = making["cost"]
    assert cost["batches"] == 2 and cost["device"] == "cpu" and cost["wall_hours"] > 0
    assert cost["energy_kwh"] > 0 and ("assumed" in cost["energy_by"] or "RAPL" in cost["energy_by"])
    assert json.loads((tmp_path / "run" / "history.json").read_text())["validations"] == making["curve"]
    assert [row["collection"] for row in making["data"]] == ["musdb", "freedoom", "mir1k", "makam", "groove"]
    assert load_network(tmp_path / "zoo" / "weights.safetensors").config == recipe.network
    again = release(tmp_path / "run", tmp_path / "zoo", store=store, continues=True)
    assert again["earlier"] == [{name: making[name] for name in again["earlier"][0]}]
    open_now = load_checkpoint(tmp_path / "run" / "last.ckpt")
    open_now["recipe"]["data"] = "synthetic"
    save_checkpoint(tmp_path / "run" / "last.ckpt", open_now)
    assert "research" in release(tmp_path / "run", tmp_path / "zoo", store=store, continues=True)["licence"]
    with pytest.raises(StemplayError, match="could continue"):
        release(tmp_path / "run", tmp_path / "elsewhere", store=store, continues=True)
    with pytest.raises(StemplayError, match="no best weights"):
        release(tmp_path, tmp_path / "zoo", store=store)


@pytest.mark.slow
def test_a_tiny_network_beats_the_quarter_mix_on_three_of_four_sources(tmp_path):
    recipe = read_recipe("demucs-live").tiny()
    fit(recipe, FitOptions(tmp_path, budget=Budget(steps=400), threads=1, intervals=NEVER))
    songs = validation_songs()
    scores = validate(load_network(tmp_path / "best.safetensors"), songs, recipe.network.sources).sdr

    class Quarter(torch.nn.Module):
        def forward(self, mix: torch.Tensor) -> torch.Tensor:
            return (mix / 4)[:, None].expand(-1, 4, -1, -1)

    marks = validate(Quarter(), songs, recipe.network.sources).sdr
    assert sum(scores[name] > marks[name] + 0.5 for name in marks) >= 3
