"""Impulse responses of made-up rooms: image sources for the early reflections, and a tail of noise that decays.

A shoebox with absorbing walls (Allen and Berkley 1979). The reflections after the third at a wall are so dense that decaying noise stands
for them (Polack), which costs a thousandth of computing them.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from training.data.filters import lfilter

Mono = npt.NDArray[np.float64]
SPEED_OF_SOUND = 343.0


def room_response(rng: np.random.Generator, rate: int, seconds: float = 0.5, near: bool = True) -> Mono:
    """An impulse response ``(samples,)`` whose direct sound comes at sample 0 with gain 1.

    Args:
        near: the source is a voice at a microphone (.1 to 1.5 m away), not a noise anywhere in the room.
    """
    size = rng.uniform([2.5, 2.5, 2.2], [9.0, 7.0, 4.0])
    microphone = rng.uniform(0.15, 0.85, 3) * size
    direction = rng.standard_normal(3)
    away = rng.uniform(0.1, 1.5) if near else rng.uniform(1.0, 4.0)
    source = np.clip(microphone + away * direction / np.linalg.norm(direction), 0.1, size - 0.1)
    decay = rng.uniform(0.12, 0.7)  # seconds until -60 dB
    reflection = np.exp(-0.161 * np.prod(size) / (2 * decay * _surface(size)))  # Eyring, amplitude at a wall
    order = np.stack(np.meshgrid(*[np.arange(-3, 4)] * 3, indexing="ij"), axis=-1).reshape(-1, 3)
    images = np.where(order % 2, (order + 1) * size - source, order * size + source)
    distance = np.linalg.norm(images - microphone, axis=1)
    direct = np.linalg.norm(source - microphone)
    gain = direct / np.maximum(distance, 0.05) * reflection ** np.abs(order).sum(axis=1)
    at = np.rint((distance - direct) / SPEED_OF_SOUND * rate).astype(int)
    response = np.zeros(int(seconds * rate))
    kept = (at >= 0) & (at < len(response))
    np.add.at(response, at[kept], gain[kept])
    time = np.arange(len(response)) / rate
    tail = rng.standard_normal(len(response)) * 10 ** (-3 * time / decay)
    start = 3 * float(np.cbrt(np.prod(size))) / SPEED_OF_SOUND
    tail *= np.clip(time / start, 0, 1) ** 2
    tail = lfilter([0.6], [1, -0.4], tail)  # air and walls absorb high frequencies
    # The energy of a diffuse field, beside that of the direct sound (critical distance, Kuttruff).
    critical = 0.057 * np.sqrt(np.prod(size) / decay)
    tail *= direct / critical / max(float(np.sqrt(np.square(tail).sum())), 1e-9)
    response += tail
    return response / max(abs(response[0]), 1e-3)


def _surface(size: Mono) -> float:
    a, b, c = size
    return float(2 * (a * b + b * c + c * a))
