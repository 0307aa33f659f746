"""``python -m training timing -o DIRECTORY``: export networks of the usual sizes with random weights, for timing only."""

from __future__ import annotations

import argparse
from pathlib import Path

import torch

from models.demucs import CausalDemucs, CausalDemucsConfig
from models.sing import Sing, SingConfig
from training.export.instrument import export_instrument
from training.export.separator import Precision, export_separator, quantize_model

HELP = "export causal Demucs 48/4, 64/5 and SING of three sizes with random weights, for `python -m rtaudio bench`"
SIZES = ((48, 4), (64, 5))
SING_SIZES = {
    "sing-256-512": (256, 512, 64, 256),
    "sing-512-1024": (512, 1024, 128, 0),
    "sing-thesis": (1024, 4096, 128, 0),
}
"""Hidden units, channels, latent size and bands. There are 128 instruments; their number does not change the time."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of ``timing``."""
    parser.add_argument("-o", "--output", type=Path, required=True, metavar="DIRECTORY")
    parser.add_argument("--seed", type=int, default=0)


def run(args: argparse.Namespace) -> int:
    """Export each size in float32 and int8."""
    torch.manual_seed(args.seed)
    for channels, depth in SIZES:
        name = f"causal-{channels}-{depth}"
        network = CausalDemucs(CausalDemucsConfig(channels=channels, depth=depth)).eval()
        card = export_separator(
            network,
            args.output / name,
            name=name,
            licence="none: random weights",
            training={"timing_only": True},
            description="Random weights, for timing only: it separates nothing.",
        )
        quantize_model(args.output / name, args.output / f"{name}-int8", name=name)
        print(f"{args.output / name}: {card.parameters / 1e6:.1f} M random weights")
    for name, (hidden, channels, latent, bands) in SING_SIZES.items():
        sing = Sing(SingConfig(instruments=128, hidden=hidden, channels=channels, latent=latent, bands=bands)).eval()
        precisions: tuple[Precision, ...] = ("fp32", "int8")
        for precision in precisions:
            card = export_instrument(
                sing,
                args.output / (name if precision == "fp32" else f"{name}-int8"),
                name=name,
                instruments=tuple(f"program-{k}" for k in range(128)),
                sustains=(True,) * 128,
                ranges=((21, 108),) * 128,
                precision=precision,
                calibration=0,  # random weights have no quality to preserve
                licence="none: random weights",
                training={"timing_only": True},
                description="Random weights, for timing only: it plays nothing.",
            )
        print(f"{args.output / name}: {card.parameters / 1e6:.1f} M random weights")
    return 0
