"""``python -m rtaudio models``: list installed models and their cards; install others with ``models get``."""

from __future__ import annotations

import argparse
import json
import sys
import textwrap
from dataclasses import asdict
from pathlib import Path

from models.archive import install_model, pack_model, remove_model
from models.card import ModelCard, read_card
from models.catalog import find_model, load_card, model_names
from rtaudio.audio.format import StemplayError

NAME = "models"
HELP = "List the installed models and their cards; install, pack or remove a model."
ACTIONS = {
    "get": "models get NAME --from ADDRESS --sha256 HASH",
    "pack": "models pack NAME -o FILE.zip",
    "remove": "models remove NAME",
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of ``models``."""
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.epilog = "other uses:\n" + "\n".join(f"  {usage}" for usage in ACTIONS.values())
    parser.add_argument(
        "model",
        metavar="NAME",
        nargs="*",
        help="models to show (default: all installed ones); or get, pack or remove and a name",
    )
    parser.add_argument("--json", action="store_true", help="print the whole cards as JSON")
    parser.add_argument("--from", dest="source", metavar="ADDRESS", help="get: an https:// address or a file")
    parser.add_argument("--sha256", metavar="HASH", help="get: SHA-256 of that file, as its publisher states it")
    parser.add_argument("--replace", action="store_true", help="get: replace an installed model of this name")
    parser.add_argument("--output", "-o", metavar="FILE", type=Path, help="pack: the ZIP file to write")


def run(args: argparse.Namespace) -> int:
    """Print the cards, or carry out an action. A damaged card is an error, as when the model is used."""
    if args.model and args.model[0] in ACTIONS:
        return _act(args)
    if args.source or args.sha256 or args.replace or args.output:
        raise StemplayError(f"These options belong to get and pack: {'; '.join(ACTIONS.values())}.")
    cards = [load_card(name) for name in (args.model or model_names())]
    if args.json:
        print(json.dumps([asdict(card) for card in cards], ensure_ascii=False))
        return 0
    if not cards:
        print("No models are installed.")
    for card in cards:
        print("\n".join(describe(card)))
    return 0


def _act(args: argparse.Namespace) -> int:
    """Carry out one of ``ACTIONS``."""
    action, *names = args.model
    needed = {"get": (args.source, args.sha256), "pack": (args.output,), "remove": ()}[action]
    if len(names) != 1 or not all(needed):
        raise StemplayError(f"Use: {ACTIONS[action]}.")
    if action == "get":
        _get(names[0], args)
    elif action == "pack":
        digest = pack_model(find_model(names[0]), args.output)
        print(f"{args.output}\nSHA-256 {digest}")
    else:
        print(f"Removed {remove_model(names[0])}.")
    return 0


def _get(name: str, args: argparse.Namespace) -> None:
    shown = sys.stderr.isatty()

    def progress(count: int) -> None:
        if shown:
            print(f"\r{count / 2**20:.1f} MiB", end="", file=sys.stderr, flush=True)

    card = install_model(args.source, name, args.sha256, replace=args.replace, check=_loads, progress=progress)
    if shown:
        print(file=sys.stderr)
    print("\n".join(describe(card)))


def _loads(directory: Path) -> None:
    """Check that the model can be used here. Raises StemplayError or CardError."""
    if read_card(directory).kind == "instrument":
        from rtaudio.instrument.model import InstrumentModel

        InstrumentModel(directory)
    else:
        from rtaudio.inference.runtime import ModelRuntime

        ModelRuntime(directory)


def describe(card: ModelCard) -> list[str]:
    """Describe the model in a few lines."""
    ms = 1000 * (card.hop + card.latency) / card.sample_rate
    channels = {1: "mono", 2: "stereo"}.get(card.channels, f"{card.channels} channels")
    what = (
        ", ".join(card.outputs)
        if card.kind != "instrument"
        else f"{len(card.outputs)} sounds (the command instruments lists them)"
    )
    lines = [
        f"{card.name}: {card.kind}, {what}",
        f"  {card.sample_rate} Hz, {channels}, {ms:.1f} ms, {card.precision}, "
        f"{card.parameters / 1e6:.2f} M parameters, {card.size / 2**20:.1f} MiB",
        f"  licence: {card.licence}",
    ]
    if card.description:
        lines[1:1] = textwrap.wrap(card.description, 100, initial_indent="  ", subsequent_indent="  ")
    return lines
