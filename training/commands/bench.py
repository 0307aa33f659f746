"""``python -m training bench``: training speed against the public packages, and eager torch against the exported models."""

from __future__ import annotations

import argparse
import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch

from models.sing import SingConfig
from rtaudio.audio.format import StemplayError
from training.bench.exported import bench_hops, bench_notes
from training.bench.peers import measure_peers
from training.cli import positive_float, positive_int
from training.separation.recipe import Recipe, read_recipe, recipe_names

if TYPE_CHECKING:
    from training.bench.steps import StepRates

HELP = (
    "measure how many seconds of audio each recipe's training step processes per second, and compare with the public demucs and denoiser "
    "packages, with equal sizes in the same run; with --hops, the time of one hop in eager torch and in the exported models; "
    "with --profile, where the time of a recipe's training step goes"
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of ``bench``."""
    parser.add_argument(
        "recipes", metavar="RECIPE", nargs="*", help="recipes to measure (default: all shipped ones; with --hops: branches/waves)"
    )
    parser.add_argument("--hops", action="store_true", help="instead, time one hop of the network, eager and exported")
    parser.add_argument("--profile", action="store_true", help="instead, measure the parts of a training step and its operators")
    parser.add_argument("--batch", type=positive_int, help="examples per batch, with --profile (default: the recipe's number)")
    parser.add_argument("--precision", choices=["bf16", "fp32", "fast"], help="precision, with --profile (default: the recipe's)")
    parser.add_argument(
        "--device", choices=["auto", "cpu", "cuda", "mps"], default="auto", help="device, with --profile (default: the best)"
    )
    parser.add_argument(
        "--mix-on", choices=["auto", "cpu", "device"], default="auto", help="where examples are mixed, with --profile (default: as fit)"
    )
    parser.add_argument(
        "--store", type=Path, default=Path("data"), help="prepared data, to measure the busy share (default: data/)"
    )
    parser.add_argument("--threads", type=positive_int, help="number of threads (default: torch's choice)")
    parser.add_argument("--steps", type=positive_int, default=5, help="training steps to time (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--tiny", action="store_true", help="a small network")
    parser.add_argument(
        "--peers", action="store_true", help="instead, time one hop of the installed live models of other packages"
    )
    parser.add_argument(
        "--seconds", type=positive_float, default=3.0, metavar="N", help="seconds to time each peer (default: %(default)s)"
    )
    parser.add_argument(
        "--notes", metavar="CONFIG", type=json.loads, help="instead, time whole notes of a SING of these sizes (JSON)"
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
    if args.peers:
        return _peers(args)
    default = ["branches/waves"] if args.hops else ["demucs-live"] if args.profile else recipe_names()
    names = args.recipes or default
    recipes = [recipe.tiny() if args.tiny else recipe for recipe in map(read_recipe, names)]
    if args.profile:
        return _profile(recipes, args)
    return _hops(recipes[0], args) if args.hops else _steps(recipes, args)


def _peers(args: argparse.Namespace) -> int:
    """Time one hop of each of the other packages' live models."""
    found = measure_peers(args.seconds)
    if args.json:
        print(json.dumps([asdict(cost) for cost in found]))
        return 0
    for cost in found:
        numbers = (
            f"{cost.p50_ms:.3f} / {cost.p99_ms:.3f} ms (p50 / p99) a hop of {cost.hop_ms:.1f} ms, RTF {cost.rtf:.3f}"
        )
        print(f"{cost.name} {cost.version} ({cost.model}): {cost.error or numbers}")
    if not found:
        print("None of the packages to compare with is installed.")
    return 0


def _steps(recipes: list[Recipe], args: argparse.Namespace) -> int:
    """Time training steps of every recipe and of its public counterpart."""
    from training.bench.steps import measure_steps  # brings lightning: see _profile

    rows: list[dict[str, Any]] = []
    if not args.json:
        print(
            f"{'s of audio a second':<22}{'network':<24}{'weights':>9}{'batch':>12}{'fp32':>8}{'fast':>8}{'bf16':>8}  "
            f"{'public package':<18}{'ratio: fp32':>12}{'fast':>6}{'bf16':>6}{'busy':>7}"
        )
    for recipe in recipes:
        found = measure_steps(recipe, args.steps)
        busy = _busy(recipe, args.store, args.steps)
        rows.append({**asdict(found), "ratios": found.ratios, "busy_share": busy, "threads": torch.get_num_threads()})
        if not args.json:
            print(_row(found, busy), flush=True)
    if args.json:
        print(json.dumps(rows))
    else:
        print(
            f"{torch.get_num_threads()} threads; large networks have fewer channels; busy: the share of the time in which the trainer does "
            "not wait for data, which one process makes, at this size, from prepared songs or else from synthetic ones"
        )
    return 0


def _profile(recipes: list[Recipe], args: argparse.Namespace) -> int:
    """Where the time of a step goes."""
    # Imported here: the trainer brings lightning and half of torch, some seconds that no other measurement needs.
    from training.bench.profile import profile_step, sized

    rows = []
    for recipe in recipes:
        chosen = sized(recipe, args.batch, args.precision)
        found = profile_step(chosen, args.store, device=args.device, mix_on=args.mix_on, steps=args.steps)
        rows.append(asdict(found))
        if args.json:
            continue
        size = f"{found.batch} x {found.seconds:g} s, {chosen.optim.precision}"
        print(f"{found.recipe} on {found.device}, {size}: {found.whole_ms:.1f} ms a step, {found.audio_rate:.0f} s of audio a second")
        total = sum(found.parts.values())
        for name, ms in found.parts.items():
            print(f"  {name:<12}{ms:>9.1f} ms{ms / total:>6.0%}")
        print(f"  the {len(found.operators)} costliest operators of a step:")
        for name, calls, ms in found.operators:
            print(f"  {ms:>9.1f} ms{calls:>7.0f} x  {name}")
    if args.json:
        print(json.dumps(rows))
    return 0


def _busy(recipe: Recipe, store: Path, steps: int) -> float:
    """Measure on the recipe's own data, or on synthetic songs if these are missing or too short."""
    from training.bench.steps import busy_share, synthetic

    try:
        return busy_share(recipe, store, steps)
    except StemplayError:
        return busy_share(synthetic(recipe), store, steps)


def _row(found: StepRates, busy: float) -> str:
    sizes = f"{found.weights / 1e6:>8.1f}M{found.batch:>5} x {found.seconds:>4.1f}"
    ours = "".join(f"{found.ours[name]:>8.1f}" for name in ("fp32", "fast", "bf16"))
    widths = {"fp32": 12, "fast": 6, "bf16": 6}
    ratios = "".join(f"{ratio:>{widths[name]}.2f}" for name, ratio in found.ratios.items())  # empty without a peer
    theirs = f"{found.peer} {found.theirs:.1f}" if found.peer else "-"
    return f"{found.recipe:<22}{found.network:<24}{sizes}{ours}  {theirs:<18}{ratios:<24}{busy:>7.0%}"


def _hops(recipe: Recipe, args: argparse.Namespace) -> int:
    """Time one hop in eager torch and in the exported models."""
    hops = bench_hops(recipe, args.tiny)
    if args.json:
        print(json.dumps({"hops": hops}))
        return 0
    print(f"{'ms a hop, one thread':<22}{'hop':>7}{'eager':>8}{'conv ops':>10}", end="")
    print("".join(f"{name:>8}{'x eager':>9}{'x conv':>8}" for name in ("fp32", "int8")))
    for name, hop in hops.items():
        row = f"{name:<22}{hop['frame_ms']:>7.2f}{hop['eager_ms']:>8.2f}{hop['operators_ms']:>10.2f}"
        for precision in ("fp32", "int8"):
            row += f"{hop[f'{precision}_ms']:>8.3f}"
            row += f"{hop[f'{precision}_over_eager']:>9.1f}{hop[f'{precision}_over_operators']:>8.1f}"
        print(row)
    return 0
