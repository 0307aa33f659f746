"""``python -m rtaudio project SONG``: stems, and a project of them for REAPER and for programs that read DAWproject."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

from models.catalog import best_separator
from models.names import is_stem_file, song_name
from rtaudio.audio.format import SOURCES, StemplayError
from rtaudio.cli.live_options import add_strip_options, pairs, read_number, set_strips
from rtaudio.cli.progress import progress_bar
from rtaudio.files.offline import separate_file
from rtaudio.jobs.project import FORMATS, KINDS, ProjectPlan, write_projects
from rtaudio.protocol.checks import stem_names
from rtaudio.protocol.settings import MixerState, StemState

NAME = "project"
HELP = "Separate a song, and write its stems, levels and markers as a project for REAPER, Bitwig, Cubase, Studio One and others."


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of ``project``."""
    parser.add_argument("song", metavar="SONG", help="a sound file; a stem file gives its own stems")
    parser.add_argument("-o", "--output", metavar="DIR", help="folder for stems and project (default: separated/SONG/)")
    parser.add_argument(
        "--for", dest="kinds", metavar="A,B", default=",".join(KINDS),
        help="reaper (.rpp), dawproject (.dawproject, with the stems inside) or both (default: %(default)s)",
    )  # fmt: skip
    parser.add_argument("--model", metavar="NAME", help=f"an installed model or a directory (default: {best_separator()})")
    parser.add_argument("--format", choices=FORMATS, default=FORMATS[0], help="of the stems (default: %(default)s)")
    parser.add_argument("--no-refine", action="store_true", help="do not refine the stems: faster, like live separation")
    add_strip_options(parser)
    parser.add_argument(
        "--tempo", action="append", default=[], metavar="BPM",
        help="beats a minute; or SECONDS=BPM, repeated, for a tempo that changes (default: unknown, 120 is written)",
    )  # fmt: skip
    parser.add_argument("--marker", action="append", default=[], metavar="SECONDS=NAME", help="a marker; may be repeated")
    parser.add_argument("--quiet", action="store_true", help="no progress bar")
    parser.add_argument("--json", action="store_true", help="print the results as JSON")


def run(args: argparse.Namespace) -> int:
    """Separate, write the project and print where it is."""
    if args.output == "":
        raise StemplayError("--output takes a folder, not ''.")
    own = args.model is None and is_stem_file(args.song)
    model = None if own else best_separator() if args.model is None else args.model
    stems = SOURCES if model is None else stem_names(model)
    mixer = MixerState(stems={name: StemState() for name in stems})
    set_strips(args, mixer, args.song if model is None else model)
    kinds = list(dict.fromkeys(name.strip() for name in args.kinds.split(",")))
    plan = ProjectPlan(kinds, mixer, [_tempo(text) for text in args.tempo], _markers(args.marker))
    plan.check(args.format)
    folder = Path(args.output) if args.output is not None else Path("separated") / song_name(args.song)
    with progress_bar(args.quiet) as progress:
        result = separate_file(args.song, folder, model, format=args.format, refine=not args.no_refine, progress=progress)
    files, notes = write_projects(result, args.song, folder, plan)
    for sentence in [*result.warnings, *notes]:
        print(sentence, file=sys.stderr)
    if args.json:
        made = {name: str(path) for name, path in (result.files | files).items()}
        print(json.dumps({"files": made, "seconds": round(result.seconds, 3), "notes": [*result.warnings, *notes]}, ensure_ascii=False))
        return 0
    for path in files.values():
        print(path)
    return 0


def _tempo(text: str) -> tuple[float, float]:
    if "=" not in text:
        return 0.0, read_number(text, "--tempo", "beats a minute")
    ((seconds, bpm),) = pairs([text], "--tempo", "128", "30")
    return read_number(seconds, "The time of a tempo", "seconds"), read_number(bpm, "--tempo", "beats a minute")


def _markers(texts: list[str]) -> list[tuple[float, str]]:
    return [(read_number(seconds, "The time of a marker", "seconds"), name) for seconds, name in pairs(texts, "--marker", "Chorus", "32.5")]
