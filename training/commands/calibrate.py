"""``python -m training calibrate MODEL``: write into the card how the residual is shared among stems and how far they are refined."""

from __future__ import annotations

import argparse
import sys

from training.commands.evaluate import add_song_arguments, load_songs
from training.export.calibrate import calibrate

HELP = (
    "measure on songs with known stems the best shares of the residual and the best strength of refinement, and write them into the "
    "model's card"
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of ``calibrate``."""
    parser.add_argument("model", metavar="MODEL", help="name of a shipped model, or a directory")
    add_song_arguments(parser)


def run(args: argparse.Namespace) -> int:
    """Calibrate and print the shares."""
    songs = list(load_songs(args))[: args.limit]
    shares, refining = calibrate(args.model, songs, progress=lambda name: print(f"  {name}", file=sys.stderr))
    print("shares of the residual: " + ", ".join(f"{share:.3f}" for share in shares))
    if refining:
        print("filtered mix in refined stems: " + ", ".join(f"{share:.2f}" for share in refining))
    return 0
