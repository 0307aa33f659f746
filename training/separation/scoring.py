"""Scores of methods on songs with known stems, in one JSON file per method: the data of tables and box plots (MUS-05 to MUS-07)."""

from __future__ import annotations

import json
import math
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch

from rtaudio.audio.format import StemplayError
from training.data.store import Stems, write_atomic
from training.metrics import frame_sdr, global_sdr, mean_over_sources, mean_with_error, median_with_spread
from training.metrics.museval4 import References
from training.metrics.pairs import Duel, duel
from training.metrics.summary import median_over_frames

METRICS = {
    "sdr": "museval's SDR: median over 1 s frames of a song",
    "sir": "museval's SIR",
    "sar": "museval's SAR",
    "global": "10 log10(sum s^2 / sum (s - e)^2) of a whole song",
}
Separate = Callable[[Stems], Stems]
"""Maps true stems ``(sources, channels, time)`` to estimates. Methods that are not oracles use only their sum."""


@dataclass
class Result:
    """Scores of one method.

    Attributes:
        method, title: file name and the row's name in tables.
        data: a description of the songs.
        sources: names of the columns.
        scores: metric -> song -> a score in dB for each source, NaN if there is none.
        notes: values for further columns: weights, training, speed.
    """

    method: str
    title: str
    data: str
    sources: tuple[str, ...]
    scores: dict[str, dict[str, list[float]]] = field(default_factory=dict)
    notes: dict[str, Any] = field(default_factory=dict)

    def column(self, metric: str, source: str) -> list[float]:
        """The scores of all songs."""
        index = self.sources.index(source)
        return [row[index] for row in self._songs(metric).values()]

    def summary(self, metric: str) -> dict[str, tuple[float, float]]:
        """``All`` and each source -> median over songs and its standard error. That of ``All`` assumes independent medians."""
        each = {source: median_with_spread(self.column(metric, source)) for source in self.sources}
        spread = math.sqrt(sum(value[1] ** 2 for value in each.values())) / len(each)
        return {"All": (mean_over_sources([value[0] for value in each.values()]), spread), **each}

    def means(self, metric: str) -> dict[str, tuple[float, float]]:
        """``All`` (each song's mean over its sources) and each source -> mean over songs and its standard error."""
        each = {source: mean_with_error(self.column(metric, source)) for source in self.sources}
        return {"All": mean_with_error(list(self._songs(metric).values())), **each}

    def duel(self, other: Result, metric: str) -> dict[str, Duel]:
        """Compare clip by clip with ``other``, see ``training.metrics.pairs``. Raises StemplayError if their songs differ."""
        return duel(self._songs(metric), other._songs(metric), self.sources)

    def _songs(self, metric: str) -> dict[str, list[float]]:
        if metric not in self.scores:
            raise StemplayError(f"The result {self.method} has no {metric}: evaluate it again with --museval.")
        return self.scores[metric]

    def write(self, folder: Path) -> Path:
        """Write ``folder/METHOD.json`` atomically; NaN and infinities become null."""
        values = asdict(self)
        values["scores"] = {
            metric: {song: [_plain(score) for score in row] for song, row in songs.items()}
            for metric, songs in self.scores.items()
        }
        write_atomic(folder / f"{self.method}.json", json.dumps(values, indent=1, ensure_ascii=False).encode())
        return folder / f"{self.method}.json"

    @classmethod
    def read(cls, path: Path) -> Result:
        """Inverse of ``write``. Raises StemplayError if the file is not a result."""
        try:
            values = json.loads(path.read_text(encoding="utf-8"))
            for songs in values["scores"].values():
                for song, row in songs.items():
                    songs[song] = [math.nan if score is None else float(score) for score in row]
            return cls(**{**values, "sources": tuple(values["sources"])})
        except (OSError, ValueError, TypeError, KeyError, AttributeError) as error:
            raise StemplayError(f"{path} is not a result of `evaluate -o` ({error}).") from None


def read_scores(path: Path, metric: str = "global", sources: Sequence[str] = ()) -> dict[str, list[float]]:
    """Song -> a score for each source, from a file of ``evaluate --json`` or ``evaluate -o``. Raises StemplayError if it is neither."""
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
        if "scores" in values:
            return Result.read(path)._songs(metric)
        if values["metric"] != metric:
            raise StemplayError(f"{path} has scores of {values['metric']!r}, not of {metric!r}.")
        return {
            song: [math.nan if row[name] is None else float(row[name]) for name in sources]
            for song, row in values["songs"].items()
        }
    except (OSError, ValueError, TypeError, KeyError, AttributeError) as error:
        raise StemplayError(f"{path} has no scores of `evaluate --json` or `evaluate -o` ({error!r}).") from None


def _plain(score: float) -> float | None:
    return round(float(score), 4) if math.isfinite(score) else None


def read_results(folder: Path) -> list[Result]:
    """All results of a folder. Raises StemplayError if there are none."""
    found = [Result.read(path) for path in sorted(folder.glob("*.json"))] if folder.is_dir() else []
    if not found:
        raise StemplayError(
            f"There are no results in {folder}: make some with `python -m training evaluate ... -o {folder}`."
        )
    return found


def score_methods(
    methods: Mapping[str, tuple[str, Separate]],
    songs: Iterable[tuple[str, Stems]],
    *,
    data: str,
    sources: Sequence[str],
    full: bool = False,
    progress: Callable[[str], None] | None = None,
) -> list[Result]:
    """Score every method on every song; each song's references are prepared once for all methods.

    Args:
        methods: name -> title and function.
        full: also compute museval's SIR and SAR, which takes a few seconds per song.
    """
    results = {name: Result(name, title, data, tuple(sources)) for name, (title, _) in methods.items()}
    spent = dict.fromkeys(methods, 0.0)
    audio = 0.0
    for song, stems in songs:
        references = References(stems) if full else None
        audio += stems.shape[-1] / 44_100
        for name, (_, separate) in methods.items():
            began = time.process_time()
            estimates = np.asarray(separate(stems), np.float32)
            spent[name] += time.process_time() - began
            for metric, row in _scores(estimates, stems, references).items():
                results[name].scores.setdefault(metric, {})[song] = row
        if progress is not None:
            progress(song)
    for name, result in results.items():
        result.notes["processor_seconds_per_second"] = round(spent[name] / max(audio, 1e-9), 4)
    return list(results.values())


def _scores(estimates: Stems, stems: Stems, references: References | None) -> dict[str, list[float]]:
    guess, true = torch.from_numpy(estimates), torch.from_numpy(stems)
    rows = {"sdr": frame_sdr(guess, true).tolist(), "global": global_sdr(guess, true).tolist()}
    if references is not None:
        found = references.score(estimates)
        for metric in ("sir", "sar"):
            values = getattr(found, metric)
            rows[metric] = median_over_frames(np.where(np.isinf(values), np.nan, values)).tolist()
    return rows
