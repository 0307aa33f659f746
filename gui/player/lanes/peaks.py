"""Peaks of a song at several widths, as ``rtaudio.jobs`` tells them, and the columns that a screen needs of them. No Qt."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

Columns = npt.NDArray[np.float32]
"""``(columns, 3)``: lowest, highest, RMS; full scale is 1."""

FULL = 127.0
MOST_LEVELS = 12


class Peaks:
    """The peaks of ``names``, which grow as more of the song is known.

    Args:
        names: of the signals, in the order in which they are told.
        rate: Hz. ``grain``: frames of a column of the finest level. ``factor``: columns of a level that are one of the next.
    """

    def __init__(self, names: Sequence[str], rate: int, grain: int, factor: int) -> None:
        self.names, self.rate, self.grain, self.factor = tuple(names), rate, grain, factor
        self._levels: list[npt.NDArray[np.int8]] = []
        self._filled: list[int] = []

    @classmethod
    def told(cls, facts: dict[str, Any], names: Sequence[str]) -> Peaks | None:
        """Peaks of a job's ``facts``, without columns; None if there are none."""
        rate, grain, factor = (facts.get(name) for name in ("rate", "grain", "factor"))
        if not (isinstance(rate, int) and isinstance(grain, int) and isinstance(factor, int)) or min(rate, grain, factor - 1) < 1:
            return None
        return cls(names, rate, grain, factor)

    @property
    def known_s(self) -> float:
        """Up to which second the columns are known."""
        return self._filled[0] * self.grain / self.rate if self._filled else 0.0

    @property
    def loudest(self) -> float:
        """The highest peak of all signals so far."""
        if not self._filled:
            return 0.0
        top = len(self._filled) - 1  # the widest level; columns that it lacks yet do not change a picture's scale
        while top and not self._filled[top]:
            top -= 1
        part = self._levels[top][: self._filled[top], :, :2]
        return float(np.abs(part.astype(np.int16)).max()) / FULL if part.size else 0.0

    def add(self, levels: Sequence[str]) -> None:
        """Append what a job told; what cannot be understood is left out."""
        for number, text in enumerate(levels[:MOST_LEVELS]):
            try:
                data = np.frombuffer(base64.b64decode(text, validate=True), np.int8)
            except (ValueError, binascii.Error, TypeError):
                return
            new = data[: len(data) // self._width * self._width].reshape(-1, len(self.names), 3)
            if number == len(self._levels):
                self._levels.append(np.zeros((1024, len(self.names), 3), np.int8))
                self._filled.append(0)
            end = self._filled[number] + len(new)
            if end > len(self._levels[number]):
                grown = np.zeros((max(end, 2 * len(self._levels[number])), len(self.names), 3), np.int8)
                grown[: self._filled[number]] = self._levels[number][: self._filled[number]]
                self._levels[number] = grown
            self._levels[number][self._filled[number] : end] = new
            self._filled[number] = end

    @property
    def _width(self) -> int:
        return max(1, 3 * len(self.names))

    def columns(self, name: str, first_s: float, last_s: float, count: int) -> Columns:
        """``count`` columns of equal width from ``first_s`` to ``last_s``, as far as they are known (so maybe fewer).

        Each is made from at most ``2 * factor`` columns of the level that is just fine enough, whatever the zoom.
        """
        if count < 1 or not self._filled or name not in self.names or last_s <= first_s:
            return np.zeros((0, 3), np.float32)
        level = self._level((last_s - first_s) / count * self.rate)
        scale = self.rate / (self.grain * self.factor**level)
        edges = np.linspace(first_s, last_s, count + 1) * scale
        starts = np.floor(edges[:-1] + 1e-6).astype(np.int64)
        filled = self._filled[level]
        starts = starts[: int(np.searchsorted(starts, filled))]
        if not len(starts):
            return np.zeros((0, 3), np.float32)
        end = min(filled, max(int(starts[-1]) + 1, int(np.ceil(edges[len(starts)]))))
        low = starts[0]
        part = self._levels[level][low:end, self.names.index(name)]
        return _reduced(part, starts - low)

    def _level(self, frames: float) -> int:
        """The widest level whose columns are no wider than this many frames."""
        level = 0
        while level + 1 < len(self._filled) and self.grain * self.factor ** (level + 1) <= frames:
            level += 1
        return level


def _reduced(part: npt.NDArray[np.int8], starts: npt.NDArray[np.int64]) -> Columns:
    """Columns from each start to the next; where two starts are the same column, that one twice."""
    low, high = np.minimum.reduceat(part[:, 0], starts), np.maximum.reduceat(part[:, 1], starts)
    counts = np.maximum(1, np.diff(np.append(starts, len(part))))
    rms = np.sqrt(np.add.reduceat(np.square(part[:, 2].astype(np.float32)), starts) / counts)
    found: Columns = np.stack([low, high, rms], axis=1).astype(np.float32) / np.float32(FULL)
    return found
