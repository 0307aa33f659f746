"""``python -m training score-songs``: how well beats, bars, tempo, key and chords are found, on rendered songs in which they are known."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any

from rtaudio.audio.format import StemplayError
from training.data.known_songs import RECIPES, render_song
from training.metrics.song_maps import FINDERS, HEADINGS, Score, mean, score_song

HELP = "score what finds beats, bars, key and chords, on rendered songs"
SOUNDFONT = Path("/usr/share/sounds/sf2/FluidR3_GM.sf2")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    names = ", ".join(FINDERS)
    parser.add_argument("--with", dest="finders", action="append", default=[], metavar="NAME", help=f"{names} (default: stemplay)")
    parser.add_argument("--soundfont", type=Path, default=SOUNDFONT, metavar="FILE", help="General MIDI soundfont (default: %(default)s)")
    parser.add_argument("--songs", type=int, default=len(RECIPES), metavar="N", help="how many of the songs (default: all %(default)s)")
    parser.add_argument("--each", action="store_true", help="a row for each song, too")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the scores there")


def run(args: argparse.Namespace) -> int:
    finders = args.finders or ["stemplay"]
    unknown = [name for name in finders if name not in FINDERS]
    if unknown:
        raise StemplayError(f"There is no {unknown[0]!r} to score; choose from {', '.join(FINDERS)}.")
    if not 1 <= args.songs <= len(RECIPES):
        raise StemplayError(f"There are {len(RECIPES)} songs, not {args.songs}.")
    scores: dict[str, list[tuple[str, Score]]] = {name: [] for name in finders}
    for number, recipe in enumerate(RECIPES[: args.songs], 1):
        song = render_song(recipe, args.soundfont)
        print(f"{number} of {args.songs}: {recipe.name}", file=sys.stderr, flush=True)
        for name in finders:
            scores[name].append((recipe.name, score_song(FINDERS[name](song.samples), song)))
    print(table(scores, args.each))
    if args.json:
        facts: dict[str, Any] = {name: {song: score.__dict__ for song, score in rows} for name, rows in scores.items()}
        args.json.write_text(json.dumps(facts, indent=1) + "\n", encoding="utf-8")
    return 0


def table(scores: dict[str, list[tuple[str, Score]]], each: bool = False) -> str:
    """A table in Markdown: a row for each finder with the means over the songs, and if wanted for each song."""
    lines = ["| | " + " | ".join(HEADINGS) + " |", "|---|" + "---|" * len(HEADINGS)]
    for name, rows in scores.items():
        lines += [f"| {song}, {name} | {score.cells()} |" for song, score in rows if each]
        lines.append(f"| {name}, mean of {len(rows)} songs | {mean([score for _, score in rows]).cells()} |")
    return "\n".join(lines)
