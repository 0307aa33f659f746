"""Audio examples of a song whose stems are known, as several models separate it; docs/examples/README.md is about them.

``python tools/before_after.py FOLDER LABEL=MODEL... -o OUTPUT`` reads the song's stems (``drums``, ``bass``, ``other``, ``vocals``; what is
missing is silent), separates their sum with each model, from its beginning, and writes an excerpt of everything as Ogg Vorbis, all with the
same gain: ``mixture.ogg``, and for each stem ``STEM-true.ogg`` and ``STEM-LABEL.ogg``. Stems that are silent in the excerpt are left out.
It prints a table in Markdown with the SDR of the excerpt.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import numpy as np
import soundfile
import torch

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from rtaudio import separate  # noqa: E402
from rtaudio.audio.format import SOURCES  # noqa: E402
from training.metrics.simple import global_sdr  # noqa: E402

PEAK = 0.9


def song(folder: Path) -> tuple[dict[str, np.ndarray], int]:
    """Its stems, ``(frames, 2)``, those that it has, and their rate."""
    found, rates = {}, set()
    for path in sorted(folder.iterdir()):
        if path.stem in SOURCES:
            samples, rate = soundfile.read(path, dtype="float32", always_2d=True)
            found[path.stem] = np.repeat(samples, 2, axis=1) if samples.shape[1] == 1 else samples[:, :2]
            rates.add(rate)
    if not found or len(rates) > 1:
        raise SystemExit(f"{folder} holds no stems of one rate, such as drums.wav and vocals.wav.")
    length = min(map(len, found.values()))
    return {stem: found[stem][:length] for stem in SOURCES if stem in found}, rates.pop()


def sdr(estimate: np.ndarray, true: np.ndarray) -> float:
    """In dB; NaN where the true stem is silent."""
    return float(global_sdr(torch.from_numpy(estimate.T.copy()), torch.from_numpy(true.T.copy())))


def options() -> argparse.ArgumentParser:
    """The command line."""
    parser = argparse.ArgumentParser(description="Make audio examples of a song as several models separate it.")
    parser.add_argument("folder", type=Path, help="of the song's stems")
    parser.add_argument("models", nargs="+", metavar="LABEL=MODEL", help="a name in the zoo or a directory, and what to call it")
    parser.add_argument("-o", "--output", type=Path, required=True, metavar="FOLDER")
    parser.add_argument("--start", type=float, default=30.0, metavar="S", help="seconds (default: %(default)s)")
    parser.add_argument("--seconds", type=float, default=8.0, metavar="N", help="(default: %(default)s)")
    parser.add_argument("--quality", type=float, default=0.1, metavar="Q", help="of Vorbis, 0 to 1 (default: %(default)s)")
    return parser


def main() -> int:
    args = options().parse_args()
    stems, rate = song(args.folder)
    mixture = np.sum(list(stems.values()), axis=0)
    cut = slice(round(args.start * rate), round((args.start + args.seconds) * rate))
    if len(mixture) < cut.stop:
        raise SystemExit(f"The song has only {len(mixture) / rate:.0f} s.")
    gain = PEAK / max(float(np.abs(mixture[cut]).max()), 1e-9)
    args.output.mkdir(parents=True, exist_ok=True)

    def write(name: str, samples: np.ndarray) -> str:
        path: Path = args.output / f"{name}.ogg"
        soundfile.write(path, gain * samples[cut], rate, format="OGG", subtype="VORBIS", compression_level=1 - args.quality)
        return path.name

    models = dict(text.partition("=")[::2] for text in args.models)
    separated = {label: separate(mixture, rate, model or label) for label, model in models.items()}
    print(f"[The mixture]({write('mixture', mixture)}), {args.seconds:.0f} s from {args.start:.0f} s.\n")
    print(f"| stem | true | {' | '.join(models)} |\n|---|---{'|---' * len(models)}|")
    for stem, true in stems.items():
        if np.isnan(sdr(true[cut], true[cut])):
            continue
        cells = [f"[{stem}]({write(f'{stem}-true', true)})"]
        for label, found in separated.items():
            estimate = found[:, SOURCES.index(stem)]
            cells.append(f"[{sdr(estimate[cut], true[cut]):.1f} dB]({write(f'{stem}-{label}', estimate)})")
        print(f"| {stem} | " + " | ".join(cells) + " |")
    return 0


if __name__ == "__main__":
    sys.exit(main())
