"""``python -m rtaudio models``: what is shipped, and what its cards say."""

from __future__ import annotations

import argparse
import json
import textwrap
from dataclasses import asdict

from models.card import ModelCard
from models.catalog import load_card, model_names

NAME = "models"
HELP = "list the shipped models and their cards"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of ``models``."""
    parser.add_argument("model", metavar="NAME", nargs="*", help="only these: shipped names or directories")
    parser.add_argument("--json", action="store_true", help="print the whole cards as JSON")


def run(args: argparse.Namespace) -> int:
    """Print the cards. A damaged card of the zoo is an error, as it would be when it is used."""
    cards = [load_card(name) for name in (args.model or model_names())]
    if args.json:
        print(json.dumps([asdict(card) for card in cards], ensure_ascii=False))
        return 0
    if not cards:
        print("No models are shipped here.")
    for card in cards:
        print("\n".join(describe(card)))
    return 0


def describe(card: ModelCard) -> list[str]:
    """A few lines for a person."""
    ms = 1000 * (card.hop + card.latency) / card.sample_rate
    channels = {1: "mono", 2: "stereo"}.get(card.channels, f"{card.channels} channels")
    what = ", ".join(card.outputs) if card.kind != "instrument" else f"{len(card.outputs)} sounds (the command instruments lists them)"
    lines = [
        f"{card.name}: {card.kind}, {what}",
        f"  {card.sample_rate} Hz, {channels}, {ms:.1f} ms, {card.precision}, "
        f"{card.parameters / 1e6:.2f} M parameters, {card.size / 2**20:.1f} MiB",
        f"  licence: {card.licence}",
    ]
    if card.description:
        lines[1:1] = textwrap.wrap(card.description, 100, initial_indent="  ", subsequent_indent="  ")
    return lines
