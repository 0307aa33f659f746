"""``python -m training prepare stems``: fill the store that training reads."""

from __future__ import annotations

import argparse
from pathlib import Path

from rtaudio.format import StemplayError
from training.cli import positive_float, positive_int
from training.data.prepare import SOURCES_OF, Options, find_soundfonts, prepare

HELP = "decode stem files and singing, and render MIDI songs, into memory-mapped arrays; what exists is kept"
ROOT = Path(__file__).resolve().parents[2]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of ``prepare``."""
    parser.add_argument("what", choices=["stems"], help="what to prepare")
    parser.add_argument("--data", type=Path, default=ROOT.parent / "shared" / "data", help="folder of the raw data")
    parser.add_argument("-o", "--output", type=Path, default=Path("data"), help="folder of the store (default: data/)")
    parser.add_argument("--only", metavar="A,B", help=f"only these of {', '.join(SOURCES_OF)}")
    parser.add_argument(
        "--soundfont", type=Path, action="append", help="render with it; may be repeated (default: installed ones)"
    )
    parser.add_argument("--takes", type=positive_int, default=2, help="renderings of each song (default: %(default)s)")
    parser.add_argument(
        "--song-seconds", type=positive_float, default=100.0, help="length of each (default: %(default)s)"
    )
    parser.add_argument(
        "--grooves", type=positive_int, default=240, help="drum performances to render (default: %(default)s)"
    )
    parser.add_argument("--workers", type=positive_int, default=2, help="processes (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=0)


def run(args: argparse.Namespace) -> int:
    """Prepare and tell what there is."""
    names = tuple(args.only.split(",")) if args.only else tuple(SOURCES_OF)
    unknown = [name for name in names if name not in SOURCES_OF]
    if unknown:
        raise StemplayError(f"There is no collection {unknown[0]!r}; choose from {', '.join(SOURCES_OF)}.")
    fonts = tuple(args.soundfont) if args.soundfont else find_soundfonts()
    missing = [font for font in fonts if not font.is_file()]
    if missing:
        raise StemplayError(f"There is no soundfont {missing[0]}.")
    options = Options(
        args.data, args.output, fonts, args.takes, args.song_seconds, args.grooves, args.workers, args.seed
    )
    if not prepare(options, names):
        raise StemplayError(f"There is nothing to prepare in {args.data}.")
    return 0
