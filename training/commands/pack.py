"""``python -m training pack``: put all that training on a rented machine without network needs into one folder."""

from __future__ import annotations

import argparse
from pathlib import Path

from models.catalog import ZOO
from rtaudio.audio.format import StemplayError
from training.cli import positive_float
from training.data.jobs import find_soundfonts
from training.pack.build import PackOptions, build

HELP = "make a folder with data, wheels, weights and scripts for training on a rented machine that has no network"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of ``pack``."""
    parser.add_argument("--data", type=Path, default=Path("../shared/data"), help="folder of the raw data")
    parser.add_argument("-o", "--output", type=Path, default=Path("build/gpu-pack"), help="default: %(default)s")
    parser.add_argument("--soundfont", type=Path, help="soundfont to include (default: the smallest installed one)")
    parser.add_argument(
        "--share", type=positive_float, default=0.5, help="share of the singing to include (default: %(default)s)"
    )
    parser.add_argument(
        "--backing", type=int, default=120, help="number of songs that mma generates in advance (default: %(default)s)"
    )
    parser.add_argument(
        "--python", default="3.12", help="Python version on that machine, for wheels (default: %(default)s); none: include no wheels"
    )
    parser.add_argument("--limit", type=positive_float, default=58.0, help="largest size of the pack in MiB (default: %(default)s)")


def run(args: argparse.Namespace) -> int:
    """Make the pack and print what is in it."""
    fonts = [args.soundfont] if args.soundfont else sorted(find_soundfonts(), key=lambda path: path.stat().st_size)
    if not fonts or not fonts[0].exists():
        raise StemplayError(
            "There is no soundfont to include: install a General MIDI soundfont, or name one with --soundfont."
        )
    weights = {path.parent.name: path for path in sorted(ZOO.glob("demucs-*/weights.safetensors"))}
    sizes = build(
        PackOptions(
            args.data, args.output, fonts[0], weights, min(1.0, args.share), max(0, args.backing),
            "" if args.python == "none" else args.python, args.limit,
        )
    )  # fmt: skip
    for part, size in sizes.items():
        print(f"{part:<12}{size:7.2f} MiB")
    print(f"On that machine, run bash {args.output}/start.sh, then bash {args.output}/poll.sh every few minutes.")
    return 0
