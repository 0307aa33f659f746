"""Drift compensation: converts an input with its own clock to the output's clock.

Two devices never agree on what a second is; after an hour a drift of 50 ppm has piled up 8,000 samples. The output is the master. The
input's callback converts its blocks by a ratio that a slow control loop steers so that the buffer between the two stays at its
target; the output's callback takes what it needs. Neither waits for the other; when the buffer runs dry or over, that is
counted and it starts again from the target, so that the latency never creeps.

The fill jumps by whole blocks, and where two block clocks slide past each other those jumps beat slowly. So the loop does not look
at the fill itself but at where the reader would be if it read sample by sample, from the time since its latest call.
"""

from __future__ import annotations

import numpy as np
import samplerate

from rtaudio.audio.format import Audio
from rtaudio.audio.ring import Ring

MAX_CORRECTION = 0.005
"""The loop bends the pitch by at most half a percent, and by far less once it has settled."""
SETTLE_S = 5.0
"""Time constant with which an error of the fill is worked off."""
INTEGRAL_S = 20.0
"""Time constant with which a constant drift is learned."""
SMOOTHING_S = 1.0
"""Of the measured fill: callbacks do not come to the microsecond."""


class DriftCompensator:
    """``write`` belongs to the input's callback, ``read`` to the output's.

    Args:
        rate_in, rate_out: nominal rates in Hz.
        channels: of both sides.
        block_in, block_out: frames a call, which set how much must wait in between.
    """

    def __init__(self, rate_in: int, rate_out: int, channels: int, block_in: int, block_out: int) -> None:
        self.nominal = rate_out / rate_in
        self._rate = rate_out
        self._block_out = block_out
        self.target = round(1.5 * (block_in * self.nominal + block_out)) + 64
        self._ring = Ring(16 * self.target + rate_out // 4, (channels,))
        self._converter = samplerate.Resampler("sinc_fastest", channels)
        self._written = self._read = 0
        self._fill, self._drift = float(self.target), 0.0
        self._read_time = 0.0
        self._running = False
        self.correction = 0.0
        self.slips = 0

    @property
    def latency(self) -> float:
        """Frames (at the output's rate) that wait in between on average."""
        return float(self.target)

    @property
    def fill(self) -> int:
        """Frames waiting now."""
        return self._written - self._read

    def write(self, indata: Audio, now: float) -> None:
        """Take a block of the input, ``(n, channels)``, at the time ``now`` (s, any steady clock, the same as the reader's)."""
        self._steer(len(indata), now)
        converted = self._converter.process(indata, self.nominal * (1.0 + self.correction))
        self._ring.write(self._written, np.ascontiguousarray(converted, np.float32))
        self._written += len(converted)

    def _steer(self, frames: int, now: float) -> None:
        if not self._running:
            return
        period = frames / self._rate * self.nominal
        ahead = (now - self._read_time) * self._rate - self._block_out  # 0 when the next read is due
        fill = self.fill + min(max(-ahead, 0.0), self._block_out) + frames * self.nominal / 2
        self._fill += (fill - self._fill) * min(1.0, period / SMOOTHING_S)
        error_s = (self.target - self._fill) / self._rate
        limit = MAX_CORRECTION / 2
        self._drift = min(limit, max(-limit, self._drift + error_s * period / (SETTLE_S * INTEGRAL_S)))
        wanted = self._drift + error_s / SETTLE_S
        self.correction = min(MAX_CORRECTION, max(-MAX_CORRECTION, wanted))

    def read(self, out: Audio, now: float) -> None:
        """Fill ``out`` ``(n, channels)`` with the next frames, or with silence while there are too few."""
        self._read_time = now
        if not self._running:
            # Begin with the target's worth waiting: whatever is more than that is old.
            if self.fill < self.target:
                out[:] = 0.0
                return
            self._read = self._written - self.target
            self._fill, self._running = float(self.target), True
        if self.fill < len(out) or self.fill > 8 * self.target:
            self._running = False
            self.slips += 1
            out[:] = 0.0
            return
        self._ring.read(self._read, out)
        self._read += len(out)
