"""``python -m training f0 SOUND SONG.mid``: how far the pitch of each note of a rendered song is from its key."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from rtaudio.audio.format import StemplayError
from training.cli import positive_float

HELP = "measure how far each note of a rendered song is from its score, in cents; chords too"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of ``f0``."""
    parser.add_argument("sound", metavar="SOUND", type=Path, help="the rendered song")
    parser.add_argument("song", metavar="SONG", type=Path, help="its MIDI file")
    parser.add_argument(
        "--aim",
        type=positive_float,
        metavar="CENTS",
        help="exit with code 1 if the median error is larger or a note is not heard",
    )
    parser.add_argument("--json", action="store_true", help="print all notes as JSON")


def run(args: argparse.Namespace) -> int:
    """Measure and print."""
    from training.data.notes import RATE
    from training.data.sounds import read_mono
    from training.sing.song_pitch import listen, score_notes, summary

    notes = score_notes(args.song)
    found = listen(read_mono(args.sound, RATE), notes)
    if not found:
        raise StemplayError(f"{args.sound} has no note of {args.song} long enough to be measured.")
    facts = summary(found)
    if args.json:
        rows = [
            {"time": h.note.time, "channel": h.note.channel, "pitch": h.note.pitch, "cents": h.cents, "share": h.share}
            for h in found
        ]
        print(json.dumps(facts | {"rows": rows}))
    else:
        worst = max(found, key=lambda heard: abs(heard.cents))
        print(
            f"{facts['notes']} of {len(notes)} notes measured, {facts['unheard']} of them not heard: median error "
            f"{facts['median_cents']:.1f} cents, {100 * facts['within_10_cents']:.0f} % within 10, the worst {worst.cents:+.1f} "
            f"(pitch {worst.note.pitch} at {worst.note.time:.2f} s)."
        )
    return 1 if args.aim is not None and (facts["median_cents"] > args.aim or facts["unheard"]) else 0
