"""The master safety limiter: no latency, instant attack, release linear in dB, visible gain reduction.

It protects ears and converters; it is not a mastering tool. There is no look-ahead, so it adds no latency; a peak is caught on
its own sample. Below the ceiling, with no reduction being released, the sound passes bit for bit.

The gain in dB follows ``g[n] = min(need[n], g[n-1] + release)`` with ``need[n] = min(0, ceiling - peak[n])``. Written as
``g[n] - n * release = min over k <= n of (need[k] - k * release)`` it is one ``np.minimum.accumulate``; gains are counted in
whole billionths of a dB, so the recursion is exact and the same however the sound is cut into blocks.
"""

from __future__ import annotations

import math

import numpy as np

from rtaudio.audio.format import Audio, StemplayError

UNITS = 1_000_000_000
"""Gain steps per dB."""

_TO_NEPER = math.log(10.0) / 20.0 / UNITS


class Limiter:
    """Peak limiter over all channels together (the stereo image does not move).

    One thread calls ``process``; ``enabled`` and ``ceiling_db`` are set between calls by that same thread.

    Args:
        rate: Hz.
        max_block: the largest number of frames of one call.
        release_db_per_s: how fast the gain comes back, dB a second.
    """

    def __init__(self, rate: int, max_block: int, ceiling_db: float = -0.3, release_db_per_s: float = 60.0) -> None:
        self.enabled = True
        self._step = max(1, round(release_db_per_s * UNITS / rate))
        self._carry = 0
        self._rise = np.arange(max_block, dtype=np.int64) * self._step
        self._absolute: Audio | None = None
        self._peak = np.zeros(max_block, np.float32)
        self._need = np.zeros(max_block, np.float64)
        self._units = np.zeros(max_block, np.int64)
        self._gain = np.ones(max_block, np.float32)
        self.ceiling_db = ceiling_db

    @property
    def ceiling_db(self) -> float:
        """The level in dB (0 is full scale) that no sample exceeds while the limiter is enabled."""
        return self._ceiling_db

    @ceiling_db.setter
    def ceiling_db(self, value: float) -> None:
        if not math.isfinite(value):
            raise StemplayError(f"A limiter ceiling of {value} dB is not possible: choose a finite level.")
        self._ceiling_db = float(value)
        ceiling = np.float32(10.0 ** (value / 20.0))
        # float32 rounds: keep at or below the exact level, so that "never exceeds" holds in any arithmetic.
        self._ceiling = np.nextafter(ceiling, np.float32(0)) if float(ceiling) > 10.0 ** (value / 20.0) else ceiling

    @property
    def ceiling(self) -> float:
        """The ceiling as a linear level, rounded down to float32."""
        return float(self._ceiling)

    @property
    def gain_db(self) -> float:
        """The gain after the last sample, dB: 0 or negative."""
        return self._carry / UNITS

    def reset(self) -> None:
        """Reset the gain to 0 dB."""
        self._carry = 0

    def process(self, audio: Audio) -> float:
        """Limit ``audio`` ``(frames, channels)`` in place; returns the deepest gain used in dB, 0 or negative.

        A non-finite sample becomes silence.

        A disabled limiter lets a reduction that is under way release by its usual slope, so that switching it off does not
        make the level jump.
        """
        n = audio.shape[0]
        if n == 0:
            return 0.0
        if n > len(self._gain):
            half = len(self._gain)
            return min(self.process(audio[:half]), self.process(audio[half:]))
        if self._absolute is None or self._absolute.shape[1] != audio.shape[1]:
            self._absolute = np.zeros((len(self._gain), audio.shape[1]), np.float32)
        absolute, peak = self._absolute[:n], self._peak[:n]
        np.abs(audio, out=absolute)
        np.maximum.reduce(absolute, axis=1, out=peak)
        top = float(np.maximum.reduce(peak))
        if not math.isfinite(top):
            np.nan_to_num(audio, copy=False, nan=0.0, posinf=0.0, neginf=0.0)
            return self.process(audio)
        if self._carry == 0 and (not self.enabled or top <= self._ceiling):
            return 0.0
        need, units, gain = self._need[:n], self._units[:n], self._gain[:n]
        if self.enabled:
            np.copyto(need, peak)
            np.maximum(need, float(self._ceiling), out=need)
            np.divide(float(self._ceiling), need, out=need)
            np.log10(need, out=need)
            need *= 20.0 * UNITS
            np.floor(need, out=need)
            np.copyto(units, need, casting="unsafe")
        else:
            units.fill(0)
        units[0] = min(int(units[0]), self._carry + self._step)
        units -= self._rise[:n]
        np.minimum.accumulate(units, out=units)
        units += self._rise[:n]
        self._carry = int(units[-1])
        np.copyto(need, units)
        np.multiply(need, _TO_NEPER, out=need)
        np.exp(need, out=need)
        np.copyto(gain, need, casting="same_kind")
        np.multiply(audio, gain[:, None], out=audio)
        if self.enabled:
            np.clip(audio, -self._ceiling, self._ceiling, out=audio)
        return int(units.min()) / UNITS
