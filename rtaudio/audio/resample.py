"""Streaming sample-rate conversion with a state that can be copied (RT-07).

A linear-phase windowed-sinc polyphase filter for rational ratios. It is *aligned*: output sample ``j`` is the signal at time
``j / rate_out``, without a shift. In return it holds back half of the filter's length (``Resampler.hold_back``). Each output
sample is one inner product over a fixed window, so blocks of any size give the same samples. The whole state is the last
window of input, so it can be saved and restored exactly; the state of library converters cannot be copied. The low-pass lies below
the lower Nyquist frequency: ``STOPBAND_DB`` from there on, flat to 86 % of it.

Neighbouring outputs share most of their windows. Where the phases repeat in groups, a group is one product of its piece of the signal
with a matrix that holds a filter in each column (``_bands``): no window is copied, which would drive a network's weights out of the cache.
"""

from __future__ import annotations

import math
from fractions import Fraction
from functools import lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt

from rtaudio.audio.format import Audio

STOPBAND_DB = 74.0
HALF_LENGTH = 32
"""Half of the filter, in samples of the lower rate: 0.73 ms at 44.1 kHz."""

_MAX_PHASES = 1024
"""Number of stored phases. Ratios with more phases interpolate between them, with an error below -118 dB."""

_CHUNK = 2048

_GROUP = 64
"""Largest number of outputs of one matrix product. With fewer than a quarter of it a product is no faster."""


class Resampler:
    """Converts ``(frames, channels)`` from ``rate_in`` to ``rate_out``, any number of frames a call.

    The signal before the first sample is silence. After ``n`` input frames, ``output_count(n)`` frames have come out.
    """

    def __init__(self, rate_in: int, rate_out: int, channels: int) -> None:
        ratio = Fraction(rate_out, rate_in)
        self.up, self.down = ratio.numerator, ratio.denominator
        self.rate_in, self.rate_out, self.channels = rate_in, rate_out, channels
        self.taps = 2 * -(-HALF_LENGTH * max(self.up, self.down) // self.up) if self.up < self.down else 2 * HALF_LENGTH
        self._table = _filters(self.up, self.down, self.taps)
        self._group = _group_size(self.up)
        self._bands = _bands(self.up, self.down, self.taps, self._group) if self._group else ()
        self.reset()

    @property
    def hold_back(self) -> int:
        """Number of input frames after a given time that are needed to compute the output at that time."""
        return self.taps // 2

    def output_count(self, n: int) -> int:
        """Total number of output frames after ``n`` input frames."""
        return max(0, -(-(n - self.hold_back) * self.up // self.down))

    def reset(self) -> None:
        """Reset the history to silence."""
        # channels first, so that windows are contiguous
        self._history: Audio = np.zeros((self.channels, self.taps - 1), dtype=np.float32)
        self._start = 1 - self.taps  # input index of the first sample in the history
        self._done = 0

    def process(self, block: Audio) -> Audio:
        """``(frames, channels)`` -> every output frame that has become computable, ``(m, channels)``."""
        signal = np.concatenate((self._history, block.T), axis=1, dtype=np.float32)
        total = self._start + signal.shape[1]
        count = self.output_count(total)
        out = np.empty((count - self._done, self.channels), dtype=np.float32)
        for first in range(self._done, count, _CHUNK):
            last = min(first + _CHUNK, count)
            out[first - self._done : last - self._done] = self._compute(signal, first, last).T
        self._done = count
        oldest = count * self.down // self.up - self.taps // 2 + 1  # first input that the next output needs
        drop = min(max(0, oldest - self._start), signal.shape[1])
        self._history, self._start = signal[:, drop:].copy(), self._start + drop
        return out

    def _compute(self, signal: Audio, first: int, last: int) -> Audio:
        """Output frames ``first`` to ``last``, ``(channels, last - first)``."""
        if self._bands:
            return self._compute_groups(signal, first, last)
        position = np.arange(first, last, dtype=np.int64) * self.down
        index = position // self.up - self.taps // 2 + 1 - self._start
        windows = np.lib.stride_tricks.sliding_window_view(signal, self.taps, axis=1)[:, index]
        out: Audio = np.einsum("cnt,nt->cn", windows, self._coefficients(position % self.up))
        return out

    def _compute_groups(self, signal: Audio, first: int, last: int) -> Audio:
        """Like ``_compute``, in products of whole groups. Each output is summed in the same order whatever the size of the blocks."""
        size, groups = self._group, range(first // self._group, -(-last // self._group))
        out = np.empty((len(signal), len(groups) * size), np.float32)
        for column, number in enumerate(groups):
            band = self._bands[number % len(self._bands)]
            begin = number * size * self.down // self.up - self.taps // 2 + 1 - self._start
            low, high = max(begin, 0), min(begin + len(band), signal.shape[1])
            window = signal[:, low:high]
            if high - low < len(band):  # the missing inputs belong to outputs that are not requested
                window = np.zeros((len(signal), len(band)), np.float32)
                window[:, low - begin : high - begin] = signal[:, low:high]
            np.matmul(window, band, out=out[:, column * size : (column + 1) * size])
        return out[:, first - groups[0] * size : last - groups[0] * size]

    def _coefficients(self, phase: npt.NDArray[np.int64]) -> Audio:
        phases = len(self._table) - 1
        if phases == self.up:
            return self._table[phase]
        where = phase * (phases / self.up)
        low = where.astype(np.int64)
        weight = (where - low).astype(np.float32)[:, None]
        return self._table[low] * (1 - weight) + self._table[low + 1] * weight

    def get_state(self) -> dict[str, Any]:
        """A deep copy of everything it remembers."""
        return {"history": self._history.copy(), "start": self._start, "done": self._done}

    def set_state(self, state: dict[str, Any]) -> None:
        """Restore what ``get_state`` returned."""
        self._history, self._start, self._done = state["history"].copy(), state["start"], state["done"]


def framed_latency(inward: Resampler, outward: Resampler, hop: int, window: int, delay: int) -> int:
    """Frames by which sound lags behind that goes through ``inward``, a network with calls of ``hop`` samples, and ``outward``.

    The network's call ``k`` needs the samples from ``k * hop`` on, ``window`` of them, and makes those that are ``delay`` older. The
    number of frames in minus frames out is periodic, and largest just before a call can be made, so one period of calls is examined.
    """
    settled = (delay + outward.hold_back) // hop + 1
    frames = settled + np.arange(inward.up // math.gcd(inward.up, hop) + 1, dtype=np.int64)
    needed = frames * hop + window  # samples that complete call number ``frames``
    fed = inward.hold_back + (needed - 1) * inward.down // inward.up  # one frame too few for it
    made = frames * hop - delay
    ready = -(-(made - outward.hold_back) * outward.up // outward.down)
    return int(np.max(fed - ready)) + 1  # a sample counts as arrived when the next one begins


def resample(audio: Audio, rate_in: int, rate_out: int) -> Audio:
    """Convert all of ``audio`` ``(frames, channels)``, as if silence surrounded it, to ``ceil(frames * rate_out / rate_in)`` frames."""
    if rate_in == rate_out:
        return audio.astype(np.float32)
    converter = Resampler(rate_in, rate_out, audio.shape[1])
    length = -(-len(audio) * converter.up // converter.down)
    tail = np.zeros((converter.hold_back + 1, audio.shape[1]), dtype=np.float32)
    return np.concatenate((converter.process(audio), converter.process(tail)))[:length]


@lru_cache(maxsize=16)
def _filters(up: int, down: int, taps: int) -> Audio:
    """One row of ``taps`` coefficients for each phase (and the phase after the last), each row with unit gain at 0 Hz."""
    phases = up if up <= _MAX_PHASES else _MAX_PHASES
    scale = min(1.0, up / down)  # lower rate over input rate
    beta = 0.1102 * (STOPBAND_DB - 8.7)  # Kaiser's formulas
    transition = (STOPBAND_DB - 7.95) / (14.36 * 2 * HALF_LENGTH)  # in cycles a sample of the lower rate
    cutoff = (0.5 - transition / 2) * scale  # the stopband begins at the lower Nyquist frequency
    fraction = np.arange(phases + 1)[:, None] / phases
    distance = np.arange(1 - taps // 2, taps // 2 + 1)[None] - fraction
    inside = np.clip(1 - (distance / (taps / 2)) ** 2, 0, None)
    window = np.i0(beta * np.sqrt(inside)) * (np.abs(distance) <= taps / 2)
    rows = np.sinc(2 * cutoff * distance) * window
    table: Audio = (rows / rows.sum(axis=1, keepdims=True)).astype(np.float32)
    table.setflags(write=False)
    return table


def _group_size(up: int) -> int:
    """Outputs in one group: the phases repeat after it, or the next of a few groups begins. 0 if groups would not save time."""
    if up <= _GROUP:
        return up * (_GROUP // up)
    divisors = [size for size in range(_GROUP // 4, _GROUP + 1) if up % size == 0] if up <= _MAX_PHASES else []
    return max(divisors, default=0)


@lru_cache(maxsize=16)
def _bands(up: int, down: int, taps: int, size: int) -> tuple[Audio, ...]:
    """For each group of ``size`` outputs until phases repeat: ``(inputs, size)``, the filter of an output in each column."""
    table = _filters(up, down, taps)
    found = []
    for first in range(0, max(up, size), size):
        position = np.arange(first, first + size, dtype=np.int64) * down
        offsets = position // up - position[0] // up
        band = np.zeros((int(offsets[-1]) + taps, size), np.float32)
        for column, offset in enumerate(offsets):
            band[offset : offset + taps, column] = table[position[column] % up]
        band.setflags(write=False)
        found.append(band)
    return tuple(found)
