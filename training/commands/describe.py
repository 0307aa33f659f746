"""``python -m training describe demucs``: layers and sizes, without allocating a weight."""

from __future__ import annotations

import argparse

import torch
from torch import nn

from models.demucs import CausalDemucs, CausalDemucsConfig, Demucs, DemucsConfig
from training.cli import positive_int

HELP = "list a network's layers, weights and MiB (computed on the meta device, so the thesis' sizes fit anywhere)"
NETWORKS = {"demucs": (Demucs, DemucsConfig), "demucs-live": (CausalDemucs, CausalDemucsConfig)}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of ``describe``."""
    parser.add_argument(
        "network", choices=list(NETWORKS), help="demucs: the thesis' sizes; demucs-live: the live network's"
    )
    parser.add_argument("--channels", type=positive_int, help="channels of the first block")
    parser.add_argument("--depth", type=positive_int, help="number of blocks")
    parser.add_argument("--max-channels", type=positive_int, help="cap of the channels")


def run(args: argparse.Namespace) -> int:
    """Print the table."""
    changes = {
        name: value for name in ("channels", "depth", "max_channels") if (value := getattr(args, name)) is not None
    }
    network_class, config_class = NETWORKS[args.network]
    config = config_class(rescale=0.0, **changes)
    with torch.device("meta"):
        network: nn.Module = network_class(config)
    for name, weight in network.named_parameters():
        print(f"{name:<28}{' x '.join(map(str, weight.shape)):>22}{weight.numel():>14,}")
    total = sum(weight.numel() for weight in network.parameters())
    print(f"{total:,} weights, {total * 4 / 2**20:.1f} MiB in float32 ({total * 4 / 2**30:.3f} GiB); ", end="")
    print(f"hop {config.hop} samples, {1000 * config.hop / config.sample_rate:.1f} ms at {config.sample_rate} Hz")
    return 0
