"""``python -m rtaudio bench``: what the models cost on this machine, and what is missed when they play."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from models.card import CardError
from models.catalog import load_card, model_names
from rtaudio.bench import live, table, text
from rtaudio.bench.busy import Watch
from rtaudio.bench.compare import changes, differences
from rtaudio.bench.machine import about_this, measure_machine
from rtaudio.bench.models import measure_model
from rtaudio.bench.networks import timing_models
from rtaudio.bench.peers import measure_peers
from rtaudio.bench.report import Findings, Result, as_result, read, write
from rtaudio.bench.timing import ROUNDS
from rtaudio.bench_instrument import measure_instrument, measure_latency
from rtaudio.format import StemplayError
from rtaudio.jackserver import why_no_server
from rtaudio.messages import DEFAULT_MODEL, MAX_LOOK_AHEAD

NAME = "bench"
HELP = (
    "time each shipped model, and random networks of the usual sizes, beside this machine's bounds; with --live, play each model with each "
    "block and count what is missed"
)
AIM = 0.35
LARGEST_BLOCK = 8192
"""JACK's."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of ``bench``."""
    parser.add_argument("model", metavar="MODEL", nargs="*", help="only these: shipped names or directories")
    timing = parser.add_argument_group("timing")
    timing.add_argument(
        "--seconds", type=_seconds, default=3.0, metavar="N", help="of a round of each timing (default: %(default)s)"
    )
    timing.add_argument(
        "--rounds", type=_whole(1, 1000), default=ROUNDS, metavar="K",
        help="at most, until the p99 of the last three agree within 10 %% (default: %(default)s)",
    )  # fmt: skip
    timing.add_argument(
        "--models-dir", metavar="DIR", type=Path,
        help="directory of networks made for timing only (default: the cache; made there once if torch is installed)",
    )  # fmt: skip
    timing.add_argument(
        "--peers", action="store_true", help="also time other packages that are installed (needs torch)"
    )
    playing = parser.add_argument_group("playing")
    playing.add_argument(
        "--live", action="store_true", help="instead: play separators on a private JACK server and count what is missed"
    )
    playing.add_argument(
        "--blocks",
        type=_list(1, LARGEST_BLOCK),
        default=live.BLOCKS,
        metavar="A,B",
        help="frames (default: 64 to 2048)",
    )
    playing.add_argument(
        "--rates", type=_list(8000, 384_000), default=live.RATES, metavar="A,B", help="Hz (default: 44100)"
    )
    playing.add_argument(
        "--live-seconds", type=_seconds, default=live.SECONDS, metavar="N", help="of each run (default: %(default)s)"
    )
    playing.add_argument(
        "--look-ahead", type=_look_ahead, default=live.LOOK_AHEAD, metavar="MS",
        help=f"play {DEFAULT_MODEL} refined, too, so much later; 0: do not (default: %(default)s)",
    )  # fmt: skip
    playing.add_argument("--song", type=Path, default=live.SONG, metavar="FILE", help="(default: the demo song)")
    results = parser.add_argument_group("results")
    results.add_argument("--json", action="store_true", help="print the numbers as JSON")
    results.add_argument("--save", type=Path, metavar="FILE", help="keep the numbers as JSON in a file")
    results.add_argument("--compare", type=Path, metavar="FILE", help="tell what changed since an earlier run's JSON")
    results.add_argument(
        "--full",
        action="store_true",
        help="the shipped models, other packages and --live in one run: all that the README shows",
    )
    results.add_argument(
        "--table", type=Path, metavar="FILE", help="measure nothing: the README's tables of a JSON file"
    )
    results.add_argument(
        "--into", type=Path, metavar="PAGE", help="write the README's tables between that page's comments"
    )


def _seconds(text: str) -> float:
    value = _number(text)
    if not 0 < value <= 3600:
        raise argparse.ArgumentTypeError(f"{text} is not between 0 and 3600 seconds")
    return value


def _look_ahead(text: str) -> float:
    value = _number(text)
    if not 0 <= value <= MAX_LOOK_AHEAD:
        raise argparse.ArgumentTypeError(f"{text} is not between 0 and {MAX_LOOK_AHEAD} ms")
    return value


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is no number") from None


def _whole(least: int, most: int) -> Callable[[str], int]:
    def parse(text: str) -> int:
        try:
            value = int(text)
        except ValueError:
            raise argparse.ArgumentTypeError(f"{text!r} is no whole number") from None
        if not least <= value <= most:
            raise argparse.ArgumentTypeError(f"{value} is not between {least} and {most}")
        return value

    return parse


def _list(least: int, most: int) -> Callable[[str], tuple[int, ...]]:
    one = _whole(least, most)
    return lambda text: tuple(dict.fromkeys(one(part) for part in text.split(",")))


def run(args: argparse.Namespace) -> int:
    """Measure, and print, keep, compare or publish the result."""
    if args.table:
        _publish(read(args.table), args.into)
        return 0
    earlier = read(args.compare) if args.compare else None  # a bad file is told before minutes are spent
    say: Callable[[str], None] = (lambda line: None) if args.json else (lambda line: print(line, flush=True))
    separators, instruments = _models(args)
    plan = _plan(args, separators) if args.live or args.full else None
    found = Findings(about_this())
    for line in text.about_lines(found.about):
        say(line)
    watch = Watch(children=True)
    if not args.live:
        _time_separators(separators, args, found, say)
        _time_instruments(instruments, args, found, say)
        if args.peers or args.full:
            _time_peers(args, found, say)
    if plan:
        _play(plan, found, say)
    _doubts(found, watch)
    for warning in found.warnings:
        print(f"Warning: {warning}", file=sys.stderr if args.json else sys.stdout, flush=True)
    _hand_over(as_result(found), earlier, args, say)
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


def _models(args: argparse.Namespace) -> tuple[list[str | Path], list[str | Path]]:
    """Separators and instruments that are asked for. Raises StemplayError for one that does not exist."""
    models: list[str | Path] = list(args.model) or list(model_names())
    if not args.model and not args.live and (args.models_dir or not args.full):
        models += timing_models(args.models_dir)
    if not models:
        raise StemplayError("There is no model to time: none is shipped here and no directory is given.")
    instruments = [model for model in models if _is_instrument(model)]
    if args.live and args.model and instruments:
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


def _doubts(found: Findings, watch: Watch) -> None:
    """Everything that makes the numbers worth less."""
    found.busy = watch.end()
    found.warnings += found.busy.warnings()
    shaky = [cost.name for cost in found.costs if not cost.stable]
    if shaky:
        found.warnings.append(
            f"The p99 did not become stable: {', '.join(shaky)} (more --rounds, or a quieter machine)."
        )
