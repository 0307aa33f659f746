"""Masks on a spectrogram without delay, and the hybrid of them and a causal Demucs."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import onnx
import pytest
import torch
from torch import Tensor

from models.card import read_card
from models.demucs import CausalDemucs, CausalDemucsConfig
from models.hybrid import HybridDemucs, HybridDemucsConfig, join
from models.masks import CausalMasks, CausalMasksConfig
from models.network import StreamingSeparator
from rtaudio.inference.runtime import open_session
from training.export.separator import export_separator
from training.metrics import make_consistent

MASKS = replace(CausalMasksConfig().tiny(), hop_length=64)
WAVES = CausalDemucsConfig(channels=8, depth=3)


def masks_of(config: CausalMasksConfig, gains: Tensor) -> CausalMasks:
    """A network that always filters by ``gains`` ``(outputs, bands)``, whatever it hears."""
    network = CausalMasks(config).eval()
    with torch.no_grad():
        for weight in (network.band2.weight, network.band2.bias, network.base):
            weight.zero_()
        # The layer before passes the band's own bias on: one unit an output.
        network.band1.weight.zero_()
        network.band1.bias.zero_()
        hidden = network.band_bias.view(gains.shape[1], -1)
        hidden[:, : len(gains)] = gains.t()
        for output in range(len(gains)):
            network.band2.weight[2 * output, output] = 1.0
    return network


def test_equal_masks_are_equal_shares_without_delay() -> None:
    network = CausalMasks(MASKS).eval()
    with torch.no_grad():
        network.band2.weight.zero_()
        network.band2.bias.zero_()
        mix = torch.randn(1, 2, 40 * network.hop)
        stems = network(mix)
    assert network.latency == 0
    for stem in stems[0]:
        assert (stem[..., network.hop :] - mix[0, :, network.hop :] / 4).abs().max() < 1e-5


@pytest.mark.parametrize(("tone", "kept"), [(220.0, True), (12_000.0, False)])
def test_a_mask_of_the_low_bands_keeps_low_tones_only(tone: float, kept: bool) -> None:
    config = replace(CausalMasksConfig(), hidden=16, layers=1)
    low = torch.tensor(config.bands()) < 1000
    network = masks_of(config, low.float().expand(config.n_outputs, -1).clone())
    time = torch.arange(60 * network.hop) / config.sample_rate
    mix = torch.sin(2 * torch.pi * tone * time).expand(1, 2, -1)
    with torch.no_grad():
        stem = network(mix)[0, 0]
    steady = slice(20 * network.hop, None)
    loss = (stem - mix[0] * kept)[:, steady].square().mean() / mix[0, :, steady].square().mean()
    assert 10 * torch.log10(loss) < -15  # what is causal turns phases near its edges


def test_hops_join_without_a_step() -> None:
    """Filters that jump from frame to frame are faded over: no sample stands out where hops meet."""
    config = replace(CausalMasksConfig(), hidden=16, layers=1)
    network = CausalMasks(config).eval()
    torch.nn.init.normal_(network.band2.weight, std=3.0)
    mix = torch.sin(torch.arange(60 * 256) * 0.05).expand(1, 2, -1) * 0.3
    with torch.no_grad():
        stem = network(mix)[0, 0, 0, 2560:]
    steps = stem.diff().abs().numpy()
    at_borders = steps[255::256]
    assert at_borders.max() < 3 * np.quantile(steps, 0.99)


def test_a_joined_network_begins_as_the_mean_of_its_branches() -> None:
    torch.manual_seed(0)
    waves, masks = CausalDemucs(WAVES).eval(), CausalMasks(replace(MASKS, input_gain=WAVES.input_gain)).eval()
    shares = [0.2, 0.5, 0.9, 1.0]
    network = join(waves, masks, shares)
    mix = torch.randn(2, 2, 30 * network.hop)
    with torch.no_grad():
        share = torch.tensor(shares)[:, None, None]
        first, second = (make_consistent(branch(mix), mix) for branch in (waves, masks))
        expected, joined = share * first + (1 - share) * second, network(mix)
    start = network.hop  # before the first frame no filter lets anything through
    torch.testing.assert_close(joined[..., start:], expected[..., start:], atol=1e-5, rtol=1e-4)


def test_branches_that_do_not_fit_are_refused() -> None:
    with pytest.raises(ValueError, match="input_gain"):
        HybridDemucsConfig.of(WAVES, replace(MASKS, input_gain=1.0))
    with pytest.raises(ValueError, match="no multiple of the total stride"):
        HybridDemucs(replace(HybridDemucsConfig().tiny(), hop_length=96))
    with pytest.raises(ValueError, match="too short"):
        CausalMasks(replace(MASKS, window=64))
    with pytest.raises(ValueError, match="mono or stereo"):
        CausalMasks(replace(MASKS, audio_channels=3))


def test_what_the_masks_hear_reaches_the_demucs() -> None:
    torch.manual_seed(0)
    network = HybridDemucs(HybridDemucsConfig().tiny())
    network(torch.randn(1, 2, 20 * network.hop)).square().mean().backward()
    gradient = network.link.weight.grad
    assert gradient is not None and gradient.abs().max() > 0


def test_the_filters_gradient_is_that_of_the_plain_product() -> None:
    torch.manual_seed(0)
    config = replace(MASKS, window=128, seen_window=128, hop_length=32)
    filtering = CausalMasks(config).double().filtering
    frames = torch.randn(2, 3, 2, 128, dtype=torch.float64)
    factors = torch.randn(2, 4, 8, 2 * len(config.bands()), dtype=torch.float64, requires_grad=True)

    def filtered(x: Tensor) -> Tensor:
        y, _ = filtering(frames, x[:, 1:], x[:, :1])
        return y

    real, imaginary = (x @ filtering.get_buffer("matrix") for x in (factors, factors))
    bins = 65
    filters = torch.complex(real[..., :bins], imaginary[..., bins:])
    spectrum = torch.fft.rfft(frames).repeat(1, 1, 4, 1)
    newest, before = (torch.fft.irfft(part * spectrum, dim=-1)[..., -32:] for part in (filters[:, 1:], filters[:, :-1]))
    fades = filtering.get_buffer("fades")
    torch.testing.assert_close(filtered(factors), newest * fades[0] + before * fades[1], atol=1e-5, rtol=1e-4)
    assert torch.autograd.gradcheck(filtered, (factors,), fast_mode=True)


def test_all_frames_of_a_call_know_its_last_and_none_knows_the_next_call() -> None:
    torch.manual_seed(0)
    network = CausalMasks(replace(MASKS, call_frames=4)).eval()
    for layer in (network.ahead, network.local_ahead):
        assert layer is not None
        torch.nn.init.normal_(layer.weight, std=0.3)
    call, frame = network.hop, network.config.hop_length
    mix = torch.randn(1, 2, 6 * call)
    changed = mix.clone()
    changed[..., 4 * call - frame : 4 * call] *= -3  # the last frame of the fourth call
    with torch.no_grad():
        difference = (network(mix) - network(changed)).abs().amax(dim=(0, 1, 2))
    assert difference[: 3 * call].max() == 0
    assert difference[3 * call : 3 * call + frame].max() > 1e-4


def played(model: Path, network: StreamingSeparator, mix: Tensor) -> np.ndarray:
    """``(sources, channels, time)`` of ``mix (channels, time)`` through an exported file, hop by hop."""
    session = open_session(read_card(model), (model / "model.onnx").read_bytes(), 1)
    feeds = {x.name: np.zeros(x.shape, np.float32) for x in session.get_inputs()}
    names, parts = [x.name for x in session.get_outputs()], []
    for start in range(0, mix.shape[-1], network.hop):
        feeds["mix"] = np.ascontiguousarray(mix[:, start : start + network.hop].numpy().T)
        results = dict(zip(names, session.run(None, feeds), strict=True))
        feeds |= {name.replace("next.", "state."): value for name, value in results.items() if name != "stems"}
        parts.append(results["stems"])
    return np.concatenate(parts).transpose(1, 2, 0)


@pytest.mark.parametrize(("hop", "frames"), [(256, 1), (1024, 1), (256, 4)])
def test_the_exported_file_is_exact_and_holds_no_transforms(hop: int, frames: int, tmp_path: Path) -> None:
    torch.manual_seed(0)
    sizes = {"hop_length": hop, "window": 4 * hop, "seen_window": 8 * hop, "channels": 8, "hidden": 32, "spread": 4}
    deeper = {"depth": 5, "outer_lstm": True, "max_channels": 64, "call_frames": frames} if frames > 1 else {}
    network = HybridDemucs(replace(HybridDemucsConfig(), **sizes, **deeper)).eval()
    torch.nn.init.normal_(network.link.weight)
    mix = 0.1 * torch.randn(2, 30 * network.hop)
    with torch.no_grad():
        expected = network(mix[None])[0].numpy()
    card = export_separator(network, tmp_path / "fp32", name="x")
    assert not any(part.exporting for part in (network.masks.analysis, network.masks.filtering))  # as it was
    assert np.abs(played(tmp_path / "fp32", network, mix) - expected).max() < 1e-5
    basis = 4 * network.masks.filtering.basis.get_buffer("matrix").numel()
    # Bins by bands and the inverse transform would be many times as large.
    assert card.size < 4 * card.parameters + basis + 1_000_000
    export_separator(network, tmp_path / "int8", name="x", precision="int8")
    error = played(tmp_path / "int8", network, mix) - expected
    assert 10 * np.log10(np.mean(expected**2) / np.mean(error**2)) > 20
    kept = [n for n in onnx.load(str(tmp_path / "int8" / "model.onnx")).graph.node if n.op_type == "MatMul"]
    weights = {tensor.name for tensor in onnx.load(str(tmp_path / "int8" / "model.onnx")).graph.initializer}
    small = ("/analysis/", "/filtering/", "band1", "band2")
    assert all(
        any(part in text for text in (n.name, n.input[0]) for part in small) for n in kept if set(n.input) & weights
    )
    assert not any("/basis/" in n.name for n in kept)


@pytest.mark.parametrize("means", [0, 2])
@pytest.mark.parametrize("kind", [CausalMasks, HybridDemucs])
def test_mono_streams_and_its_exported_file_is_exact(kind: type[StreamingSeparator], means: int, tmp_path: Path) -> None:
    torch.manual_seed(1)
    config = replace(HybridDemucsConfig().tiny(), audio_channels=1, sources=("voice", "noise"), sample_rate=16_000, means=means)
    network = kind(config.masks if kind is CausalMasks else config).eval()  # type: ignore[call-arg]
    mix = torch.randn(1, 1, 12 * network.hop)
    with torch.no_grad():
        whole, state, parts = network(mix), network.initial_state(), []
        for start in range(0, mix.shape[-1], network.hop):
            stems, state = network.step(mix[..., start : start + network.hop], state)
            parts.append(stems)
        torch.testing.assert_close(torch.cat(parts, dim=-1), whole, atol=1e-5, rtol=1e-4)
    card = export_separator(network, tmp_path / "fp32", name="x")
    assert card.kind == "enhancer" and card.channels == 1
    heard = played(tmp_path / "fp32", network, mix[0])
    np.testing.assert_allclose(heard, whole[0].numpy(), atol=1e-5)
