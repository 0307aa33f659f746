"""``python -m training export WEIGHTS -o DIRECTORY``: the ONNX file and its card."""

from __future__ import annotations

import argparse
from pathlib import Path

import torch

from models.card import ModelCard
from models.network import StreamingSeparator
from models.registry import make_network
from rtaudio.audio.format import StemplayError
from training.cli import positive_float
from training.data.note_store import NoteStore
from training.export.release import read_making
from training.export.separator import chunks_sentence, export_separator
from training.runs.checkpoint import load_network
from training.separation.recipe import read_recipe
from training.sing.fit import is_sing
from training.sing.release import export_again

HELP = "export weights to one ONNX file with named states, and a card that includes the facts of weights.json beside them"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of ``export``."""
    parser.add_argument(
        "weights", metavar="WEIGHTS", type=Path, help="a .safetensors file made by `fit` or `release`; with --tiny, a recipe"
    )
    parser.add_argument(
        "-o", "--output", type=Path, required=True, metavar="DIRECTORY", help="folder to write, such as models/zoo/demucs-live"
    )
    parser.add_argument("--name", help="name in the card (default: the directory's name)")
    parser.add_argument("--precision", choices=["fp32", "int8"], default="fp32")
    parser.add_argument("--description", default="", help="one sentence for the card")
    parser.add_argument(
        "--chunk-seconds",
        type=positive_float,
        default=8.0,
        metavar="S",
        help="length of a chunk, for networks that do not stream (default: %(default)s)",
    )
    parser.add_argument(
        "--tiny", action="store_true", help="export the small, untrained network of a recipe, to try things with"
    )
    parser.add_argument(
        "--store", type=Path, metavar="DIRECTORY", help="for SING: the note set on which the exported model is scored"
    )
    parser.add_argument("--seed", type=int, default=0, help="with --tiny: seed of the random weights")


def run(args: argparse.Namespace) -> int:
    """Export and print the size."""
    if not args.tiny and is_sing(args.weights):
        card = export_again(
            args.weights,
            args.output,
            name=args.name or args.output.resolve().name,
            precision=args.precision,
            store=NoteStore(args.store) if args.store else None,
        )
        _say(args.output, card)
        return 0
    if args.store:
        raise StemplayError("--store is for SING only; `python -m training evaluate` scores a separator.")
    if args.tiny:
        torch.manual_seed(args.seed)
        network, making = make_network(read_recipe(str(args.weights)).tiny().network), {}
    else:
        network, making = load_network(args.weights), read_making(args.weights)
    streams = isinstance(network, StreamingSeparator)
    chunk = None if streams else int(args.chunk_seconds * network.config.sample_rate)
    keys = ("date", "recipe", "steps", "hours", "audio_hours", "note")
    card = export_separator(
        network,
        args.output,
        name=args.name or args.output.resolve().name,
        precision=args.precision,
        licence=making.get("licence", "unspecified"),
        data=tuple(f"{row['collection']}, {row['hours']} h ({row['licence']})" for row in making.get("data", ())),
        quality={"validation": making["validation"]} if "validation" in making else {},
        training={key: making[key] for key in keys if making.get(key)},
        chunk=chunk,
        description=args.description
        if streams
        else f"{args.description} {chunks_sentence(args.chunk_seconds)}".strip(),
    )
    _say(args.output, card)
    return 0


def _say(directory: Path, card: ModelCard) -> None:
    print(f"{directory}: {card.precision}, {card.parameters / 1e6:.2f} M weights, {card.size / 2**20:.2f} MiB")
