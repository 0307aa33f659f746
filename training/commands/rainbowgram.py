"""``python -m training rainbowgram A.wav [B.wav ...] -o OUT.png``: draw rainbowgrams of sounds (thesis Fig. 1.1 and 2.2)."""

from __future__ import annotations

import argparse
from pathlib import Path

from rtaudio.audio.format import StemplayError
from training.data.notes import RATE
from training.data.sounds import read_mono

HELP = "draw sounds side by side: brightness is loudness, height is pitch, colour is the drift of the phase"
LONGEST = 60.0


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of ``rainbowgram``."""
    parser.add_argument(
        "sounds", metavar="SOUND", nargs="+", type=Path, help="sound files; the first sets the brightness"
    )
    parser.add_argument("-o", "--output", type=Path, required=True, metavar="PNG")


def run(args: argparse.Namespace) -> int:
    """Draw."""
    from training.sing.tables import draw_rainbowgrams

    panels = {}
    for path in args.sounds:
        wav = read_mono(path, RATE)
        if not 0.1 <= len(wav) / RATE <= LONGEST:
            raise StemplayError(f"{path} lasts {len(wav) / RATE:.2f} s; a picture can show 0.1 to {LONGEST:.0f} s.")
        panels[path.stem] = wav
    draw_rainbowgrams(args.output, panels)
    print(f"{args.output}: {len(panels)} panels")
    return 0
