"""``python -m training describe NAME``: layers and sizes of a network, without allocating its weights."""

from __future__ import annotations

import argparse
import re
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import torch
from torch import nn

from models.conv_tasnet import ConvTasnetConfig
from models.demucs import DemucsConfig
from models.network import SeparatorConfig, StreamingSeparator
from models.registry import KINDS, kind_of, make_network
from models.sing import NoteEncoder, Sing, SingConfig
from rtaudio.audio.format import StemplayError
from training.cli import positive_int
from training.separation.recipe import read_recipe, recipe_names
from training.sing.recipe import SingRecipe

HELP = "list a network's layers, weights and MiB (computed on the meta device, so the thesis' sizes fit anywhere)"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of ``describe``."""
    parser.add_argument(
        "network",
        choices=list(dict.fromkeys(["sing", *KINDS, *recipe_names()])),
        help="sing, demucs, conv-tasnet: the thesis' sizes; other kinds: their defaults; or the name of a recipe",
    )
    parser.add_argument("--channels", type=positive_int, help="channels of the first block")
    parser.add_argument("--depth", type=positive_int, help="number of blocks")
    parser.add_argument("--max-channels", type=positive_int, help="largest number of channels")
    parser.add_argument("--tiny", action="store_true", help="the small network that --tiny trains")
    parser.add_argument("--seed", type=int, default=0, help="accepted as in every command; sizes do not depend on it")


def run(args: argparse.Namespace) -> int:
    """Print the table."""
    changes = {
        name: value for name in ("channels", "depth", "max_channels") if (value := getattr(args, name)) is not None
    }
    if args.network == "sing":
        return _describe_sing(changes, args.tiny)
    config = KINDS[args.network].config() if args.network in KINDS else read_recipe(args.network).network
    config = config.tiny() if args.tiny else config
    unknown = set(changes) - set(config.to_dict())
    if unknown:
        raise StemplayError(f"This network has no option --{sorted(unknown)[0].replace('_', '-')}.")
    _describe(_without_rescaling(config, changes))
    return 0


def _without_rescaling(config: SeparatorConfig, changes: dict[str, Any]) -> SeparatorConfig:
    """``config`` with ``changes``, and without rescaling, which would need the values of weights that are not allocated."""
    stranger: Any = config  # every configuration is a dataclass
    changed: SeparatorConfig = replace(stranger, **changes, **({"rescale": 0.0} if hasattr(config, "rescale") else {}))
    return changed


def _describe(config: SeparatorConfig) -> None:
    kind = kind_of(config)
    with torch.device("meta"):
        network = make_network(config)
    print(f"{kind}: {KINDS[kind].summary}")
    total = _list(network)
    print(f"{_size(total)}; hop {config.hop} samples, ", end="")
    print(f"{1000 * config.hop / config.sample_rate:.1f} ms at {config.sample_rate} Hz")
    if isinstance(network, StreamingSeparator):
        late = config.hop + network.latency
        print(f"plays live, {late} samples late ({1000 * late / config.sample_rate:.1f} ms)")
    else:
        print("plays live only in overlapping chunks, with a latency of seconds")
    if type(config) in NOTES:
        print(NOTES[type(config)](config))


def _size(weights: int) -> str:
    return f"{weights:,} weights, {weights * 4 / 2**20:.1f} MiB in float32 ({weights * 4 / 2**30:.3f} GiB)"


def _count(config: SeparatorConfig, **changes: Any) -> str:
    with torch.device("meta"):
        return _size(sum(w.numel() for w in make_network(_without_rescaling(config, changes)).parameters()))


def _demucs_notes(config: SeparatorConfig) -> str:
    """Errata 9 and 20: which printed size belongs to which network."""
    return (
        f"The thesis prints 2.4 GB, which is 2.416 GiB: GLU in the decoder. With the ReLU that its text names: "
        f"{_count(config, decoder_activation='relu')}.\nWith 64 channels: {_count(config, channels=64)}; at 8 bits a quarter of that, "
        'the "about 256 MB" of section 1.3.3.'
    )


def _tasnet_notes(config: SeparatorConfig) -> str:
    """Errata 26 and 27."""
    assert isinstance(config, ConvTasnetConfig)
    frames = config.receptive_frames
    return (
        f"One frame of the masks depends on {frames} frames, {frames * config.stride / config.sample_rate:.3f} s. The printed 42 MB are "
        f"MiB and without separate skip outputs;\nwith them (skip = true): {_count(config, skip=True)}."
    )


NOTES: dict[type[SeparatorConfig], Callable[[SeparatorConfig], str]] = {
    DemucsConfig: _demucs_notes,
    ConvTasnetConfig: _tasnet_notes,
}
"""Notes on a network's size, by the type of its configuration."""


def _describe_sing(changes: dict[str, int], tiny: bool = False) -> int:
    """Fig. 2.1 as text: sequence generator, decoder, and the encoder, which only training uses (SING-29)."""
    if set(changes) - {"channels"}:
        raise StemplayError("SING has neither --depth nor --max-channels; only --channels changes its size.")
    config = replace(SingRecipe(name="sing").tiny().network if tiny else SingConfig(), **changes)
    with torch.device("meta"):
        sing, encoder = Sing(config), NoteEncoder(config)
    print(
        "Sequence generator: velocity, instrument, pitch and time embeddings -> LSTM -> linear, one step for 256 samples"
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
    """Print each weight's shape, with equal layers in one line; returns the number of weights."""
    rows: dict[tuple[str, torch.Size], list[str]] = {}
    for name, weight in network.named_parameters():
        rows.setdefault((re.sub(r"\.\d+\.", ".*.", name), weight.shape), []).append(name)
    for (pattern, shape), names in rows.items():
        times, title = (f"x {len(names)}", pattern) if len(names) > 1 else ("", names[0])
        print(f"{title:<32}{' x '.join(map(str, shape)):>22}{times:>6}{shape.numel() * len(names):>14,}")
    return sum(weight.numel() for weight in network.parameters())
