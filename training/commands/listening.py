"""``python -m training listening mos|abx|table|page``: compare systems by ear."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

from rtaudio.audio.format import StemplayError
from training.cli import positive_float, positive_int

HELP = "make sheets of listening tests for the window, without names; evaluate the answers; write a page to compare systems by ear"
ACTIONS = {
    "mos": "make sheets of sounds to rate, from a folder for each system",
    "abx": "make sheets of triplets: which of two systems is closer to the reference",
    "table": "evaluate the answers of a test: Tables 2.2, 3.2, 3.3 or the ABX share",
    "page": "write an index.html with a player for each system and track",
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of ``listening``."""
    parser.add_argument("action", choices=list(ACTIONS), help="; ".join(f"{k}: {v}" for k, v in ACTIONS.items()))
    parser.add_argument(
        "folders",
        metavar="FOLDER",
        nargs="+",
        type=Path,
        help="a folder for each system, with equal file names; table: the folder of the test",
    )
    parser.add_argument("-o", "--output", type=Path, help="folder of the test or of the page to write")
    parser.add_argument("--reference", metavar="NAME", help="abx: the system that is X (default: the first)")
    parser.add_argument("--participants", type=positive_int, default=1, help="number of sheets to make (default: %(default)s)")
    parser.add_argument("--trials", type=positive_int, help="trials on each sheet, drawn at random (default: all)")
    parser.add_argument(
        "--extract",
        type=positive_float,
        metavar="S",
        help="take only S seconds of each track, where the first system is loudest",
    )
    parser.add_argument("--instructions", default="", help="sentence that the listener reads")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--title", default="Listen and compare", help="title of the page")
    parser.add_argument("--no-pictures", action="store_true", help="page: without mel spectrograms")
    parser.add_argument(
        "--keep-loudspeakers", action="store_true", help="table: also count answers given without headphones"
    )
    parser.add_argument("--json", action="store_true", help="table: print as JSON")


def run(args: argparse.Namespace) -> int:
    """Do one of ``ACTIONS``."""
    {"mos": _make, "abx": _make, "table": _table, "page": _page}[args.action](args)
    return 0


def _say(text: str) -> None:
    print(text, file=sys.stderr)


def _output(args: argparse.Namespace) -> Path:
    if args.output is None:
        raise StemplayError(f"listening {args.action} needs a folder to write to: give it with --output FOLDER.")
    return Path(args.output)


def _make(args: argparse.Namespace) -> None:
    from training.listening.folders import read_systems
    from training.listening.sheets import Plan, make_abx, make_mos

    output, systems = _output(args), read_systems(args.folders)
    plan = Plan(args.participants, args.trials or 0, args.seed, args.extract or 0.0, args.instructions)
    if args.action == "abx":
        trials = make_abx(systems, args.reference or systems.names[0], output, plan, _say)
    else:
        trials = make_mos(systems, output, plan, _say)
    print(f"{output}: {args.participants} sheets of {trials} trials; open it on the window's page Listening tests.")


def _table(args: argparse.Namespace) -> None:
    from training.listening.answers import read_answers
    from training.listening.tables import Report

    if len(args.folders) > 1:
        raise StemplayError("listening table takes one folder, that of the test.")
    report = Report(read_answers(args.folders[0], args.keep_loudspeakers))
    print(json.dumps(report.to_dict(), ensure_ascii=False) if args.json else report.text())


def _page(args: argparse.Namespace) -> None:
    from training.listening.folders import read_systems
    from training.listening.page import write_page

    output, systems = _output(args), read_systems(args.folders, least=1)
    page = write_page(systems, output, args.title, pictures=not args.no_pictures, say=lambda name: _say(f"  {name}"))
    print(f"{page}: {len(systems.items)} sounds of each of {len(systems.names)} systems.")
