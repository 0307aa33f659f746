"""The numbers printed in the thesis, from ``thesis.toml``."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from rtaudio.audio.format import StemplayError

FILE = Path(__file__).parent / "thesis.toml"


@dataclass(frozen=True)
class Row:
    """A row: ``values`` are numbers or text, ``spread`` the half widths of their intervals; ``wav`` and ``extra`` as in Table 3.1."""

    name: str
    values: tuple[float | str, ...]
    spread: tuple[float, ...] | None = None
    wav: bool | None = None
    extra: int | None = None


@dataclass(frozen=True)
class Table:
    """A table of the thesis; ``metric`` is its score, ``data`` the data that it was measured on."""

    name: str
    title: str
    data: str
    columns: tuple[str, ...]
    rows: tuple[Row, ...]
    metric: str | None = None


@cache
def thesis_tables() -> dict[str, Table]:
    """Name -> table."""
    return {name: _table(name, values) for name, values in tomllib.loads(FILE.read_text(encoding="utf-8")).items()}


def _table(name: str, values: dict[str, Any]) -> Table:
    rows = tuple(
        Row(**{**row, "values": tuple(row["values"]), "spread": tuple(row["spread"]) if "spread" in row else None})
        for row in values["rows"]
    )
    return Table(name, values["title"], values["data"], tuple(values["columns"]), rows, values.get("metric"))


def thesis_table(name: str) -> Table:
    """Raises StemplayError for a table that the thesis does not have."""
    tables = thesis_tables()
    if name not in tables:
        raise StemplayError(f"There is no table {name!r}; choose from {', '.join(tables)}.")
    return tables[name]
