"""The bench: its arithmetic is that of the network, and it prints what it promises. No time is asserted."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from models.card import read_card
from models.demucs import CausalDemucs, CausalDemucsConfig
from models.hybrid import HybridDemucs
from rtaudio.bench.bounds import frame_operations, layer_sizes, network_sizes
from rtaudio.bench.instrument import notes_bound, step_operations
from rtaudio.bench.machine import Machine
from rtaudio.bench.models import measure_model
from rtaudio.bench.peers import measure_peers
from rtaudio.cli.commands import bench
from rtaudio.cli.main import main
from tests.sing_fixture import tiny_instrument, tiny_sing

MACHINE = Machine(gflops=100.0, read_gb_s=10.0, load=0.0)


@pytest.mark.parametrize(
    "config",
    [
        CausalDemucsConfig(channels=48, depth=4),
        CausalDemucsConfig(channels=64, depth=3, max_channels=100),
        CausalDemucsConfig(
            channels=16, depth=4, encoder_mix=False, decoder_activation="relu", decoder_context=1, lstm_layers=1
        ),
    ],
)
def test_the_products_of_a_frame_hold_every_weight_of_the_network(config: CausalDemucsConfig) -> None:
    matrices = sum(p.numel() for p in CausalDemucs(config).parameters() if p.ndim > 1)
    assert sum(inner * columns for _, inner, columns in layer_sizes(config.to_dict())) == matrices


def test_so_they_do_for_a_hybrid() -> None:
    network = HybridDemucs()
    made = sum(p.numel() for p in network.parameters() if p.ndim > 1)
    products = network_sizes("HybridDemucs", network.config.to_dict())
    transforms = {(4, 1025, 145), (32, 145, 513), (16, 1026, 256)}
    assert transforms < set(products)
    assert sum(inner * columns for rows, inner, columns in products if (rows, inner, columns) not in transforms) == made


def test_the_numbers_follow_from_the_times(tiny_model: Path) -> None:
    cost = measure_model(tiny_model, MACHINE, seconds=0.05, rounds=3)
    card = read_card(tiny_model)
    assert cost.hop_ms == pytest.approx(1000 * 64 / 44_100)
    assert cost.rtf == pytest.approx(cost.back_to_back_p50_ms / cost.hop_ms)
    assert cost.paced_p99_of_hop == pytest.approx(cost.paced_p99_ms / cost.hop_ms)
    assert cost.weights_bound_ms == pytest.approx(card.size / 10e9 * 1000)
    operations = frame_operations(card)
    assert operations and cost.compute_bound_ms == pytest.approx(operations / 100e9 * 1000)
    assert 0 < cost.back_to_back_p50_ms <= cost.back_to_back_p99_ms
    assert 0 < cost.paced_p50_ms <= cost.paced_p99_ms
    assert cost.ratio_to_bound == min(cost.ratio_to_compute or 1e9, cost.ratio_to_weights)
    assert cost.rounds == 3 and set(cost.spread) == {
        "paced_p50_ms", "paced_p99_ms", "back_to_back_p50_ms", "back_to_back_p99_ms", "processor_p50_ms",
    }  # fmt: skip
    assert not cost.timing_only and cost.refining_ms and cost.refining_ms > 0


def test_a_model_of_another_make_has_no_compute_bound(chunk_model: Path) -> None:
    assert frame_operations(read_card(chunk_model)) is None
    cost = measure_model(chunk_model, MACHINE, seconds=0.05, rounds=1)
    assert cost.compute_bound_ms is None and cost.ratio_to_compute is None
    assert cost.ratio_to_bound == cost.ratio_to_weights > 0
    assert not cost.stable and cost.rounds == 1, "one round agrees with no other"


def test_the_command_prints_json(tiny_model: Path, mono_model: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["bench", str(tiny_model), str(mono_model), "--seconds", "0.05", "--json"]) == 0
    result = json.loads(capsys.readouterr().out)
    assert [model["name"] for model in result["models"]] == ["tiny", "mono"]
    assert result["machine"]["gflops"] > 0 and result["machine"]["read_gb_s"] > 0
    for model in result["models"]:
        assert model["ratio_to_weights"] > 0 and model["ratio_to_compute"] > 0


def test_a_directory_of_models_is_timed_beside_the_zoo(
    tiny_model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert {"demucs-open", "sing-gm"} <= set(bench.model_names())
    monkeypatch.setattr(bench, "model_names", lambda: ["demucs-open"])  # all of them take most of a minute
    (tmp_path / "tiny").symlink_to(tiny_model)
    assert main(["bench", "--models-dir", str(tmp_path), "--seconds", "0.01", "--rounds", "1"]) == 0
    told = capsys.readouterr().out
    assert "tiny fp32 " in told and "demucs-open int8" in told
    assert main(["bench", "--models-dir", str(tmp_path / "empty")]) == 2


@pytest.mark.parametrize("arguments", [["none-such"], ["--seconds", "0"], ["--seconds", "x"]])
def test_bad_input_exits_with_2(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    try:
        code = main(["bench", *arguments])
    except SystemExit as error:
        code = int(error.code or 0)
    assert code == 2
    assert len(capsys.readouterr().err.strip().splitlines()) == 1


def test_an_instrument_is_timed_and_its_notes_are_caught(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    directory = tiny_instrument(tmp_path)
    kept = tmp_path / "kept.json"
    assert main(["bench", str(directory), "--seconds", "0.05", "--save", str(kept)]) == 0
    text, result = capsys.readouterr().out, json.loads(kept.read_text())
    (cost,) = result["instruments"]
    assert cost["name"] == "tiny" and set(cost["step_ms"]) == {"1", "2", "4", "8", "16", "32", "64", "96", "128"}
    assert cost["voices_half_core"] > cost["synth_voices_half_core"] > 0
    assert cost["notes_rate"] > 0 and cost["notes_bound"] > 0 and cost["eager_rate"] > 0
    assert 0 < cost["cache_mib"] <= 64 and cost["cached_notes"] > 1000
    latency = result["note_latency"]["tiny"]
    assert latency["notes"] >= 4 and latency["block"] == 256
    # A message takes effect one block and the margin later, never before: what is heard tells the same as what is declared.
    declared = 1000 * 256 / 44_100 + 3
    assert latency["p50_ms"] > 0 and latency["declared_ms"] >= declared - 1e-2
    assert "thesis 11.75" in text and "from a MIDI message to its first sample" in text


def test_the_operations_of_a_step_are_those_of_its_weights(tmp_path: Path) -> None:
    card = read_card(tiny_instrument(tmp_path))
    sing = tiny_sing()
    tables = sum(
        p.numel()
        for name, p in sing.named_parameters()
        if name.split(".")[1] in ("velocity", "instrument", "pitch", "time")
    )
    biases = sum(p.numel() for name, p in sing.named_parameters() if "bias" in name)
    operations = 2 * (sum(p.numel() for p in sing.parameters()) - tables - biases)
    assert step_operations(card) == operations
    # 250 hops are heard of 263 steps, at 100 GFLOP/s; products of 8-bit integers are four times as quick at best.
    rate = 250 / 263 * 0.016 * 100e9 / operations
    assert notes_bound(card, 100.0) == pytest.approx(rate)
    assert notes_bound(replace(card, precision="int8"), 100.0) == pytest.approx(4 * rate)


def test_other_packages_are_timed_in_the_same_run(tiny_model: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("denoiser")
    line = ["bench", str(tiny_model), "--seconds", "0.02", "--rounds", "1", "--peers"]
    assert main([*line, "--json"]) == 0
    result = json.loads(capsys.readouterr().out)
    (peer,) = [row for row in result["peers"] if row["name"] == "denoiser"]
    assert (
        peer["error"] == "" and peer["hop_ms"] == 16.0 and peer["rtf"] == pytest.approx(peer["p50_ms"] / 16, rel=1e-3)
    )


def test_without_torch_other_packages_are_left_out_with_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("rtaudio.bench.peers.can_train", lambda: False)
    found, sentence = measure_peers()
    assert found == [] and sentence == "Other packages are not timed: that needs torch (make setup)."
