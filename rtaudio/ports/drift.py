"""Drift compensation: converts an input with its own clock to the output's clock.

The clocks of two devices always differ: a drift of 50 ppm makes 8,000 samples in an hour. The output is the master. The input's callback
resamples its blocks by a ratio that a slow control loop adjusts, so that the buffer between the two stays at its target. The output's
callback reads from this buffer. Neither waits for the other. If the buffer runs empty or full, a slip is counted and it restarts at the
target, so the latency does not drift.

The fill of the buffer changes by whole blocks, and the two block clocks beat slowly against each other. So the loop does not use the fill
itself, but the fill if the reader read sample by sample, computed from the time since its latest call.
"""

from __future__ import annotations

import numpy as np
import samplerate

from rtaudio.audio.format import Audio
from rtaudio.audio.ring import Ring

MAX_CORRECTION = 0.005
"""Largest change of pitch, half a percent. It is far smaller once the loop has settled."""
SETTLE_S = 5.0
"""Time constant of the correction of the fill, seconds."""
INTEGRAL_S = 20.0
"""Time constant of the estimate of a constant drift, seconds."""
SMOOTHING_S = 1.0
"""Time constant for smoothing the measured fill, because the times of callbacks jitter."""


class DriftCompensator:
    """A resampling buffer between two clocks. ``write`` belongs to the input's callback, ``read`` to the output's.

    Args:
        rate_in, rate_out: nominal rates in Hz.
        channels: of both sides.
        block_in, block_out: frames of a call, which determine the target of the buffer.
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
        """Average number of frames in the buffer, at the output's rate."""
        return float(self.target)

    @property
    def fill(self) -> int:
        """Number of frames in the buffer now."""
        return self._written - self._read

    def write(self, indata: Audio, now: float) -> None:
        """Add a block of the input, ``(n, channels)``, at the time ``now`` (seconds of the same monotonic clock as for ``read``)."""
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
        """Fill ``out`` ``(n, channels)`` with the next frames, or with silence if there are too few."""
        self._read_time = now
        if not self._running:
            # Start with the target in the buffer; drop older frames.
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
