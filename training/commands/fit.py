"""``python -m training fit RECIPE``: train a network, continue a run, or try everything in seconds with ``--tiny``."""

from __future__ import annotations

import argparse
import os
from dataclasses import replace
from pathlib import Path

from rtaudio.audio.format import StemplayError
from training.cli import positive_float, positive_int
from training.separation.fit import FitOptions, fit
from training.separation.recipe import read_recipe
from training.separation.trainer import Budget, Intervals

HELP = (
    "train a network by a recipe, within a budget of time; Ctrl-C or SIGTERM stops it and writes a checkpoint. "
    "Several GPUs or machines: torchrun --nproc-per-node N -m training fit ..."
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of ``fit``."""
    parser.add_argument("recipe", metavar="RECIPE", help="name of a shipped recipe (demucs-live) or a TOML file")
    parser.add_argument("-o", "--output", type=Path, help="folder of the run (default: runs/RECIPE)")
    parser.add_argument("--store", type=Path, default=Path("data"), help="prepared data (default: data/)")
    budget = parser.add_mutually_exclusive_group()
    budget.add_argument("--hours", type=positive_float, help="budget in hours")
    budget.add_argument(
        "--minutes", type=positive_float, help="budget in minutes (default: the recipe's epochs, or 30 minutes)"
    )
    budget.add_argument("--epochs", type=positive_int, help="budget in epochs, for recipes that have them; gives repeatable results")
    budget.add_argument("--steps", type=positive_int, help="budget in steps; gives repeatable results")
    parser.add_argument(
        "--init", type=Path, metavar="WEIGHTS", help="start from these weights (.safetensors, or .npz of matrices)"
    )
    parser.add_argument(
        "--grow",
        action="store_true",
        help="--init has the weights of a smaller causal Demucs, or of a hybrid with one: grow the network from it",
    )
    parser.add_argument(
        "--teacher",
        type=Path,
        metavar="WEIGHTS",
        help="also learn from this network's stems (optim.distil in the recipe)",
    )
    parser.add_argument("--resume", action="store_true", help="continue the run in the folder, with its own recipe")
    parser.add_argument("--lr", type=positive_float, help="peak learning rate, instead of the recipe's")
    parser.add_argument("--precision", choices=["bf16", "fp32", "fast"], help="precision, instead of the recipe's")
    parser.add_argument("--batch", type=positive_int, help="examples per batch, instead of the recipe's number")
    parser.add_argument(
        "--accumulate", type=positive_int, help="batches per update, divided among the processes of torchrun"
    )
    parser.add_argument(
        "--device", choices=["auto", "cpu", "cuda", "mps"], default="auto", help="device to compute on (default: the best available)"
    )
    parser.add_argument(
        "--mix-on", choices=["auto", "cpu", "device"], default="auto",
        help="where examples are mixed; the device holds all recordings (default: a CUDA GPU mixes its own)",
    )  # fmt: skip
    parser.add_argument(
        "--watts", type=positive_float, help="power that the machine draws, for the energy log (default: read from the machine, or assumed)"
    )
    parser.add_argument("--compile", action="store_true", help="use torch.compile")
    parser.add_argument("--threads", type=positive_int, help="number of threads (default: torch's choice)")
    parser.add_argument("--workers", type=int, default=1, help="number of processes that make batches (default: %(default)s)")
    for what, seconds in (("validate", 240), ("checkpoint", 150), ("log", 30)):
        parser.add_argument(
            f"--{what}-every", type=positive_float, metavar="S", help=f"seconds (default: {seconds}; --tiny: less)"
        )
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--tiny", action="store_true", help="train a small network on synthetic songs, for about 20 s")


def run(args: argparse.Namespace) -> int:
    """Train and print the last validation."""
    recipe = read_recipe(args.recipe)
    if args.tiny:
        recipe = recipe.tiny()
    changes = {name: value for name in ("lr", "precision", "accumulate") if (value := getattr(args, name)) is not None}
    if args.compile:
        changes["compile"] = True
    mixing = replace(recipe.mixing, batch=args.batch or recipe.mixing.batch)
    recipe = replace(recipe, optim=replace(recipe.optim, **changes), mixing=mixing)
    if args.grow and args.init is None:
        raise StemplayError("--grow needs the smaller network's weights: give them with --init.")
    folder = args.output or Path("runs") / (f"{recipe.name}-tiny" if args.tiny else recipe.name)
    if not args.resume and (folder / "last.ckpt").exists():
        raise StemplayError(
            f"There is already a run in {folder}: continue it with --resume, or choose another folder with -o."
        )
    minutes = args.minutes or (60 * args.hours if args.hours else None)
    if args.tiny and not (minutes or args.epochs or recipe.by_epochs):
        minutes = 0.3
    usual = (6.0, 12.0, 3.0) if args.tiny else (240.0, 150.0, 30.0)
    chosen = (args.validate_every, args.checkpoint_every, args.log_every)
    intervals = Intervals(*(mine or default for mine, default in zip(chosen, usual, strict=True)))
    options = FitOptions(
        folder=folder,
        store=args.store,
        budget=Budget(minutes or 30.0, args.steps) if minutes or args.steps else None,
        epochs=args.epochs,
        seed=args.seed,
        threads=args.threads,
        init=args.init,
        grow=args.grow,
        teacher=args.teacher,
        resume=args.resume,
        workers=max(0, args.workers),
        intervals=intervals,
        device=args.device,
        mix_on=args.mix_on,
        watts=args.watts,
    )
    state = fit(recipe, options)
    if int(os.environ.get("RANK", "0")) == 0:
        print(
            f"{state.step} steps in {state.elapsed / 60:.1f} min, about {1000 * state.energy:.3g} Wh; "
            f"weights and checkpoint in {folder}."
        )
    return 0
