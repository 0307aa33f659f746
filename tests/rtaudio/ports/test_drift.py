"""Two clocks that drift apart, joined: nothing lost, latency steady, pitch right."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import numpy as np
import pytest

from rtaudio.ports.drift import DriftCompensator
from tests.jack import ROOT, JackServer

RATE = 48_000


def simulate(
    bridge: DriftCompensator, rate_in: float, rate_out: float, block_in: int, block_out: int, seconds: float
) -> tuple[np.ndarray, list[int]]:
    """Run both callbacks at the moments their true clocks give; returns the output and the fill after each second."""
    n_in = n_out = 0
    out, fills = [], []
    while n_out < seconds * rate_out:
        if (n_in + block_in) / rate_in <= (n_out + block_out) / rate_out:
            t = (np.arange(n_in, n_in + block_in) / rate_in)[:, None]
            bridge.write((0.5 * np.sin(2 * np.pi * 440 * t)).astype(np.float32), (n_in + block_in) / rate_in)
            n_in += block_in
        else:
            block = np.full((block_out, 1), np.nan, np.float32)
            bridge.read(block, (n_out + block_out) / rate_out)
            out.append(block)
            if n_out // RATE != (n_out + block_out) // RATE:
                fills.append(bridge.fill)
            n_out += block_out
    return np.concatenate(out)[:, 0], fills


@pytest.mark.parametrize("ppm", [-300, 0, 200])
@pytest.mark.parametrize(
    ("nominal_in", "block_in", "block_out"), [(48_000, 256, 256), (44_100, 512, 128), (16_000, 160, 480)]
)
def test_drifting_clocks_stay_joined(nominal_in: int, block_in: int, block_out: int, ppm: int) -> None:
    bridge = DriftCompensator(nominal_in, RATE, 1, block_in, block_out)
    out, fills = simulate(bridge, nominal_in * (1 + ppm * 1e-6), RATE, block_in, block_out, 90)
    assert bridge.slips == 0
    assert np.isfinite(out).all()
    late = np.array(fills[60:])
    spread = block_in * bridge.nominal + block_out
    assert abs(late.mean() - bridge.target) < spread
    assert late.max() - late.min() <= 2 * spread
    assert abs(bridge.correction + ppm * 1e-6) < 1e-4
    steady = out[60 * RATE :]
    assert (
        np.abs(np.diff(steady)).max() < 0.5 * 2 * np.pi * 440 / RATE * 1.05
    )  # no click: no step steeper than the sine's
    spectrum = np.abs(np.fft.rfft(steady[: 1 << 20] * np.hanning(1 << 20)))
    assert abs(spectrum.argmax() * RATE / (1 << 20) - 440) < 0.1


def test_a_stopped_input_is_silence_and_counted_and_comes_back() -> None:
    bridge = DriftCompensator(RATE, RATE, 1, 256, 256)
    block, out = np.full((256, 1), 0.25, np.float32), np.zeros((256, 1), np.float32)
    for _ in range(20):
        bridge.write(block, 0.0)
        bridge.read(out, 0.0)
    assert out[-1, 0] == pytest.approx(0.25, abs=1e-3)
    for _ in range(20):
        bridge.read(out, 0.0)
    assert not out.any()
    assert bridge.slips == 1
    for _ in range(20):
        bridge.write(block, 0.0)
        bridge.read(out, 0.0)
    assert out[-1, 0] == pytest.approx(0.25, abs=1e-3)
    assert bridge.fill <= bridge.target + 256


def test_an_input_that_rushes_in_does_not_pile_up_latency() -> None:
    bridge = DriftCompensator(RATE, RATE, 1, 256, 256)
    block, out = np.full((256, 1), 0.25, np.float32), np.zeros((256, 1), np.float32)
    for k in range(400):
        for _ in range(3 if 100 <= k < 150 else 1):
            bridge.write(block, 0.0)
        bridge.read(out, 0.0)
    assert bridge.fill <= 8 * bridge.target
    assert out[-1, 0] == pytest.approx(0.25, abs=1e-3)


BRIDGED = """
import json, time
import rtaudio.ports.portaudio as portaudio
portaudio.one_clock = lambda *devices: False
port = portaudio.PortAudioPort("system", "system", block=256)
seen = []
def callback(indata, outdata, xrun):
    outdata[:] = indata
    seen.append(len(outdata))
port.start(callback)
bridge, end = port._bridge, time.monotonic() + 60
while (len(seen) <= 50 or not 0 < bridge.fill <= 8 * bridge.target) and time.monotonic() < end:
    time.sleep(0.02)
facts = {"blocks": len(seen), "frames": seen[-1], "fill": bridge.fill, "target": bridge.target, "latency": port.device_latency}
print(json.dumps(facts), flush=True)
port.close()
"""


@pytest.mark.jack
def test_two_streams_of_a_real_server_are_joined(jack_server: JackServer) -> None:
    result = subprocess.run(
        [sys.executable, "-c", BRIDGED],
        env=os.environ | jack_server.environment,
        capture_output=True,
        text=True,
        timeout=150,
        check=False,
        cwd=ROOT,
    )
    assert result.returncode == 0, result.stderr
    facts = json.loads(result.stdout)
    assert facts["blocks"] > 50
    assert facts["frames"] == 256
    assert 0 < facts["fill"] <= 8 * facts["target"]
    assert facts["latency"] >= facts["target"]
