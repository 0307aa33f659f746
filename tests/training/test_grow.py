"""Networks that grow from smaller ones."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from models.demucs import CausalDemucs, CausalDemucsConfig
from rtaudio.format import StemplayError
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
