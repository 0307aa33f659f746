"""Conv-Tasnet (CTN-01 to CTN-10): sizes, what a mask cannot do, chunks, and the causal form."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from models.conv_tasnet import CausalConvTasnet, CausalConvTasnetConfig, ConvTasnet, ConvTasnetConfig
from models.demucs import Demucs, DemucsConfig
from models.streaming import GlobalNorm

TINY = ConvTasnetConfig().tiny()


@pytest.fixture(scope="module")
def net() -> ConvTasnet:
    torch.manual_seed(0)
    return ConvTasnet(TINY).eval()


@pytest.mark.parametrize(("skip", "count", "mebibytes"), [(False, 10_977_872, 41.88), (True, 16_220_752, 61.88)])
def test_the_thesis_size(skip: bool, count: int, mebibytes: float) -> None:
    with torch.device("meta"):
        weights = list(ConvTasnet(ConvTasnetConfig(skip=skip)).parameters())
    assert sum(w.numel() for w in weights) == count
    assert abs(count * 4 / 2**20 - mebibytes) < 0.01


@pytest.mark.parametrize("time", [1, 39, 40, 41, 1003, 4410])
def test_any_length_comes_out_as_it_went_in(net: ConvTasnet, time: int) -> None:
    assert net(torch.randn(2, 2, time)).shape == (2, 4, 2, time)


def test_the_original_sees_1531_frames() -> None:
    """By the support of the gradient of one frame's masks; with norms of single frames, or everything would count."""
    config = replace(ConvTasnetConfig.original(), norm="channel", filters=4, bottleneck=3, hidden=4)
    assert config.receptive_frames == 1531
    assert ConvTasnetConfig().receptive_frames == 8185
    network = ConvTasnet(config).double()
    frames = torch.rand(1, 2001, 4, dtype=torch.float64, requires_grad=True)
    states = [block.initial_state(1) for block in network.stack]
    masked, _ = network.masked(frames, states)
    masked[0, 1000].sum().backward()
    assert frames.grad is not None
    touched = frames.grad[0].abs().sum(1).nonzero().flatten()
    assert (touched.min(), touched.max()) == (1000 - 765, 1000 + 765)


def test_silence_stays_silence_and_nothing_is_synthesised_inside_it(net: ConvTasnet) -> None:
    mix = torch.randn(1, 2, 4000)
    mix[..., 1000:2000] = 0
    with torch.no_grad():
        stems = net(mix)
        assert torch.equal(net(torch.zeros(1, 2, 500)), torch.zeros(1, 4, 2, 500))
    inside = TINY.kernel - TINY.stride  # the frames that reach in from the sides
    assert not stems[..., 1000 + inside : 2000 - inside].any()
    assert stems[..., :1000].any()
    demucs = Demucs(DemucsConfig(channels=4, depth=3, normalize=False))
    assert demucs(torch.zeros(1, 2, 500)).any()  # DMX-29: it can


def test_global_norm_is_of_channels_and_time_jointly() -> None:
    x = 3 + 2 * torch.randn(2, 50, 7)
    norm = GlobalNorm(7)
    y, _ = norm(x, norm.initial_state(2))
    torch.testing.assert_close(y.mean((1, 2)), torch.zeros(2), atol=1e-5, rtol=0)
    torch.testing.assert_close(y.var((1, 2), correction=0), torch.ones(2), atol=1e-4, rtol=0)
    changed = x.clone()
    changed[:, -1] += 10
    assert (norm(changed, norm.initial_state(2))[0][:, 0] - y[:, 0]).abs().max() > 0.01


def test_a_song_is_the_concatenation_of_its_chunks() -> None:
    torch.manual_seed(0)
    net = ConvTasnet(replace(TINY, chunk_seconds=0.05)).eval()
    mix = torch.randn(1, 2, 6000)
    chunk = int(0.05 * 44_100)
    with torch.no_grad():
        parts = [net.excerpt(mix[..., start : start + chunk]) for start in range(0, 6000, chunk)]
        assert torch.equal(net(mix), torch.cat(parts, dim=-1))
    assert parts[-1].shape[-1] == 6000 % chunk
    assert ConvTasnetConfig().chunk_seconds == 8


def test_shifts_by_a_frame_nearly_commute_unlike_in_demucs() -> None:
    """CTN-08, in the middle, with norms of single frames."""
    torch.manual_seed(0)
    tasnet = ConvTasnet(replace(TINY, norm="channel")).double().eval()
    demucs = Demucs(DemucsConfig(channels=8, depth=3, normalize=False)).double().eval()
    mix = torch.randn(1, 2, 6000, dtype=torch.float64)

    def error(network: torch.nn.Module) -> float:
        with torch.no_grad():
            plain, shifted = network(mix[..., TINY.stride :]), network(mix)[..., TINY.stride :]
        middle = slice(2000, 4000)
        return float((plain - shifted)[..., middle].norm() / plain[..., middle].norm())

    assert error(tasnet) < 1e-9
    assert error(demucs) > 0.01


def test_a_causal_network_refuses_the_norm_of_the_whole() -> None:
    with pytest.raises(ValueError, match="whole song"):
        CausalConvTasnet(replace(CausalConvTasnetConfig(), norm="global"))
