"""Compares a run with an earlier one: a ratio for each number, and whether it exceeds the noise of both runs.

The noise of a time is the sum of the differences between rounds in both runs, and at least ``FLOOR``. Numbers that were measured once
have the noise ``ONCE``. Misses are counts: they differ if they are more than three standard deviations of such counts apart. Latencies
are exact.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from rtaudio.bench.report import Result, numbers

FLOOR = 0.05
ONCE = 0.10
EXACT = 0.002
"""Noise of latencies: the error of rounding to four digits."""
SPEED = 0.10
"""Difference of two machines' speed that is reported."""

MODEL = (
    "paced_p50_ms",
    "paced_p99_ms",
    "back_to_back_p50_ms",
    "back_to_back_p99_ms",
    "processor_p50_ms",
    "refining_ms",
)
INSTRUMENT = (
    "step_ms.1", "step_ms.8", "step_ms.32", "step_ms.64", "voices_half_core", "synth_voices_half_core", "notes_rate",
    "eager_rate",
)  # fmt: skip
NOTE = ("p50_ms", "p99_ms")
PEER = ("p50_ms", "p99_ms")
LIVE = ("load.p99", "load.own", "latency_ms.total")
HIGHER_IS_BETTER = {"voices_half_core", "synth_voices_half_core", "notes_rate", "eager_rate"}
IDENTITY = ("processor", "units", "virtual", "cores", "system", "python", "onnxruntime", "numpy")


@dataclass(frozen=True)
class Change:
    """One number in both runs. ``noise``: noise of the ratio, as a share; ``counts``: for misses, which are compared as counts."""

    what: str
    number: str
    before: float
    now: float
    noise: float
    counts: tuple[float, float] | None = None

    @property
    def ratio(self) -> float | None:
        """The value now divided by the value before; None if that was 0."""
        return self.now / self.before if self.before else None

    @property
    def beyond(self) -> bool:
        """Whether the difference is larger than the noise."""
        if self.counts is not None:
            a, b = self.counts
            return abs(a - b) > 3 * math.sqrt(max(1.0, a + b))
        if self.ratio is None or self.ratio <= 0:
            return self.now != self.before
        return abs(math.log(self.ratio)) > math.log1p(self.noise)

    @property
    def verdict(self) -> str:
        """``better``, ``worse`` or ``within the noise``."""
        if not self.beyond:
            return "within the noise"
        return "better" if (self.now > self.before) == (self.number in HIGHER_IS_BETTER) else "worse"


def changes(before: Result, now: Result) -> list[Change]:
    """Every number that both results have, in the order of ``now``."""
    return list(_changes(before, now))


def _changes(before: Result, now: Result) -> Iterator[Change]:
    for kind, names, keys in (
        ("models", MODEL, ("name", "precision")),
        ("instruments", INSTRUMENT, ("name", "precision")),
        ("peers", PEER, ("name", "model")),
    ):
        for old, new, what in _pairs(before[kind], now[kind], keys):
            yield from _numbers(what, old, new, names)
    for name, new in now["note_latency"].items():
        if isinstance(old := before["note_latency"].get(name), dict):
            yield from _numbers(f"{name}, key to sound", old, new, NOTE)
    for old, new, _ in _pairs(before["live"], now["live"], ("model", "look_ahead", "rate", "block", "server")):
        what = live_name(new)
        yield from _misses(what, old, new)
        yield from _numbers(what, old, new, LIVE)


def _pairs(
    before: list[dict[str, Any]], now: list[dict[str, Any]], keys: tuple[str, ...]
) -> Iterator[tuple[dict[str, Any], dict[str, Any], str]]:
    def key(row: dict[str, Any]) -> tuple[str, ...]:
        return tuple(str(row.get(name)) for name in keys)

    known = {key(row): row for row in before}
    for row in now:
        if key(row) in known:
            yield known[key(row)], row, " ".join(key(row))


def _numbers(what: str, old: dict[str, Any], new: dict[str, Any], names: tuple[str, ...]) -> Iterator[Change]:
    first, second = numbers(old, names), numbers(new, names)
    for name in names:
        if name in first and name in second:
            yield Change(what, name, first[name], second[name], EXACT if "latency" in name else _noise(name, old, new))


def _noise(name: str, *rows: dict[str, Any]) -> float:
    spreads = [numbers(row, [f"spread.{name}"]).get(f"spread.{name}") for row in rows]
    if any(value is None for value in spreads):
        return ONCE
    return max(FLOOR, sum(value for value in spreads if value is not None))


def _misses(what: str, old: dict[str, Any], new: dict[str, Any]) -> Iterator[Change]:
    first, second = numbers(old, ("misses", "blocks")), numbers(new, ("misses", "blocks"))
    if len(first) == len(second) == 2 and first["blocks"] and second["blocks"]:
        scale = second["blocks"] / first["blocks"]
        share = first["misses"] / first["blocks"], second["misses"] / second["blocks"]
        yield Change(what, "missed", *share, 0.0, (first["misses"] * scale, second["misses"]))


def live_name(row: dict[str, Any]) -> str:
    """A description of what was played: ``demucs-live +17.4 ms, block 256 at 44100 Hz``."""
    ahead = row.get("look_ahead")
    return f"{row['model']}{f' +{ahead:g} ms' if ahead else ''}, block {row.get('block')} at {row.get('rate')} Hz"


def differences(before: Result, now: Result) -> list[str]:
    """A sentence for each difference in the machine or its condition between the two runs."""
    old, new = before["machine"], now["machine"]
    told = [
        f"The machine differs: {name} was {_text(old[name])} and is {_text(new.get(name))}."
        for name in IDENTITY
        if name in old and old[name] != new.get(name)
    ]
    if "processor" not in old:
        told.append("The earlier result does not name its machine.")
    for name, what in (("gflops", "matrix products"), ("read_gb_s", "reading memory")):
        both = numbers(old, [name]), numbers(new, [name])
        if all(name in side and side[name] > 0 for side in both):
            ratio = both[1][name] / both[0][name]
            if abs(math.log(ratio)) > math.log1p(SPEED):
                told.append(f"The machine's own speed differs: {what} are now {ratio:.2f} times as fast.")
    if before["warnings"]:
        told.append(f"Warnings of the earlier run: {' '.join(map(str, before['warnings']))}")
    return told


def _text(value: Any) -> str:
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)
