"""A sounding note: its samples at the model's rate, its envelope, and its continuation beyond the length that the model was trained on.

A training note is held for three seconds. A voice plays the network's samples up to ``LOOP_END`` and then continues in a loop, whose
start is found by correlation and whose seam is cross-faded.
Sustaining sounds keep their level; decaying sounds continue to decay at the same rate.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from rtaudio.instrument.model import VoiceState

Array = npt.NDArray[np.float32]

LOOP_END = 44_032
"""2.75 s at 16 kHz, in whole hops: shortly before training notes are released."""

AHEAD, AHEAD_FROM = 5_632, 24_576
"""Number of samples by which the samples of a loop are complete before the note reaches it. Finding a loop takes a millisecond, so the
loops of a chord are found one after the other. From
``AHEAD_FROM`` samples before the loop on, the network computes a note a quarter faster than it is heard."""

LOOP_FIRST, LOOP_LAST = 16_000, 32_000
"""Range in which a loop may begin, in samples."""

SEAM = 1_600
"""Length of the cross-fade in samples, 0.1 s."""

STEADY, _STEADY_HOP = 6_400, 64
"""Length of the window that evens out the level of a loop, 0.4 s in samples, and its hop."""

HALF_TAPS = 16
_PHASES = 256

LAST_CALL = LOOP_END - SEAM - 2 * HALF_TAPS
"""A loop that is found before the note reaches this sample begins without a step."""


@dataclass
class Loop:
    """``body`` repeats after ``LOOP_END`` at a constant level. ``decay`` is in nepers a sample, 0 for sustaining sounds.

    ``entry`` are the last ``SEAM`` samples of the note, cross-faded into the loop. They replace these samples, so there is no step.
    """

    body: Array
    decay: float
    entry: Array

    def read(self, start: int, count: int) -> Array:
        """``count`` samples from ``start`` on, counted from ``LOOP_END``."""
        index = np.arange(start, start + count)
        wave = self.body[index % len(self.body)]
        return wave if self.decay == 0 else (wave * np.exp(-self.decay * index)).astype(np.float32)


def find_loop(note: Array, sustains: bool) -> Loop:
    """Find a loop for ``note`` ``(LOOP_END,)``: it begins where the waveform is most similar to its end."""
    window = note[LOOP_END - SEAM :].astype(np.float64)
    area = note[LOOP_FIRST - SEAM : LOOP_LAST].astype(np.float64)
    size = 18_432  # a fast FFT size above the area's 17,600; the samples that wrap around are not used
    product = np.fft.irfft(np.fft.rfft(area, size) * np.conj(np.fft.rfft(window, size)), size)[: len(area) - SEAM + 1]
    energy = np.cumsum(np.concatenate([[0.0], area**2]))
    norm = np.sqrt(np.maximum(energy[SEAM:] - energy[:-SEAM], 1e-12) * max(float(window @ window), 1e-12))
    likeness = product / norm
    best = int(np.argmax(likeness))
    start = LOOP_FIRST + best  # the window before ``start`` is similar to the window before the end
    early = float(np.sqrt(np.mean(note[start - SEAM : start].astype(np.float64) ** 2)))
    late = float(np.sqrt(np.mean(window**2)))
    length = LOOP_END - start
    fall = float(np.log(max(early, 1e-6) / max(late, 1e-6)) / length)
    flat = note[start - SEAM : LOOP_END] * np.exp(fall * (np.arange(-SEAM, length) - length))
    fade = np.linspace(0, 1, SEAM, endpoint=False)
    alike = float(np.clip(likeness[best], 0, 1))
    body = flat[SEAM:].copy()
    scale = np.sqrt((1 - fade) ** 2 + fade**2 + 2 * alike * fade * (1 - fade))  # constant power at any correlation
    body[-SEAM:] = (body[-SEAM:] * (1 - fade) + flat[:SEAM] * fade) / np.maximum(scale, 0.5)
    before = flat[:SEAM] * np.exp(fall * np.arange(SEAM, 0, -1))
    entry = (window * (1 - fade) + before * fade) / np.maximum(scale, 0.5)
    decay = 0.0 if sustains else max(fall, 1e-5)
    return Loop((body * _steadying(body)).astype(np.float32), decay, entry.astype(np.float32))


def _steadying(body: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """A gain that removes changes of level slower than ``STEADY`` from a loop. Otherwise they would repeat about once a second.

    It is 1 at the start of the loop, which follows the note, and equal at both ends. Tremolo and beating partials are faster and remain.
    """
    count = len(body) // _STEADY_HOP
    power = np.square(body[: count * _STEADY_HOP].reshape(count, _STEADY_HOP)).mean(1)
    kernel = np.zeros(count)
    width = STEADY // _STEADY_HOP
    kernel[:width] = np.hanning(width + 2)[1:-1]
    kernel = np.roll(kernel / kernel.sum(), -(width // 2))
    smooth = np.fft.irfft(np.fft.rfft(power) * np.fft.rfft(kernel), count)
    gain = 1 / np.sqrt(np.maximum(smooth, 1e-6 * power.max() + 1e-20))
    middles = (np.arange(count) + 0.5) * _STEADY_HOP
    whole = np.interp(np.arange(len(body)), middles, gain, period=len(body))
    return np.asarray(np.clip(whole / whole[0], 0.5, 2.0))


@dataclass
class ReplacementNote:
    """A looping note that is recomputed with another sound while the old one is heard."""

    state: VoiceState
    weights: Array
    sustains: bool
    time: int = 0
    wave: Array = field(default_factory=lambda: np.zeros(LOOP_END, np.float32))
    filled: int = 0

    def take(self, audio: Array, state: VoiceState, priming: int) -> None:
        """Take the result of one step. The samples of the first ``priming`` steps are dropped."""
        if self.time >= priming:
            self.wave[self.filled : self.filled + len(audio)] = audio
            self.filled += len(audio)
        self.state = state
        self.time += 1

    @property
    def complete(self) -> bool:
        """Whether it is long enough for a loop."""
        return self.filled >= LOOP_END


CROSSING = 4_000
"""Length of the cross-fade between the loops of two sounds, 0.25 s in samples."""


@dataclass
class Voice:
    """A note from its note-on to the end of its release.

    Attributes:
        channel, note: of its note-on. ``held``: the key is down. ``order``: number of the note, for stealing the oldest.
        velocity, pitch: weights for the model. ``shift``: semitones from the trained pitch that plays to the requested one.
        state, row, time: the network's state, shared by voices that took a step together; this voice's row of it; the next time step.
            ``wave``: samples so far. ``place``: the reading position.
        level: of the envelope. ``fall``: its release rate in nepers a sample.
        ending: sample of the next reading at which a steeper ``fall`` begins, and that fall. ``delay``: samples until the note begins.
        sustains: whether the main instrument of ``weights`` sounds as long as its key is held.
        weights: of the instruments that the wave was made with. ``replacement``: the note with a newer sound, until it is complete.
        leaving, crossed: the loop that ``loop`` replaces, and how many samples of ``CROSSING`` have passed.
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
    ending: tuple[int, float] | None = None
    delay: int = 0
    row: int = 0
    loop: Loop | None = None
    gains: tuple[float, float] | None = None
    done: bool = False
    weights: Array = field(default_factory=lambda: np.zeros(0, np.float32))
    replacement: ReplacementNote | None = None
    leaving: Loop | None = None
    crossed: float = 0.0

    @property
    def released(self) -> bool:
        """Whether the release has begun or is about to."""
        return self.falling > 0

    @property
    def falling(self) -> float:
        """Release rate in nepers a sample, including a release that has not begun yet."""
        return max(self.fall, self.ending[1]) if self.ending else self.fall

    def loudness(self) -> float:
        """The envelope times the recent level, by which notes to steal are chosen."""
        end = min(int(self.place), self.filled)
        recent = self.wave[max(0, end - 512) : end]
        if self.loop is not None and self.loop.decay and self.place > LOOP_END:
            return float(
                self.level * np.exp(-self.loop.decay * (self.place - LOOP_END)) * np.abs(self.wave[-512:]).max()
            )
        return self.level * float(np.abs(recent).max(initial=0.0)) if self.age else 1.0

    def adopt(self, replacement: ReplacementNote) -> None:
        """Cross-fade to the loop of a complete replacement, which starts at this note's level."""
        self.leaving, self.crossed = self.loop, self.place
        self.wave, self.weights, self.sustains, self.replacement = replacement.wave, replacement.weights, replacement.sustains, None
        self.loop = find_loop(replacement.wave, self.sustains)

    def release(self, samples: int, at: int = 0) -> None:
        """Release: fall by 60 dB in ``samples``, from sample ``at`` of the next reading on, but never more slowly than before."""
        fall = 6.9 / max(samples, 1)
        self.ending = (min(at, self.ending[0]), max(fall, self.ending[1])) if self.ending else (at, fall)

    def needed(self, count: int, ratio: float) -> int:
        """Number of samples of ``wave`` needed for reading ``count`` more samples."""
        count = max(0, count - self.delay)
        reach = int(np.ceil(self.place + count * ratio)) + (HALF_TAPS + 1 if self.shifted(ratio) else 0)
        return min(LOOP_END, reach + min(AHEAD, max(0, reach - LOOP_END + AHEAD_FROM) // 4))

    @property
    def wants_loop(self) -> bool:
        """Whether a loop can be found and has not been yet."""
        return self.loop is None and self.filled >= LOOP_END

    def prepare_loop(self) -> None:
        """Find the loop before it is read."""
        self.loop = find_loop(self.wave, self.sustains)
        if self.place < LAST_CALL:
            self.wave[-SEAM:] = self.loop.entry

    def shifted(self, ratio: float) -> bool:
        """Whether reading needs interpolation between samples of the wave."""
        return abs(ratio - 1) > 1e-9 or self.place != int(self.place)

    def read(self, count: int, ratio: float) -> Array:
        """``count`` samples at ``ratio`` times the trained pitch, the envelope applied; ``(count,)``.

        The first ``delay`` of them are silent: the note begins within this reading.
        """
        if not (self.delay or self.fall or self.ending or self.age < self.attack or self.shifted(ratio)):
            start = int(self.place)
            if start + count <= LOOP_END:  # the usual case: a held note before its loop
                self.place += count
                self.age += count
                self.done = self.level < 1e-3
                return self.wave[start : start + count] * np.float32(self.level)
        silent, self.delay = min(self.delay, count), max(0, self.delay - count)
        sounding = count - silent
        if sounding == 0:
            self.ending = (max(0, self.ending[0] - count), self.ending[1]) if self.ending else None
            return np.zeros(count, np.float32)
        shifted = self.shifted(ratio)
        audio = self._interpolated(sounding, ratio) if shifted else self._samples(int(self.place), sounding)
        self.place += sounding * ratio
        audio = audio * self._envelope(sounding, silent)
        faded = self.loop is not None and self.loop.decay > 0 and self.loop.decay * (self.place - LOOP_END) > 9.0
        self.done = self.level < 1e-3 or faded
        return np.concatenate([np.zeros(silent, np.float32), audio]) if silent else audio

    def _envelope(self, count: int, silent: int) -> Array | np.float32:
        """Attack and release over the next ``count`` samples, which begin at sample ``silent`` of the reading."""
        if not (self.fall or self.ending or self.age < self.attack):
            self.age += count
            return np.float32(self.level)
        index = np.arange(count)
        exponent = self.fall * index
        total = self.fall * count
        if self.ending is not None:
            start = max(0, self.ending[0] - silent)
            if start < count:
                steeper = max(self.fall, self.ending[1]) - self.fall
                exponent[start:] += steeper * index[: count - start]
                total += steeper * (count - start)
                self.fall += steeper
                self.ending = None
            else:
                self.ending = (self.ending[0] - count - silent, self.ending[1])
        envelope = self.level * np.exp(-exponent)
        if self.age < self.attack:
            envelope *= np.minimum(1.0, (self.age + index) / self.attack)
        self.level *= float(np.exp(-total))
        self.age += count
        result: Array = envelope.astype(np.float32)
        return result

    def _samples(self, start: int, count: int) -> Array:
        """The wave from ``start`` on, continued by the loop. Negative positions are silence."""
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
                self.prepare_loop()
            parts.append(self._looped(max(start, LOOP_END), beyond))
        return np.concatenate(parts)

    def _looped(self, start: int, count: int) -> Array:
        """The loop from ``start``, cross-faded during ``CROSSING`` with the one it replaces, at constant power (they are uncorrelated)."""
        assert self.loop is not None
        audio = self.loop.read(start - LOOP_END, count)
        if self.leaving is not None:
            share = np.clip((np.arange(start, start + count) - self.crossed) / CROSSING, 0.0, 1.0) * (np.pi / 2)
            audio = (audio * np.sin(share) + self.leaving.read(start - LOOP_END, count) * np.cos(share)).astype(
                np.float32
            )
            if start > self.crossed + CROSSING + SEAM:
                self.leaving = None
        return audio

    def _interpolated(self, count: int, ratio: float) -> Array:
        """Windowed-sinc reading between samples; the low-pass follows the ratio, so that nothing aliases."""
        places = self.place + ratio * np.arange(count)
        whole = places.astype(np.int64)  # positions are never negative
        first = int(whole[0]) - HALF_TAPS + 1
        source = self._samples(first, int(whole[-1]) - first + HALF_TAPS + 1)
        phase = (places - whole) * _PHASES
        table, slope = _table(min(1.0, 1.0 / ratio))
        low = phase.astype(np.int64)
        taps = table[low] + slope[low] * (phase - low).astype(np.float32)[:, None]
        audio: Array = np.einsum("nt,nt->n", source[(whole - whole[0])[:, None] + _TAPS], taps)
        return audio


_TAPS = np.arange(2 * HALF_TAPS)
_TABLES: dict[float, tuple[Array, Array]] = {}


def _table(cutoff: float) -> tuple[Array, Array]:
    """Kaiser-windowed sinc for each phase, ``(phases, taps)``, and its change up to the next phase. Cut-offs are rounded, so
    that few tables exist."""
    cutoff = round(cutoff * 32) / 32 or 1 / 32
    if cutoff not in _TABLES:
        offset = np.arange(-HALF_TAPS + 1, HALF_TAPS + 1) - np.arange(_PHASES + 1)[:, None] / _PHASES
        window = np.i0(8.0 * np.sqrt(np.maximum(0.0, 1 - (offset / HALF_TAPS) ** 2))) / np.i0(8.0)
        rows = np.sinc(offset * cutoff * 0.94) * window
        rows /= rows.sum(1, keepdims=True)
        _TABLES[cutoff] = rows[:-1].astype(np.float32), np.diff(rows, axis=0).astype(np.float32)
    return _TABLES[cutoff]
