"""``python -m training ablation [RECIPE]``: Table 3.4, Demucs without each of its parts, beside the thesis' rows (DMX-21)."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from training.cli import positive_float, positive_int
from training.data.store import write_atomic
from training.separation.ablation import NOISE_DB, ablate
from training.separation.recipe import read_recipe
from training.separation.trainer import Budget
from training.tables.thesis import thesis_table

HELP = (
    "train Demucs without rescaling, LSTM, GLU, 1x1 convolutions, decoder context, with MSE, and as it is, each with the same budget; "
    "evaluate each with and without stabilization; print all beside the thesis' Table 3.4. Called again, it continues where it stopped."
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of ``ablation``."""
    parser.add_argument("recipe", metavar="RECIPE", nargs="?", default="demucs-thesis", help="default: %(default)s")
    parser.add_argument("-o", "--output", type=Path, default=Path("runs/ablation"), help="default: %(default)s")
    parser.add_argument("--store", type=Path, default=Path("data"), help="prepared data (default: data/)")
    budget = parser.add_mutually_exclusive_group()
    budget.add_argument("--minutes", type=positive_float, help="minutes of each run (default: the recipe's epochs, or 30 minutes)")
    budget.add_argument("--epochs", type=positive_int, help="epochs of each run, for recipes that have them")
    budget.add_argument("--steps", type=positive_int, help="steps of each run")
    parser.add_argument("--shifts", type=positive_int, default=10, help="random shifts of the stabilization (default: %(default)s)")
    parser.add_argument("--threads", type=positive_int)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--tiny", action="store_true", help="a small network on synthetic songs, one epoch, two shifts")


def run(args: argparse.Namespace) -> int:
    """Train and evaluate all rows, and write them to ``ablation.json``, which `tables 3.4 --ablation` reads."""
    recipe = read_recipe(args.recipe)
    recipe = recipe.tiny() if args.tiny else recipe
    budget = Budget(args.minutes or 30.0, args.steps) if args.minutes or args.steps else None
    epochs = args.epochs or (1 if args.tiny and recipe.by_epochs and budget is None else None)
    rows = ablate(
        recipe, args.output, store=args.store, budget=budget, epochs=epochs, seed=args.seed, threads=args.threads,
        shifts=min(2, args.shifts) if args.tiny else args.shifts,
    )  # fmt: skip
    data = "synthetic songs" if recipe.made_up else "MUSDB's test songs as prepared"
    values = {"data": f"{recipe.name} on {data}", "rows": rows}
    write_atomic(args.output / "ablation.json", json.dumps(values, indent=1).encode())
    print(table(rows))
    print(f"test SDR on {data}, median of 1 s frames. According to the thesis, differences below {NOISE_DB} dB are noise.")
    return 0


def table(rows: dict[str, list[float]]) -> str:
    """The thesis' rows in its order, with our results beside them."""
    lines = [f"{'':<42}{'ours':>20}{'thesis':>20}", f"{'':<42}" + f"{'valid L1':>10}{'test SDR':>10}" * 2]
    for row in thesis_table("3.4").rows:
        loss, sdr = rows[row.name]
        theirs = "".join(f"{value if isinstance(value, str) else f'{value:g}':>10}" for value in row.values)
        lines.append(f"{row.name:<42}{loss:>10.4f}{sdr:>10.2f}{theirs}")
    return "\n".join(lines)
