"""The bench compares like with like: both eager forms of a network give the same numbers."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from models.demucs import CausalDemucs, CausalDemucsConfig
from training.bench.exported import _convolution_operators, bench_step
from training.bench.profile import PARTS, profile_step, sized
from training.bench.steps import alternate, busy_share, compared, measure_steps, peer_of
from training.cli import main
from training.separation.recipe import Recipe, read_recipe


def test_both_eager_forms_are_the_same_network() -> None:
    torch.manual_seed(0)
    network = CausalDemucs(CausalDemucsConfig(channels=8, depth=3)).eval()
    mix = torch.randn(1, 2, 64 * 20)
    products = network(mix)
    with _convolution_operators():
        torch.testing.assert_close(network(mix), products, atol=1e-6, rtol=1e-4)
    assert torch.equal(network(mix), products)


def test_the_ratio_is_that_of_the_times() -> None:
    hop = bench_step(CausalDemucs(CausalDemucsConfig(channels=4, depth=3)), repeats=5)
    assert hop["int8_over_eager"] == hop["eager_ms"] / hop["int8_ms"]
    assert hop["fp32_over_operators"] == hop["operators_ms"] / hop["fp32_ms"]
    assert hop["frame_ms"] == 1000 * 64 / 44_100


@pytest.mark.parametrize(("name", "peer"), [("branches/waves", "denoiser"), ("demucs-thesis", "demucs")])
def test_steps_are_compared_with_public_networks_of_the_same_size(name: str, peer: str) -> None:
    recipe = read_recipe(name).tiny()
    theirs = peer_of(compared(recipe).network)
    assert theirs is not None and theirs[0] == peer
    found = measure_steps(recipe, 1)
    assert found.peer == peer and found.theirs is not None and set(found.ours) == {"fp32", "fast", "bf16"}
    assert found.ratios["bf16"] == found.ours["bf16"] / found.theirs
    assert found.weights == sum(weight.numel() for weight in theirs[1].parameters())


def test_calls_take_turns_and_the_first_round_only_warms_up(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [0.0]
    seen: list[str] = []
    monkeypatch.setattr("training.bench.steps.time.perf_counter", lambda: now[0])

    def call(name: str, first: float, later: float) -> Callable[[], None]:
        def run() -> None:
            now[0] += later if name in seen else first
            seen.append(name)

        return run

    times = alternate({"a": call("a", 9, 1), "b": call("b", 9, 2)}, 2)
    assert seen == ["a", "b"] * 3 and times == {"a": 1.0, "b": 2.0}


def test_the_thesis_network_is_measured_with_fewer_channels_and_the_live_one_without_decoder_context() -> None:
    large, live = compared(read_recipe("demucs-thesis")), compared(read_recipe("branches/waves"))
    assert large.network.channels < 30 and large.mixing.batch == 1
    assert live.network == replace(read_recipe("branches/waves").network, decoder_context=1)
    tasnet = compared(read_recipe("conv-tasnet"))
    assert tasnet.mixing.batch * tasnet.mixing.seconds <= 0.5, "2 s of it took 16 GB"


def test_the_busy_share_counts_the_waiting_for_data(
    tmp_path: Path, tiny: Recipe, monkeypatch: pytest.MonkeyPatch
) -> None:
    def share(seconds: float) -> float:
        def slow(*_: object) -> Iterator[object]:
            while True:
                time.sleep(seconds)
                yield torch.zeros(2, 4, 2, 2048)

        monkeypatch.setattr("training.bench.steps.batches", slow)
        return busy_share(tiny, tmp_path, steps=2, workers=0)

    assert share(0.3) < share(0.0)


def test_a_network_without_a_public_counterpart_has_a_row_too(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    line = ["bench", "open-unmix", "branches/waves", "--tiny", "--steps", "1", "--store", str(tmp_path)]
    assert main(line) == 0
    _, alone, compared_row, _ = capsys.readouterr().out.splitlines()
    assert alone.startswith("open-unmix") and " - " in alone and alone.endswith("%")
    assert compared_row.startswith("waves") and " denoiser " in compared_row and len(compared_row) == len(alone)


@pytest.mark.parametrize("mix_on", ["cpu", "device"])
def test_the_profile_of_a_step_accounts_for_its_time(tiny: Recipe, store: Path, mix_on: str) -> None:
    recipe = sized(replace(tiny, data="prepared"), batch=3, precision="fp32")
    found = profile_step(recipe, store, device="cpu", mix_on=mix_on, steps=1)
    assert set(found.parts) == set(PARTS) and found.batch == 3
    assert all(found.parts[name] > 0 for name in ("examples", "forward", "loss", "backward", "optimiser"))
    assert found.audio_rate == pytest.approx(1000 * 3 * recipe.mixing.seconds / found.whole_ms)
    costs = [ms for _, _, ms in found.operators]
    assert costs == sorted(costs, reverse=True) and costs[0] > 0
