"""Measures what another tempo and another key cost beside the separator: processor time for a second that is heard, as a share of a core.

Processor time and not the wall's, so that other programs matter less. In the player each of the parts has a thread or a process of its own.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from rtaudio.audio.format import Audio, StreamFormat
from rtaudio.audio.stretch import Stretcher, require_stretcher
from rtaudio.files.tempo_player import TempoPlayer
from rtaudio.plugins.key import KeyShift
from rtaudio.processors.factory import make_separator
from rtaudio.protocol.transpose import UNPITCHED

RATE = 44_100
BLOCK = 256
SPEEDS = (0.5, 0.75, 1.5)
SEMITONES = 2.0


@dataclass(frozen=True)
class TempoCost:
    """A row: ``share`` of one core; ``latency``: frames that it adds; ``burst_ms``: the longest that it computes at a time."""

    what: str
    share: float
    latency: int = 0
    burst_ms: float = 0.0


def measure_tempo(model: str | Path, seconds: float) -> list[TempoCost]:
    """All rows. Raises StemplayError without Rubber Band, or for a model that cannot be loaded."""
    require_stretcher()
    song = _song(max(seconds, 1.0))
    separator = make_separator(model)
    separator.prepare(StreamFormat(RATE, 2, BLOCK))
    rows = [_blocks(f"{model}, blocks of {BLOCK}", song, separator.process, separator.latency)]
    rows.append(_callback("the song as it is, in the callback", song, 1.0))
    rows.append(_callback("the song at 75%, in the callback", song, 0.75))
    rows += [_stretch(f"tempo {speed:.0%}, stereo", song, speed) for speed in SPEEDS]
    rows.append(_stretch("tempo 75%, a stem file", np.tile(song, (1, 4)), 0.75))
    key = _key(song)
    stems = [name for name in separator.outputs if name not in UNPITCHED]
    rows.append(key)
    rows.append(TempoCost(f"key of {len(stems)} stems", len(stems) * key.share, key.latency, key.burst_ms))
    together = rows[0].share + max(row.share for row in rows[3 : 3 + len(SPEEDS)]) + rows[-1].share
    rows.append(TempoCost("separator, dearest tempo and key", together, rows[0].latency + key.latency))
    return rows


def _song(seconds: float) -> Audio:
    """Noise with beats and a chord: what a stretcher has to work with."""
    frames = round(seconds * RATE)
    at = np.arange(frames) / RATE
    beat = np.exp(-(at % 0.5) * 30) * np.random.default_rng(0).standard_normal(frames)
    chord = sum(np.sin(2 * np.pi * frequency * at) for frequency in (110.0, 277.2, 329.6))
    song: Audio = (0.1 * beat + 0.1 * chord).astype(np.float32)[:, None].repeat(2, 1)
    return song


def _blocks(what: str, song: Audio, process: Callable[[Audio], object], latency: int, size: int = BLOCK, speed: float = 1.0) -> TempoCost:
    times = []
    for start in range(0, len(song) - size + 1, size):
        block = song[start : start + size].copy()
        began = time.thread_time()
        process(block)
        times.append(time.thread_time() - began)
    kept = times[len(times) // 10 :]
    return TempoCost(what, speed * sum(kept) * RATE / (len(kept) * size), latency, 1000 * float(np.percentile(kept, 99)))


def _stretch(what: str, song: Audio, speed: float) -> TempoCost:
    stretcher = Stretcher(RATE, song.shape[1], speed, quick=song.shape[1] > 2)
    return _blocks(what, song, stretcher.feed, 0, speed=speed)  # a second that is heard needs `speed` seconds of the song


def _key(song: Audio) -> TempoCost:
    plugin = KeyShift()
    plugin.prepare(RATE, BLOCK, 2)
    plugin.set("semitones", SEMITONES)
    plugin.reset()
    return _blocks(f"key of a stem, {SEMITONES:+.0f}", song, plugin.process, plugin.latency + BLOCK)


def _callback(what: str, song: Audio, speed: float) -> TempoCost:
    """Reading in the callback, from a voice that a thread has computed."""
    player = TempoPlayer.from_samples(song, RATE)
    try:
        player.set_speed(speed)
        out = np.zeros((BLOCK, 2), np.float32)
        times = []
        for _ in range(len(song) // BLOCK // 2):
            while player._voice is not None and player._voice.ready < 2 * BLOCK:
                time.sleep(0.001)
            began = time.thread_time()
            player.read_into(out)
            times.append(time.thread_time() - began)
    finally:
        player.close()
    return TempoCost(what, float(np.mean(times)) * RATE / BLOCK, 0, 1000 * float(np.percentile(times, 99)))


HEADER = "for a second that is heard           | of a core | ms at a time (p99) | latency, samples"


def row(cost: TempoCost) -> str:
    """One line of the table."""
    burst = f"{cost.burst_ms:.2f}" if cost.burst_ms else ""
    return f"{cost.what:<36} | {cost.share:>9.1%} | {burst:>18} | {cost.latency:>16}"
