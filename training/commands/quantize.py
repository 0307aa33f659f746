"""``python -m training quantize DIRECTORY -o DIRECTORY``: int8 from an exported fp32 model."""

from __future__ import annotations

import argparse
from pathlib import Path

from training.export import quantize_model

HELP = "quantise the weights of an exported float32 model to int8, into another directory"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of ``quantize``."""
    parser.add_argument("model", metavar="MODEL", type=Path, help="directory of an exported float32 model")
    parser.add_argument("-o", "--output", type=Path, required=True, metavar="DIRECTORY")
    parser.add_argument("--name", help="name in the card (default: that of the directory)")


def run(args: argparse.Namespace) -> int:
    """Quantise and print the size."""
    card = quantize_model(args.model, args.output, name=args.name or args.output.resolve().name)
    print(f"{args.output}: {card.precision}, {card.size / 2**20:.2f} MiB")
    return 0
