"""The options of ``python -m rtaudio bench``. An invalid option is reported in one sentence."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path

from rtaudio.audio.format import StemplayError
from rtaudio.bench import live, table
from rtaudio.bench.timing import ROUNDS
from rtaudio.protocol.settings import DEFAULT_MODEL, MAX_LOOK_AHEAD

LARGEST_BLOCK = 8192
"""JACK's."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of ``bench``."""
    parser.add_argument("model", metavar="MODEL", nargs="*", help="names or directories of models (default: all installed ones)")
    timing = parser.add_argument_group("timing")
    timing.add_argument(
        "--seconds", type=_seconds, default=3.0, metavar="N", help="length of a round of each timing (default: %(default)s)"
    )
    timing.add_argument(
        "--rounds", type=_whole(1, 1000), default=ROUNDS, metavar="K",
        help="maximum number of rounds; stops when the p99 of the last three agree within 10 %% (default: %(default)s)",
    )  # fmt: skip
    timing.add_argument(
        "--models-dir", metavar="DIR", type=Path,
        help="directory of networks made for timing only (default: the cache; made there once if torch is installed)",
    )  # fmt: skip
    timing.add_argument(
        "--peers", action="store_true", help="also time other packages that are installed (needs torch)"
    )
    other = parser.add_argument_group("instead of models")
    other.add_argument("--starts", action="store_true", help="time cold starts: a command, the first sound, the window")
    other.add_argument(
        "--fresh", action="store_true", help="with --starts: also a fresh clone and make run in it (loads packages)"
    )
    other.add_argument(
        "--callback", action="store_true",
        help="measure the audio callback: allocations, times, waits for the interpreter; for --live-seconds (3600: an hour)",
    )  # fmt: skip
    other.add_argument(
        "--inserts", action="store_true",
        help="measure what effects and plugins cost per block; MODEL then names plugins to measure beside the built-in effects",
    )  # fmt: skip
    other.add_argument(
        "--tempo", action="store_true", help="measure what another tempo and key of a song cost beside the separator (MODEL: one)"
    )
    _add_playing(parser.add_argument_group("playing"))
    results = parser.add_argument_group("results")
    results.add_argument("--json", action="store_true", help="print the numbers as JSON")
    results.add_argument("--save", type=Path, metavar="FILE", help="write the numbers as JSON to a file")
    results.add_argument("--compare", type=Path, metavar="FILE", help="compare with an earlier run's JSON")
    results.add_argument(
        "--full",
        action="store_true",
        help="measure the shipped models, other packages and --live in one run: everything that the README shows",
    )
    results.add_argument(
        "--table", type=Path, metavar="FILE", help="do not measure, but print the README's tables from a JSON file"
    )
    results.add_argument(
        "--into", type=Path, metavar="PAGE", help="write the README's tables into this page"
    )


def _add_playing(playing: argparse._ArgumentGroup) -> None:
    playing.add_argument(
        "--live", action="store_true", help="play separators on a private JACK server and count missed blocks"
    )
    playing.add_argument(
        "--blocks",
        type=_list(1, LARGEST_BLOCK),
        default=live.BLOCKS,
        metavar="A,B",
        help="block sizes in frames (default: 16 to 4096)",
    )
    playing.add_argument(
        "--rates", type=_list(8000, 384_000), default=live.RATES, metavar="A,B", help="sample rates in Hz (default: 44100)"
    )
    playing.add_argument(
        "--live-seconds", type=_seconds, default=live.SECONDS, metavar="N", help="length of each run (default: %(default)s)"
    )
    playing.add_argument(
        "--look-ahead", type=_look_ahead, default=live.LOOK_AHEAD, metavar="MS",
        help=f"also play {DEFAULT_MODEL} refined with this look-ahead; 0: do not (default: %(default)s)",
    )  # fmt: skip
    playing.add_argument("--song", type=Path, default=live.SONG, metavar="FILE", help="song to play (default: the demo song)")


def _seconds(text: str) -> float:
    value = _number(text)
    if not 0 < value <= 3600:
        raise argparse.ArgumentTypeError(f"{text} is not between 0 and 3600 seconds")
    return value


def _look_ahead(text: str) -> float:
    value = _number(text)
    if not 0 <= value <= MAX_LOOK_AHEAD:
        raise argparse.ArgumentTypeError(f"{text} is not between 0 and {MAX_LOOK_AHEAD} ms")
    return value


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number") from None


def _whole(least: int, most: int) -> Callable[[str], int]:
    def parse(text: str) -> int:
        try:
            value = int(text)
        except ValueError:
            raise argparse.ArgumentTypeError(f"{text!r} is not a whole number") from None
        if not least <= value <= most:
            raise argparse.ArgumentTypeError(f"{value} is not between {least} and {most}")
        return value

    return parse


def _list(least: int, most: int) -> Callable[[str], tuple[int, ...]]:
    one = _whole(least, most)
    return lambda text: tuple(dict.fromkeys(one(part) for part in text.split(",")))


def check(args: argparse.Namespace) -> None:
    """Check before measuring that the results can be written. Raises StemplayError."""
    if args.save and not args.save.absolute().parent.is_dir():
        raise StemplayError(f"There is no folder {str(args.save.parent)!r} to save the result in.")
    if args.into:
        table.split(args.into)
