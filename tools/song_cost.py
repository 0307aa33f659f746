"""What it costs to separate a song on this machine, in each format: the table of docs/many-songs.md.

``python tools/song_cost.py [SONG] [--formats wav,flac,...]`` separates the song once for each format, in a process of its own as
``separate --jobs`` does, and prints Markdown for songs of four minutes: the start of a process, plus the rest in proportion to the length.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from rtaudio.files.stem_output import FORMATS  # noqa: E402

MINUTES = 4.0
"""Length of the songs that the table is about."""
SONGS = 100_000


def measure(song: Path, format: str, more: list[str]) -> tuple[float, float, float, float]:
    """Seconds of the start, seconds and bytes for a second of sound, and the song's length in seconds."""
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "rtaudio", "separate", str(song), "-o", folder, "--format", format, "--json", "--quiet", *more]
        began = time.perf_counter()
        done = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True)
        wall = time.perf_counter() - began
        facts = json.loads(done.stdout)
        length = facts["frames"] / facts["rate"]
        size = sum(path.stat().st_size for path in Path(folder).rglob("*") if path.is_file())
        return wall - facts["seconds"], facts["seconds"] / length, size / length, length


def row(name: str, measured: tuple[float, float, float, float]) -> str:
    """A line of the table."""
    start, pace, size, _ = measured
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
    for format in args.formats.split(","):
        print(row(f"`{format}`", measure(args.song, format, model)), flush=True)
    first = args.formats.split(",")[0]
    print(row(f"`{first}`, `--no-refine`", measure(args.song, first, [*model, "--no-refine"])))


if __name__ == "__main__":
    main()
