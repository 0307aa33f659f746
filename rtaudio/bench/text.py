"""Results for a terminal: a line for each model as soon as it is measured."""

from __future__ import annotations

from collections.abc import Iterable

from rtaudio.bench.compare import Change
from rtaudio.bench.instrument import THESIS_RATE, InstrumentCost, NoteLatency
from rtaudio.bench.live import PASS_THROUGH, Played
from rtaudio.bench.machine import About, Machine
from rtaudio.bench.models import ModelCost
from rtaudio.bench.peers import Peer


def about_lines(about: About) -> list[str]:
    """The description of the machine."""
    cores = f"{about.cores} core{'s' if about.cores > 1 else ''}{', virtual' if about.virtual else ''}"
    units = ", ".join(about.units) or "no vector units reported"
    return [
        f"{about.processor} ({cores}): {units}.",
        f"{about.system}; Python {about.python}, onnxruntime {about.onnxruntime}, numpy {about.numpy}.",
    ]


def speed_line(machine: Machine) -> str:
    """The speed of one of its threads."""
    load = "" if machine.load is None else f"; load before: {machine.load:.1f}"
    return (
        f"One thread: {machine.gflops:.0f} GFLOP/s (float32 matrix product), reads {machine.read_gb_s:.1f} GB/s{load}."
    )


MODEL_HEADER = (
    "ms a hop                    |     hop | paced p50 / p99, of hop    | back to back p50 / p99 |   RTF | refining | "
    "bounds: compute / weights, times p50      | rounds"
)


def model_row(cost: ModelCost) -> str:
    """One line of the table."""
    name = f"{cost.name} {cost.precision}{'*' if cost.timing_only else ''}"
    refining = "-" if cost.refining_ms is None else f"{cost.refining_ms:.3f}"
    compute = (
        "      - (    -)"
        if cost.compute_bound_ms is None
        else f"{cost.compute_bound_ms:7.3f} ({cost.ratio_to_compute:5.1f})"
    )
    return (
        f"{name:<27} | {cost.hop_ms:7.2f} | {cost.paced_p50_ms:7.3f} / {cost.paced_p99_ms:7.3f}, {cost.paced_p99_of_hop:6.1%}"
        f" | {cost.back_to_back_p50_ms:9.3f} / {cost.back_to_back_p99_ms:9.3f} | {cost.rtf:5.3f} | {refining:>8}"
        f" | {compute} / {cost.weights_bound_ms:7.3f} ({cost.ratio_to_weights:5.1f})"
        f" | {cost.rounds}{'' if cost.stable else ', not stable'}"
    )


INSTRUMENT_HEADER = (
    f"voices on one thread          | step of 1 / 8 / 32 / 64 voices, ms of 16 | at 50 % of a core: network, whole synth"
    f" | whole notes, s a second: ours / bound / thesis {THESIS_RATE} / eager torch | cache"
)


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
    """The time from a key to its first sample."""
    return (
        f"{name}: from a MIDI message to its first sample, 16 notes sounding, blocks of {latency.block}: p50 {latency.p50_ms:.1f}, "
        f"p99 {latency.p99_ms:.1f}, most {latency.largest_ms:.1f} ms of {latency.notes} notes ({latency.misses} misses); declared "
        f"{latency.declared_ms:.1f} (a block and 3 ms) and the resampler's {latency.resampler_ms:.1f}"
    )


def peer_row(peer: Peer, costs: Iterable[ModelCost]) -> str:
    """Another package, and how many times as much processor time it needs as our models."""
    name = f"{peer['name']} {peer['version']} ({peer['model']})"
    if peer["error"]:
        return f"{name} could not be timed: {peer['error']}"
    ratios = ", ".join(
        f"{peer['rtf'] / cost.rtf:.1f} times that of {cost.name}" for cost in costs if not cost.timing_only
    )
    return (
        f"{name}: {peer['p50_ms']:.3f} / {peer['p99_ms']:.3f} ms (p50 / p99, back to back) a hop of {peer['hop_ms']:.1f}, "
        f"RTF {peer['rtf']:.3f}{f': {ratios}' if ratios else ''}"
    )


LIVE_HEADER = (
    "played                           |   rate | block |  blocks |  missed            |  pass-through | xruns |   lost |"
    "  own |  p99 | latency, ms"
)


def live_row(played: Played, alone: Played | None) -> str:
    """One run beside the misses of the pass-through at the same rate and block (``alone``; None for the pass-through itself)."""
    name = f"{played.model}{f' +{played.look_ahead:g} ms' if played.look_ahead else ''}"
    beside = "" if alone is None else f"{alone.misses} ({alone.missed:.2%})"
    own = played.load.get("own", 0.0)
    p99 = played.load.get("p99", 0.0)
    loads = "   - |    -" if played.model == PASS_THROUGH else f"{own:4.2f} | {p99:4.2f}"
    return (
        f"{name[-32:]:<32} | {played.rate:6d} | {played.block:5d} | {played.blocks:7d} | {played.misses:6d} ({played.missed:8.2%})"
        f"  | {beside:>13} | {played.xruns:5d} | {played.lost:6.2%} | {loads} | {played.latency_ms['total']:6.1f}"
    )


def live_tables(runs: list[Played]) -> list[str]:
    """Tables of model by block, a pair for each rate: the share of missed blocks, and the whole latency."""
    lines = []
    for rate in dict.fromkeys(played.rate for played in runs):
        here = [played for played in runs if played.rate == rate]
        blocks = sorted({played.block for played in here})
        for what in ("missed blocks, %", "latency, ms"):
            lines += ["", f"{f'{what}, at {rate} Hz':<34}" + "".join(f"{block:>9}" for block in blocks)]
            for model, ahead in dict.fromkeys((played.model, played.look_ahead) for played in here):
                cells = {p.block: p for p in here if (p.model, p.look_ahead) == (model, ahead)}
                name = f"{model}{f' +{ahead:g} ms' if ahead else ''}"
                lines.append(f"{name[-33:]:<34}" + "".join(_cell(cells.get(block), what) for block in blocks))
    return lines


def _cell(played: Played | None, what: str) -> str:
    if played is None:
        return f"{'-':>9}"
    return f"{100 * played.missed:9.2f}" if what.startswith("missed") else f"{played.latency_ms['total']:9.1f}"


def change_lines(changes: list[Change]) -> list[str]:
    """Each number in both runs, and a summary."""
    if not changes:
        return ["The earlier result has none of the present measurements."]
    width = max(len(change.what) for change in changes)
    lines = [f"{'against the earlier run':<{width}} | number                 |   before |      now |  ratio | "]
    for change in changes:
        ratio = "     -" if change.ratio is None else f"{change.ratio:6.3f}"
        noise = "" if change.counts or change.beyond else f" (+-{change.noise:.0%})"
        lines.append(
            f"{change.what:<{width}} | {change.number:<22} | {change.before:8.4g} | {change.now:8.4g} | {ratio} | "
            f"{change.verdict}{noise}"
        )
    beyond = [change for change in changes if change.beyond]
    better = sum(change.verdict == "better" for change in beyond)
    lines.append(
        f"Beyond the noise: {better} better, {len(beyond) - better} worse; {len(changes) - len(beyond)} within it."
    )
    return lines
