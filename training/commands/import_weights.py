"""``python -m training import-weights demucs|denoiser FILE -o DIRECTORY``: make a Stemplay model from public weights."""

from __future__ import annotations

import argparse
from pathlib import Path

from models.network import Separator, StreamingSeparator
from rtaudio.audio.format import StemplayError
from training.cli import positive_float, positive_int
from training.export.separator import chunks_sentence, export_separator
from training.runs import import_demucs

HELP = "make a model that plays live from a state dict of the public demucs (version 1 or 2) or denoiser package"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of ``import-weights``."""
    parser.add_argument("package", choices=["demucs", "denoiser"], help="the package that made the state dict")
    parser.add_argument("weights", metavar="FILE", type=Path, help="file that contains tensors only (.th, .pt or .safetensors)")
    parser.add_argument("-o", "--output", type=Path, required=True, metavar="DIRECTORY", help="the model's directory")
    parser.add_argument("--name", help="name in the card (default: the directory's name)")
    parser.add_argument("--licence", default="unspecified", help="licence of the weights, as their authors state it")
    parser.add_argument("--precision", choices=["fp32", "int8"], default="fp32")
    parser.add_argument(
        "--resample",
        type=int,
        choices=[1, 2, 4],
        help="factor by which the network upsamples internally (default: 2 for demucs, 4 for denoiser; 1 for demucs version 1)",
    )
    parser.add_argument("--padded", action="store_true", help="demucs: padded decoder, as in version 3 and later")
    parser.add_argument(
        "--chunk-seconds", type=positive_float, default=4.0, help="demucs: length of a chunk (default: %(default)s)"
    )
    parser.add_argument("--sample-rate", type=positive_int, help="in Hz (default: 44100 or 16000)")


def run(args: argparse.Namespace) -> int:
    """Load and export the weights, and print the model's latency."""
    state = import_demucs.read_state_dict(args.weights)
    chunk: int | None = None
    shares: tuple[float, ...] = ()
    network: Separator
    if args.package == "denoiser":
        network = import_demucs.denoiser(state, resample=args.resample or 4, sample_rate=args.sample_rate or 16_000)
        shares = (0.0, 1.0)  # frequencies above the network's range are not voice
        late = network.hop + network.latency
        what = (
            "It estimates the level while it plays; the package divides by the standard deviation of the whole file instead. "
            f"Its latency is {1000 * late / network.config.sample_rate:.0f} ms, without the device's."
        )
    else:
        if args.resample == 4:
            raise StemplayError("Demucs works at its sample rate or at twice this rate: --resample must be 1 or 2.")
        network = import_demucs.demucs(
            state, resample=args.resample or 2, padded=args.padded, sample_rate=args.sample_rate or 44_100
        )
        chunk = int(args.chunk_seconds * network.config.sample_rate)
        late = 2 * chunk - chunk // 4
        what = f"It is bidirectional. {chunks_sentence(args.chunk_seconds)}"
    lag = f"{1000 * late / network.config.sample_rate:.0f} ms"
    card = export_separator(
        network,
        args.output,
        name=args.name or args.output.resolve().name,
        precision=args.precision,
        chunk=chunk,
        licence=args.licence,
        training={"imported_from": args.package, "file": args.weights.name},
        description=f"Weights of the public {args.package} package. {what}",
        shares=shares,
    )
    live = "hop by hop" if isinstance(network, StreamingSeparator) else "in chunks"
    print(
        f"{args.output}: {card.parameters / 1e6:.2f} M weights, {card.size / 2**20:.2f} MiB; plays live {live}, {lag} late"
    )
    return 0
