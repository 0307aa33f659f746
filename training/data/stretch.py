"""Changes tempo and pitch of sources independently (BSE-10), unlike a change of speed, with Rubber Band (in ``pedalboard``).

Its finer engine is used, which runs at about ten times real time on one core: the faster engine is out of tune by up to 25 cents.
"""

from __future__ import annotations

import numpy as np
from pedalboard import time_stretch

from training.data.store import Stems

RATE = 44_100.0
UNPITCHED = (0,)
"""Sources that keep their pitch: drums."""


def stretch(stems: Stems, tempo: float, semitones: float, frames: int) -> Stems:
    """``stems (channels, time)`` played ``tempo`` times as fast and ``semitones`` higher; ``frames`` samples, zeros if it ends before."""
    played = time_stretch(np.ascontiguousarray(stems), RATE, tempo, semitones, high_quality=True)
    out = np.zeros((len(stems), frames), np.float32)
    count = min(frames, played.shape[-1])
    out[:, :count] = played[:, :count]
    return out


def repitch(
    batch: Stems, rng: np.random.Generator, frames: int, probability: float, tempo_range: float, semitones: float
) -> Stems:
    """Give each source, with ``probability``, its own tempo and pitch; ``(batch, sources, channels, time)`` -> ``frames`` samples.

    Tempos are drawn from ``1 - tempo_range`` to ``1 + tempo_range``, pitches from ``-semitones`` to ``semitones``.

    Raises:
        ValueError: the batch is shorter than ``frames * (1 + tempo_range)``.
    """
    if batch.shape[-1] < int(frames * (1 + tempo_range)):
        raise ValueError(f"{batch.shape[-1]} samples are too few for {frames} at {1 + tempo_range:.2f} times the tempo")
    out = batch[..., :frames].copy()
    changed = rng.random(batch.shape[:2]) < probability
    tempos = 1 + rng.uniform(-tempo_range, tempo_range, batch.shape[:2])
    pitches = rng.uniform(-semitones, semitones, batch.shape[:2])
    pitches[:, UNPITCHED] = 0
    for example, source in np.argwhere(changed):
        tempo, pitch = float(tempos[example, source]), float(pitches[example, source])
        out[example, source] = stretch(batch[example, source], tempo, pitch, frames)
    return out
