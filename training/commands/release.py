"""``python -m training release RUN -o DIRECTORY``: publishable weights of a run."""

from __future__ import annotations

import argparse
from pathlib import Path

from training.export.release import MAKING_FILE, WEIGHTS_FILE, release

HELP = f"write a run's weights in float16 to {WEIGHTS_FILE}, and a record of how they were made to {MAKING_FILE}"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of ``release``."""
    parser.add_argument("run", metavar="RUN", type=Path, help="folder of a run, such as runs/demucs-live")
    parser.add_argument(
        "-o", "--output", type=Path, required=True, metavar="DIRECTORY", help="folder to write, such as models/zoo/demucs-live"
    )
    parser.add_argument(
        "--which", choices=["best", "ema"], default="best", help="the best weights on validation, or the last average"
    )
    parser.add_argument("--store", type=Path, default=Path("data"), help="prepared data (default: data/)")
    parser.add_argument(
        "--continues",
        action="store_true",
        help="the run started from the weights that are in DIRECTORY now: also keep the training curves of those",
    )
    parser.add_argument(
        "--branch",
        action="append",
        type=Path,
        default=[],
        metavar="RUN",
        help="another run whose weights `join` put into the run's initial weights; may be repeated",
    )
    parser.add_argument(
        "--average",
        action="append",
        type=Path,
        default=[],
        metavar="RUN",
        help="a run that started from the same weights: release the mean of all these runs' weights; may be repeated",
    )
    parser.add_argument(
        "--licence", default="", help="licence of the weights, if the run learned from your own stems (otherwise the data determine it)"
    )
    parser.add_argument("--note", default="", help="a remark about these weights")


def run(args: argparse.Namespace) -> int:
    """Release and print the validation scores."""
    making = release(
        args.run, args.output, store=args.store, which=args.which, note=args.note, continues=args.continues,
        branches=args.branch, average=args.average, licence=args.licence,
    )  # fmt: skip
    scores = ", ".join(
        f"{key[4:]} {value:.2f}" for key, value in making["validation"].items() if key.startswith("sdr_")
    )
    print(f"{args.output / WEIGHTS_FILE}: validation SDR {scores} dB")
    return 0
