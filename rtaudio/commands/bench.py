"""``python -m rtaudio bench``: what the models cost on this machine."""

from __future__ import annotations

import argparse
import importlib.util
import os
import subprocess
import sys
from pathlib import Path

from models.card import CARD_FILE, CARD_VERSION, CardError
from models.catalog import load_card, model_names
from rtaudio.bench import ROOT, Machine, ModelCost, as_json, measure_machine, measure_model
from rtaudio.bench_instrument import THESIS_RATE, InstrumentCost, NoteLatency, measure_instrument, measure_latency
from rtaudio.format import StemplayError

NAME = "bench"
HELP = "time each shipped model, and random networks of the usual sizes, beside this machine's bounds"
AIM = 0.35


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of ``bench``."""
    parser.add_argument("model", metavar="MODEL", nargs="*", help="only these: shipped names or directories")
    parser.add_argument(
        "--seconds", type=_positive, default=4.0, metavar="N", help="of each timing (default: %(default)s)"
    )
    parser.add_argument(
        "--models-dir", metavar="DIR", type=Path,
        help="directory of networks made for timing only (default: the cache; made there once if torch is installed)",
    )  # fmt: skip
    parser.add_argument("--json", action="store_true", help="print the numbers as JSON")


def _positive(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is no number") from None
    if not 0 < value <= 3600:
        raise argparse.ArgumentTypeError(f"{text} is not between 0 and 3600 seconds")
    return value


def run(args: argparse.Namespace) -> int:
    """Measure the machine, then each model."""
    models: list[str | Path] = list(args.model) or [*model_names(), *timing_models(args.models_dir)]
    if not models:
        raise StemplayError("There is no model to time: none is shipped here and no directory is given.")
    separators = [model for model in models if not _is_instrument(model)]
    instruments = [model for model in models if _is_instrument(model)]
    machine = measure_machine()
    if not args.json:
        print("\n".join(header(machine)[: 2 if separators else 1]), flush=True)
    costs = []
    for model in separators:
        costs.append(measure_model(model, machine, args.seconds))
        if not args.json:
            print(row(costs[-1]), flush=True)
    if not args.json and any(cost.timing_only for cost in costs):
        print(
            f"* random weights, for timing only. Aim: the paced p99 of causal Demucs 48/4 int8 below {AIM:.0%} of its hop."
        )
    if not args.json and instruments:
        print("\n".join(instrument_header()), flush=True)
    voices, latencies = [], {}
    for model in instruments:
        voices.append(measure_instrument(model, machine, args.seconds))
        if not args.json:
            print(instrument_row(voices[-1]), flush=True)
        if not voices[-1].timing_only:
            latencies[voices[-1].name] = measure_latency(model, notes=max(5, round(15 * args.seconds)))
    if args.json:
        print(as_json(machine, costs, voices, latencies))
    else:
        print("\n".join(latency_row(name, value) for name, value in latencies.items()), flush=True)
    return 0


def _is_instrument(model: str | Path) -> bool:
    try:
        return load_card(model).kind == "instrument"
    except CardError as error:
        raise StemplayError(str(error)) from None


def instrument_header() -> list[str]:
    """The names of the columns of instruments."""
    return [
        "",
        f"voices on one thread          | step of 1 / 8 / 32 / 64 voices, ms of 16 | at 50 % of a core: network, whole synth"
        f" | whole notes, s a second: ours / bound / thesis {THESIS_RATE} / eager torch | cache",
    ]


def instrument_row(cost: InstrumentCost) -> str:
    """One line of the table."""
    name = f"{cost.name} {cost.precision}{'*' if cost.timing_only else ''}"
    steps = " / ".join(f"{cost.step_ms[count]:5.2f}" for count in (1, 8, 32, 64))
    bound = "-" if cost.notes_bound is None else f"{cost.notes_bound:.0f} ({cost.notes_rate / cost.notes_bound:.0%})"
    eager = "-" if cost.eager_rate is None else f"{cost.eager_rate:.1f} ({cost.notes_rate / cost.eager_rate:.1f}x)"
    return (
        f"{name:<29} | {steps:<40} | {cost.voices_half_core:16.0f}, {cost.synth_voices_half_core:21.0f}"
        f" | {cost.notes_rate:.1f} / {bound} / {cost.notes_rate / THESIS_RATE:.1f}x / {eager}"
        f" | {cost.cache_mib:.0f} MiB, {cost.cached_notes} notes"
    )


def latency_row(name: str, latency: NoteLatency) -> str:
    """What a key waits for its first sample."""
    return (
        f"{name}: from a MIDI message to its first sample, 16 notes sounding, blocks of {latency.block}: p50 {latency.p50_ms:.1f}, "
        f"p99 {latency.p99_ms:.1f}, most {latency.largest_ms:.1f} ms of {latency.notes} notes ({latency.misses} misses); declared "
        f"{latency.declared_ms:.1f} (a block and 3 ms) and the resampler's {latency.resampler_ms:.1f}"
    )


def timing_models(directory: Path | None) -> list[Path]:
    """Directories of the networks of the usual sizes; made once, by the training package in a process of its own, if it can run."""
    place = directory or cache_directory()
    if directory is None and not any(place.glob(f"*/{CARD_FILE}")):
        if importlib.util.find_spec("torch") is None or not (ROOT / "training").is_dir():
            print(
                "Causal Demucs 48/4 and 64/5 and the thesis' SING are not timed: making them needs torch (make setup).",
                file=sys.stderr,
            )
            return []
        print(f"Making the networks that are for timing only, in {place} ...", file=sys.stderr)
        command = [sys.executable, "-m", "training", "timing", "-o", str(place)]
        made = subprocess.run(
            command, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, check=False
        )
        if made.returncode:
            print(f"That failed, so they are not timed: {made.stderr.strip().splitlines()[-1:]}", file=sys.stderr)
    found = sorted(path.parent for path in place.glob(f"*/{CARD_FILE}"))
    if directory is not None and not found:
        raise StemplayError(f"There are no models in {directory}.")
    return found


def cache_directory() -> Path:
    """Where the timing networks are kept: the user's cache, apart for each version of the card."""
    base = os.environ.get("LOCALAPPDATA") if sys.platform == "win32" else os.environ.get("XDG_CACHE_HOME")
    return (Path(base) if base else Path.home() / ".cache") / "stemplay" / f"timing-{CARD_VERSION}"


def header(machine: Machine) -> list[str]:
    """What the machine can do, and the names of the columns."""
    load = "" if machine.load is None else f"; load {machine.load:.1f} on {os.cpu_count()} cores"
    return [
        f"One thread: {machine.gflops:.0f} GFLOP/s (float32 matrix product), reads {machine.read_gb_s:.1f} GB/s{load}.",
        "ms a hop                    |     hop | paced p50 / p99, of hop    | back to back p50 / p99 |   RTF | "
        "bounds: compute / weights, times p50",
    ]


def row(cost: ModelCost) -> str:
    """One line of the table."""
    name = f"{cost.name} {cost.precision}{'*' if cost.timing_only else ''}"
    compute = (
        "      - (    -)"
        if cost.compute_bound_ms is None
        else f"{cost.compute_bound_ms:7.3f} ({cost.ratio_to_compute:5.1f})"
    )
    return (
        f"{name:<27} | {cost.hop_ms:7.2f} | {cost.paced_p50_ms:7.3f} / {cost.paced_p99_ms:7.3f}, {cost.paced_p99_of_hop:6.1%}"
        f" | {cost.back_to_back_p50_ms:9.3f} / {cost.back_to_back_p99_ms:9.3f} | {cost.rtf:5.3f}"
        f" | {compute} / {cost.weights_bound_ms:7.3f} ({cost.ratio_to_weights:5.1f})"
    )
