"""``python -m training describe demucs|demucs-live|sing``: layers and sizes, without allocating a weight."""

from __future__ import annotations

import argparse

import torch
from torch import nn

from models.demucs import CausalDemucs, CausalDemucsConfig, Demucs, DemucsConfig
from models.sing import NoteEncoder, Sing, SingConfig
from rtaudio.format import StemplayError
from training.cli import positive_int

HELP = "list a network's layers, weights and MiB (computed on the meta device, so the thesis' sizes fit anywhere)"
NETWORKS = {"demucs": (Demucs, DemucsConfig), "demucs-live": (CausalDemucs, CausalDemucsConfig)}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of ``describe``."""
    parser.add_argument(
        "network",
        choices=[*NETWORKS, "sing"],
        help="demucs, sing: the thesis' sizes; demucs-live: the live network's",
    )
    parser.add_argument("--channels", type=positive_int, help="channels of the first block")
    parser.add_argument("--depth", type=positive_int, help="number of blocks")
    parser.add_argument("--max-channels", type=positive_int, help="cap of the channels")


def run(args: argparse.Namespace) -> int:
    """Print the table."""
    changes = {
        name: value for name in ("channels", "depth", "max_channels") if (value := getattr(args, name)) is not None
    }
    if args.network == "sing":
        return _describe_sing(changes)
    network_class, config_class = NETWORKS[args.network]
    config = config_class(rescale=0.0, **changes)
    with torch.device("meta"):
        network: nn.Module = network_class(config)
    total = _list(network)
    print(f"{total:,} weights, {total * 4 / 2**20:.1f} MiB in float32 ({total * 4 / 2**30:.3f} GiB); ", end="")
    print(f"hop {config.hop} samples, {1000 * config.hop / config.sample_rate:.1f} ms at {config.sample_rate} Hz")
    return 0


def _describe_sing(changes: dict[str, int]) -> int:
    """Fig. 2.1 as text: sequence generator, decoder, and the encoder that only training has (SING-29)."""
    if set(changes) - {"channels"}:
        raise StemplayError("SING has no depth and no cap of its channels: only --channels changes it.")
    config = SingConfig(**changes)
    with torch.device("meta"):
        sing, encoder = Sing(config), NoteEncoder(config)
    print(
        "Sequence generator: velocity, instrument, pitch and time embeddings -> LSTM -> linear, a step for 256 samples"
    )
    _list(sing.sequence)
    print("Decoder: K is the kernel, S the stride, C the output channels")
    for name, layer in sing.decoder.named_children():
        print(f"  {name:<12}{_convolution(layer)}")
    _list(sing.decoder)
    print("Encoder (training only)")
    for name, layer in encoder.named_children():
        print(f"  {name:<12}{_convolution(layer)}")
    total = sum(weight.numel() for weight in sing.parameters())
    extra = sum(weight.numel() for weight in encoder.parameters())
    print(f"{total:,} weights, {total * 4 / 2**20:.1f} MiB in float32; the encoder has {extra:,} more. ", end="")
    print(f"{config.steps} steps, {config.samples():,} samples at {config.sample_rate} Hz")
    return 0


def _convolution(layer: nn.Module) -> str:
    assert isinstance(layer, (nn.Conv1d, nn.ConvTranspose1d))
    relu = "" if isinstance(layer, nn.ConvTranspose1d) else ", ReLU"
    return f"{type(layer).__name__} K={layer.kernel_size[0]}, S={layer.stride[0]}, C={layer.out_channels}{relu}"


def _list(network: nn.Module) -> int:
    """Print each weight's shape; returns how many there are."""
    for name, weight in network.named_parameters():
        print(f"{name:<28}{' x '.join(map(str, weight.shape)):>22}{weight.numel():>14,}")
    return sum(weight.numel() for weight in network.parameters())
