"""Weights in 8 bits and below (DMX-24), and the int8 export on music."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from models.demucs import CausalDemucs, CausalDemucsConfig, Demucs, DemucsConfig
from rtaudio.audio.format import StemplayError
from tests.sing_fixture import NAMES, tiny_sing
from training.cli import main
from training.export.separator import export_separator
from training.metrics import global_sdr
from training.optim.quantize import (
    dequantize,
    dequantize_state,
    largest_error,
    packed_size,
    quantize,
    quantize_state,
    save_quantized,
)
from training.runs.checkpoint import load_network, load_weights, save_weights
from training.sing.fit import open_sing, save_sing


@pytest.mark.parametrize("bits", [8, 6, 4, 3, 2])
def test_no_weight_is_off_by_more_than_half_a_step_of_its_channel(bits):
    weight = torch.randn(5, 7, 3) * torch.tensor([1e-6, 0.1, 1.0, 100.0, 0.0])[:, None, None]
    packed = quantize(weight, bits)
    error = (dequantize(packed) - weight).abs().amax(dim=(1, 2))
    half = weight.abs().amax(dim=(1, 2)) / (2**bits - 1)
    assert (error <= half * (1 + 1e-3)).all() and error[4] == 0
    assert error[3] > 0.5 * half[3], "steps are as coarse as the bits say"
    assert packed.codes.numel() == math.ceil(weight.numel() * bits / 8)
    ends = weight[2].abs().max()
    assert torch.isclose(dequantize(packed)[2].abs().max(), ends)  # the largest weight is exact


def test_the_network_with_64_channels_fits_into_256_mib_with_8_bits_and_the_thesis_one_with_3():
    for channels, bits, most in ((64, 8, 256), (100, 8, 640), (100, 3, 256)):
        with torch.device("meta"):
            net = Demucs(DemucsConfig(channels=channels, rescale=0))
        shapes = [tuple(p.shape) for p in net.parameters()]
        size = packed_size(shapes, bits) / 2**20
        assert 0.9 * most < size <= most
        assert packed_size(shapes, 32) == 4 * sum(math.prod(shape) for shape in shapes)
        assert packed_size(shapes, bits) < packed_size(shapes, 32) * bits / 32 * 1.01


@pytest.fixture(scope="module")
def network() -> CausalDemucs:
    torch.manual_seed(0)
    return CausalDemucs(CausalDemucsConfig(channels=16, depth=3)).eval()


def test_files_have_their_size_and_come_back_as_networks(network, tmp_path):
    for bits, ratio in ((8, 3.7), (4, 6.8)):
        path = tmp_path / f"{bits}.safetensors"
        save_quantized(path, network.state_dict(), network.config, bits)
        loaded = load_network(path)
        assert loaded.config == network.config
        expected = dequantize_state(quantize_state(network.state_dict(), bits))
        assert all(torch.equal(w, expected[name]) for name, w in loaded.state_dict().items())
        assert largest_error(network.state_dict(), quantize_state(network.state_dict(), bits)) <= 1.001
        shapes = [tuple(p.shape) for p in network.parameters()]
        assert packed_size(shapes, 32) / packed_size(shapes, bits) > ratio
        assert path.stat().st_size < packed_size(shapes, bits) + 8192  # the header with names and shapes
    (tmp_path / "4.safetensors").write_bytes((tmp_path / "8.safetensors").read_bytes()[:-100])
    with pytest.raises(StemplayError):
        load_weights(tmp_path / "4.safetensors")


def test_the_output_of_8_bits_is_within_25_db_on_noise_and_fewer_bits_are_worse(network):
    noise = 0.1 * torch.randn(1, 2, 22_050, generator=torch.Generator().manual_seed(1))
    state = {name: w.clone() for name, w in network.state_dict().items()}
    fidelity = []
    with torch.no_grad():
        exact = network(noise)[0]
        for bits in (8, 6, 4):
            network.load_state_dict(dequantize_state(quantize_state(state, bits)))
            fidelity.append(float(global_sdr(network(noise)[0], exact).mean()))
        network.load_state_dict(state)
    assert fidelity[0] > 25 and fidelity == sorted(fidelity, reverse=True)


def test_the_command_makes_files_of_several_sizes_and_says_what_they_cost(network, tmp_path, capsys):
    save_weights(tmp_path / "w.safetensors", network.state_dict(), network.config)
    line = ["quantize", str(tmp_path / "w.safetensors"), "-o", str(tmp_path / "out"), "--bits", "8,4"]
    assert main([*line, "--tiny", "--limit", "1"]) == 0
    rows = [row.split() for row in capsys.readouterr().out.splitlines()[1:3]]
    assert [row[0] for row in rows] == ["8", "4"]
    assert all(float(row[3]) <= 1.001 for row in rows)
    assert float(rows[0][4]) > float(rows[1][4]) and abs(float(rows[0][5])) < 0.2
    assert all((tmp_path / "out" / f"w-{bits}bit.safetensors").exists() for bits in (8, 4))
    for bad in ("9", "x"):
        assert main([*line[:-1], bad]) == 2


def test_weights_of_an_instrument_are_packed_too(tmp_path, capsys):
    sing = tiny_sing()
    save_sing(tmp_path / "w.safetensors", sing, None, list(NAMES))
    assert main(["quantize", str(tmp_path / "w.safetensors"), "-o", str(tmp_path), "--bits", "8,4"]) == 0
    rows = [row.split() for row in capsys.readouterr().out.splitlines()[1:3]]
    assert all(float(row[3]) <= 1.001 for row in rows)
    assert float(rows[0][4]) > 30 > float(rows[1][4])
    packed, encoder, names = open_sing(tmp_path / "w-8bit.safetensors")
    assert encoder is None and names == list(NAMES)
    for name, weight in sing.state_dict().items():
        step = 2 * weight.abs().reshape(len(weight), -1).amax(dim=1) / 255 if weight.dim() > 1 else torch.zeros(1)
        error = (packed.state_dict()[name] - weight).abs().reshape(len(weight), -1).amax(dim=1)
        assert (error <= 0.51 * step).all(), name


def test_int8_of_an_exported_model_is_compared_with_it_on_songs(network, tmp_path, capsys):
    export_separator(network, tmp_path / "fp32", name="x")
    assert main(["quantize", str(tmp_path / "fp32"), "-o", str(tmp_path / "int8"), "--tiny", "--limit", "1"]) == 0
    lines = capsys.readouterr().out.splitlines()
    fp32, int8, difference = ([float(value) for value in line.split()[1:]] for line in lines[-3:])
    np.testing.assert_allclose(difference, np.subtract(int8, fp32), atol=0.011)
    assert np.abs(difference).max() < 1.0
    assert "int8" in lines[-5] and lines[-4].split()[-1] == "accompaniment"
