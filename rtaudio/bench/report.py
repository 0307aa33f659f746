"""A run's results as one JSON value: written, read back and checked, so that a damaged file gives a sentence and no traceback."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from rtaudio.audio.format import StemplayError
from rtaudio.bench.live import Played
from rtaudio.bench.machine import About, Machine
from rtaudio.bench.models import ModelCost
from rtaudio.bench.peers import Peer
from rtaudio.bench.system_load import SystemLoad
from rtaudio.system.atomic_file import write_text

Result = dict[str, Any]
"""See ``as_result``."""
LISTS = ("models", "instruments", "peers", "live", "warnings")
MAPS = ("machine", "note_latency")


@dataclass
class Findings:
    """The measurements of a run so far; ``machine`` is the speed before the run, ``after`` that at its end.

    ``voices`` and ``latencies`` are ``rtaudio.bench.instrument``'s.
    """

    about: About
    machine: Machine | None = None
    after: Machine | None = None
    costs: list[ModelCost] = field(default_factory=list)
    voices: list[Any] = field(default_factory=list)
    latencies: dict[str, Any] = field(default_factory=dict)
    peers: list[Peer] = field(default_factory=list)
    played: list[Played] = field(default_factory=list)
    busy: SystemLoad | None = None
    warnings: list[str] = field(default_factory=list)


def as_result(found: Findings) -> Result:
    """All results, rounded to the clock's resolution.

    ``machine`` (description and speed), ``machine_after`` (speed at the end), ``busy`` (load of other programs), ``models`` (separators),
    ``instruments`` and ``note_latency`` (of their notes), ``peers``, ``live`` (with the share ``missed``), ``warnings``, and the day.
    """
    speed = asdict(found.machine) if found.machine else {}
    result: Result = tidy(
        {
            "day": datetime.now(UTC).date().isoformat(),
            "machine": asdict(found.about) | speed,
            "machine_after": asdict(found.after) if found.after else {},
            "busy": asdict(found.busy) if found.busy else {},
            "models": [asdict(cost) for cost in found.costs],
            "instruments": [asdict(cost) for cost in found.voices],
            "note_latency": {name: asdict(value) for name, value in found.latencies.items()},
            "peers": found.peers,
            "live": [asdict(played) | {"missed": played.missed} for played in found.played],
            "warnings": found.warnings,
        }
    )
    return result


def tidy(value: Any) -> Any:
    """``value`` with its numbers rounded to four digits, as plain JSON values."""
    if isinstance(value, dict):
        return {str(key): tidy(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [tidy(item) for item in value]
    return float(f"{value:.4g}") if isinstance(value, float) else value


def read(path: Path) -> Result:
    """A result from a file. Parts that an older version did not write are empty. Raises StemplayError if it is not a result."""
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise StemplayError(f"{path} cannot be read: {error.strerror}.") from None
    except ValueError:
        raise StemplayError(f"{path} is not JSON, so it is not a result of `bench --json`.") from None
    if not isinstance(value, dict) or "machine" not in value:
        raise StemplayError(f"{path} is not a result of `bench --json`.")
    for name in LISTS:
        _check(path, name, value.setdefault(name, []), list)
    for name in MAPS:
        _check(path, name, value.setdefault(name, {}), dict)
    for name, wanted in (("models", "name"), ("instruments", "name"), ("peers", "name"), ("live", "model")):
        for row in value[name]:
            if not isinstance(row, dict) or not isinstance(row.get(wanted), str):
                raise StemplayError(f"{path} is damaged: a row of {name!r} has no {wanted}.")
    return value


def _check(path: Path, name: str, value: Any, kind: type) -> None:
    if not isinstance(value, kind):
        raise StemplayError(f"{path} is damaged: {name!r} is not a {'list' if kind is list else 'table'}.")


def write(path: Path, text: str) -> None:
    """Replace a file's text atomically: the file has the old or the new text, never a part. Raises StemplayError."""
    try:
        write_text(path, text, permissions=path.stat().st_mode & 0o777 if path.exists() else 0o644)
    except OSError as error:
        raise StemplayError(f"{path} cannot be written: {error.strerror}.") from None


def numbers(row: dict[str, Any], names: Sequence[str]) -> dict[str, float]:
    """The values of ``names`` that are numbers in ``row``; ``a.b`` is ``row["a"]["b"]``."""
    found = {}
    for name in names:
        value: Any = row
        for part in name.split("."):
            value = value.get(part) if isinstance(value, dict) else None
        if isinstance(value, int | float) and not isinstance(value, bool):
            found[name] = float(value)
    return found
