"""``python -m rtaudio bench``: measure the cost of the models and the missed blocks on this machine."""

from __future__ import annotations

import argparse
import json
import math
import sys
from collections.abc import Callable, Iterable
from dataclasses import asdict
from pathlib import Path
from typing import Any

from models.card import CardError
from models.catalog import load_card, model_names
from rtaudio.audio.format import StemplayError
from rtaudio.bench import callback, inserts, live, starts, table, tempo, text
from rtaudio.bench.compare import changes, differences
from rtaudio.bench.instrument import measure_instrument, measure_latency
from rtaudio.bench.jack_server import why_no_server
from rtaudio.bench.machine import about_this, drift, measure_machine
from rtaudio.bench.models import measure_model
from rtaudio.bench.networks import timing_models
from rtaudio.bench.options import add_arguments, check
from rtaudio.bench.peers import measure_peers
from rtaudio.bench.report import Findings, Result, as_result, read, write
from rtaudio.bench.system_load import SystemLoadMonitor
from rtaudio.cli.inserts import resolve
from rtaudio.protocol.settings import DEFAULT_MODEL

__all__ = ["HELP", "NAME", "add_arguments", "run"]

NAME = "bench"
HELP = (
    "time each shipped model, and random networks of the usual sizes, beside this machine's bounds; with --live, play each model with each "
    "block and count what is missed"
)
AIM = 0.35


def run(args: argparse.Namespace) -> int:
    """Measure, and print, save, compare or publish the result."""
    if args.table:
        _publish(read(args.table), args.into)
        return 0
    if args.starts or args.fresh:
        return _starts(args)
    if args.callback:
        return _callback(args)
    if args.inserts:
        return _inserts(args)
    if args.tempo:
        return _tempo(args)
    check(args)  # check files before minutes are spent
    earlier = read(args.compare) if args.compare else None
    say: Callable[[str], None] = (lambda line: None) if args.json else (lambda line: print(line, flush=True))
    only_live = args.live and not args.full
    separators, instruments = _models(args, only_live)
    plan = _plan(args, separators) if args.live or args.full else None
    found = Findings(about_this())
    for line in text.about_lines(found.about):
        say(line)
    watch = SystemLoadMonitor(children=True)
    if not only_live:
        _time_separators(separators, args, found, say)
        _time_instruments(instruments, args, found, say)
        if args.peers or args.full:
            _time_peers(args, found, say)
        found.after = measure_machine()
    if plan:
        _play(plan, found, say)
    _doubts(found, watch)
    for warning in found.warnings:
        print(f"Warning: {warning}", file=sys.stderr if args.json else sys.stdout, flush=True)
    _hand_over(as_result(found), earlier, args, say)
    return 0


def _starts(args: argparse.Namespace) -> int:
    if not args.starts:
        raise StemplayError("--fresh needs --starts.")
    say = (lambda line: None) if args.json else print
    say(starts.HEADER)
    found = starts.measure_starts(args.song, lambda start: say(starts.row(start)), fresh=args.fresh)
    if args.json:
        print(json.dumps({"starts": [asdict(start) for start in found]}))
    return 0


def _callback(args: argparse.Namespace) -> int:
    models = args.model or [DEFAULT_MODEL]
    found = []
    for model in models:
        for block in args.blocks if args.blocks != live.BLOCKS else (256,):
            times = callback.times(args.song, args.live_seconds, block, model)
            taken = callback.allocations(block)
            found.append({"model": model, "block": block, "times": asdict(times), "allocations": asdict(taken)})
            if not args.json:
                print("\n".join([f"{model}", *callback.lines(times, taken, block)]))
    if args.json:
        print(json.dumps({"callback": found}))
    return 0


def _inserts(args: argparse.Namespace) -> int:
    plugins = [resolve(name)[0] for name in args.model]
    found = []
    if not args.json:
        print(inserts.HEADER)
    for block in args.blocks if args.blocks != live.BLOCKS else inserts.BLOCKS:
        for cost in inserts.measure_inserts(block, plugins, args.seconds):
            found.append(asdict(cost) | {"alone": None if math.isnan(cost.alone) else cost.alone})
            if not args.json:
                print(inserts.row(cost), flush=True)
    if args.json:
        print(json.dumps({"inserts": found}))
    return 0


def _tempo(args: argparse.Namespace) -> int:
    found = []
    for model in args.model or [DEFAULT_MODEL]:
        found.append({"model": model, "rows": (costs := tempo.measure_tempo(model, args.seconds))})
        if not args.json:
            print("\n".join([tempo.HEADER, *map(tempo.row, costs)]), flush=True)
    if args.json:
        print(json.dumps({"tempo": [entry | {"rows": [asdict(cost) for cost in entry["rows"]]} for entry in found]}))
    return 0


def _hand_over(result: Result, earlier: Result | None, args: argparse.Namespace, say: Callable[[str], None]) -> None:
    if earlier is not None:
        found = changes(earlier, result)
        different = differences(earlier, result)
        for line in ["", *text.change_lines(found), *(f"Warning: {sentence}" for sentence in different)]:
            say(line)
        result["compared"] = {
            "differences": different,
            "changes": [
                {"what": c.what, "number": c.number, "before": c.before, "now": c.now, "ratio": c.ratio, "verdict": c.verdict}
                for c in found
            ],
        }  # fmt: skip
    kept = {name: value for name, value in result.items() if name != "compared"}
    if args.save:
        write(args.save, json.dumps(kept, indent=1, ensure_ascii=False) + "\n")
    if args.into:
        table.rewrite(args.into, kept)
    if args.json:
        print(json.dumps(result, ensure_ascii=False))


def _publish(result: Result, page: Path | None) -> None:
    if page is None:
        print(table.markdown(result))
    else:
        table.rewrite(page, result)


def _models(args: argparse.Namespace, only_live: bool) -> tuple[list[str | Path], list[str | Path]]:
    """The requested separators and instruments. Raises StemplayError if one does not exist."""
    models: list[str | Path] = list(args.model) or list(model_names())
    if not args.model and not only_live and (args.models_dir or not args.full):
        models += timing_models(args.models_dir)
    if not models:
        raise StemplayError("There is no model to time: none is installed and no directory is given.")
    instruments = [model for model in models if _is_instrument(model)]
    if only_live and args.model and instruments:
        raise StemplayError(f"{instruments[0]} is an instrument; --live plays separators.")
    return [model for model in models if model not in instruments], instruments


def _is_instrument(model: str | Path) -> bool:
    try:
        return load_card(model).kind == "instrument"
    except CardError as error:
        raise StemplayError(str(error)) from None


def _plan(args: argparse.Namespace, separators: Iterable[str | Path]) -> live.Plan:
    variants = []
    for model in map(str, separators):
        variants.append((model, 0.0))
        if model == DEFAULT_MODEL and args.look_ahead:
            variants.append((model, args.look_ahead))
    return live.Plan(variants, args.blocks, args.rates, args.live_seconds, args.song)


def _time_separators(
    separators: list[str | Path], args: argparse.Namespace, found: Findings, say: Callable[[str], None]
) -> None:
    found.machine = measure_machine()
    say(text.speed_line(found.machine))
    if separators:
        say(text.MODEL_HEADER)
    for model in separators:
        found.costs.append(measure_model(model, found.machine, args.seconds, args.rounds))
        say(text.model_row(found.costs[-1]))
    if any(cost.timing_only for cost in found.costs):
        say(
            f"* random weights, for timing only. Aim: the paced p99 of causal Demucs 48/4 int8 below {AIM:.0%} of its hop."
        )


def _time_instruments(
    instruments: list[str | Path], args: argparse.Namespace, found: Findings, say: Callable[[str], None]
) -> None:
    assert found.machine is not None
    if instruments:
        say(f"\n{text.INSTRUMENT_HEADER}")
    for model in instruments:
        voices = measure_instrument(model, found.machine, args.seconds)
        found.voices.append(voices)
        say(text.instrument_row(voices))
        if not voices.timing_only:
            found.latencies[voices.name] = measure_latency(model, notes=max(5, round(15 * args.seconds)))
    for name, latency in found.latencies.items():
        say(text.latency_row(name, latency))


def _time_peers(args: argparse.Namespace, found: Findings, say: Callable[[str], None]) -> None:
    found.peers, sentence = measure_peers(args.seconds)
    for line in ["", *(text.peer_row(peer, found.costs) for peer in found.peers), *([sentence] if sentence else [])]:
        say(line)


def _play(plan: live.Plan, found: Findings, say: Callable[[str], None]) -> None:
    if reason := why_no_server():
        found.warnings.append(f"Played on the engine's own clock and on no sound server: {reason}")
        say(found.warnings[-1])
    say(f"\n{text.LIVE_HEADER}")
    alone: dict[tuple[int, int], Any] = {}

    def tell(played: live.Played) -> None:
        key = (played.rate, played.block)
        say(text.live_row(played, alone.get(key)))
        if played.model == live.PASS_THROUGH:
            alone[key] = played

    found.played = live.play_all(plan, tell)
    for line in text.live_tables(found.played):
        say(line)


def _doubts(found: Findings, watch: SystemLoadMonitor) -> None:
    """Add warnings about everything that makes the numbers less reliable."""
    found.busy = watch.end()
    found.warnings += [*found.busy.warnings(), *live.server_doubts(found.played)]
    if found.machine and found.after:
        found.warnings += drift(found.machine, found.after)
    shaky = [cost.name for cost in found.costs if not cost.stable]
    if shaky:
        found.warnings.append(
            f"The p99 did not become stable: {', '.join(shaky)} (more --rounds, or a quieter machine)."
        )
