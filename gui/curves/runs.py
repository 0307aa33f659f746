"""Reads the logs of training runs: ``csv/version_N/metrics.csv`` and ``history.json`` in a run's folder, again when they have grown.

A log that is being written may end within a line or a number. Complete lines are used; the rest is read the next time.
"""

from __future__ import annotations

import csv
import io
import json
import math
from collections import defaultdict
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from rtaudio.audio.format import StemplayError

CSV_FILES = "csv/version_*/metrics.csv"
HISTORY = "history.json"
TIMES = ("elapsed", "seconds")
"""Columns that contain the seconds since the start of the run."""

ORDER = ("loss", "valid_loss", "sdr_mean", "lr")
"""These curves come first in lists."""


@dataclass
class Curve:
    """One quantity over a run. ``steps``, ``minutes`` and ``values`` are equally long; ``minutes`` are nan if the log has none."""

    steps: list[float] = field(default_factory=list)
    minutes: list[float] = field(default_factory=list)
    values: list[float] = field(default_factory=list)


class Run:
    """The log in ``folder``. ``curves`` has its quantities by name; ``refresh`` reads new data."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.name = folder.name
        self.curves: dict[str, Curve] = {}
        self._seen: dict[Path, tuple[int, int]] = {}

    def refresh(self) -> bool:
        """Read the files again if they have changed. Returns whether they had."""
        files = log_files(self.folder)
        seen = {}
        for path in files:
            try:
                stat = path.stat()
            except OSError:
                continue
            seen[path] = (stat.st_mtime_ns, stat.st_size)
        if seen == self._seen:
            return False
        rows: list[dict[str, Any]] = []
        for path in seen:
            try:
                text = path.read_text(encoding="utf-8")
            except (OSError, UnicodeDecodeError):
                return False  # the file is being replaced: try again later
            rows += csv_rows(text) if path.suffix == ".csv" else history_rows(text)
        self._seen = seen
        self.curves = to_curves(rows)
        return True

    def latest(self) -> dict[str, float]:
        """The last value of each curve."""
        return {name: curve.values[-1] for name, curve in self.curves.items()}


def log_files(folder: Path) -> list[Path]:
    """The CSV files of a run, oldest first; if it has none, its ``history.json``."""
    found = sorted(folder.glob(CSV_FILES), key=lambda path: _number(path.parent.name))
    return found or [path for path in [folder / HISTORY] if path.is_file()]


def find_runs(folder: Path) -> list[Path]:
    """``folder`` if it contains a run's log, else the folders in it that do. Raises StemplayError if there are none."""
    if log_files(folder):
        return [folder]
    try:
        found = [path for path in sorted(folder.iterdir()) if path.is_dir() and log_files(path)]
    except OSError as error:
        raise StemplayError(f"{folder} cannot be read: {error.strerror}.") from None
    if not found:
        raise StemplayError(
            f"There is no training run in {folder}: it contains neither {HISTORY} nor csv/version_0/metrics.csv."
        )
    return found


def csv_rows(text: str) -> list[dict[str, Any]]:
    """Rows of a CSV log. An incomplete last line is read the next time."""
    whole = text[: text.rfind("\n") + 1]
    return [row for row in csv.DictReader(io.StringIO(whole)) if row.get("step")]


def history_rows(text: str) -> list[dict[str, Any]]:
    """Rows of a ``history.json``: a list, or an object whose ``validations`` is one. SING's have a stage: its name joins the loss'."""
    try:
        values = json.loads(text)
    except ValueError:
        return []
    rows = values.get("validations", []) if isinstance(values, dict) else values
    if not isinstance(rows, list):
        return []
    found = []
    for row in rows:
        if not isinstance(row, dict):
            continue
        stage = row.get("stage")
        found.append({f"loss {stage}" if stage and key == "loss" else key: value for key, value in row.items()})
    return found


def to_curves(rows: list[dict[str, Any]]) -> dict[str, Curve]:
    """A curve for each column with numbers, in the order of the steps. If two rows have the same step, the later one counts.

    A resumed run writes some steps again.
    """
    points: dict[str, dict[float, tuple[float, float]]] = defaultdict(dict)
    for row in rows:
        step = _float(row.get("step"))
        if math.isnan(step):
            continue
        minute = next((_float(row[name]) / 60 for name in TIMES if row.get(name) not in (None, "")), math.nan)
        for name, cell in row.items():
            value = _float(cell)
            if name not in ("step", *TIMES) and math.isfinite(value):
                points[name][step] = (minute, value)
    curves = {}
    for name in sorted(points, key=rank):
        curve = curves[name] = Curve()
        for step, (minute, value) in sorted(points[name].items()):
            curve.steps.append(step)
            curve.minutes.append(minute)
            curve.values.append(value)
    return curves


def rank(name: str) -> tuple[int, str]:
    """Sort key of curve names: the most important ones first."""
    return (ORDER.index(name) if name in ORDER else len(ORDER), name)


def _float(cell: Any) -> float:
    try:
        return math.nan if isinstance(cell, bool) else float(cell)
    except (TypeError, ValueError, OverflowError):
        return math.nan


def _number(version: str) -> int:
    digits = version.rpartition("_")[2]
    return int(digits) if digits.isdigit() else 0
