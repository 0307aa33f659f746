"""How the evening was: a table for a person and the docs, JSON for a program. Pure."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from statistics import median
from typing import Any

from tests.soak.takes import Take
from tests.soak.watch import Held


@dataclass(frozen=True)
class Incident:
    """A fault: its name, when it began, seconds without sound that it caused, seconds until the sound was whole again, what went wrong."""

    name: str
    at: float
    gap: float
    recovery: float
    problem: str


@dataclass
class Evening:
    """Everything that was measured."""

    seconds: float
    frames: int
    rate: int
    xruns: int
    misses: int
    blocks: int
    restarts: int
    notes: int
    lost_s: float
    incidents: list[Incident]
    takes: list[Take]
    held: list[Held]
    latencies: dict[int, float]
    problems: list[str] = field(default_factory=list)

    @property
    def lost(self) -> list[float]:
        """Of each take: seconds that the engine said and that are in no file."""
        return [max(0.0, take.said - take.kept) for take in self.takes]


def markdown(evening: Evening) -> str:
    """The tables of the docs."""
    lines = [
        "| fault | times | without sound, s (median, longest) | until all is well, s (median, longest) |",
        "|---|---|---|---|",
    ]
    names = list(dict.fromkeys(incident.name for incident in evening.incidents))
    for name in sorted(names):
        found = [incident for incident in evening.incidents if incident.name == name]
        gaps, back = [i.gap for i in found], [i.recovery for i in found]
        lines.append(
            f"| {name} | {len(found)} | {median(gaps):.2f}, {max(gaps):.2f} | {median(back):.1f}, {max(back):.1f} |"
        )
    lines += ["", "| | |", "|---|---|"]
    lines += [f"| {name} | {value} |" for name, value in rows(evening)]
    return "\n".join(lines)


def rows(evening: Evening) -> list[tuple[str, str]]:
    """Name and value of everything but the faults."""
    by_faults = sum(incident.gap for incident in evening.incidents)
    longest = max((incident.gap for incident in evening.incidents), default=0.0)
    lost = evening.lost
    found = [
        (
            "played",
            f"{evening.seconds / 3600:.2f} h, {evening.frames} frames, {evening.notes} notes of a second client",
        ),
        ("xruns", str(evening.xruns)),
        ("misses", f"{evening.misses} of {evening.blocks} blocks ({evening.misses / max(1, evening.blocks):.2%})"),
        ("faults", f"{len(evening.incidents)}, after which the engine was started again {evening.restarts} times"),
        ("without sound", f"{evening.lost_s:.1f} s, {by_faults:.1f} s of it in faults, the longest {longest:.2f} s"),
        (
            "takes",
            f"{len(evening.takes)}, {sum(take.kept for take in evening.takes):.0f} s in {sum(take.files for take in evening.takes)} files",
        ),
        ("unfinished files", str(sum(take.unfinished for take in evening.takes))),
        ("recorded and lost", f"{sum(lost):.2f} s, of one take at most {max(lost, default=0.0):.2f} s"),
        ("declared latency", ", ".join(f"{frames} frames" for frames in sorted(evening.latencies))),
    ]
    for what, unit in (("memory", "MiB"), ("descriptors", ""), ("threads", "")):
        parts = []
        for process in sorted({name for held in evening.held for name in getattr(held, what)}):
            series = [getattr(held, what)[process] for held in evening.held if process in getattr(held, what)]
            tenth = max(1, len(series) // 10)
            early, late = median(series[:tenth]), median(series[-tenth:])
            parts.append(f"{process} {early:.0f} to {late:.0f} (at most {max(series):.0f})")
        found.append((f"{what}{', ' + unit if unit else ''}, first and last tenth", "; ".join(parts)))
    if evening.held:
        found.append(("shared memory, MiB", f"{evening.held[0].shared:.0f} to {evening.held[-1].shared:.0f}"))
    found.append(("problems", "; ".join(evening.problems) or "none"))
    return found


def as_json(evening: Evening) -> dict[str, Any]:
    """Everything, for later."""
    return asdict(evening)
