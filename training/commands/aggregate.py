"""``python -m training aggregate A.json B.json ...``: mean and confidence interval over runs (DMX-20, EQ-MUS-3)."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import numpy as np

from rtaudio.audio.format import StemplayError

HELP = "compute mean and std / sqrt(n) of several outputs of `evaluate --json`, such as those of runs with different seeds"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of ``aggregate``."""
    parser.add_argument("results", metavar="FILE", nargs="+", type=Path, help="outputs of `evaluate --json`")


def run(args: argparse.Namespace) -> int:
    """Print one line for each source and one for their mean."""
    for name, (mean, interval) in aggregate([read_scores(path) for path in args.results]).items():
        print(f"{name:<15}{mean:>8.2f} +- {interval:.2f}")
    return 0


def read_scores(path: Path) -> dict[str, float]:
    """The model's medians of one evaluation; raises StemplayError if the file holds none."""
    try:
        row = json.loads(path.read_text(encoding="utf-8"))["table"]["model"]
        return {name: float("nan") if value is None else float(value) for name, value in row.items()}
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        raise StemplayError(f"{path} is not an output of `evaluate --json`.") from None


def aggregate(runs: list[dict[str, float]]) -> dict[str, tuple[float, float]]:
    """Source -> (mean, std / sqrt(n)) over runs; ``All`` is the mean over the sources, without the accompaniment."""
    names = list(runs[0])
    if any(list(scores) != names for scores in runs):
        raise StemplayError("The evaluations have different sources.")
    table = {name: [scores[name] for scores in runs] for name in names}
    sources = [name for name in names if name != "accompaniment"]
    table["All"] = [float(np.mean([scores[name] for name in sources])) for scores in runs]
    count = len(runs)
    return {
        name: (float(np.mean(row)), float(np.std(row, ddof=1) / np.sqrt(count)) if count > 1 else 0.0)
        for name, row in table.items()
    }
