"""Measures the round trip: the time that sound takes from an output of this machine to an input, over a cable or through the air.

A chirp is played repeatedly on the same stream that an engine would open, and found in the input by correlation. This measures the
``device`` part of the latency, which the engine can only estimate.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from rtaudio.audio.format import Audio, StemplayError
from rtaudio.jobs import Facts, Report
from rtaudio.ports.portaudio import PortAudioPort

Floats = npt.NDArray[np.float64]

CHIRP_S = 0.05
LEVEL_DB = -12.0
GAP_S = 0.6
"""Seconds between two chirps: the longest delay that can be measured."""

ROUNDS = 8
SETTLE_S = 0.5
CLEAR = 8.0
"""Smallest ratio of the correlation's peak to its median for a detected chirp."""

AGREE_S = 0.0005
NEEDED = 3
"""Number of chirps whose delays must agree within ``AGREE_S``."""


def chirp(rate: int) -> Floats:
    """A chirp, 300 Hz to 6 kHz (less at low rates), Hann window: its narrow correlation peak survives rooms and cheap loudspeakers."""
    n = round(CHIRP_S * rate)
    t = np.arange(n) / rate
    low, high = 300.0, min(6000.0, 0.4 * rate)
    phase = 2 * np.pi * (low * t + (high - low) * t * t / (2 * CHIRP_S))
    wave: Floats = np.sin(phase) * np.hanning(n)
    return wave


def find_delay(heard: Floats, probe: Floats) -> tuple[float, float]:
    """Find ``probe`` in ``heard`` ``(frames,)``: the delay in samples, from the peak of the cross-correlation's magnitude with parabolic
    interpolation, and the ratio of the peak to the median."""
    size = 1 << (len(heard) + len(probe) - 1).bit_length()
    spectrum = np.fft.rfft(heard, size) * np.conj(np.fft.rfft(probe, size))
    correlation = np.abs(np.fft.irfft(spectrum, size)[: len(heard)])
    at = int(np.argmax(correlation))
    clearness = float(correlation[at] / (np.median(correlation) + 1e-9))
    if not 0 < at < len(correlation) - 1:
        return float(at), clearness
    before, top, after = correlation[at - 1 : at + 2]
    curve = before - 2 * top + after
    return at + (0.5 * (before - after) / curve if curve < 0 else 0.0), clearness


def agreed(delays: list[float], tolerance: float) -> list[float]:
    """The delays of the largest group that lies within ``tolerance`` of one of them."""
    groups = [[x for x in delays if abs(x - middle) <= tolerance] for middle in delays]
    return max(groups, key=len, default=[])


class _Exchange:
    """Plays chirps at exact frames and records the input. ``callback`` is the callback of a port."""

    def __init__(self, rate: int, channel: int) -> None:
        self.rate, self.channel = rate, channel
        self.start, self.gap = round(SETTLE_S * rate), round(GAP_S * rate)
        self.total = self.start + (ROUNDS + 1) * self.gap
        self.probe = chirp(rate)
        self.played = np.zeros(self.total, np.float32)
        for k in range(ROUNDS):
            at = self.start + k * self.gap
            self.played[at : at + len(self.probe)] = 10 ** (LEVEL_DB / 20) * self.probe
        self.heard = np.zeros(self.total, np.float32)
        self.position = 0

    def callback(self, indata: Audio, outdata: Audio, xrun: int) -> None:
        at, n = self.position, len(outdata)
        outdata.fill(0.0)
        part = self.played[at : at + n]
        outdata[: len(part), :2] = part[:, None]
        self.heard[at : at + n] = indata[: max(0, self.total - at), self.channel]
        self.position += n

    def result(self, k: int) -> tuple[float, float]:
        """Delay and peak-to-median ratio of chirp ``k``."""
        at = self.start + k * self.gap
        return find_delay(self.heard[at : at + self.gap].astype(np.float64), self.probe)


def loopback(
    report: Report, input: str = "default", output: str = "default", rate: int | None = None, block: int = 256,
    channel: int = 1,
) -> Facts:  # fmt: skip
    """Measure the round trip from ``output`` to ``input``. ``channel`` of the input counts from 1.

    Returns ``ms``, ``samples`` and ``rate`` of the round trip, how many chirps agreed, and the host's ``estimate_ms``.
    Raises StemplayError if no clear chirp comes back.
    """
    if channel < 1:
        raise StemplayError(f"Input channels count from 1, so there is no channel {channel}.")
    port = PortAudioPort(output, input, rate, block, in_channels=max(2, channel), client_name="stemplay-test")
    if channel > port.in_channels:
        raise StemplayError(f"Input channel {channel} does not exist: {input} has channels 1 to {port.in_channels}.")
    exchange = _Exchange(port.rate, channel - 1)
    delays: list[float] = []
    port.start(exchange.callback)
    try:
        for k in range(ROUNDS):
            while exchange.position < exchange.start + (k + 1) * exchange.gap:
                report.progress(share=min(1.0, exchange.position / exchange.total), heard=len(delays))
                if port.finished.is_set():
                    raise StemplayError(f"{port.name} stopped during the measurement.")
                report.cancelled.wait(0.05)
            delay, clearness = exchange.result(k)
            if clearness > CLEAR and np.abs(exchange.heard).max() > 1e-4:
                delays.append(delay)
            if len(agreed(delays, AGREE_S * port.rate)) >= NEEDED:
                break
    finally:
        port.stop()
        port.close()
    return _verdict(port, exchange, delays)


def _verdict(port: PortAudioPort, exchange: _Exchange, delays: list[float]) -> Facts:
    same = agreed(delays, AGREE_S * port.rate)
    peak = float(np.abs(exchange.heard).max())
    if len(same) < NEEDED:
        if peak < 1e-4:
            text = "nothing came back: is the output wired to the input, and are both turned up?"
        elif len(delays) < NEEDED:
            text = "the click was not clear enough: turn it up, or move the microphone nearer to the speaker."
        else:
            text = "the delays differed from click to click: choose a larger block and measure again."
        raise StemplayError(f"The round trip could not be measured; {text}")
    samples = float(np.median(same))
    return {
        "samples": samples, "rate": port.rate, "ms": 1000 * samples / port.rate, "agreed": len(same), "block": port.max_block,
        "peak": peak, "estimate_ms": 1000 * port.device_latency / port.rate, "port": port.name,
    }  # fmt: skip
