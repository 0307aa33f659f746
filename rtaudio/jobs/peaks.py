"""Peaks of waveforms at several widths, computed once while a song is read, so that a window draws any part of it at any zoom at once.

A column is the lowest sample, the highest one and the RMS of ``GRAIN`` frames over all channels. Each further level combines ``FACTOR``
columns of the level below. Columns travel as one byte for each value, which is more than a lane of a screen can show.
"""

from __future__ import annotations

import base64

import numpy as np
import numpy.typing as npt

from rtaudio.audio.format import Audio

GRAIN = 256
"""Frames of a column of the finest level."""
FACTOR = 4
"""Columns of one level that are one column of the next."""
LEVELS = 6
"""The widest columns stand for GRAIN * FACTOR ** 5 frames, about six seconds."""
SCALE = 127
"""The byte of full scale; what is louder is drawn as full scale."""

Rows = npt.NDArray[np.float32]
"""``(columns, signals, 3)``: lowest, highest, RMS."""
Bytes = npt.NDArray[np.int8]


class PeakLevels:
    """Collects columns of ``signals`` signals.

    Args:
        keep: also keep all columns, for ``levels``.
    """

    def __init__(self, signals: int, *, keep: bool = False) -> None:
        self._signals, self._keep = signals, keep
        self._rest: Audio | None = None
        self._pending = [np.zeros((0, signals, 3), np.float32) for _ in range(LEVELS)]
        self._new: list[list[Bytes]] = [[] for _ in range(LEVELS)]
        self._all: list[list[Bytes]] = [[] for _ in range(LEVELS)]

    def add(self, block: Audio) -> Rows:
        """Take ``(frames, signals, channels)``; returns the finest columns that are now complete."""
        if self._rest is not None and len(self._rest):
            block = np.concatenate([self._rest, block])
        whole = len(block) // GRAIN
        self._rest = block[whole * GRAIN :].copy()
        rows = columns_of(block[: whole * GRAIN], whole)
        self._push(0, rows)
        return rows

    def finish(self) -> Rows:
        """Complete the last column of each level with the sound there is; returns the finest of them."""
        rows = np.zeros((0, self._signals, 3), np.float32)
        if self._rest is not None and len(self._rest):
            rest, self._rest = self._rest, None
            padded = np.pad(rest, ((0, GRAIN - len(rest)), (0, 0), (0, 0)), mode="edge")
            rows = columns_of(padded, 1)
            self._push(0, rows)
        for level in range(1, LEVELS):
            if len(self._pending[level]):
                last, self._pending[level] = self._pending[level], self._pending[level][:0]
                self._push(level, combined(last, 1))
        return rows

    def _push(self, level: int, rows: Rows) -> None:
        if not len(rows):
            return
        small = quantised(rows)
        self._new[level].append(small)
        if self._keep:
            self._all[level].append(small)
        if level + 1 < LEVELS:
            waiting = np.concatenate([self._pending[level + 1], rows])
            whole = len(waiting) // FACTOR
            self._pending[level + 1] = waiting[whole * FACTOR :]
            if whole:
                self._push(level + 1, combined(waiting[: whole * FACTOR], whole))

    def news(self) -> list[str]:
        """The columns since the last call, for each level from the finest on, ``(columns, signals, 3)`` as base64."""
        told = [packed(parts) for parts in self._new]
        self._new = [[] for _ in range(LEVELS)]
        return told

    def levels(self) -> list[Bytes]:
        """All columns of each level, ``(columns, signals, 3)``; only with ``keep``."""
        empty = np.zeros((0, self._signals, 3), np.int8)
        return [np.concatenate(parts) if parts else empty for parts in self._all]


def columns_of(block: Audio, columns: int) -> Rows:
    """``(columns * n, signals, channels)`` -> the columns of n frames each."""
    if not columns:
        return np.zeros((0, block.shape[1], 3), np.float32)
    parts = block.reshape(columns, -1, *block.shape[1:])
    rms = np.sqrt(np.mean(np.square(parts), axis=(1, 3)))
    rows: Rows = np.stack([parts.min(axis=(1, 3)), parts.max(axis=(1, 3)), rms], axis=2).astype(np.float32)
    return rows


def combined(rows: Rows, columns: int) -> Rows:
    """``columns * n`` columns as ``columns``."""
    parts = rows.reshape(columns, -1, *rows.shape[1:])
    rms = np.sqrt(np.mean(np.square(parts[..., 2]), axis=1))
    found: Rows = np.stack([parts[..., 0].min(axis=1), parts[..., 1].max(axis=1), rms], axis=2).astype(np.float32)
    return found


def quantised(rows: Rows) -> Bytes:
    """Columns as bytes. A peak is rounded away from zero, so that what is not silent is seen not to be."""
    scaled = np.clip(rows, -1.0, 1.0) * SCALE
    small: Bytes = (np.sign(scaled) * np.ceil(np.abs(scaled))).astype(np.int8)
    return small


def packed(parts: list[Bytes]) -> str:
    """Columns as text."""
    return base64.b64encode(np.concatenate(parts).tobytes() if parts else b"").decode("ascii")
