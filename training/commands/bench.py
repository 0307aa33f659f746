"""``python -m training bench``: training speed, and eager torch against the exported models."""

from __future__ import annotations

import argparse
import json

import torch

from models.demucs import CausalDemucs
from training.bench import bench_step, bench_training
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
    parser.add_argument("--json", action="store_true")


def run(args: argparse.Namespace) -> int:
    """Measure and print."""
    if args.threads:
        torch.set_num_threads(args.threads)
    torch.manual_seed(args.seed)
    recipe = read_recipe(args.recipe)
    recipe = recipe.tiny() if args.tiny else recipe
    result = {"training": bench_training(recipe, args.steps), "hop": bench_step(CausalDemucs(recipe.network))}
    if args.json:
        print(json.dumps(result))
        return 0
    training, hop = result["training"], result["hop"]
    print(
        f"training: {training['audio_rate']:.1f} s of audio a second, {training['batch_s']:.2f} s a batch, {training['threads']} threads"
    )
    print(f"a hop of {hop['frame_ms']:.2f} ms: eager torch {hop['eager_ms']:.2f} ms, ", end="")
    print(
        ", ".join(
            f"{name} {hop[f'{name}_ms']:.3f} ms ({hop[f'{name}_speedup']:.1f} times faster)"
            for name in ("fp32", "int8")
        )
    )
    return 0
