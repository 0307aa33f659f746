"""The README's tables of measurements, made only from a result's JSON: the same file gives the same text.

They are between two comments in the page. ``rewrite`` replaces everything between the comments, so nothing there is written by hand.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from rtaudio.audio.format import StemplayError
from rtaudio.bench.instrument import THESIS_RATE
from rtaudio.bench.live import LOOK_AHEAD, PASS_THROUGH
from rtaudio.bench.report import Result, write

COMMAND = "python -m rtaudio bench --full --save docs/bench.json --into README.md"
BEGIN = f"<!-- bench: begin; made by `{COMMAND}` -->"
END = "<!-- bench: end -->"


def markdown(result: Result) -> str:
    """The tables of one result. Raises StemplayError if the result lacks numbers for them."""
    try:
        parts = [_machine(result)]
        if models := [row for row in result["models"] if not row["timing_only"]]:
            parts.append(_models(models, _peers(result)))
        if instruments := [row for row in result["instruments"] if not row["timing_only"]]:
            parts.append(_instruments(instruments, result["note_latency"]))
        parts += [_live(result["live"], rate) for rate in dict.fromkeys(row["rate"] for row in result["live"])]
        if result["warnings"]:
            parts.append("Warnings of this run: " + " ".join(result["warnings"]))
    except (KeyError, TypeError, ValueError, AttributeError, ZeroDivisionError) as error:
        raise StemplayError(f"The result lacks numbers for its table ({error}): measure again.") from None
    return "\n\n".join(parts)


def rewrite(page: Path, result: Result) -> None:
    """Put the result's tables into a page, between its comments. Raises StemplayError if it has none."""
    before, after = split(page)
    write(page, f"{before}{BEGIN}\n{markdown(result)}\n{END}{after}")


def split(page: Path) -> tuple[str, str]:
    """The text before and after the tables of a page. Raises StemplayError if the page has no place for them."""
    try:
        text = page.read_text(encoding="utf-8")
    except OSError as error:
        raise StemplayError(f"{page} cannot be read: {error.strerror}.") from None
    before, begin, rest = text.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise StemplayError(f"{page} has no place for the tables: it needs the lines {BEGIN} and {END}.")
    return before, after


def _machine(result: Result) -> str:
    about = result["machine"]
    cores = f"{about['cores']} core{'s' if about['cores'] > 1 else ''}{', virtual' if about['virtual'] else ''}"
    return (
        f"One run on one machine, {result['day']}: {about['processor']} ({cores}; {', '.join(about['units'])}), {about['system']}, "
        f"Python {about['python']}, ONNX Runtime {about['onnxruntime']}. One thread of it does {about['gflops']:.0f} GFLOP/s in float32 "
        f"matrix products and reads {about['read_gb_s']:.0f} GB/s. What each number means: [docs/bench.md](docs/bench.md)."
    )


def _peers(result: Result) -> list[dict[str, Any]]:
    return [peer for peer in result["peers"] if not peer["error"] and peer["rtf"] > 0]


def _models(rows: list[dict[str, Any]], peers: list[dict[str, Any]]) -> str:
    titles = [
        "separator, one thread", "hop, ms", "paced p50 / p99, ms", "p99 of the hop", "back to back p50, ms",
        f"more with `--look-ahead {LOOK_AHEAD}`, ms", "larger bound, ms (p50 / bound)", "RTF",
        *(f"`{peer['name']}` needs" for peer in peers),
    ]  # fmt: skip
    lines = [_row(titles), _row(["---"] * len(titles))]
    for row in rows:
        bound = max(row["weights_bound_ms"], row["compute_bound_ms"] or 0.0)
        lines.append(
            _row(
                [
                    f"`{row['name']}` {row['precision']}",
                    f"{row['hop_ms']:.1f}",
                    f"{row['paced_p50_ms']:.2f} / {row['paced_p99_ms']:.2f}{'' if row['stable'] else ' (not stable)'}",
                    f"{row['paced_p99_of_hop']:.1%}",
                    f"{row['back_to_back_p50_ms']:.2f}",
                    _refining(row),
                    f"{bound:.2f} ({row['ratio_to_bound']:.1f})",
                    f"{row['rtf']:.3f}",
                    *(f"{peer['rtf'] / row['rtf']:.1f} times as much" for peer in peers),
                ]
            )
        )
    return "\n".join([*lines, *(f"\n{_peer(peer)}" for peer in peers)])


def _refining(row: dict[str, Any]) -> str:
    return "–" if row.get("refining_ms") is None else f"{row['refining_ms']:.2f}"


def _peer(peer: dict[str, Any]) -> str:
    threads = "one thread" if peer["one_thread"] else "with threads of its own"
    return (
        f"`{peer['name']}` {peer['version']}, {peer['model']}: {peer['p50_ms']:.3g} ms for a hop of {peer['hop_ms']:.1f} ms of mono at "
        f"{peer['rate'] / 1000:g} kHz, RTF {peer['rtf']:.3g}, {threads}, in the same run."
    )


def _instruments(rows: list[dict[str, Any]], latencies: dict[str, Any]) -> str:
    titles = [
        "instrument, one thread", "voices at half of a core", "whole notes, s of sound a second", "of the bound", "times eager torch",
        f"times the thesis' {THESIS_RATE}", "key to sound, 16 notes sounding, p50 / p99",
    ]  # fmt: skip
    lines = [_row(titles), _row(["---"] * len(titles))]
    for row in rows:
        rate, heard = row["notes_rate"], latencies.get(row["name"])
        lines.append(
            _row(
                [
                    f"`{row['name']}` {row['precision']}",
                    f"{row['synth_voices_half_core']:.0f}",
                    f"{rate:.0f}",
                    f"{rate / row['notes_bound']:.0%}" if row["notes_bound"] else "-",
                    f"{rate / row['eager_rate']:.1f}" if row["eager_rate"] else "-",
                    f"{rate / THESIS_RATE:.0f}",
                    f"{heard['p50_ms']:.1f} / {heard['p99_ms']:.1f} ms" if heard else "-",
                ]
            )
        )
    return "\n".join(lines)


def _live(rows: list[dict[str, Any]], rate: int) -> str:
    here = [row for row in rows if row["rate"] == rate]
    blocks = sorted({row["block"] for row in here})
    server = "a private JACK server" if here[0]["server"] == "jack" else "the engine's own clock"
    seconds = min(row["seconds"] for row in here)
    lines = [
        f"Played for {seconds:.0f} s each on {server} at {rate} Hz: blocks missed, and the whole latency.",
        "",
        _row(["played", *(f"block {block}" for block in blocks)]),
        _row(["---"] * (1 + len(blocks))),
    ]
    variants = list(dict.fromkeys((row["model"], row["look_ahead"]) for row in here))
    for model, ahead in sorted(variants, key=lambda variant: variant[0] == PASS_THROUGH):  # the pass-through last
        cells = {row["block"]: row for row in here if (row["model"], row["look_ahead"]) == (model, ahead)}
        name = "a pass-through, no model" if model == PASS_THROUGH else f"`{model}`"
        lines.append(
            _row([name + (f", looking {ahead:g} ms ahead" if ahead else ""), *(_cell(cells.get(b)) for b in blocks)])
        )
    return "\n".join(lines)


def _cell(row: dict[str, Any] | None) -> str:
    return "-" if row is None else f"{row['missed']:.2%}, {row['latency_ms']['total']:.1f} ms"


def _row(cells: list[str]) -> str:
    return f"| {' | '.join(cells)} |"
