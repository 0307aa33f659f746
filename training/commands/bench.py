"""``python -m training bench``: training speed, and eager torch against the exported models."""

from __future__ import annotations

import argparse
import json

import torch

from models.sing import SingConfig
from training.bench import bench_hops, bench_notes, bench_training
from training.cli import positive_int
from training.recipe import read_recipe

HELP = "measure audio-seconds a second of training, and ms a hop of eager torch and of the exported models"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of ``bench``."""
    parser.add_argument("recipe", metavar="RECIPE", nargs="?", default="demucs-live", help="default: %(default)s")
    parser.add_argument("--threads", type=positive_int, help="threads of torch (default: torch's)")
    parser.add_argument("--steps", type=positive_int, default=5, help="training steps to time (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--tiny", action="store_true", help="a small network")
    parser.add_argument(
        "--notes", metavar="CONFIG", type=json.loads, help="only this: whole notes of a SING of these sizes (JSON)"
    )
    parser.add_argument("--json", action="store_true")


def run(args: argparse.Namespace) -> int:
    """Measure and print."""
    if args.threads:
        torch.set_num_threads(args.threads)
    torch.manual_seed(args.seed)
    if args.notes:
        rate = bench_notes(SingConfig(**args.notes))
        print(json.dumps({"notes_rate": rate}) if args.json else f"whole notes: {rate:.1f} s of audio a second")
        return 0
    recipe = read_recipe(args.recipe)
    recipe = recipe.tiny() if args.tiny else recipe
    hops = bench_hops(recipe, args.tiny)
    training = bench_training(recipe, args.steps)
    if args.json:
        print(json.dumps({"training": training, "hops": hops}))
        return 0
    print(
        f"training: {training['audio_rate']:.1f} s of audio a second, {training['batch_s']:.2f} s a batch, "
        f"{training['threads']} threads"
    )
    print(f"\n{'ms a hop, one thread':<22}{'hop':>7}{'eager':>8}{'conv ops':>10}", end="")
    print("".join(f"{name:>8}{'x eager':>9}{'x conv':>8}" for name in ("fp32", "int8")))
    for name, hop in hops.items():
        row = f"{name:<22}{hop['frame_ms']:>7.2f}{hop['eager_ms']:>8.2f}{hop['operators_ms']:>10.2f}"
        for precision in ("fp32", "int8"):
            row += f"{hop[f'{precision}_ms']:>8.3f}"
            row += f"{hop[f'{precision}_over_eager']:>9.1f}{hop[f'{precision}_over_operators']:>8.1f}"
        print(row)
    return 0
