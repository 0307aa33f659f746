"""``python -m training evaluate MODEL``: median SDR of each stem, with baselines from the same run."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator
from pathlib import Path

from models.catalog import load_card
from models.network import SPEECH
from rtaudio.format import SOURCES, StemplayError
from training.cli import positive_int
from training.data import folder, speech
from training.data.store import Collection, Stems
from training.data.synthetic import validation_songs
from training.evaluate import METRICS, evaluate, record

HELP = "score an exported model through the player's own code path; choose models on `valid`, only report on `test`"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of ``evaluate``."""
    parser.add_argument("model", metavar="MODEL", help="name of a shipped model, or a directory")
    add_song_arguments(parser)
    parser.add_argument(
        "--metric", choices=list(METRICS), default="global", help="over whole songs, or median of 1 s frames"
    )
    parser.add_argument(
        "--no-consistent", action="store_true", help="score the network's own output, without the shared residual"
    )
    parser.add_argument(
        "--record", metavar="WHAT", help="write the scores into the model's card under this description"
    )
    parser.add_argument("--json", action="store_true", help="print everything as JSON")


def add_song_arguments(parser: argparse.ArgumentParser) -> None:
    """The options that say on which songs."""
    parser.add_argument(
        "--split",
        choices=["valid", "test", "train"],
        default="valid",
        help="of the prepared songs (default: %(default)s)",
    )
    parser.add_argument("--store", type=Path, default=Path("data"), help="prepared data (default: data/)")
    parser.add_argument("--songs", type=Path, help="instead: a folder with one folder of WAV stems a song")
    parser.add_argument("--mapping", type=Path, help="with --songs: JSON file, instrument -> source")
    parser.add_argument("--tiny", action="store_true", help="instead: a few synthetic songs")
    parser.add_argument("--limit", type=positive_int, help="only the first songs")


def run(args: argparse.Namespace) -> int:
    """Evaluate and print the table."""
    card = load_card(args.model)
    about_speech = card.outputs == SPEECH
    songs = list(load_speech(args) if about_speech else load_songs(args))[: args.limit]

    def progress(name: str) -> None:
        print(f"  {name}", file=sys.stderr)

    result = evaluate(
        args.model, songs, sources=card.outputs if about_speech else SOURCES, metric=args.metric,
        rate=speech.RATE if about_speech else 44_100, consistent=not args.no_consistent, progress=progress,
    )  # fmt: skip
    if args.record:
        record(args.model, args.record, result.table["model"])
    what = "residual shared" if result.consistent else "network's own output"
    print(
        json.dumps(result.to_dict())
        if args.json
        else f"{result.text()}\nmedian SDR in dB of {len(songs)} songs; {result.metric}; {what}"
    )
    return 0


def load_speech(args: argparse.Namespace) -> Iterator[tuple[str, Stems]]:
    """``(name, stems)`` of an enhancer's examples: with ``--tiny`` made up, else of the voices kept for validation."""
    if args.songs is not None or args.split != "valid":
        raise StemplayError("An enhancer is scored on the voices that preparing kept for validation, or with --tiny.")
    examples = speech.validation_speech() if args.tiny else speech.stored_validation_speech(args.store)
    yield from ((f"voice {number}", example) for number, example in enumerate(examples))


def load_songs(args: argparse.Namespace) -> Iterator[tuple[str, Stems]]:
    """``(name, stems)`` of the songs that ``--tiny``, ``--songs`` or ``--split`` mean."""
    if args.tiny:
        yield from ((f"synthetic {number}", song) for number, song in enumerate(validation_songs(3)))
    elif args.songs is not None:
        yield from folder.read_songs(args.songs, folder.read_mapping(args.mapping) if args.mapping else None)
    else:
        collection = Collection(args.store / "musdb", (args.split,))
        if not len(collection):
            raise StemplayError(
                f"There are no {args.split} songs in {args.store}: run `python -m training prepare stems` first."
            )
        for index, item in enumerate(collection.items):
            yield item.name, collection.whole(index)
