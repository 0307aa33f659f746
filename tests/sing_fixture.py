"""A tiny instrument of random weights, for the mechanics of playing; what a trained one sounds like is tested on the shipped model."""

from __future__ import annotations

from pathlib import Path

import torch

from models.sing import Sing, SingConfig
from training.export.instrument import export_instrument

NAMES = ("organ", "piano", "flute", "bass")


def tiny_sing(hidden: int = 16, channels: int = 32) -> Sing:
    """Four instruments, pitches 36 to 84; loud enough that a difference of 1e-5 means something."""
    torch.manual_seed(3)
    config = SingConfig(instruments=len(NAMES), pitches=49, lowest_pitch=36, hidden=hidden, latent=8, channels=channels)
    sing = Sing(config).eval()
    with torch.no_grad():
        sing.decoder.synthesis.weight.mul_(10)
        sing.sequence.linear.weight.mul_(3)
    return sing


def tiny_instrument(directory: Path, hidden: int = 16, channels: int = 32, precision: str = "fp32") -> Path:
    """Export ``tiny_sing`` into ``directory / "tiny"`` and return that."""
    export_instrument(
        tiny_sing(hidden, channels),
        directory / "tiny",
        name="tiny",
        instruments=NAMES,
        sustains=(True, False, True, False),
        ranges=((36, 84), (36, 84), (48, 84), (36, 60)),
        precision="int8" if precision == "int8" else "fp32",
    )
    return directory / "tiny"
