"""Made-up noises of microphones and rooms, mono, of any length: hiss, hum, fans, clicks and keys, knocks, wind, crackle."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from training.data.filters import lfilter

Mono = npt.NDArray[np.float64]


def coloured(rng: np.random.Generator, frames: int, rate: int) -> Mono:
    """Hiss and rumble: noise whose spectrum falls or rises, with random bumps, and whose level drifts."""
    spectrum = np.fft.rfft(rng.standard_normal(frames))
    hertz = np.maximum(np.fft.rfftfreq(frames, 1 / rate), 40)
    shape = hertz ** -rng.uniform(-0.3, 1.3)
    for _ in range(rng.integers(0, 4)):
        shape = shape * (
            1 + rng.uniform(0, 6) * np.exp(-((np.log2(hertz / rng.uniform(80, 7000)) / rng.uniform(0.1, 0.7)) ** 2))
        )
    noise: Mono = np.fft.irfft(spectrum * shape, frames)
    time = np.arange(frames) / rate
    depth = rng.uniform(0, 0.6) * (rng.random() < 0.5)
    return noise * (1 + depth * np.sin(2 * np.pi * (rng.uniform(0.1, 3) * time + rng.random())))


def hum(rng: np.random.Generator, frames: int, rate: int) -> Mono:
    """Mains: harmonics of 50 or 60 Hz, of a ground loop or of a dimmer, with a little noise."""
    time = np.arange(frames) / rate
    mains = rng.choice([50.0, 60.0]) * rng.uniform(0.995, 1.005)
    sound = np.zeros(frames)
    slope, step = rng.uniform(0.3, 1.6), rng.choice([1, 2])
    for k in range(1, int(rng.integers(4, 50)) + 1, step):
        if k * mains < rate / 2:
            sound += rng.uniform(0.2, 1) * k**-slope * np.sin(2 * np.pi * (k * mains * time + rng.random()))
    return sound + 10 ** rng.uniform(-2.5, -1) * rng.standard_normal(frames)


def fan(rng: np.random.Generator, frames: int, rate: int) -> Mono:
    """A fan or a drive: low-passed noise and the tones of a rotor, which turns a little unevenly."""
    time = np.arange(frames) / rate
    pole = rng.uniform(0.6, 0.98)
    noise = lfilter([1 - pole], [1, -pole], rng.standard_normal(frames))
    turns = np.cumsum(rng.uniform(40, 400) * (1 + 0.01 * np.sin(2 * np.pi * rng.uniform(0.2, 2) * time))) / rate
    tones = sum(rng.uniform(0, 1) / k * np.sin(2 * np.pi * k * turns) for k in range(1, 8))
    return np.asarray(noise / (noise.std() + 1e-9) + rng.uniform(0, 1) * tones)


def strikes(rng: np.random.Generator, frames: int, rate: int) -> Mono:
    """Keys, mouse clicks, knocks: each a short burst and two resonances, in groups."""
    sound = np.zeros(frames)
    length = int(0.12 * rate)
    time = np.arange(length) / rate
    low, high = sorted(rng.uniform(150, 5000, 2))
    every, burst = rng.uniform(0.06, 0.8), rng.uniform(0.0005, 0.006)
    at = rng.uniform(0, 0.5)
    while (start := int(at * rate)) < frames:
        strike = rng.standard_normal(length) * np.exp(-time / burst)
        for hertz in rng.uniform(low, high + 1, 2):
            strike += rng.uniform(0, 1) * np.sin(2 * np.pi * hertz * time) * np.exp(-time / rng.uniform(0.004, 0.03))
        piece = strike[: frames - start]
        sound[start : start + len(piece)] += 10 ** rng.uniform(-1, 0) * piece
        at += rng.exponential(every) + 0.03 + (rng.uniform(0.3, 2) if rng.random() < 0.1 else 0)
    return sound


def crackle(rng: np.random.Generator, frames: int, rate: int) -> Mono:
    """Single clicks of bad contacts and records, over a little hiss."""
    sound = 10 ** rng.uniform(-3, -1.5) * rng.standard_normal(frames)
    count = rng.poisson(frames / rate * 10 ** rng.uniform(0, 1.7))
    sound[rng.integers(0, frames, count)] += rng.standard_normal(count) * 10 ** rng.uniform(-1, 0, count)
    pole = rng.uniform(0, 0.7)
    return lfilter([1.0], [1, -pole], sound)


def wind(rng: np.random.Generator, frames: int, rate: int) -> Mono:
    """Gusts and breath on the microphone: low noise in waves."""
    pole = rng.uniform(0.95, 0.997)
    noise = lfilter([1 - pole], [1, -pole], rng.standard_normal(frames))
    points = np.abs(rng.standard_normal(int(frames / rate * rng.uniform(1, 5)) + 3)) ** 1.5
    gusts = np.interp(np.linspace(0, len(points) - 1, frames), np.arange(len(points)), points)
    return np.asarray(noise * gusts)


MADE_UP: tuple[Callable[[np.random.Generator, int, int], Mono], ...] = (coloured, hum, fan, strikes, crackle, wind)
"""All of them: ``(generator, frames, rate)`` -> ``(frames,)`` at any level."""
