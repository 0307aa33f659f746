"""Small mel spectrograms below 8 kHz, as in Fig. 1.3 and 3.1 of the thesis."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import soxr

from rtaudio.audio.format import Audio
from training.data.store import write_atomic

RATE = 16_000
WINDOW = 1024
BANDS = 80
COLUMNS = 360
RANGE_DB = 70.0


def mel_filters(bands: int = BANDS, window: int = WINDOW, rate: int = RATE) -> np.ndarray:
    """Triangles ``(bands, window // 2 + 1)`` that are equally wide on the mel scale from 30 Hz to half the rate."""
    top = [float(2595 * np.log10(1 + hertz / 700)) for hertz in (30.0, rate / 2)]
    corners = 700 * (10 ** (np.linspace(top[0], top[1], bands + 2) / 2595) - 1)
    frequencies = np.fft.rfftfreq(window, 1 / rate)
    rising = (frequencies - corners[:-2, None]) / (corners[1:-1] - corners[:-2])[:, None]
    falling = (corners[2:, None] - frequencies) / (corners[2:] - corners[1:-1])[:, None]
    filters: np.ndarray = np.clip(np.minimum(rising, falling), 0.0, None)
    narrow = filters.sum(1) == 0  # a band between two bins uses the nearer one
    filters[narrow, np.abs(frequencies - corners[1:-1, None]).argmin(1)[narrow]] = 1.0
    return filters


def mel_levels(audio: Audio, rate: int) -> np.ndarray:
    """Levels in dB ``(BANDS, columns)`` of ``audio`` ``(frames, channels)`` at ``rate`` Hz; 0 dB is a full-scale sine."""
    mono = soxr.resample(audio.mean(1), rate, RATE) if rate != RATE else audio.mean(1)
    mono = np.pad(mono, (WINDOW // 2, WINDOW // 2))
    starts = np.linspace(0, len(mono) - WINDOW, min(COLUMNS, max(2, len(mono) // 64))).astype(int)
    frames = np.lib.stride_tricks.sliding_window_view(mono, WINDOW)[starts]
    window = np.hanning(WINDOW)
    power = np.abs(np.fft.rfft(frames * window) * 2 / window.sum()) ** 2
    return np.asarray(10 * np.log10(power @ mel_filters().T + 1e-12).T)


def draw_mel(path: Path, audio: Audio, rate: int) -> None:
    """Write the picture of ``audio`` as PNG: low frequencies at the bottom, time to the right, ``RANGE_DB`` from black to bright."""
    from matplotlib import image

    data = io.BytesIO()
    image.imsave(data, mel_levels(audio, rate)[::-1], cmap="magma", vmin=-RANGE_DB - 10, vmax=-10, format="png")
    write_atomic(path, data.getvalue())
