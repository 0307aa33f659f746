"""``python -m training prepare stems|notes``: fill the store that training reads."""

from __future__ import annotations

import argparse
from pathlib import Path

from rtaudio.audio.format import StemplayError
from training.cli import positive_float, positive_int
from training.data.folder import read_mapping
from training.data.jobs import SINGER_OF, SOURCES_OF, Options, find_soundfonts
from training.data.prepare import prepare, prepare_synthetic

HELP = (
    "stems: decode stem files and singing, and render MIDI songs; notes: record instruments note by note from soundfonts or an NSynth"
    " folder. Both are written as memory-mapped arrays; existing ones are kept"
)
ROOT = Path(__file__).resolve().parents[2]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of ``prepare``."""
    parser.add_argument("what", choices=["stems", "notes"], help="what to prepare")
    parser.add_argument("--data", type=Path, default=ROOT.parent / "shared" / "data", help="folder of the raw data")
    parser.add_argument(
        "-o", "--output", type=Path, help="folder of the store (default: data/, with --tiny data-tiny/)"
    )
    _add_note_arguments(parser.add_argument_group("notes"))
    parser.add_argument("--only", metavar="A,B", help=f"prepare only these collections, of {', '.join(SOURCES_OF)}")
    parser.add_argument(
        "--soundfont", type=Path, action="append", help="soundfont to render with; may be repeated (default: the installed ones)"
    )
    parser.add_argument("--takes", type=positive_int, default=2, help="number of renderings of each song (default: %(default)s)")
    parser.add_argument(
        "--song-seconds", type=positive_float, default=100.0, help="length of each rendering (default: %(default)s)"
    )
    parser.add_argument(
        "--grooves", type=positive_int, default=240, help="number of drum performances to render (default: %(default)s)"
    )
    parser.add_argument(
        "--backing",
        type=positive_int,
        default=120,
        help="number of backing tracks made by mma, if it is installed (default: %(default)s)",
    )
    parser.add_argument(
        "--singers",
        default="makam",
        metavar="A,B",
        help="folders of voice/ that sing to backing tracks (default: %(default)s)",
    )
    parser.add_argument(
        "--musdb", type=Path, metavar="ROOT", help="MUSDB18 or MUSDB18-HQ, instead of its previews in --data"
    )
    parser.add_argument("--stems", type=Path, metavar="FOLDER", help="more songs to train on: one folder of stems for each song")
    parser.add_argument(
        "--mapping", type=Path, metavar="FILE", help="with --stems: TOML or JSON file that maps patterns of file names to sources"
    )
    parser.add_argument(
        "--packages",
        type=Path,
        default=Path("/"),
        metavar="ROOT",
        help="where Debian's packages with speech and noises are installed, or a folder that they were unpacked into (default: /)",
    )
    parser.add_argument("--workers", type=positive_int, default=2, help="number of processes (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument(
        "--tiny",
        action="store_true",
        help="make a few synthetic songs, or notes of a few pitches, in seconds and without any data",
    )


def _add_note_arguments(group: argparse._ArgumentGroup) -> None:
    group.add_argument(
        "--programs", type=numbers, default=tuple(range(112)), metavar="0,4,40-47", help="General MIDI programs, from 0"
    )
    group.add_argument(
        "--pitches",
        type=numbers,
        default=tuple(range(21, 109)),
        metavar="LOW-HIGH",
        help="MIDI pitches (default: 21-108)",
    )
    group.add_argument(
        "--nsynth", type=Path, help="take the notes of a folder in NSynth's layout, instead of soundfonts"
    )
    group.add_argument("--synthetic", action="store_true", help="make notes from formulas instead, to try things with")
    group.add_argument("--split", type=Path, help="hold out the pitches that this split.json lists")
    group.add_argument(
        "--wav", type=Path, metavar="FOLDER", help="also write the notes to this folder in NSynth's own layout, for other programs"
    )


def numbers(text: str) -> tuple[int, ...]:
    """An argument type: numbers and ranges of 0 to 127, such as ``0,4,40-47``."""
    found: set[int] = set()
    for part in text.split(","):
        low, _, high = part.partition("-")
        found.update(range(int(low), int(high or low) + 1))
    if not found or min(found) < 0 or max(found) > 127:
        raise argparse.ArgumentTypeError(f"{text} is not a list of numbers and ranges from 0 to 127")
    return tuple(sorted(found))


def run_notes(args: argparse.Namespace) -> int:
    """Record notes and print a summary."""
    from training.data import notes

    if args.tiny:
        voices = notes.synthetic_voices(tuple(range(57, 69)))
    elif args.synthetic:
        voices = notes.synthetic_voices(args.pitches)
    elif args.nsynth:
        voices = notes.nsynth_voices(args.nsynth)
    else:
        fonts = list(args.soundfont or find_soundfonts()[:1])
        if not fonts:
            raise StemplayError("There is no soundfont: install a General MIDI soundfont, or name one with --soundfont.")
        voices = notes.soundfont_voices(fonts, args.programs, args.pitches)
    split = notes.read_split(args.split) if args.split else None
    manifest = notes.prepare_notes(
        voices, args.output, workers=args.workers, seed=args.seed, split=split, also=args.wav
    )
    print(f"{len(manifest['instruments'])} instruments from {', '.join(manifest['sources'])} in {args.output}")
    if args.wav:
        print(f"{notes.write_nsynth(args.output, args.wav)} notes in NSynth's layout in {args.wav}")
    return 0


def run(args: argparse.Namespace) -> int:
    """Prepare stems and print a summary."""
    args.output = args.output or Path("data-tiny" if args.tiny else "data")
    if args.what == "notes":
        return run_notes(args)
    if args.tiny:
        manifest = prepare_synthetic(args.output, args.seed)
        print(f"{len(manifest.items)} synthetic songs, {manifest.seconds:.0f} s, in {args.output}")
        return 0
    names = tuple(args.only.split(",")) if args.only else tuple(SOURCES_OF)
    unknown = [name for name in names if name not in SOURCES_OF]
    if unknown:
        raise StemplayError(f"There is no collection {unknown[0]!r}; choose from {', '.join(SOURCES_OF)}.")
    fonts = tuple(args.soundfont) if args.soundfont else find_soundfonts()
    missing = [font for font in fonts if not font.is_file()]
    if missing:
        raise StemplayError(f"There is no soundfont {missing[0]}.")
    singers = tuple(args.singers.split(","))
    if unknown := [singer for singer in singers if singer not in SINGER_OF]:
        raise StemplayError(f"There are no singers {unknown[0]!r}; choose from {', '.join(SINGER_OF)}.")
    options = Options(
        args.data, args.output, fonts, args.takes, args.song_seconds, args.grooves, args.backing, singers,
        args.musdb, args.stems, read_mapping(args.mapping) if args.mapping else None, args.workers, args.seed,
        args.packages,
    )  # fmt: skip
    if not prepare(options, names):
        raise StemplayError(f"There is nothing to prepare in {args.data}.")
    return 0
