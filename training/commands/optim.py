"""``python -m training optim``: figures and tables of the thesis' chapters 4 and 5, and their solvers on the user's data."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any

from rtaudio.audio.format import StemplayError
from training.cli import positive_float, positive_int

HELP = "run the optimisers of chapters 4 and 5: learn from sparse data, draw the thesis' figures and check its claims, compare speeds"
ACTIONS = {
    "figure": "draw figures (4.1 to 4.4, B.1 to B.6, 5-bounds, 5-rule, 5-start, or all) and check whether the thesis' claims hold",
    "table": "print Table 4.1 with the constants of a data set",
    "bounds": "print the bounds of chapter 5's theorems for a number of steps",
    "data": "print the sizes of a libsvm file, or of synthetic data",
    "fit": "learn a linear classifier from a libsvm file",
    "bench": "measure samples per second, beside scikit-learn's SGDClassifier",
    "sing": "compare AdaBatch on SING's look-up tables with plain Adam, by batch size",
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of ``optim``."""
    parser.add_argument("action", choices=list(ACTIONS), help="; ".join(f"{k}: {v}" for k, v in ACTIONS.items()))
    parser.add_argument(
        "what", nargs="*", help="figure: numbers; data, fit, table, bench: a libsvm file, or small, news20, spam, url"
    )
    parser.add_argument("-o", "--output", type=Path, help="folder to write into (default: runs/optim)")
    parser.add_argument("--seed", type=int, default=0, help="the first seed")
    parser.add_argument("--seeds", type=positive_int, default=5, help="number of seeds (default: %(default)s)")
    parser.add_argument(
        "--scale",
        type=positive_float,
        help="relative size of synthetic data; 1 is the thesis' size (default: figure: 0.2 for news20, 0.1 for spam, 0.01 for url; else 1)",
    )
    parser.add_argument(
        "--file", action="append", default=[], metavar="NAME=FILE", help="figure: a libsvm file for news20, spam or url"
    )
    parser.add_argument("--test-file", action="append", default=[], metavar="NAME=FILE", help="figure: the test set of a --file")
    parser.add_argument("--test", type=Path, help="fit: a test set (default: a fifth of the file)")
    parser.add_argument(
        "--rule", default="adabatch", help="fit: minibatch, adabatch, reconditioned, hogwild, adagrad or svrg"
    )
    parser.add_argument("--loss", default="logistic", help="fit: logistic, least-squares or hinge")
    parser.add_argument("--step", type=float, help="fit: step size (default: the best of a grid)")
    parser.add_argument("--batch", type=positive_int, help="fit: samples per update (default: 50; hogwild: 1)")
    parser.add_argument("--passes", type=positive_int, default=5, help="fit: passes over the samples (default: %(default)s)")
    parser.add_argument("--penalty", type=float, default=0.0, help="fit: lambda of the L2 penalty")
    parser.add_argument(
        "--workers", type=positive_int, default=1, help="fit: number of threads; figure: largest number of threads (default: 1; figure: 2)"
    )
    parser.add_argument(
        "--wild",
        action="store_true",
        help="fit: workers share samples, not features, and update the same weights without locks (Algorithm 2)",
    )
    parser.add_argument("--switch-epoch", type=int, help="fit, svrg: plain mini-batches from this epoch on")
    parser.add_argument("--resume", action="store_true", help="fit: continue the run in the folder")
    parser.add_argument(
        "--horizon",
        type=positive_int,
        default=10_000,
        help="bounds: number of steps, which sets alpha and beta2 (default: %(default)s)",
    )
    parser.add_argument("--beta1", type=float, default=0.0, help="bounds: momentum")
    parser.add_argument("--store", type=Path, default=Path("data/notes"), help="sing: note set (default: data/notes)")
    parser.add_argument(
        "--notes", type=positive_int, default=8192, help="sing: number of notes in a run (default: %(default)s)"
    )
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.add_argument("--tiny", action="store_true", help="use the smallest data and two seeds")


def run(args: argparse.Namespace) -> int:
    """Do one of ``ACTIONS``."""
    if args.tiny:
        args.seeds, args.scale = min(args.seeds, 2), args.scale or 0.005
    actions = {
        "figure": _figure,
        "table": _table,
        "bounds": _bounds,
        "data": _data,
        "fit": _fit,
        "bench": _bench,
        "sing": _sing,
    }
    try:
        actions[args.action](args)
    except KeyboardInterrupt:
        print(_interrupted(args), file=sys.stderr)
        raise
    return 0


def _interrupted(args: argparse.Namespace) -> str:
    if args.action in ("figure", "sing"):
        return f"Interrupted. All finished runs are in {_folder(args)}, and the same command continues with the rest."
    return f"Interrupted: this optim {args.action} has saved nothing."


def _folder(args: argparse.Namespace) -> Path:
    return args.output or Path("runs") / "optim"


def _one(args: argparse.Namespace, default: str | None = None) -> str:
    if len(args.what) > 1 or (not args.what and default is None):
        raise StemplayError(f"optim {args.action} takes one data set: a libsvm file, or small, news20, spam or url.")
    return str(args.what[0]) if args.what else str(default)


def _named(pairs: list[str], option: str) -> tuple[tuple[str, str], ...]:
    from training.optim.experiments.chapter4 import known_data

    found = []
    for pair in pairs:
        name, equals, file = pair.partition("=")
        if not equals or not file:
            raise StemplayError(f"{option} takes NAME=FILE, such as news20=news20.binary, not {pair!r}.")
        found.append((known_data(name), file))
    return tuple(found)


def _figure(args: argparse.Namespace) -> None:
    from training.optim.experiments.chapter4 import Plan
    from training.optim.experiments.figures import FIGURES, make_figure
    from training.optim.sparse.solvers import cores

    names = list(FIGURES) if args.what in ([], ["all"]) else args.what
    for name in names:
        if name not in FIGURES:
            raise StemplayError(f"There is no figure {name!r}; choose from {', '.join(FIGURES)}, or all.")
    workers = tuple(range(1, max(args.workers, min(2, cores())) + 1))
    seeds = tuple(range(args.seed, args.seed + args.seeds))
    files, tests = _named(args.file, "--file"), _named(args.test_file, "--test-file")
    plan = Plan(_folder(args), seeds, args.scale, files, tests, workers)
    found: dict[str, Any] = {}
    for name in names:
        claims = make_figure(
            name, plan, (lambda text: None) if args.json else lambda text: print(f"  {text}", flush=True)
        )
        found[name] = [claim.to_dict() for claim in claims]
        if not args.json:
            print(f"Figure {name}: {plan.folder / f'figure-{name}.png'}")
            print("\n".join(f"  {claim.line()}" for claim in claims), flush=True)
    if args.json:
        print(json.dumps(found))


def _parts(args: argparse.Namespace, default: str | None = None):  # type: ignore[no-untyped-def]
    from training.optim.sparse.data import make_parts

    return make_parts(_one(args, default), args.seed, args.scale or 1.0, args.loss, args.penalty, test=args.test)


def _data(args: argparse.Namespace) -> None:
    parts = _parts(args)
    p = parts.train.p
    facts = {
        "samples": parts.train.samples, "features": parts.train.size, "active": round(parts.train.active, 2),
        "p_max": float(p.max()), "p_min": float(p[p > 0].min()), "features seen": int((p > 0).sum()),
    }  # fmt: skip
    print(
        json.dumps(facts) if args.json else f"{parts.describe()}; p from {facts['p_min']:.2g} to {facts['p_max']:.2g}"
    )


def _table(args: argparse.Namespace) -> None:
    from training.optim.sparse.bounds import METHODS, Setting, table_4_1

    parts = _parts(args, "small")
    p = parts.train.p
    # The thesis gives no mu for the logistic loss. A tenth of its largest curvature is used, as for a bounded set.
    constants = parts.train.constants((0.025, 0.25) if args.loss == "logistic" else None)
    setting = Setting(constants.mu, constants.smooth, constants.radius2, float(p[p > 0].min()), float(p.max()))
    print(f"Table 4.1 for {parts.describe()}.")
    print(
        f"mu = {setting.mu:.3g}, L = {setting.smooth:.3g}, R^2 = {setting.radius2:.3g}, p from {setting.p_min:.2g} to {setting.p_max:.2g};"
    )
    print(f"N = {args.passes * parts.train.samples} samples, delta_0 = sigma^2 = 1, with the largest step that the proofs allow.\n")
    print("| method | B | largest step | bias | variance |\n|---|---|---|---|---|")
    for method in METHODS:
        for batch in (1, 10, 50, 200, 1000):
            bound = table_4_1(method, setting, args.passes * parts.train.samples, batch)
            print(f"| {method} | {batch} | {bound.largest_step:.3g} | {bound.bias:.4g} | {bound.variance:.3g} |")


def _bounds(args: argparse.Namespace) -> None:
    from training.optim import adaptive_bounds as bounds
    from training.optim.experiments.chapter5 import Toy
    from training.optim.unified import finite_horizon

    assumptions, steps = Toy(10).assumptions, args.horizon
    try:
        alpha, beta2 = finite_horizon(steps)
        adam = (
            bounds.adam_momentum(assumptions, steps, alpha, args.beta1, beta2)
            if args.beta1
            else bounds.adam(assumptions, steps, alpha, beta2)
        )
        adagrad = (
            bounds.adagrad_momentum(assumptions, steps, 1.0, args.beta1)
            if args.beta1
            else bounds.adagrad(assumptions, steps, 1.0)
        )
    except ValueError as error:
        raise StemplayError(f"{str(error)[:1].upper()}{str(error)[1:]}.") from None
    values = {"alpha": alpha, "beta2": beta2, "adam": adam, "adagrad": adagrad}
    if args.json:
        print(json.dumps(values))
        return
    print(f"For {steps} steps: alpha = {alpha:.4g}, beta2 = {beta2:.6g}.")
    print(
        f"Bounds of E |grad F(x_tau)|^2 for sum x^2 / (1 + x^2) in 10 dimensions: Adam {adam:.4g}, Adagrad {adagrad:.4g}."
    )


def _fit(args: argparse.Namespace) -> None:
    from training.optim.experiments.linear import LinearRun

    batch = args.batch or (1 if args.rule == "hogwild" else 50)
    run_ = LinearRun(
        _parts(args),
        _folder(args),
        args.rule,
        args.step,
        batch,
        args.workers,
        args.passes,
        args.seed,
        args.switch_epoch,
        args.wild,
    )
    run_.fit(args.resume, print)


def _bench(args: argparse.Namespace) -> None:
    import time

    from training.optim.experiments.speed import measure, samples_to_target
    from training.optim.sparse.problem import SparseProblem

    parts = _parts(args, "news20")
    raw = parts.train.features[:, parts.train.places], parts.train.labels
    began = time.perf_counter()
    SparseProblem.of(*raw)
    speed = measure(parts, args.seeds, raw, time.perf_counter() - began)
    print(f"{parts.describe()}.\n\n{speed.table()}\n")
    print(f"Sorting the features by frequency took {speed.arranging:.2f} s, once; these numbers do not include it.")
    target, one, many = samples_to_target(parts, args.seed)
    print(f"To a test loss of {target:.4f}: {one:.0f} samples with B = 1, {many:.0f} with AdaBatch at B = 50.")


def _sing(args: argparse.Namespace) -> None:
    from training.data.note_store import NoteStore
    from training.sing.batches import BATCHES, compare_batches, summary

    seeds = range(args.seed, args.seed + args.seeds)
    path = _folder(args) / "sing-adabatch.json"
    results = compare_batches(
        NoteStore(args.store), path, BATCHES, seeds, args.notes, lambda text: print(f"  {text}", flush=True)
    )
    print(summary(results, BATCHES, seeds))
