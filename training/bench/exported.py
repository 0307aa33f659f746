"""How much faster the exported model is than eager torch, and how fast whole notes are rendered."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from models.demucs import CausalDemucsConfig
from models.network import SeparatorConfig, StreamingSeparator
from models.registry import make_network
from models.sing import Sing, SingConfig
from models.streaming import StreamingConv1d, StreamingConvTranspose1d
from rtaudio.inference.runtime import ModelRuntime
from training.export.separator import export_separator
from training.separation.recipe import Recipe


def median_ms(call: Callable[[], Any], repeats: int) -> float:
    """Median wall time of ``call`` in ms after three calls to warm up."""
    for _ in range(3):
        call()
    times = []
    for _ in range(repeats):
        started = time.perf_counter()
        call()
        times.append(1000 * (time.perf_counter() - started))
    return float(np.median(times))


@contextmanager
def _convolution_operators() -> Iterator[None]:
    """Let the streaming layers compute with torch's convolution operators: the same results by other operations."""

    def valid(self: StreamingConv1d, x: Tensor) -> Tensor:
        return F.conv1d(x.transpose(1, 2), self.weight, self.bias, self.stride).transpose(1, 2)

    def overlap_add(self: StreamingConvTranspose1d, x: Tensor, state: Tensor) -> tuple[Tensor, Tensor]:
        full = F.conv_transpose1d(x.transpose(1, 2), self.weight, None, self.stride).transpose(1, 2)
        full[:, : self.overlap] += state
        time = x.shape[1] * self.stride
        return full[:, :time] + self.bias, full[:, time:]

    kept = StreamingConv1d.valid, StreamingConvTranspose1d.forward
    StreamingConv1d.valid, StreamingConvTranspose1d.forward = valid, overlap_add  # type: ignore[method-assign]
    try:
        yield
    finally:
        StreamingConv1d.valid, StreamingConvTranspose1d.forward = kept  # type: ignore[method-assign]


def bench_step(network: StreamingSeparator, repeats: int = 200) -> dict[str, float]:
    """Time of one hop in eager torch and in the exported models, on one thread each: ms, and how many times faster the exported ones are.

    Eager torch is measured in two forms: ``eager`` is the network as it is (matrix products, which rearrange their weights at
    each call), ``operators`` is the same network with torch's own convolution operators.
    """
    network.eval()
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    mix = (
        np.random.default_rng(0).standard_normal((network.hop, network.config.audio_channels)).astype(np.float32) * 0.1
    )
    block = torch.from_numpy(mix.T.copy())[None]
    state = network.initial_state()
    with torch.no_grad():
        eager = median_ms(lambda: network.step(block, state), repeats)
        with _convolution_operators():
            operators = median_ms(lambda: network.step(block, state), repeats)
    torch.set_num_threads(threads)
    result = {"frame_ms": 1000 * network.hop / network.config.sample_rate, "eager_ms": eager, "operators_ms": operators}
    for precision in ("fp32", "int8"):
        with tempfile.TemporaryDirectory() as directory:
            export_separator(network, directory, name="bench", precision=precision)
            runtime = ModelRuntime(Path(directory))
            result[f"{precision}_ms"] = median_ms(partial(runtime.run, mix), repeats)
        for form in ("eager", "operators"):
            result[f"{precision}_over_{form}"] = result[f"{form}_ms"] / result[f"{precision}_ms"]
    return result


SIZES = {"48/4": (48, 4), "64/5": (64, 5)}
"""Channels of the first block and depth of the usual larger networks. They have random weights, because only their time is measured."""


def bench_hops(recipe: Recipe, tiny: bool = False) -> dict[str, dict[str, float]]:
    """``bench_step`` of the recipe's network and, unless ``tiny``, of ``SIZES``."""
    networks: dict[str, SeparatorConfig] = {recipe.name: recipe.network}
    if not tiny:
        networks |= {name: CausalDemucsConfig(channels=c, depth=d) for name, (c, d) in SIZES.items()}
    built = {name: make_network(config) for name, config in networks.items()}
    return {name: bench_step(network) for name, network in built.items() if isinstance(network, StreamingSeparator)}


def bench_notes(config: SingConfig, seconds: float = 4.0) -> float:
    """Seconds of audio per second when eager torch renders whole notes, for the better of two batch sizes. Weights are random."""
    sing, best = Sing(config).eval(), 0.0
    with torch.no_grad():
        for batch in (4, 16):
            symbols = [torch.zeros(batch, dtype=torch.int64) for _ in range(3)]
            started = time.perf_counter()
            sing(*symbols)
            repeats = max(1, min(5, int(seconds / (time.perf_counter() - started))))
            started = time.perf_counter()
            for _ in range(repeats):
                sing(*symbols)
            audio = repeats * batch * config.samples() / config.sample_rate
            best = max(best, audio / (time.perf_counter() - started))
    return best
