"""One sounding note: its samples at the model's rate, its envelope, and how it goes on past what the model knows.

A trained note is held for three seconds. A voice takes the network's samples up to ``LOOP_END`` and then goes on by itself in a
loop whose start is found by correlation and whose seam is cross-faded: at a constant level for what sustains, falling as it fell
before for what dies away.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from rtaudio.instrument_model import VoiceState

Array = npt.NDArray[np.float32]

LOOP_END = 44_032
"""2.75 s at 16 kHz, whole hops: shortly before trained notes are released."""

LOOP_FIRST, LOOP_LAST = 16_000, 32_000
"""Where a loop may begin."""

SEAM = 1_600
"""Samples of cross-fade, 0.1 s."""

HALF_TAPS = 16
_PHASES = 256


@dataclass
class Loop:
    """``body`` repeats after ``LOOP_END``, flat in level; ``decay`` is in nepers a sample, 0 for what sustains."""

    body: Array
    decay: float

    def read(self, start: int, count: int) -> Array:
        """Samples from ``start`` after the loop's end."""
        index = np.arange(start, start + count)
        wave = self.body[index % len(self.body)]
        return wave if self.decay == 0 else (wave * np.exp(-self.decay * index)).astype(np.float32)


def find_loop(note: Array, sustains: bool) -> Loop:
    """A loop for ``note`` ``(LOOP_END,)``: it begins where the wave is most like its end."""
    window = note[LOOP_END - SEAM :].astype(np.float64)
    area = note[LOOP_FIRST - SEAM : LOOP_LAST].astype(np.float64)
    size = 1 << (len(area) + SEAM - 1).bit_length()
    product = np.fft.irfft(np.fft.rfft(area, size) * np.conj(np.fft.rfft(window, size)), size)[: len(area) - SEAM + 1]
    energy = np.cumsum(np.concatenate([[0.0], area**2]))
    norm = np.sqrt(np.maximum(energy[SEAM:] - energy[:-SEAM], 1e-12) * max(float(window @ window), 1e-12))
    likeness = product / norm
    best = int(np.argmax(likeness))
    start = LOOP_FIRST + best  # the window before ``start`` is like the window before the end
    early = float(np.sqrt(np.mean(note[start - SEAM : start].astype(np.float64) ** 2)))
    late = float(np.sqrt(np.mean(window**2)))
    length = LOOP_END - start
    fall = float(np.log(max(early, 1e-6) / max(late, 1e-6)) / length)
    flat = note[start - SEAM : LOOP_END] * np.exp(fall * (np.arange(-SEAM, length) - length))
    fade = np.linspace(0, 1, SEAM, endpoint=False)
    alike = float(np.clip(likeness[best], 0, 1))
    body = flat[SEAM:].copy()
    scale = np.sqrt((1 - fade) ** 2 + fade**2 + 2 * alike * fade * (1 - fade))  # constant power at any likeness
    body[-SEAM:] = (body[-SEAM:] * (1 - fade) + flat[:SEAM] * fade) / np.maximum(scale, 0.5)
    return Loop(body.astype(np.float32), 0.0 if sustains else max(fall, 1e-5))


@dataclass
class Voice:
    """A note from its key to its end.

    Attributes:
        channel, note: where it came from. ``held``: the key is down. ``order``: when it began, for stealing.
        velocity, pitch: weights for the model; ``shift``: semitones between the asked pitch and the trained one that plays.
        state, time: the network's state and its next step. ``wave``: samples so far; ``place``: where reading is.
        level: of the envelope; ``fall``: in nepers a sample once released.
    """

    channel: int
    note: int
    order: int
    velocity: Array
    pitch: Array
    shift: float
    sustains: bool
    state: VoiceState
    time: int
    attack: int
    wave: Array = field(default_factory=lambda: np.zeros(LOOP_END, np.float32))
    filled: int = 0
    place: float = 0.0
    age: int = 0
    held: bool = True
    level: float = 1.0
    fall: float = 0.0
    loop: Loop | None = None
    gains: tuple[float, float] | None = None
    done: bool = False

    @property
    def released(self) -> bool:
        """The envelope is falling."""
        return self.fall > 0

    def loudness(self) -> float:
        """What stealing compares: the envelope times the recent level."""
        end = min(int(self.place), self.filled)
        recent = self.wave[max(0, end - 512) : end]
        if self.loop is not None and self.loop.decay and self.place > LOOP_END:
            return float(
                self.level * np.exp(-self.loop.decay * (self.place - LOOP_END)) * np.abs(self.wave[-512:]).max()
            )
        return self.level * float(np.abs(recent).max(initial=0.0)) if self.age else 1.0

    def release(self, samples: int) -> None:
        """Fall by 60 dB in ``samples``; never slower than before."""
        self.fall = max(self.fall, 6.9 / max(samples, 1))

    def needed(self, count: int, ratio: float) -> int:
        """Samples of ``wave`` that reading ``count`` more asks for."""
        return min(LOOP_END, int(np.ceil(self.place + count * ratio)) + (HALF_TAPS + 1 if self.shifted(ratio) else 0))

    def shifted(self, ratio: float) -> bool:
        """Whether samples lie between those of the wave."""
        return abs(ratio - 1) > 1e-9 or self.place != int(self.place)

    def read(self, count: int, ratio: float) -> Array:
        """``count`` samples at ``ratio`` times the trained pitch, the envelope applied; ``(count,)``."""
        audio = self._interpolated(count, ratio) if self.shifted(ratio) else self._samples(int(self.place), count)
        self.place += count * ratio
        envelope = np.full(count, self.level, np.float32)
        if self.age < self.attack:
            envelope *= np.minimum(1.0, (self.age + np.arange(count)) / self.attack).astype(np.float32)
        if self.fall:
            envelope *= np.exp(-self.fall * np.arange(count)).astype(np.float32)
            self.level *= float(np.exp(-self.fall * count))
        self.age += count
        faded = self.loop is not None and self.loop.decay > 0 and self.loop.decay * (self.place - LOOP_END) > 9.0
        self.done = self.level < 1e-3 or faded
        return audio * envelope

    def _samples(self, start: int, count: int) -> Array:
        """The wave from ``start`` (may be negative: silence), continued by the loop."""
        if start >= 0 and start + count <= LOOP_END:
            return self.wave[start : start + count]
        parts = []
        if start < 0:
            parts.append(np.zeros(min(-start, count), np.float32))
        low, high = max(start, 0), min(start + count, LOOP_END)
        if high > low:
            parts.append(self.wave[low:high])
        beyond = start + count - max(start, LOOP_END)
        if beyond > 0:
            if self.loop is None:
                self.loop = find_loop(self.wave, self.sustains)
            parts.append(self.loop.read(max(start - LOOP_END, 0), beyond))
        return np.concatenate(parts)

    def _interpolated(self, count: int, ratio: float) -> Array:
        """Windowed-sinc reading between samples; the low-pass follows the ratio, so that nothing aliases."""
        places = self.place + ratio * np.arange(count)
        whole = np.floor(places).astype(np.int64)
        first = int(whole[0]) - HALF_TAPS + 1
        source = self._samples(first, int(whole[-1]) - first + HALF_TAPS + 1)
        phase = (places - whole) * _PHASES
        table = _table(min(1.0, 1.0 / ratio))
        low = phase.astype(np.int64)
        part = (phase - low)[:, None]
        taps = table[low] * (1 - part) + table[low + 1] * part
        windows = np.lib.stride_tricks.sliding_window_view(source, 2 * HALF_TAPS)[whole - whole[0]]
        audio: Array = np.einsum("nt,nt->n", windows, taps).astype(np.float32)
        return audio


_TABLES: dict[float, npt.NDArray[np.float64]] = {}


def _table(cutoff: float) -> npt.NDArray[np.float64]:
    """Kaiser-windowed sinc for each phase: ``(phases + 1, taps)``; cut-offs are rounded, so that few tables exist."""
    cutoff = round(cutoff * 32) / 32 or 1 / 32
    if cutoff not in _TABLES:
        offset = np.arange(-HALF_TAPS + 1, HALF_TAPS + 1) - np.arange(_PHASES + 1)[:, None] / _PHASES
        window = np.i0(8.0 * np.sqrt(np.maximum(0.0, 1 - (offset / HALF_TAPS) ** 2))) / np.i0(8.0)
        rows = np.sinc(offset * cutoff * 0.94) * window
        _TABLES[cutoff] = rows / rows.sum(1, keepdims=True)
    return _TABLES[cutoff]
