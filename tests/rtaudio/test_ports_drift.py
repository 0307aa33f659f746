"""Two clocks, simulated: the input follows the output without a click, and the delay stays."""

from __future__ import annotations

import numpy as np
import pytest

from rtaudio.ports.drift import MOST, ClockBridge


def run(
    bridge: ClockBridge,
    in_rate: int,
    out_rate: int,
    ppm: float,
    in_block: int,
    out_block: int,
    seconds: float,
    hz: float,
):
    """Both streams in the order of true time (the output's clock); returns output, fills at each pull, results of the pulls."""
    true_rate = in_rate * (1 + ppm * 1e-6)
    pushed, out, fills, kept = 0, [], [], []
    for k in range(int(seconds * out_rate / out_block)):
        now = k * out_block / out_rate
        while (pushed + in_block) / true_rate <= now:
            t = np.arange(pushed, pushed + in_block) / true_rate
            bridge.push((0.5 * np.sin(2 * np.pi * hz * t)).astype(np.float32)[:, None], (pushed + in_block) / true_rate)
            pushed += in_block
        block = np.full((out_block, 1), np.nan, np.float32)
        kept.append(bridge.pull(block, now))
        out.append(block[:, 0])
        fills.append(bridge.fill)
    return np.concatenate(out), np.array(fills), kept


@pytest.mark.parametrize("ppm", [-300.0, 0.0, 120.0])
@pytest.mark.parametrize(("in_rate", "in_block"), [(44_100, 256), (48_000, 480)])
def test_the_input_follows_the_outputs_clock(in_rate: int, in_block: int, ppm: float) -> None:
    bridge = ClockBridge(1, in_rate, 44_100, in_block, 256)
    hz = 441.0
    out, fills, kept = run(bridge, in_rate, 44_100, ppm, in_block, 256, 150.0, hz)
    assert np.isfinite(out).all()
    assert all(kept) and bridge.slips == 0
    assert bridge.deviation * 1e6 == pytest.approx(ppm, abs=60)
    late = fills[len(fills) // 2 :]
    assert late.min() > 0 and late.max() < 2.5 * bridge.target
    tail = out[-10 * 44_100 :].astype(np.float64)
    step = 2 * np.pi * hz / 44_100
    assert np.abs(tail[2:] - 2 * np.cos(step) * tail[1:-1] + tail[:-2]).max() < 2e-4  # a sine everywhere: no click
    spectrum = np.abs(np.fft.rfft(tail * np.hanning(len(tail))))
    assert spectrum.argmax() / 10 == pytest.approx(hz, abs=0.15)
    assert np.abs(tail).max() == pytest.approx(0.5, abs=5e-3)


def test_an_input_that_stops_is_silence_and_comes_back() -> None:
    bridge = ClockBridge(2, 44_100, 44_100, 256, 256)
    out = np.zeros((256, 2), np.float32)
    ones = np.full((256, 2), 0.5, np.float32)
    for _ in range(50):
        bridge.push(ones)
        bridge.pull(out)
    assert np.abs(out - 0.5).max() < 1e-3
    results = [bridge.pull(out) for _ in range(20)]
    assert results.count(False) == 1
    assert bridge.slips == 1
    assert not out.any()
    for _ in range(50):
        bridge.push(ones)
        bridge.pull(out)
    assert np.abs(out - 0.5).max() < 1e-3


def test_an_input_that_floods_is_cut_to_the_target() -> None:
    bridge = ClockBridge(1, 44_100, 44_100, 256, 256)
    out = np.zeros((256, 1), np.float32)
    for _ in range(200):
        for _ in range(3):
            bridge.push(np.zeros((256, 1), np.float32))
        bridge.pull(out)
        assert bridge.fill < 6 * bridge.target
    assert bridge.slips > 0
    assert abs(bridge.deviation) <= MOST
