"""``python -m training grid RECIPE``: the same recipe with several learning rates and widths, sorted by validation loss (DMX-19)."""

from __future__ import annotations

import argparse
import itertools
from dataclasses import replace
from pathlib import Path
from typing import Any

from models.registry import config_to_dict
from rtaudio.format import StemplayError
from training.cli import positive_float, positive_int
from training.fit import FitOptions, fit
from training.recipe import Recipe, read_recipe
from training.trainer import Budget, Intervals

HELP = "train a recipe with every combination of learning rates and widths, one after the other; a table sorted by validation L1"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of ``grid``."""
    parser.add_argument("recipe", metavar="RECIPE", help="name of a shipped recipe or a TOML file")
    parser.add_argument("--lr", metavar="A,B", default="3e-4,1e-3", help="peak learning rates (default: %(default)s)")
    parser.add_argument("--channels", metavar="A,B", help="channels of the first block (default: the recipe's)")
    parser.add_argument("-o", "--output", type=Path, default=Path("runs/grid"), help="default: %(default)s")
    parser.add_argument("--store", type=Path, default=Path("data"), help="prepared data (default: data/)")
    budget = parser.add_mutually_exclusive_group()
    budget.add_argument(
        "--minutes", type=positive_float, default=10.0, help="budget of each run (default: %(default)s)"
    )
    budget.add_argument("--steps", type=positive_int, help="budget of each run in steps")
    parser.add_argument("--threads", type=positive_int)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--tiny", action="store_true", help="a small network on synthetic songs")


def run(args: argparse.Namespace) -> int:
    """Train all combinations and print the table."""
    recipe = read_recipe(args.recipe)
    recipe = recipe.tiny() if args.tiny else recipe
    rates = _numbers(args.lr)
    widths = [int(width) for width in _numbers(args.channels)] if args.channels else [_width(recipe)]
    rows = []
    for rate, channels in itertools.product(rates, widths):
        name = f"lr{rate:g}-channels{channels}"
        options = FitOptions(
            args.output / name,
            args.store,
            Budget(args.minutes, args.steps),
            args.seed,
            args.threads,
            intervals=Intervals(),
        )
        best = min(fit(variant(recipe, rate, channels), options).history, key=lambda row: row["valid_loss"])
        rows.append((best["valid_loss"], best["sdr_mean"], name))
    print(table(rows))
    return 0


def _width(recipe: Recipe) -> int:
    """Channels of the recipe's network, whatever its kind."""
    return int(config_to_dict(recipe.network)["channels"])


def variant(recipe: Recipe, rate: float, channels: int) -> Recipe:
    """``recipe`` with another learning rate and width."""
    network: Any = recipe.network
    network = replace(network, channels=channels)
    return replace(recipe, network=network, optim=replace(recipe.optim, lr=rate))


def table(rows: list[tuple[float, float, str]]) -> str:
    """Lines of (validation L1, mean SDR, name), the best first."""
    lines = [f"{'valid L1':>10}{'SDR':>8}  run"]
    return "\n".join(lines + [f"{loss:>10.5f}{sdr:>8.2f}  {name}" for loss, sdr, name in sorted(rows)])


def _numbers(text: str) -> list[float]:
    try:
        numbers = [float(part) for part in text.split(",")]
    except ValueError:
        numbers = []
    if not numbers or min(numbers) <= 0:
        raise StemplayError(f"{text!r} is no list of numbers above 0, separated by commas.")
    return numbers
