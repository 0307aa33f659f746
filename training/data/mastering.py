"""Mastering for rendered songs, so that they sound more like records: amplifiers, reverberation, equaliser, compressor and limiter.

Each stem has its own amplifier, equaliser, compressor and reverberation. The limiter at the end is one gain curve, computed from the mix
and applied to all stems, so that the stems still sum to the mix.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pedalboard
from scipy.ndimage import maximum_filter1d, uniform_filter1d

from training.data.filters import oaconvolve
from training.data.store import Stems

AMPLIFIED = (0.2, 0.4, 0.5, 0.15)
"""How often drums, bass, other and vocals are played through an amplifier."""


@dataclass(frozen=True)
class Amplifier:
    """A distorting amplifier with its loudspeaker, and what comes before and after it.

    Attributes:
        drive_db: gain into the ``tanh`` of the distortion; the sound leaves with the level that it came with.
        lowest, highest: Hz, the band of the loudspeaker.
        dry: share of the clean sound.
        chorus: rate in Hz of a chorus, 0 for none.
        delay, feedback: seconds and gain of an echo; 0 for none.
    """

    drive_db: float
    lowest: float
    highest: float
    dry: float
    chorus: float = 0.0
    delay: float = 0.0
    feedback: float = 0.0


@dataclass(frozen=True)
class Finish:
    """Settings of the mastering of one song, drawn at random by ``draw_mastering``.

    Attributes:
        seconds: reverberation time (RT60) of the mastering.
        wet: level of the reverberation in each stem; drums and bass get less.
        shelves: (low, high) gains in dB of each stem.
        threshold_db, ratio: settings of each stem's compressor; ``threshold_db`` is None for no compressor.
        peak: ceiling of the mix's limiter.
        amplifiers: one for each stem, or None.
    """

    seed: int
    seconds: float
    wet: tuple[float, ...]
    shelves: tuple[tuple[float, float], ...]
    threshold_db: float | None
    ratio: float
    peak: float = 0.9
    amplifiers: tuple[Amplifier | None, ...] = ()


def draw_mastering(rng: np.random.Generator, sources: int) -> Finish:
    """Random settings for a song of ``sources`` stems."""
    room = float(rng.uniform(0.0, 0.35))
    damping = (0.4, 0.15, 1.0, 1.0)[:sources]
    return Finish(
        seed=int(rng.integers(1 << 30)),
        seconds=float(rng.uniform(0.25, 1.8)),
        wet=tuple(room * share for share in damping),
        shelves=tuple((float(rng.uniform(-3, 3)), float(rng.uniform(-3, 3))) for _ in range(sources)),
        threshold_db=float(rng.uniform(-24, -12)) if rng.random() < 0.7 else None,
        ratio=float(rng.uniform(1.5, 4.0)),
        amplifiers=tuple(_draw_amplifier(rng) if rng.random() < share else None for share in AMPLIFIED[:sources]),
    )


def _draw_amplifier(rng: np.random.Generator) -> Amplifier:
    return Amplifier(
        drive_db=float(rng.uniform(3, 30)),
        lowest=float(rng.uniform(20, 120)),
        highest=float(2_500 * 6 ** rng.random()),
        dry=float(rng.uniform(0, 0.6)),
        chorus=float(rng.uniform(0.3, 3)) if rng.random() < 0.3 else 0.0,
        delay=float(rng.uniform(0.08, 0.5)) if rng.random() < 0.25 else 0.0,
        feedback=float(rng.uniform(0.1, 0.5)),
    )


def amplified(sound: Stems, amplifier: Amplifier, rate: int = 44_100) -> Stems:
    """``sound (2, time)`` through ``amplifier``, at the level that it had."""
    level = _rms(sound)
    if level < 1e-5:
        return sound
    board: list[Any] = [
        pedalboard.Gain(-20 - 20 * np.log10(level)),
        pedalboard.Distortion(amplifier.drive_db),
        pedalboard.HighpassFilter(amplifier.lowest),
        pedalboard.LowpassFilter(amplifier.highest),
        pedalboard.LowpassFilter(amplifier.highest),
    ]
    if amplifier.chorus:
        board.append(pedalboard.Chorus(rate_hz=amplifier.chorus))
    if amplifier.delay:
        board.append(pedalboard.Delay(amplifier.delay, amplifier.feedback, 0.3))
    driven = _through(board, sound, rate)
    driven *= np.float32(level / max(_rms(driven), 1e-6))
    return np.asarray((1 - amplifier.dry) * driven + amplifier.dry * sound, np.float32)


def _rms(sound: Stems) -> float:
    return float(np.sqrt(np.mean(np.square(sound))))


def impulse_response(rng: np.random.Generator, seconds: float, rate: int = 44_100) -> npt.NDArray[np.float32]:
    """A synthetic room ``(2, time)`` of unit energy: early echoes, then noise that decays by 60 dB in ``seconds``, highs faster."""
    length = int(seconds * rate)
    time = np.arange(length) / rate
    noise = rng.standard_normal((2, length))
    dark = uniform_filter1d(noise, 9, axis=1) * 3
    mixing = np.exp(-4 * time / seconds)
    tail = (noise * mixing + dark * (1 - mixing)) * 10 ** (-3 * time / seconds) * np.minimum(1, time / 0.02)
    for _ in range(8):
        tail[:, int(rng.uniform(0.004, min(0.06, 0.9 * seconds)) * rate)] += rng.uniform(-4, 4, 2)
    return np.asarray(tail / np.sqrt(np.square(tail).sum(axis=1, keepdims=True)), np.float32)


def master_song(stems: Stems, finish: Finish, rate: int = 44_100) -> Stems:
    """Master stems ``(sources, 2, time)``; the peak of their sum stays below ``finish.peak``."""
    room = impulse_response(np.random.default_rng(finish.seed), finish.seconds, rate)
    done = np.empty_like(stems)
    for number, stem in enumerate(stems):
        if number < len(finish.amplifiers) and (amplifier := finish.amplifiers[number]) is not None:
            stem = amplified(stem, amplifier, rate)
        low, high = finish.shelves[number]
        board: list[Any] = [pedalboard.LowShelfFilter(120, low), pedalboard.HighShelfFilter(6000, high)]
        if finish.threshold_db is not None:
            board += [
                pedalboard.Compressor(finish.threshold_db, finish.ratio, 8, 120),
                pedalboard.Gain(-finish.threshold_db * (1 - 1 / finish.ratio) / 2),
            ]
        sound = _through(board, stem, rate)
        wet = finish.wet[number]
        if wet > 0.01:
            sound = np.asarray(sound + wet * oaconvolve(sound, room)[:, : sound.shape[1]], np.float32)
        done[number] = sound
    return np.asarray(done * limiter_gain(done.sum(axis=0), finish.peak, rate), np.float32)


def limiter_gain(mix: Stems, peak: float, rate: int = 44_100, lookahead: float = 0.005) -> Stems:
    """A smooth gain curve ``(time,)`` of at most 1 that keeps ``mix (channels, time)`` below ``peak``."""
    window = 2 * int(lookahead * rate) + 1
    loudest = maximum_filter1d(np.abs(mix).max(axis=0), window)
    needed = np.minimum(1.0, peak / np.maximum(loudest, 1e-9))
    return np.asarray(uniform_filter1d(needed, window // 2), np.float32)


def _through(effects: list[Any], sound: Stems, rate: int) -> Stems:
    board: Any = pedalboard.Pedalboard(effects)  # type: ignore[attr-defined]
    return np.asarray(board(np.ascontiguousarray(sound), rate), np.float32)
