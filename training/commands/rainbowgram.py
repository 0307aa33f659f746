"""``python -m training rainbowgram A.wav [B.wav ...] -o OUT.png``: what sounds look like (thesis Fig. 1.1 and 2.2)."""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import soundfile
import soxr

from rtaudio.format import StemplayError
from training.data.notes import RATE

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
    from training.sing_tables import draw_rainbowgrams

    panels = {}
    for path in args.sounds:
        try:
            wav, rate = soundfile.read(path, dtype="float32", always_2d=True, frames=-1)
        except (OSError, soundfile.LibsndfileError) as error:
            raise StemplayError(f"{path} cannot be read as sound: {error}.") from None
        if not 0.1 <= len(wav) / rate <= LONGEST:
            raise StemplayError(f"{path} lasts {len(wav) / rate:.2f} s; a picture shows .1 to {LONGEST:.0f} s.")
        panels[path.stem] = soxr.resample(wav.mean(1), rate, RATE).astype(np.float32)
    draw_rainbowgrams(args.output, panels)
    print(f"{args.output}: {len(panels)} panels")
    return 0
