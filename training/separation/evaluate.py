"""Scores of an exported model, measured on the shipped streaming path (``rtaudio.files.offline``), beside trivial baselines."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch

from models.card import read_card, write_card
from models.catalog import find_model
from rtaudio.files.offline import separate_array
from training.data.store import Stems
from training.metrics import frame_sdr, global_sdr, mean_with_error, median_over_songs, with_accompaniment
from training.metrics.summary import with_spread

METRICS = {"global": global_sdr, "frames": frame_sdr}
ROWS = ("model", "mix", "mix/4", "silence")
SILENCE = "silence"


@dataclass(frozen=True)
class Evaluation:
    """Scores in dB; the rows are the model and the baselines.

    Attributes:
        table: row -> source -> median over songs.
        songs: song -> source -> the model's own score, NaN where the source is silent.
        means, errors: row -> source -> mean over songs and its standard error; ``all`` is for each song's mean over the sources
        (without accompaniment).
    """

    model: str
    metric: str
    consistent: bool
    table: dict[str, dict[str, float]]
    songs: dict[str, dict[str, float]]
    means: dict[str, dict[str, float]]
    errors: dict[str, dict[str, float]]

    def to_dict(self) -> dict[str, Any]:
        """Values for JSON: NaN becomes None."""
        values = asdict(self)
        for group in ("table", "songs", "means", "errors"):
            values[group] = {
                row: {name: None if np.isnan(score) else round(score, 4) for name, score in scores.items()}
                for row, scores in values[group].items()
            }
        return values

    def text(self) -> str:
        """Both tables as text: medians, and means with their standard errors."""
        columns = list(next(iter(self.table.values())))
        lines = ["median" + " " * 4 + "".join(f"{name:>15}" for name in columns)]
        lines += [
            f"{row:<10}" + "".join(f"{scores[name]:>15.2f}" for name in columns) for row, scores in self.table.items()
        ]
        columns = ["all", *columns]
        lines.append("mean" + " " * 6 + "".join(f"{name:>15}" for name in columns))
        for row, means in self.means.items():
            cells = (with_spread(means[name], self.errors[row][name]) for name in columns)
            lines.append(f"{row:<10}" + "".join(f"{cell:>15}" for cell in cells))
        return "\n".join(lines)


def evaluate(
    model: str | Path,
    songs: Iterable[tuple[str, Stems]],
    *,
    sources: tuple[str, ...],
    rate: int = 44_100,
    metric: str = "global",
    consistent: bool = True,
    refine: bool = False,
    phases: int = 1,
    look_ahead_ms: float = 0.0,
    progress: Callable[[str], None] | None = None,
) -> Evaluation:
    """Separate every song ``(sources, channels, time)`` and score it; the mixture is the sum of its stems.

    Args:
        metric: ``global`` (whole song) or ``frames`` (median over 1 s frames, EQ-MUS-2).
        refine: refine the stems, as when files are separated.
        phases: calls per hop, made in turn by as many copies of the network (``rtaudio.processors.staggered``).
        look_ahead_ms: refine with this much look-ahead, as ``live --look-ahead`` does; 0 for none.

    Raises:
        StemplayError: the model cannot be used.
    """
    score = METRICS[metric]
    scores: dict[str, list[Any]] = {row: [] for row in ROWS}
    names = []
    for name, stems in songs:
        mix = stems.sum(axis=0)
        sound = np.ascontiguousarray(mix.T)
        separated = separate_array(sound, rate, model, consistent, refine, phases, look_ahead_ms)
        reference = with_accompaniment(torch.from_numpy(stems))
        for row, estimate in _estimates(torch.from_numpy(mix), torch.from_numpy(separated).permute(1, 2, 0)).items():
            scores[row].append(score(estimate.contiguous(), reference).numpy())
        names.append(name)
        if progress is not None:
            progress(name)
    columns = [*sources, "accompaniment"]
    table = {row: dict(zip(columns, median_over_songs(rows), strict=True)) for row, rows in scores.items()}
    each = {
        name: dict(zip(columns, map(float, row), strict=True)) for name, row in zip(names, scores["model"], strict=True)
    }
    found = {row: _means(rows, columns) for row, rows in scores.items()}
    means, errors = ({row: {c: pair[k] for c, pair in values.items()} for row, values in found.items()} for k in (0, 1))
    return Evaluation(str(model), metric, consistent, table, each, means, errors)


def _means(rows: list[Any], columns: list[str]) -> dict[str, tuple[float, float]]:
    """Column -> mean over songs and its standard error; ``all`` excludes the last column, the accompaniment."""
    table = np.asarray(rows, np.float64)
    return {"all": mean_with_error(table[:, :-1]), **{c: mean_with_error(table[:, i]) for i, c in enumerate(columns)}}


def _estimates(mix: torch.Tensor, separated: torch.Tensor) -> dict[str, torch.Tensor]:
    """The estimates for each row of the table, including the accompaniment, ``(sources + 1, channels, time)``."""
    count = len(separated)
    quarter = with_accompaniment((mix / count).expand(count, *mix.shape))
    whole = mix.expand(count + 1, *mix.shape)
    return {"model": with_accompaniment(separated), "mix": whole, "mix/4": quarter, SILENCE: torch.zeros_like(whole)}


def record_all(result: Evaluation, what: str) -> None:
    """Write medians, means and standard errors of the model's row into its card, with ``what`` as the description."""
    mean = what.replace("median", "mean") if "median" in what else f"{what}: mean over songs"
    record(result.model, what, result.table["model"])
    record(result.model, mean, result.means["model"])
    record(result.model, f"{mean}, its standard error", result.errors["model"])


def record(model: str | Path, what: str, scores: dict[str, float]) -> None:
    """Write ``scores`` into the model's card as its quality on ``what``. Older scores on other material stay.

    Raises CardError if there is no such model.
    """
    directory = find_model(model)
    card = read_card(directory)
    rounded = {name: round(float(score), 2) for name, score in scores.items() if not np.isnan(score)}
    write_card(replace(card, quality={**card.quality, what: rounded}), directory)
