"""Networks that grow from smaller ones."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch

from models.demucs import CausalDemucs, CausalDemucsConfig
from models.hybrid import HybridDemucs, HybridDemucsConfig
from rtaudio.format import StemplayError
from training.checkpoint import load_network, save_weights
from training.cli import main
from training.grow import grow

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
        "demucs-studio",
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
