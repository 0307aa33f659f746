"""The waveform overview of a song: lowest, highest and RMS level of each column. It also checks that the file can be read, and finds the
key by which the song is known again."""

from __future__ import annotations

import time

import numpy as np
import numpy.typing as npt

from rtaudio.audio.format import StemplayError
from rtaudio.files.song_key import song_key
from rtaudio.files.sound_file import open_reader
from rtaudio.jobs import Facts, Report
from rtaudio.jobs.peaks import FACTOR, GRAIN, PeakLevels

TELL_S = 0.25

Rows = npt.NDArray[np.float32]


def overview(report: Report, path: str, columns: int = 1600) -> Facts:
    """Read ``path`` and compute its overview: ``peaks`` is a list of ``[low, high, rms]``, at most ``columns`` long, over all channels.

    While it reads, ``progress`` reports the share done and the columns so far. The result also has ``levels`` (``PeakLevels.news`` of the
    mix, with ``grain`` and ``factor``) and the song's ``key``. Raises StemplayError if it is not a sound file.
    """
    parts: list[Rows] = []
    levels = PeakLevels(1)
    told = time.monotonic()
    with open_reader(path) as reader:
        expected = reader.frames
        facts: Facts = {"path": path, "rate": reader.rate, "channels": reader.channels, "decoder": reader.decoder}
        for block in reader.blocks(GRAIN * 128):
            parts.append(levels.add(block[:, None])[:, 0])
            if expected and time.monotonic() - told > TELL_S:
                told = time.monotonic()
                share = min(1.0, reader.position / expected)
                drawn = condense(np.concatenate(parts), max(1, round(share * columns)))
                report.progress(**facts, share=share, seconds=expected / reader.rate, peaks=listed(drawn))
        frames, warnings = reader.position, reader.warnings
    parts.append(levels.finish()[:, 0])
    if not frames:
        raise StemplayError(f"{path} contains no sound.")
    rows = condense(np.concatenate(parts), columns)
    return facts | {
        "frames": frames, "seconds": frames / facts["rate"], "warnings": warnings, "peaks": listed(rows),
        "levels": levels.news(), "grain": GRAIN, "factor": FACTOR, "key": song_key(path),
    }  # fmt: skip


def condense(rows: Rows, columns: int) -> Rows:
    """Combine rows of ``(low, high, rms)`` into at most ``columns`` rows for the same time."""
    if len(rows) <= columns:
        return rows
    starts = np.arange(columns) * len(rows) // columns
    low = np.minimum.reduceat(rows[:, 0], starts)
    high = np.maximum.reduceat(rows[:, 1], starts)
    counts = np.diff(np.append(starts, len(rows)))
    rms = np.sqrt(np.add.reduceat(rows[:, 2].astype(np.float64) ** 2, starts) / counts)
    condensed: Rows = np.stack([low, high, rms], axis=1).astype(np.float32)
    return condensed


def listed(rows: Rows) -> list[list[float]]:
    """Rows as lists for JSON, rounded to three digits, which is more than a screen shows."""
    values: list[list[float]] = np.round(rows.astype(np.float64), 3).tolist()
    return values
