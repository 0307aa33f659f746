"""``python -m training quantize MODEL -o DIRECTORY``: int8 of an exported model, or weights in 2 to 8 bits, and the loss of SDR."""

from __future__ import annotations

import argparse
from pathlib import Path

import torch
from torch import Tensor

from rtaudio.audio.format import StemplayError
from training.commands.evaluate import add_song_arguments, load_songs
from training.data.store import Stems
from training.export.separator import quantize_model
from training.metrics import global_sdr
from training.optim.quantize import dequantize_state, largest_error, packed_size, quantize_state, save_quantized
from training.runs.checkpoint import load_network
from training.separation.evaluate import evaluate
from training.separation.validation import validate
from training.sing.fit import is_sing, open_sing, save_sing

HELP = (
    "quantise an exported float32 model to int8, or a .safetensors file of weights to --bits bits; with songs (--tiny, --songs, "
    "--split), also print the loss of SDR"
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of ``quantize``."""
    parser.add_argument("model", metavar="MODEL", type=Path, help="directory of an exported model, or weights")
    parser.add_argument("-o", "--output", type=Path, required=True, metavar="DIRECTORY")
    parser.add_argument("--name", help="name in the card (default: the directory's name)")
    parser.add_argument(
        "--bits", metavar="A,B", default="8", help="bits of weights: one or several numbers from 2 to 8 (default: %(default)s)"
    )
    add_song_arguments(parser)
    parser.set_defaults(split=None)


def run(args: argparse.Namespace) -> int:
    """Quantise, and print the sizes and, with songs, the loss of SDR."""
    scored = args.tiny or args.songs is not None or args.split is not None
    songs = list(load_songs(args))[: args.limit] if scored else []
    if args.model.is_file():
        return _weights(args, [stems for _, stems in songs])
    card = quantize_model(args.model, args.output, name=args.name or args.output.resolve().name)
    print(f"{args.output}: {card.precision}, {card.size / 2**20:.2f} MiB")
    if songs:
        _compare_exported(args, songs, card.outputs)
    return 0


def _compare_exported(args: argparse.Namespace, songs: list[tuple[str, Stems]], sources: tuple[str, ...]) -> None:
    """Print the median SDR of the float32 and of the int8 model, computed by the engine's own code."""
    tables = [evaluate(path, songs, sources=sources).table["model"] for path in (args.model, args.output)]
    print(f"{'median SDR, dB':<16}" + "".join(f"{name:>15}" for name in tables[0]))
    for name, table in zip(("fp32", "int8"), tables, strict=True):
        print(f"{name:<16}" + "".join(f"{value:>15.2f}" for value in table.values()))
    print(f"{'difference':<16}" + "".join(f"{tables[1][name] - value:>15.3f}" for name, value in tables[0].items()))


def _weights(args: argparse.Namespace, songs: list[Stems]) -> int:
    """Write a file for each number of bits, and print a table."""
    try:
        numbers = [int(part) for part in args.bits.split(",")]
    except ValueError:
        raise StemplayError(f"{args.bits!r} is not a list of numbers of bits, separated by commas.") from None
    print(f"{'bits':>4}{'MiB':>9}{'float32 /':>11}{'error':>8}{'fidelity':>10}{'SDR loss':>10}  file")
    with torch.no_grad():
        if is_sing(args.model):
            what = _instrument(args, numbers)
        else:
            _separator(args, numbers, songs)
            what = f"{len(songs)} songs" if songs else "noise (give songs to see the loss of SDR)"
    print(f"error: the largest error of a weight, in half steps; fidelity: SDR in dB of the output, relative to float32's, on {what}")
    return 0


def _separator(args: argparse.Namespace, numbers: list[int], songs: list[Stems]) -> None:
    network = load_network(args.model)
    state = {name: weight.clone() for name, weight in network.state_dict().items()}
    config = network.config
    noise = torch.randn(
        1, config.audio_channels, config.sample_rate, generator=torch.Generator().manual_seed(args.seed)
    )
    mixes = [torch.from_numpy(song).sum(dim=0)[None] for song in songs] or [0.1 * noise]
    exact = [network(mix) for mix in mixes]
    before = validate(network, songs, config.sources).mean_sdr if songs else 0.0
    for bits in numbers:
        network.load_state_dict(dequantize_state(quantize_state(state, bits)))
        fidelity = min(float(global_sdr(network(m)[0], y[0]).nanmean()) for m, y in zip(mixes, exact, strict=True))
        loss = f"{before - validate(network, songs, config.sources).mean_sdr:.3f}" if songs else "-"
        path = _file(args, bits)
        save_quantized(path, state, config, bits)
        _print_row(state, bits, fidelity, loss, path)


def _instrument(args: argparse.Namespace, numbers: list[int]) -> str:
    """The same for weights of SING: fidelity is the median over one note of each instrument."""
    sing, encoder, instruments = open_sing(args.model)
    every = torch.arange(len(instruments))
    middle = torch.full_like(every, sing.config.pitches // 2)
    velocity = torch.full_like(every, sing.config.velocities - 1)
    exact = sing(velocity, every, middle)
    for bits in numbers:
        path = _file(args, bits)
        save_sing(path, sing, encoder, instruments, bits=bits)
        packed, _, _ = open_sing(path)
        fidelity = float(global_sdr(packed(velocity, every, middle)[:, None], exact[:, None]).nanmedian())
        _print_row(sing.state_dict(), bits, fidelity, "-", path)
    return f"one note of each of {len(instruments)} instruments (the median)"


def _file(args: argparse.Namespace, bits: int) -> Path:
    path: Path = args.output / f"{args.model.stem}-{bits}bit.safetensors"
    return path


def _print_row(state: dict[str, Tensor], bits: int, fidelity: float, loss: str, path: Path) -> None:
    shapes = [tuple(weight.shape) for weight in state.values()]
    size = packed_size(shapes, bits)
    error = largest_error(state, quantize_state(state, bits))
    ratio = packed_size(shapes, 32) / size
    print(f"{bits:>4}{size / 2**20:>9.2f}{ratio:>11.2f}{error:>8.3f}{fidelity:>10.1f}{loss:>10}  {path}")
