"""``python -m training grid RECIPE``: train a recipe with several values of its entries, and sort by validation loss (DMX-19)."""

from __future__ import annotations

import argparse
import itertools
import json
import tomllib
from pathlib import Path
from typing import Any

from rtaudio.audio.format import StemplayError
from training.cli import positive_float, positive_int
from training.data.store import write_atomic
from training.export.release import score
from training.separation.fit import FitOptions, fit
from training.separation.recipe import Recipe, read_recipe
from training.separation.trainer import Budget

HELP = (
    "train a recipe with every combination of learning rates, widths and other entries, one after the other, and print a table sorted "
    "by validation L1. Called again, it continues where it stopped."
)
Axis = tuple[str, str, list[Any]]
"""An entry of the recipe, the table that it is in, and the values to try."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of ``grid``."""
    parser.add_argument("recipe", metavar="RECIPE", help="name of a shipped recipe or a TOML file")
    parser.add_argument("--lr", metavar="A,B", help="peak learning rates (default: 3e-4,5e-4, as in the thesis)")
    parser.add_argument("--channels", metavar="A,B", help="channels of the first block (the thesis: 64,80,100)")
    parser.add_argument(
        "--vary",
        action="append",
        default=[],
        metavar="TABLE.ENTRY=A,B",
        help="values of any other entry, such as network.rescale=.01,.05",
    )
    parser.add_argument("-o", "--output", type=Path, default=Path("runs/grid"), help="default: %(default)s")
    parser.add_argument("--store", type=Path, default=Path("data"), help="prepared data (default: data/)")
    budget = parser.add_mutually_exclusive_group()
    budget.add_argument("--minutes", type=positive_float, help="minutes of each run (default: the recipe's epochs, or 30 minutes)")
    budget.add_argument("--epochs", type=positive_int, help="epochs of each run, for recipes that have them")
    budget.add_argument("--steps", type=positive_int, help="steps of each run")
    parser.add_argument("--threads", type=positive_int)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--tiny", action="store_true", help="train a small network on synthetic songs")


def run(args: argparse.Namespace) -> int:
    """Train all combinations, print the table, and write it to ``grid.json``."""
    recipe = read_recipe(args.recipe)
    recipe = recipe.tiny() if args.tiny else recipe
    axes: list[Axis] = [("optim", "lr", _numbers(args.lr or "3e-4,5e-4"))]
    if args.channels:
        axes.append(("network", "channels", [int(width) for width in _numbers(args.channels)]))
    axes += [_axis(text) for text in args.vary]
    budget = Budget(args.minutes or 30.0, args.steps) if args.minutes or args.steps else None
    scored = []
    for values in itertools.product(*(axis[2] for axis in axes)):
        tried = variant(recipe, axes, values)
        name = "-".join(f"{axis[1]}{_text(value)}" for axis, value in zip(axes, values, strict=True))
        best = best_of(tried, args.output / name, args, budget)
        scored.append((score(best), best["valid_loss"], best["sdr_mean"], name))
    rows = [row[1:] for row in sorted(scored)]
    table_file = [{"valid_loss": loss, "sdr_mean": sdr, "run": name} for loss, sdr, name in rows]
    write_atomic(args.output / "grid.json", json.dumps(table_file, indent=1).encode())
    print(table(rows))
    return 0


def best_of(recipe: Recipe, folder: Path, args: argparse.Namespace, budget: Budget | None) -> dict[str, float]:
    """The best validation of a run, which is started or continued in ``folder``.

    Raises:
        StemplayError: the folder contains a run of another recipe.
    """
    begun = (folder / "last.ckpt").exists()
    if begun and json.loads((folder / "recipe.json").read_text(encoding="utf-8")) != _plain(recipe):
        raise StemplayError(f"The run in {folder} has another recipe: choose another folder with -o.")
    options = FitOptions(
        folder=folder, store=args.store, budget=budget, epochs=args.epochs, seed=args.seed, threads=args.threads,
        resume=begun,
    )  # fmt: skip
    return min(fit(recipe, options).history, key=score)


def variant(recipe: Recipe, axes: list[Axis], values: tuple[Any, ...]) -> Recipe:
    """``recipe`` with other values. Raises StemplayError for an entry that it does not have."""
    tables = recipe.to_dict()
    for (name, entry, _), value in zip(axes, values, strict=True):
        if not isinstance(tables.get(name), dict):
            raise StemplayError(f"A recipe has no table [{name}].")
        tables[name][entry] = value
    return Recipe.from_dict(tables)


def table(rows: list[tuple[float, float, str]]) -> str:
    """Lines of (validation L1, mean SDR, name), the best first."""
    lines = [f"{'valid L1':>10}{'SDR':>8}  run"]
    return "\n".join(lines + [f"{loss:>10.5f}{sdr:>8.2f}  {name}" for loss, sdr, name in sorted(rows)])


def _plain(recipe: Recipe) -> Any:
    """``recipe`` as it is after writing it to JSON and reading it back."""
    return json.loads(json.dumps(recipe.to_dict()))


def _text(value: Any) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)


def _axis(text: str) -> Axis:
    name, equals, values = text.partition("=")
    section, dot, entry = name.partition(".")
    if not (equals and dot and values):
        raise StemplayError(f"{text!r} is not of the form TABLE.ENTRY=A,B.")
    return section, entry, [_value(part) for part in values.split(",")]


def _value(text: str) -> Any:
    """A number or a truth value as in TOML (also ``.1``), else the text itself."""
    try:
        return tomllib.loads(f"x = {'0' + text if text.startswith('.') else text}")["x"]
    except tomllib.TOMLDecodeError:
        return text


def _numbers(text: str) -> list[float]:
    try:
        numbers = [float(part) for part in text.split(",")]
    except ValueError:
        numbers = []
    if not numbers or min(numbers) <= 0:
        raise StemplayError(f"{text!r} is not a list of numbers above 0, separated by commas.")
    return numbers
