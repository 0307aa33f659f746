"""Two sound cards have two clocks: the input follows the output's through a resampler whose ratio is controlled.

``ClockBridge`` stands between an input stream, whose callback pushes, and an output stream, whose callback pulls. How full the
ring between them is tells which clock is ahead. Both sides move it in whole blocks, and two nearly equal block rates beat against
each other for minutes; so each push is stamped with its time, and what has arrived since is counted as if it flowed. A slow loop (proportional and integral, natural period about a minute) moves the
conversion ratio by parts per million until the fill stays at its target. So nothing is ever dropped or repeated, and the delay
of the bridge does not drift.

One thread pushes and one pulls; neither waits.
"""

from __future__ import annotations

import math
import time

import numpy as np
import samplerate

from rtaudio.format import Audio
from rtaudio.ring import Ring

NATURAL_FREQUENCY = 0.1
"""Of the loop, rad/s, critically damped: fast enough for a clock that warms up, too slow to be heard."""

SMOOTHING_S = 1.0
"""Of the fill: callbacks are not punctual."""

MOST = 0.005
"""The largest deviation from the nominal ratio; real clocks differ by less than a tenth of that."""

_MARGIN_S = 0.004


class ClockBridge:
    """Input frames at ``in_rate`` by one clock, out at ``out_rate`` by another.

    Args:
        channels: of both sides.
        in_rate, out_rate: nominal Hz.
        in_block, out_block: largest blocks of both sides.

    Attributes:
        target: frames (of the input) that wait in the bridge.
        slips: how often it ran empty or over, and began again.
        deviation: of the input's clock from nominal, as a share (1e-6 is a part per million).
    """

    def __init__(self, channels: int, in_rate: int, out_rate: int, in_block: int, out_block: int) -> None:
        self.target = in_block + math.ceil(out_block * in_rate / out_rate) + math.ceil(_MARGIN_S * in_rate)
        self.slips, self.deviation = 0, 0.0
        self._in_rate, self._nominal = in_rate, out_rate / in_rate
        self._ring = Ring(8 * self.target + in_rate, (channels,))
        self._resampler = samplerate.Resampler("sinc_fastest", channels)
        self._read = 0
        self._flowing = False
        self._pushed = (0, 0, 0.0)
        self._fill, self._integral = math.nan, 0.0
        self._piece = np.zeros((max(64, in_block), channels), np.float32)
        self._rest = np.zeros((0, channels), np.float32)

    @property
    def fill(self) -> int:
        """Frames of the input that wait."""
        return self._ring.end - self._read

    @property
    def latency(self) -> float:
        """Delay in frames of the output: what waits, and what the converter holds back."""
        return self.target * self._nominal + 22.0

    def push(self, block: Audio, now: float | None = None) -> None:
        """Take ``block`` ``(n, channels)`` from the input, at ``now`` (default: this moment) in seconds."""
        self._ring.write(self._ring.end, block)
        self._pushed = (self._ring.end, len(block), time.perf_counter() if now is None else now)

    def pull(self, out: Audio, now: float | None = None) -> bool:
        """Fill ``out`` ``(n, channels)``; silence while there is too little. False if it slipped just now."""
        fill = self.fill
        if not self._flowing:
            if fill < self.target:
                out.fill(0.0)
                return True
            self._begin()
        elif fill > 4 * self.target + len(out):
            self.slips += 1
            self._begin()
        ratio = self._control(len(out), time.perf_counter() if now is None else now)
        done = self._give(out)
        while done < len(out):
            n = min(len(self._piece), self.fill, math.ceil((len(out) - done) / ratio) + 1)
            if n == 0 or not self._ring.read_into(self._read, self._piece[:n]):
                out[done:] = 0.0
                self.slips += 1
                self._flowing = False
                return False
            self._read += n
            self._rest = self._resampler.process(self._piece[:n], ratio).reshape(-1, out.shape[1])
            done += self._give(out[done:])
        return True

    def _begin(self) -> None:
        """Start, or start again, with ``target`` frames waiting. What was learnt of the clocks stays."""
        self._read = self._ring.end - self.target
        self._fill = math.nan
        self._rest = self._rest[:0]
        self._flowing = True

    def _control(self, n: int, now: float) -> float:
        """One step of the loop for ``n`` output frames; the conversion ratio to use."""
        seconds = n / (self._nominal * self._in_rate)
        end, block, stamp = self._pushed
        flowing = min(max(0.0, (now - stamp) * self._in_rate), float(block))
        waiting = end + flowing - self._read + len(self._rest) / self._nominal
        if math.isnan(self._fill):  # the first look
            self._fill = waiting
        self._fill += min(1.0, seconds / SMOOTHING_S) * (waiting - self._fill)
        error = (self._fill - self.target) / self._in_rate
        self._integral += NATURAL_FREQUENCY**2 * error * seconds
        self._integral = min(max(self._integral, -MOST), MOST)
        self.deviation = min(max(2 * NATURAL_FREQUENCY * error + self._integral, -MOST), MOST)
        return self._nominal / (1.0 + self.deviation)

    def _give(self, out: Audio) -> int:
        n = min(len(out), len(self._rest))
        out[:n] = self._rest[:n]
        self._rest = self._rest[n:]
        return n
