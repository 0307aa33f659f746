"""Every network that plays live: chunked equals offline, the future cannot change the past, latency is true (RT-02, RT-03)."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

from models.aligned import AlignedDemucsConfig
from models.conv_tasnet import CausalConvTasnet, CausalConvTasnetConfig
from models.demucs import CausalDemucsConfig
from models.hybrid import HybridDemucsConfig
from models.masks import CausalMasksConfig
from models.network import SeparatorConfig, StreamingSeparator
from models.registry import make_network
from rtaudio.audio.format import StreamFormat
from rtaudio.processors.factory import make_separator
from training.export.separator import export_separator

TASNET = CausalConvTasnetConfig().tiny()
GRID: dict[str, SeparatorConfig] = {
    "demucs": CausalDemucsConfig().tiny(),
    "demucs speech": replace(CausalDemucsConfig().tiny(), audio_channels=1, sources=("voice", "noise")),
    "demucs kernel 12": replace(CausalDemucsConfig().tiny(), kernel=12, lstm_layers=0),
    "aligned speech": AlignedDemucsConfig().tiny(),
    "aligned plain speech": replace(AlignedDemucsConfig().tiny(), resample=1, normalize=False, rest=False, kernel=12),
    "aligned stereo speech": replace(AlignedDemucsConfig().tiny(), resample=2, audio_channels=2),
    "masks": CausalMasksConfig().tiny(),
    "masks of short windows": replace(CausalMasksConfig().tiny(), hop_length=128, window=256, seen_window=256),
    "hybrid": HybridDemucsConfig().tiny(),
    "hybrid of two hops": replace(HybridDemucsConfig().tiny(), hop_length=256, window=1024, seen_window=2048),
    "hybrid of two LSTMs": replace(HybridDemucsConfig(), outer_lstm=True, call_frames=4).tiny(),
    "masks of several frames": replace(CausalMasksConfig(), call_frames=3).tiny(),
    "tasnet": TASNET,
    "tasnet cumulative": replace(TASNET, norm="cumulative"),
    "tasnet skip": replace(TASNET, skip=True, kernel=16, stride=16, frames=5),
    "tasnet kernel 20/5": replace(TASNET, kernel=20, stride=5, frames=7, audio_channels=1),
}


def network_of(name: str, dtype: torch.dtype) -> StreamingSeparator:
    torch.manual_seed(0)
    network = make_network(GRID[name]).to(dtype).eval()
    assert isinstance(network, StreamingSeparator)
    for weight in network.parameters():
        if weight.ndim > 1 and not weight.any():  # what begins by saying nothing
            torch.nn.init.normal_(weight, std=0.1)
    return network


def streamed(network: StreamingSeparator, mix: Tensor, hops: list[int]) -> Tensor:
    """All of ``mix`` in calls of these many hops, again and again."""
    state, parts, start, n = network.initial_state(len(mix)), [], 0, 0
    while start < mix.shape[-1]:
        stop = start + hops[n % len(hops)] * network.hop
        stems, state = network.step(mix[..., start:stop], state)
        parts.append(stems)
        start, n = stop, n + 1
    return torch.cat(parts, dim=-1)


@pytest.mark.parametrize(("dtype", "error"), [(torch.float32, 1e-5), (torch.float64, 1e-10)])
@pytest.mark.parametrize("name", GRID)
def test_any_cutting_gives_what_offline_gives(name: str, dtype: torch.dtype, error: float) -> None:
    network = network_of(name, dtype)
    time = 40 * network.hop
    mix = torch.randn(2, network.config.audio_channels, time, dtype=dtype)
    with torch.no_grad():
        offline = network(mix)
        padded = torch.nn.functional.pad(mix, (0, -(-network.latency // network.hop) * network.hop))
        for hops in ([1], [2, 1, 5], [7]):
            live = streamed(network, padded, hops)[..., network.latency : network.latency + time]
            assert (live - offline).abs().max() < error
    assert offline.std() > 1e-4


@pytest.mark.parametrize("name", GRID)
def test_the_future_cannot_change_the_past(name: str) -> None:
    network = network_of(name, torch.float64)
    mix = torch.randn(1, network.config.audio_channels, 12 * network.hop, dtype=torch.float64)
    changed = mix.clone()
    changed[..., 8 * network.hop :] += 1
    with torch.no_grad():
        before, after = streamed(network, mix, [1]), streamed(network, changed, [1])
    assert torch.equal(before[..., : 8 * network.hop], after[..., : 8 * network.hop])
    assert not torch.equal(before[..., 8 * network.hop :], after[..., 8 * network.hop :])


def pass_through(config: CausalConvTasnetConfig) -> CausalConvTasnet:
    """A Conv-Tasnet whose masks are 1 and whose filter bank is a row of shifted impulses of both signs."""
    config = replace(config, filters=2 * config.audio_channels * config.stride)
    network = CausalConvTasnet(config).eval()
    with torch.no_grad():
        for name, weight in network.named_parameters():
            weight.fill_(1.0 if name.endswith(("norm1.bias", "norm2.bias")) else 0.0)
        for block in network.stack:
            block.reduce.weight.fill_(1 / (config.hidden * len(network.stack)))
        network.masks.weight.fill_(1 / config.bottleneck)
        for channel in range(config.audio_channels):
            for tap in range(config.stride):
                for sign in (0, 1):
                    row = 2 * (channel * config.stride + tap) + sign
                    network.encoder.weight[row, channel, tap] = network.decoder.weight[row, channel, tap] = 1 - 2 * sign
    return network


@pytest.mark.parametrize("name", [name for name in GRID if name.startswith("tasnet")])
def test_the_declared_latency_is_the_impulses_delay_in_the_network_and_in_the_engine(name: str, tmp_path: Path) -> None:
    config = GRID[name]
    assert isinstance(config, CausalConvTasnetConfig)
    network = pass_through(replace(config, skip=False))
    mix = torch.zeros(1, config.audio_channels, 6 * network.hop)
    mix[..., 37] = 1
    with torch.no_grad():
        stems = streamed(network, mix, [1])
    assert (stems[0, 0, 0] > 0.5).nonzero().flatten().tolist() == [37 + network.latency]

    card = export_separator(network, tmp_path, name="pass", licence="none")
    assert card.latency == network.latency == config.kernel - config.stride
    processor = make_separator(tmp_path, consistent=False)
    processor.prepare(StreamFormat(config.sample_rate, 2, 64))
    sound = np.zeros((20 * network.hop, 2), np.float32)
    sound[37] = 1
    out = np.concatenate([processor.process(part) for part in np.split(sound, 20)])
    assert np.argmax(np.abs(out[:, 0, 0])) == 37 + processor.latency
    assert processor.latency == network.hop + network.latency


@pytest.mark.parametrize("name", GRID)
def test_the_engine_plays_what_the_network_computes(name: str, tmp_path: Path) -> None:
    network = network_of(name, torch.float32)
    card = export_separator(network, tmp_path, name="any", licence="none")
    assert card.kind == ("enhancer" if "speech" in name else "separator")
    channels = network.config.audio_channels
    mix = 0.1 * torch.randn(1, channels, 30 * network.hop)
    with torch.no_grad():
        expected = network(mix)[0].permute(2, 0, 1).numpy()
    processor = make_separator(tmp_path, consistent=False)
    processor.prepare(StreamFormat(card.sample_rate, channels, 64))
    sound = mix[0].t().numpy()
    blocks = np.split(sound, np.cumsum([13, 200, 1, 999]))
    out = np.concatenate([processor.process(np.ascontiguousarray(block)) for block in blocks] + [processor.flush()])
    assert np.abs(out[processor.latency :] - expected).max() < 1e-5
