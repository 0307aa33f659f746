"""The bench compares like with like: both eager forms of a network give the same numbers."""

from __future__ import annotations

import torch

from models.demucs import CausalDemucs, CausalDemucsConfig
from training.bench import _convolution_operators, bench_step


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
