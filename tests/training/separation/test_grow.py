"""Networks that grow from smaller ones."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from models.demucs import CausalDemucs, CausalDemucsConfig
from models.hybrid import HybridDemucs, HybridDemucsConfig
from models.masks import CausalMasks, CausalMasksConfig
from rtaudio.audio.format import StemplayError
from training.cli import main
from training.runs.checkpoint import load_network, save_weights
from training.separation.grow import grow, grow_hybrid, grow_masks, hybrid_of_masks

SMALL = CausalDemucsConfig(channels=4, depth=2)


@pytest.mark.parametrize("sizes", [{"channels": 8}, {"channels": 7}, {"channels": 4}])
def test_a_wider_network_gives_what_the_smaller_one_gave(sizes: dict[str, int]) -> None:
    torch.manual_seed(0)
    small = CausalDemucs(SMALL).eval()
    large = grow(small, replace(SMALL, **sizes))
    mix = torch.randn(2, 2, 40 * SMALL.hop)
    with torch.no_grad():
        torch.testing.assert_close(large(mix), small(mix), atol=1e-5, rtol=1e-4)


def test_copies_do_not_stay_equal() -> None:
    """What listens to them divides its weight unequally, so that their gradients differ from the first step on."""
    torch.manual_seed(0)
    large = grow(CausalDemucs(SMALL), replace(SMALL, channels=8))
    large(torch.randn(1, 2, 20 * SMALL.hop)).square().mean().backward()
    gradient = large.encoder[0].conv.weight.grad
    assert gradient is not None
    assert (gradient[:4] - gradient[4:]).abs().max() > 0.05 * gradient.abs().max()


def test_a_deeper_network_keeps_the_outer_levels() -> None:
    torch.manual_seed(0)
    small = CausalDemucs(SMALL)
    large = grow(small, replace(SMALL, depth=3, max_channels=8))
    kept = large.state_dict()
    for name, weight in small.state_dict().items():
        if not name.startswith("lstm"):
            torch.testing.assert_close(kept[name], weight)
    assert large.hop == 4 * small.hop


def test_where_the_lstm_stays_a_deeper_network_begins_as_the_smaller_one() -> None:
    torch.manual_seed(0)
    small = CausalDemucs(SMALL).eval()
    large = grow(small, replace(SMALL, channels=6, depth=3, outer_lstm=True))
    mix = torch.randn(2, 2, 20 * large.hop)
    with torch.no_grad():
        torch.testing.assert_close(large(mix), small(mix), atol=1e-5, rtol=1e-4)
    wider = grow(large, replace(SMALL, channels=9, depth=3, outer_lstm=True))
    torch.nn.init.normal_(large.decoder[-1].up.weight, std=30.0)
    wider = grow(large, wider.config)
    with torch.no_grad():
        torch.testing.assert_close(wider(mix), large(mix), atol=1e-5, rtol=1e-4)
        assert (large(mix) - small(mix)).abs().max() > 1e-4


def test_a_hybrid_grows_to_several_frames_a_call_and_begins_as_before() -> None:
    torch.manual_seed(0)
    small = HybridDemucs(HybridDemucsConfig().tiny()).eval()
    torch.nn.init.normal_(small.link.weight)
    config = replace(small.config, channels=12, depth=4, outer_lstm=True, call_frames=4)
    large = grow_hybrid(small, config)
    assert large.hop == 4 * small.hop
    mix = torch.randn(2, 2, 10 * large.hop)
    with torch.no_grad():
        torch.testing.assert_close(large(mix), small(mix), atol=1e-5, rtol=1e-4)
    with pytest.raises(StemplayError, match="cannot grow"):
        grow_hybrid(small, replace(config, hidden=32))
    with pytest.raises(StemplayError, match="must keep that number"):
        grow_hybrid(large, replace(config, call_frames=8))


@pytest.mark.parametrize(
    ("config", "changes"),
    [
        (replace(SMALL, depth=3, outer_lstm=True), {"outer_lstm": False}),
        (replace(SMALL, depth=3, outer_lstm=True), {"depth": 4}),
        (SMALL, {"depth": 4, "outer_lstm": True}),
    ],
)
def test_lstms_that_would_have_to_move_are_refused(config: CausalDemucsConfig, changes: dict[str, Any]) -> None:
    with pytest.raises(StemplayError, match="LSTM"):
        grow(CausalDemucs(config), replace(config, **changes))


@pytest.mark.parametrize("config", [replace(SMALL, channels=3), replace(SMALL, depth=1), replace(SMALL, kernel=4)])
def test_shrinking_and_other_changes_are_refused(config: CausalDemucsConfig) -> None:
    with pytest.raises(StemplayError, match="grow"):
        grow(CausalDemucs(SMALL), config)


def test_a_hybrid_lends_its_waveforms(tmp_path: Path) -> None:
    torch.manual_seed(0)
    hybrid = HybridDemucs(HybridDemucsConfig().tiny())
    save_weights(tmp_path / "hybrid.safetensors", hybrid.state_dict(), hybrid.config)
    line = [
        "fit",
        "branches/waves",
        "--tiny",
        "--init",
        str(tmp_path / "hybrid.safetensors"),
        "--grow",
        "--workers",
        "0",
    ]
    assert main([*line, "--steps", "1", "--lr", "1e-9", "-o", str(tmp_path / "run")]) == 0
    grown = load_network(tmp_path / "run" / "best.safetensors")
    mix = torch.randn(1, 2, 40 * grown.hop)
    with torch.no_grad():
        torch.testing.assert_close(grown(mix), hybrid.waves(mix), atol=1e-4, rtol=1e-3)


def test_masks_become_a_hybrid_whose_waveforms_are_silent_at_first_and_learn(tmp_path: Path) -> None:
    torch.manual_seed(0)
    config = replace(HybridDemucsConfig().tiny(), audio_channels=1, sources=("voice", "noise"))
    masks = CausalMasks(config.masks).eval()
    large = hybrid_of_masks(masks, config)
    mix = torch.randn(1, 1, 20 * large.hop)
    with torch.no_grad():
        torch.testing.assert_close(large(mix), masks(mix), atol=1e-6, rtol=1e-5)
    large(mix).square().mean().backward()
    gradient: Any = large.waves.decoder[0].up.weight.grad
    assert gradient.abs().max() > 0
    with pytest.raises(StemplayError, match="Masks cannot grow"):
        hybrid_of_masks(CausalMasks(replace(config.masks, hidden=8)), config)
    recipe = tmp_path / "hybrid.toml"
    recipe.write_text(
        'name = "h"\n[network]\nkind = "hybrid-demucs"\naudio_channels = 1\nsources = ["voice", "noise"]\nsample_rate = 16000\n'
        "channels = 8\ndepth = 3\nhop_length = 64\nwindow = 512\nseen_window = 1024\nspacing = 345.0\nq = 8.0\nhidden = 16\nlayers = 1\n"
        'spread = 4\n[optim]\nprecision = "fp32"\n',
        encoding="utf-8",
    )
    small = replace(config.masks, sample_rate=16_000)
    save_weights(tmp_path / "masks.safetensors", CausalMasks(small).state_dict(), small)
    line = [
        "fit",
        str(recipe),
        "--init",
        str(tmp_path / "masks.safetensors"),
        "--grow",
        "--steps",
        "1",
        "--workers",
        "0",
        "--tiny",
    ]
    assert main([*line, "-o", str(tmp_path / "run")]) == 0


@pytest.mark.parametrize("channels", [1, 2])
def test_masks_that_see_running_means_begin_as_they_were_and_use_them(channels: int) -> None:
    torch.manual_seed(0)
    config = replace(CausalMasksConfig().tiny(), hop_length=64, audio_channels=channels)
    small = CausalMasks(config).eval()
    large = grow_masks(small, replace(config, means=2))
    mix = torch.randn(1, channels, 30 * large.hop)
    with torch.no_grad():
        torch.testing.assert_close(large(mix), small(mix), atol=1e-6, rtol=1e-5)
    large(mix).square().mean().backward()
    gradients: list[Any] = [layer.weight.grad for layer in (large.squeeze, large.local, large.band1)]
    assert all(gradient[:, -1].abs().max() > 0 for gradient in gradients)
    with pytest.raises(StemplayError, match="except in running means"):
        grow_masks(large, config)
