"""``python -m rtaudio separate SONG ...``: one file for each stem, of one song or of many."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator
from pathlib import Path

from models.catalog import best_separator
from models.names import is_dir, is_stem_file, song_name
from rtaudio.audio.format import SOURCES, StemplayError
from rtaudio.cli.control_options import read_key, read_speed
from rtaudio.cli.inserts import add_insert_option, parse_inserts
from rtaudio.cli.progress import progress_bar
from rtaudio.cli.separate_many import separate_many
from rtaudio.files.offline import INTEGER_FORMATS, LOSSY_FORMATS, Separation, check_tempo_and_key, separate_file
from rtaudio.files.stem_output import FORMATS
from rtaudio.protocol.checks import stem_names

NAME = "separate"
MAX_JOBS = 256
HELP = "Separate a song, or many songs, into one file for each stem."


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of ``separate``."""
    parser.add_argument(
        "songs", metavar="SONG", nargs="+", help="sound files of any rate and length, mono or stereo; or folders of them"
    )
    parser.add_argument(
        "-o", "--output", metavar="DIR", help="folder for the stems (default: separated/SONG/); of many songs, for their folders"
    )
    parser.add_argument(
        "--model", metavar="NAME",
        help=f"an installed model or a directory (default: the best by its card, {best_separator()}; for a stem file its own stems)",
    )  # fmt: skip
    parser.add_argument("--stems", metavar="A,B", help="only these stems, separated by commas")
    parser.add_argument(
        "--format", choices=FORMATS, default=FORMATS[0],
        help="wav: 32-bit float, exact (default); flac: 24-bit, rounded and clipped at full scale; mp3, opus: small, lossy; stem.mp4: one "
        "file with mix and stems for DJ programs (AAC; alac.stem.mp4: lossless)",
    )  # fmt: skip
    parser.add_argument(
        "--no-consistent",
        action="store_true",
        help="do not divide the residual among the stems (they need not sum to the song)",
    )
    parser.add_argument(
        "--no-refine",
        action="store_true",
        help="do not refine the stems by their own spectra: faster, like live separation",
    )
    parser.add_argument(
        "--strict",
        action="store_true",
        help="refuse a damaged song instead of separating what can be read",
    )
    add_insert_option(parser, "a stem")
    parser.add_argument("--tempo", type=read_speed, default=1.0, metavar="X", help="tempo of the stems: 75%% or 0.75 (50%% to 150%%)")
    parser.add_argument(
        "--key", type=read_key, default=0.0, metavar="N", help="transpose by semitones, -12 to +12; the drums keep their pitch"
    )
    many = parser.add_argument_group("many songs")
    many.add_argument("--jobs", type=int, metavar="N", help="songs at a time (default: 1)")
    many.add_argument(
        "--scheduler", metavar="ADDRESS",
        help="separate on the workers of a Dask scheduler, such as tcp://10.0.0.1:8786; songs and DIR are on a file system that all share",
    )  # fmt: skip
    many.add_argument("--again", action="store_true", help="also separate songs whose stems are there already")
    parser.add_argument("--quiet", action="store_true", help="no progress bar")
    parser.add_argument("--json", action="store_true", help="print the results as JSON")


def run(args: argparse.Namespace) -> int:
    """Separate and print where the stems are."""
    if args.output == "":
        raise StemplayError("--output takes a folder, not ''.")
    model = best_separator() if args.model is None else args.model
    own = args.model is None and len(args.songs) == 1 and is_stem_file(args.songs[0])
    known = SOURCES if own else stem_names(model)
    wanted = [name.strip() for name in args.stems.split(",")] if args.stems is not None else list(known)
    check_tempo_and_key(args.tempo, args.key)
    args.inserts = parse_inserts(args.insert, tuple(wanted))
    if args.jobs is not None and not 1 <= args.jobs <= MAX_JOBS:
        raise StemplayError(f"--jobs takes 1 to {MAX_JOBS}, not {args.jobs}.")
    if args.jobs is not None and args.scheduler is not None:
        raise StemplayError("--jobs is for this computer; with --scheduler it is the workers' threads that count.")
    if len(args.songs) > 1 or is_dir(args.songs[0]) or args.scheduler is not None:
        return separate_many(args)
    song = Path(args.songs[0])
    directory = Path(args.output) if args.output is not None else Path("separated") / song_name(song)
    stems = [name.strip() for name in args.stems.split(",")] if args.stems is not None else None
    with progress_bar(args.quiet) as progress:
        result = separate_file(
            song,
            directory,
            None if own else model,
            stems=stems,
            format=args.format,
            consistent=not args.no_consistent,
            refine=not args.no_refine,
            strict=args.strict,
            inserts=args.inserts,
            tempo=args.tempo,
            key=args.key,
            progress=progress,
        )
    for sentence in result.warnings:
        print(sentence, file=sys.stderr)
    if args.json:
        print(json.dumps({"model": None if own else model} | facts(result, args.format), ensure_ascii=False))
        return 0
    for path in result.files.values():
        print(path)
    duration = result.frames / result.rate
    maker = "from the file's own stems" if own else f"by {model}"
    print(f"{duration:.1f} s of sound {maker} in {result.seconds:.1f} s (RTF {result.rtf:.3f}).")
    for sentence in rounding(result, args.format):
        print(sentence)
    return 0


def facts(result: Separation, format: str) -> dict[str, object]:
    """The dictionary that ``--json`` prints."""
    return {
        "rate": result.rate,
        "channels": result.channels,
        "frames": result.frames,
        "latency_samples": result.latency,
        "seconds": round(result.seconds, 3),
        "rtf": round(result.rtf, 4),
        "files": {name: str(path) for name, path in result.files.items()},
        "format": format,
        "bits": INTEGER_FORMATS.get(format, None if format in LOSSY_FORMATS else 32),
        "clipped_samples": result.clipped,
        "notes": [*result.warnings, *rounding(result, format)],
    }


def rounding(result: Separation, format: str) -> Iterator[str]:
    """Sentences about what a format does not keep."""
    if format in LOSSY_FORMATS:
        yield f"{LOSSY_FORMATS[format]} is lossy: the stems sum to the song only nearly. Use --format wav or flac to keep every sample."
    if format not in INTEGER_FORMATS:
        return
    bits = INTEGER_FORMATS[format]
    yield f"{format.split('.')[0].upper()} rounds to {bits} bits: each sample of a stem is off by at most 2^-{bits} of full scale."
    clipped = {name: count for name, count in result.clipped.items() if count}
    if clipped:
        text = ", ".join(f"{name} {count}" for name, count in clipped.items())
        yield f"Samples clipped at full scale: {text}. Use --format wav to keep them."
