"""``python -m rtaudio instruments``: what can be played."""

from __future__ import annotations

import argparse
import json

from rtaudio.instrument.model import InstrumentModel

NAME = "instruments"
HELP = "List the instruments of a model."


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of ``instruments``."""
    parser.add_argument(
        "--model", metavar="NAME", default="sing-gm", help="an installed model or a directory (default: %(default)s)"
    )
    parser.add_argument("--json", action="store_true", help="print the list as JSON")


def run(args: argparse.Namespace) -> int:
    """One line for each instrument."""
    model = InstrumentModel(args.model)
    rows = [
        {"name": name, "low": low, "high": high, "sustains": sustains}
        for name, (low, high), sustains in zip(model.instruments, model.ranges, model.sustains, strict=True)
    ]
    if args.json:
        print(json.dumps({"model": model.card.name, "instruments": rows}))
        return 0
    width = max(len(name) for name in model.instruments)
    for row in rows:
        print(
            f"{row['name']:<{width}}  notes {row['low']} to {row['high']}  {'sustains' if row['sustains'] else 'decays'}"
        )
    return 0
