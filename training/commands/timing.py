"""``python -m training timing -o DIRECTORY``: networks of the usual sizes with random weights, made for the clock and not for ears."""

from __future__ import annotations

import argparse
from pathlib import Path

import torch

from models.demucs import CausalDemucs, CausalDemucsConfig
from training.export import export_separator, quantize_model

HELP = "export causal Demucs 48/4 and 64/5 with random weights, fp32 and int8, for `python -m rtaudio bench`"
SIZES = ((48, 4), (64, 5))


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of ``timing``."""
    parser.add_argument("-o", "--output", type=Path, required=True, metavar="DIRECTORY")
    parser.add_argument("--seed", type=int, default=0)


def run(args: argparse.Namespace) -> int:
    """Export each size twice."""
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
    return 0
