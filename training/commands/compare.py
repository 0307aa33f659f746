"""``python -m training compare``: networks of several kinds with the same budget, scored beside oracles: our small Table 3.1."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from rtaudio.audio.format import StemplayError
from training.cli import positive_float

HELP = (
    "train equally sized networks of several kinds for the same processor time on one thread, and score them beside oracles and floors;"
    " `python -m training tables` prints and draws the results"
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of ``compare``."""
    parser.add_argument("networks", nargs="*", metavar="NETWORK", help="recipes in recipes/compare (default: all)")
    parser.add_argument("--store", type=Path, default=Path("data"), help="prepared data (default: data/)")
    parser.add_argument(
        "--minutes",
        type=positive_float,
        default=6.0,
        help="processor minutes for each network, data included (default: %(default)s)",
    )
    parser.add_argument(
        "--split", choices=["valid", "test"], default="test", help="songs to score on (default: %(default)s)"
    )
    parser.add_argument(
        "--oracle", action="append", metavar="NAME", help="oracle to score too (default: all); may be repeated"
    )
    parser.add_argument("--museval", action="store_true", help="also compute museval's SIR and SAR")
    parser.add_argument("--data", metavar="WORDS", help="description of the songs, for the tables")
    parser.add_argument("-o", "--output", type=Path, default=Path("runs/compare"), help="default: %(default)s")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--tiny", action="store_true", help="use synthetic songs, and seconds instead of minutes")


def run(args: argparse.Namespace) -> int:
    """Train the networks without weights in the folder, then score all."""
    from training.commands.evaluate import run_methods
    from training.separation.comparison import compared_recipes, train

    recipes = compared_recipes()
    unknown = [name for name in args.networks if name not in recipes]
    if unknown:
        raise StemplayError(f"There is no network {unknown[0]!r} to compare; choose from {', '.join(recipes)}.")
    names = args.networks or list(recipes)
    for name in names:
        if (args.output / name / "making.json").exists():
            print(f"{name}: already trained, kept", file=sys.stderr)
            continue
        recipe = recipes[name].tiny() if args.tiny else recipes[name]
        train(name, recipe, args.output / name, args.store, 2.0 if args.tiny else 60 * args.minutes, args.seed)
    scoring = argparse.Namespace(
        model=None, oracle=args.oracle or ["all"], weights=[args.output / name / "ema.safetensors" for name in names],
        museval=args.museval, data=args.data, output=args.output / "results", no_consistent=False,
        split=args.split, store=args.store, collection="musdb", against=None, songs=None, mapping=None,
        tiny=args.tiny, limit=None, seed=args.seed,
    )  # fmt: skip
    return run_methods(scoring)
