"""Recorded singing as the voice of a rendered song: phrases tuned to its key, which start on bars of its sung sections only."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pedalboard

from training.data.arrange import Arrangement
from training.data.decode import RATE
from training.data.store import Stems

FRAME = 2205
Mono = npt.NDArray[np.float32]


def phrases(voice: Mono, pause: float = 0.3, shortest: float = 1.2, longest: float = 9.0) -> list[Mono]:
    """Cut a recording ``(time,)`` where it is silent for ``pause`` seconds. Pieces that are too short are dropped, long ones are cut."""
    count = len(voice) // FRAME
    if not count:
        return []
    level = np.sqrt(np.square(voice[: count * FRAME].reshape(count, FRAME)).mean(axis=1))
    loud = np.flatnonzero(level > 0.06 * np.quantile(level, 0.95) + 1e-5)
    if not len(loud):
        return []
    breaks = np.flatnonzero(np.diff(loud) * FRAME / RATE > pause)
    found = []
    for part in np.split(loud, breaks + 1):
        start, stop = max(0, (part[0] - 1) * FRAME), (part[-1] + 2) * FRAME
        piece = voice[start : min(stop, start + int(longest * RATE))].copy()
        if len(piece) >= shortest * RATE:
            fade = np.linspace(0, 1, FRAME // 2, dtype=np.float32)
            piece[: len(fade)] *= fade
            piece[-len(fade) :] *= fade[::-1]
            found.append(piece)
    return found


def pitch_classes(voice: Mono, size: int = 8192) -> npt.NDArray[np.float64]:
    """The share of the voice at each of 120 steps of an octave from C (10 cents each); the shares sum to 1."""
    starts = range(0, max(1, len(voice) - size), size // 2)
    window = np.hanning(size)
    frequencies = np.fft.rfftfreq(size, 1 / RATE)
    band = (frequencies > 90) & (frequencies < 1200)
    histogram = np.zeros(120)
    for start in starts:
        piece = np.pad(voice[start : start + size], (0, max(0, size - len(voice[start : start + size]))))
        spectrum = np.abs(np.fft.rfft(piece * window))
        peaks = np.flatnonzero(band[1:-1] & (spectrum[1:-1] > spectrum[:-2]) & (spectrum[1:-1] >= spectrum[2:])) + 1
        if len(peaks):
            strong = peaks[spectrum[peaks] > 0.2 * spectrum[peaks].max()]
            left, middle, right = (np.log(spectrum[strong + k] + 1e-9) for k in (-1, 0, 1))
            offset = 0.5 * (left - right) / np.minimum(left - 2 * middle + right, -1e-9)
            hertz = (strong + np.clip(offset, -0.5, 0.5)) * RATE / size
            bins = np.round(120 * np.log2(hertz / 261.6256)).astype(int) % 120
            np.add.at(histogram, bins, spectrum[strong])
    total = histogram.sum()
    return histogram / total if total > 0 else histogram


def tuning(histogram: npt.NDArray[np.float64], scale: Sequence[int], furthest: float = 3.0) -> float:
    """The shift in semitones, at most ``furthest``, that puts most of the voice within 20 cents of the scale's notes."""
    wanted = np.zeros(120)
    for note in scale:
        for near in range(-2, 3):
            wanted[(10 * note + near) % 120] = 1 - abs(near) / 4
    wanted[(10 * scale[0]) % 120] *= 1.2  # the key note counts slightly more than the others
    shifts = np.arange(-round(10 * furthest), round(10 * furthest) + 1)
    scores = [float(np.roll(histogram, shift) @ wanted) - 0.0005 * abs(shift) for shift in shifts]
    return float(shifts[int(np.argmax(scores))]) / 10


def sing(arrangement: Arrangement, recording: Mono, frames: int, rng: np.random.Generator) -> Stems:
    """A voice ``(2, frames)`` for the song. One pitch shift applies to all phrases; each starts on a bar and ends before the next.

    All choruses have the phrases of the first one.
    """
    out = np.zeros(frames, np.float32)
    pieces = phrases(recording)
    if pieces:
        shift = tuning(pitch_classes(np.concatenate(pieces)), arrangement.scale)
        order = list(rng.permutation(len(pieces)))
        used: dict[str, list[Mono]] = {}
        for section in arrangement.sections:
            if not section.sung:
                continue
            if section.name not in used or section.name == "verse":
                used[section.name] = _choose(
                    pieces, order, section.bars * arrangement.bar_seconds, arrangement.bar_seconds, shift
                )
            _place(out, used[section.name], section.start * arrangement.bar_seconds, arrangement.bar_seconds)
    loud = out[np.abs(out) > 1e-3]
    level = float(np.sqrt(np.square(loud).mean())) if len(loud) else 1.0
    return np.stack([out, out]) * np.float32(0.1 / max(level, 1e-4))


def _choose(pieces: list[Mono], order: list[int], room: float, bar: float, shift: float) -> list[Mono]:
    """The next phrases that fill ``room`` seconds if each starts on a bar, shifted by ``shift`` semitones."""
    chosen: list[Mono] = []
    left = room
    for _ in range(len(pieces)):
        piece = pieces[order[0]]
        order.append(order.pop(0))
        needed = np.ceil(len(piece) / RATE / bar) * bar
        if needed <= left + 1e-6:
            chosen.append(_shifted(piece, shift) if abs(shift) > 0.05 else piece)
            left -= needed
    return chosen


def _place(out: Mono, pieces: list[Mono], start: float, bar: float) -> None:
    for piece in pieces:
        position = int(start * RATE)
        part = piece[: max(0, len(out) - position)]
        out[position : position + len(part)] += part
        start += np.ceil(len(piece) / RATE / bar) * bar


def _shifted(piece: Mono, semitones: float) -> Mono:
    board: Any = pedalboard.Pedalboard([pedalboard.PitchShift(semitones)])  # type: ignore[attr-defined]
    return np.asarray(board(piece[None], RATE)[0], np.float32)
