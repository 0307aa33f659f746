"""A small band made of formulas, which needs no soundfont: drums, bass and chords whose times are known exactly."""

from __future__ import annotations

import numpy as np

FIRST_BEAT_S = 0.25
CHORDS = {"C:maj": (0, 4), "A:min": (9, 3), "F:maj": (5, 4), "G:maj": (7, 4)}
"""Semitones of the root above C, and of the third above the root; a bar each, again and again."""


def play(bpm: float, bars: int, rate: int) -> tuple[np.ndarray, np.ndarray, list[tuple[float, str]]]:
    """``(samples,)`` in 4/4 in C major, the seconds of its beats, and the beginning and name of each bar's chord."""
    beat = 60 / bpm
    sound = np.zeros(round((bars * 4 * beat + 1) * rate))
    kick, snare, hat = _drums(rate)
    chords = []
    for bar in range(bars):
        name = list(CHORDS)[bar % len(CHORDS)]
        root, third = CHORDS[name]
        chords.append((FIRST_BEAT_S + 4 * bar * beat, name))
        for quarter in range(4):
            at = chords[-1][0] + quarter * beat
            _add(sound, at, snare if quarter % 2 else kick, rate)
            for eighth in (0.0, beat / 2):
                _add(sound, at + eighth, hat, rate)
            _add(sound, at, 0.25 * _tone(36 + root, 0.9 * beat, rate), rate)
            for interval in (0, third, 7):
                _add(sound, at, 0.12 * _tone(60 + root - (12 if root > 6 else 0) + interval, 0.95 * beat, rate), rate)
    return (0.7 * sound / np.abs(sound).max()).astype(np.float32), FIRST_BEAT_S + np.arange(4 * bars) * beat, chords


def _drums(rate: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    times = np.arange(rate // 4) / rate
    noise = np.random.default_rng(0).standard_normal(len(times))
    kick = 0.9 * np.sin(2 * np.pi * (50 * times + 4 * (1 - np.exp(-30 * times)))) * np.exp(-14 * times)
    snare = 0.5 * (noise / 2 + np.sin(2 * np.pi * 190 * times)) * np.exp(-22 * times)
    return kick, snare, 0.15 * np.diff(noise, prepend=0) * np.exp(-70 * times)


def _tone(key: float, seconds: float, rate: int) -> np.ndarray:
    """Eight harmonics that die away, the higher the faster. ``key``: MIDI number."""
    times, pitch = np.arange(round(seconds * rate)) / rate, 440 * 2 ** ((key - 69) / 12)
    tone = sum(np.sin(2 * np.pi * pitch * k * times) / k**1.5 * np.exp(-1.2 * k * times) for k in range(1, 9))
    return np.asarray(tone * np.minimum(1, times / 0.005) * np.minimum(1, (seconds - times) / 0.02))


def _add(sound: np.ndarray, at: float, part: np.ndarray, rate: int) -> None:
    start = round(at * rate)
    sound[start : start + len(part)] += part[: len(sound) - start]
