"""``python -m rtaudio analyse SONG``: tempo, beats, bars, key and chords of a song."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from rtaudio.cli.progress import progress_bar
from rtaudio.files.song_key import song_key
from rtaudio.music.song_map import find_in_file
from rtaudio.music.store import default_folder, load_map, save_map
from rtaudio.protocol.song_map import SongMap, chord_text, to_json

NAME = "analyse"
HELP = "Print tempo, key, bars and chords of a song."
PARTS = 1000
"""Steps of the progress bar."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of ``analyse``."""
    parser.add_argument("song", metavar="SONG", help="a sound file")
    parser.add_argument("--again", action="store_true", help="look through the song again, though its map is known")
    parser.add_argument("--json", action="store_true", help="print everything as JSON: beats, bars, key, chords")


def run(args: argparse.Namespace) -> int:
    """Print what is found."""
    found = map_of(args.song, quiet=args.json, again=args.again)
    if args.json:
        print(json.dumps({**to_json(found), "downbeats": found.downbeats}, ensure_ascii=False))
        return 0
    print(f"{Path(args.song).name}: {summary(found)}")
    for line in chart(found):
        print(line)
    return 0


def map_of(path: str, *, quiet: bool, again: bool = False) -> SongMap:
    """The map of a song, found now or kept from before. Raises StemplayError."""
    key, folder = song_key(path), default_folder()
    known = None if again else load_map(key, folder)
    if known is not None:
        return known
    with progress_bar(quiet) as progress:
        found = find_in_file(path, (lambda share: progress(round(share * PARTS), PARTS)) if progress is not None else lambda _: None)
    save_map(key, found, folder)
    return found


def summary(found: SongMap) -> str:
    """``120.0 BPM, 4 beats a bar, A minor, 96 beats in 24 bars.``"""
    if not found.beats and not found.key:
        return "no beats and no key were found."
    tempo = f"{found.bpm:.1f} BPM{'' if found.steady else ' on average'}, {found.metre} beats a bar" if found.beats else "no beats"
    bars = f"{len(found.beats)} beats in {len(found.downbeats)} bars" if found.beats else f"{found.seconds:.0f} s"
    return f"{tempo}, {found.key or 'no key'}, {bars}."


def chart(found: SongMap, across: int = 4) -> list[str]:
    """The chords of the song, ``across`` bars in a line, each with the time of its first bar."""
    starts = found.downbeats
    lines = []
    for first in range(0, len(starts), across):
        row = starts[first : first + across]
        cells = [_bar(found, start, starts[first + k + 1] if first + k + 1 < len(starts) else found.seconds) for k, start in enumerate(row)]
        lines.append(f"{int(row[0] // 60)}:{row[0] % 60:04.1f}  " + " | ".join(f"{cell:<12}" for cell in cells).rstrip())
    return lines


def _bar(found: SongMap, start: float, end: float) -> str:
    """The chords that sound in a bar."""
    names: list[str] = []
    for chord_start, chord_end, name in found.chords:
        if min(end, chord_end) - max(start, chord_start) > 0.1:
            names.append(chord_text(name) or "-")
    return " ".join(names) or "-"
