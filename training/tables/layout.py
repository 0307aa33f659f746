"""Tables as Markdown: the thesis' rows and ours in blocks, each with its data, and the best of a block in bold (MUS-05)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from training.metrics.summary import with_spread
from training.separation.scoring import Result
from training.tables.thesis import Row, Table


@dataclass(frozen=True)
class Block:
    """Rows that were measured on the same ``data`` and can be compared."""

    data: str
    rows: tuple[Row, ...]


def markdown(table: Table, blocks: Sequence[Block]) -> str:
    """The thesis' table, then our blocks."""
    separation = table.metric is not None
    extra = ["wav", "extra songs"] if separation else []
    lines = [f"**{table.title}**", "", f"| | {' | '.join([*extra, *table.columns])} |"]
    lines.append("|---|" + "---|" * (len(extra) + len(table.columns)))
    for block in (Block(f"Thesis: {table.data}", table.rows), *blocks):
        lines.append(f"| *{block.data}* |" + " |" * (len(extra) + len(table.columns)))
        bold = _bold(block.rows) if separation else [()] * len(block.rows)
        lines += [_line(row, separation, cells) for row, cells in zip(block.rows, bold, strict=True)]
    return "\n".join(lines) + "\n"


def _line(row: Row, separation: bool, bold: Sequence[int]) -> str:
    cells = (
        []
        if not separation
        else [{True: "yes", False: "no", None: "-"}[row.wav], str("-" if row.extra is None else row.extra)]
    )
    for index, value in enumerate(row.values):
        text = f"{value:.2f}" if separation and isinstance(value, float) and value == value else _number(value)
        if row.spread is not None and row.spread[index] == row.spread[index]:
            text += f" ± {row.spread[index]:.2f}"
        cells.append(f"**{text}**" if index in bold else text)
    return f"| {row.name} | {' | '.join(cells)} |"


def _number(value: float | str) -> str:
    if isinstance(value, str):
        return value
    if value != value:
        return "-"
    return f"{value:.2f}" if abs(value) >= 1 else f"{value:.4g}"


def _bold(rows: Sequence[Row]) -> list[tuple[int, ...]]:
    """Which cells are the best of their block: not below the best value by more than its row's interval. Oracles do not count."""
    columns = len(rows[0].values) if rows else 0
    rivals = [row for row in rows if "oracle" not in row.name.lower()]
    marks: dict[int, list[int]] = {}
    for index in range(columns):
        numbers = [(row, row.values[index]) for row in rivals]
        known = [(row, value) for row, value in numbers if isinstance(value, float | int) and value == value]
        if not known:
            continue
        best = max(value for _, value in known)
        for row, value in known:
            width = row.spread[index] if row.spread is not None and row.spread[index] == row.spread[index] else 0.0
            if value >= best - width:
                marks.setdefault(id(row), []).append(index)
    return [tuple(marks.get(id(row), ())) for row in rows]


def block_of(results: Sequence[Result], metric: str) -> list[Block]:
    """Our results as blocks, one for each set of songs, the best first; ± is the standard error over songs."""
    blocks: dict[str, list[Row]] = {}
    for result in results:
        if metric not in result.scores:
            continue
        summary = result.summary(metric)
        values, spread = zip(*summary.values(), strict=True)
        notes = result.notes
        row = Row(result.title, values, spread, notes.get("wav"), notes.get("extra"))
        blocks.setdefault(result.data, []).append(row)
    order = {data: sorted(rows, key=lambda row: -float(row.values[0])) for data, rows in blocks.items()}
    return [Block(f"Ours: {data}; ± over songs", tuple(rows)) for data, rows in order.items()]


def means_table(results: Sequence[Result], metric: str, against: Result | None = None) -> str:
    """Markdown: mean over clips ± standard error of every method, the best first. With ``against``, also a comparison clip by clip.

    Raises:
        StemplayError: a result lacks the metric, or was not scored on the same clips as ``against``.
    """
    ordered = sorted(results, key=lambda result: -result.means(metric)["All"][0])
    columns = ["All", *ordered[0].sources]
    heads = [*columns, *([f"against {against.title}, clips won"] if against is not None else [])]
    lines = [f"| | {' | '.join(heads)} |", "|---|" + "---|" * len(heads)]
    for result in ordered:
        cells = [with_spread(*pair) for pair in result.means(metric).values()]
        if against is not None:
            cells.append("-" if result.method == against.method else result.duel(against, metric)["All"].text())
        lines.append(f"| {result.title} | {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"
