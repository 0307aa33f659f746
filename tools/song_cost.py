"""What it costs to separate a song on this machine, in each format; docs/many-songs.md is about it.

``python tools/song_cost.py [SONG] [--formats wav,flac,...]`` separates the song once for each format, in a process of its own as
``separate --jobs`` does, and prints Markdown for songs of four minutes: the start of a process, plus the rest in proportion to the length.
Seconds are those of a core (user and system time, which Windows does not tell of children), so other programs matter little. ``SONG`` is
what soundfile reads, longer than some seconds.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import soundfile

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from rtaudio.files.stem_output import FORMATS  # noqa: E402

MINUTES = 4.0
"""Length of the songs that the table is about."""
SONGS = 100_000


SHORT_S = 2.0
"""A second, shorter piece of the song, by which the start of a process is told from the rest."""


def separate(song: Path, format: str, more: list[str]) -> tuple[float, float, float]:
    """Separate it. Returns the seconds of a core that it took, the bytes written, and its length in seconds."""
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "rtaudio", "separate", str(song), "-o", folder, "--format", format, "--json", "--quiet", *more]
        before = os.times()
        done = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True)
        after = os.times()
        facts = json.loads(done.stdout)
        size = sum(path.stat().st_size for path in Path(folder).rglob("*") if path.is_file())
        taken = after.children_user + after.children_system - before.children_user - before.children_system
        return taken, float(size), facts["frames"] / facts["rate"]


def measure(song: Path, short: Path, format: str, more: list[str]) -> tuple[float, float, float]:
    """Seconds of a core for the start, and for a second of sound; bytes for a second of sound."""
    (quick, _, brief), (long, size, length) = separate(short, format, more), separate(song, format, more)
    pace = (long - quick) / (length - brief)
    return quick - pace * brief, pace, size / length


def row(name: str, measured: tuple[float, float, float]) -> str:
    """A line of the table."""
    start, pace, size = measured
    seconds, megabytes = start + pace * MINUTES * 60, size * MINUTES * 60 / 1e6
    hours, terabytes = seconds * SONGS / 3600, megabytes * SONGS / 1e6
    return f"| {name} | {start:.1f} | {pace:.3f} | {seconds:.0f} | {hours:,.0f} | {megabytes:,.0f} | {terabytes:,.1f} |"


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("song", nargs="?", type=Path, default=ROOT / "demo" / "kimseye.ogg")
    parser.add_argument("--formats", default=",".join(FORMATS), help="(default: %(default)s)")
    parser.add_argument("--model", help="(default: the best by its card)")
    args = parser.parse_args()
    model = ["--model", args.model] if args.model else []
    print("| format | start of a process, s | s for a second of sound | s a song | core-hours | MB a song | TB in all |")
    print("|---|---|---|---|---|---|---|")
    first, *_ = formats = args.formats.split(",")
    with tempfile.TemporaryDirectory() as folder:
        short = Path(folder) / "short.wav"
        with soundfile.SoundFile(args.song) as sound:
            soundfile.write(short, sound.read(round(SHORT_S * sound.samplerate)), sound.samplerate)
        for format in formats:
            print(row(f"`{format}`", measure(args.song, short, format, model)), flush=True)
        print(row(f"`{first}`, `--no-refine`", measure(args.song, short, first, [*model, "--no-refine"])))


if __name__ == "__main__":
    main()
