"""A test tone on the left, on the right, and on both channels, to check an output and its wiring."""

from __future__ import annotations

import numpy as np

from rtaudio.audio.format import Audio
from rtaudio.jobs import Facts, Report
from rtaudio.ports.portaudio import PortAudioPort

LEVEL_DB = -18.0
STEP_S = 0.8
FADE_S = 0.02
STEPS = (("left", (0,)), ("right", (1,)), ("both", (0, 1)))


def tone_signal(rate: int, frequency: float = 440.0) -> Audio:
    """``(frames, 2)``: the whole test, each step faded in and out."""
    n, fade = round(STEP_S * rate), round(FADE_S * rate)
    wave = 10 ** (LEVEL_DB / 20) * np.sin(2 * np.pi * frequency * np.arange(n) / rate)
    ramp = np.minimum(1.0, np.minimum(np.arange(n), np.arange(n)[::-1]) / fade)
    sound = np.zeros((len(STEPS) * n, 2), np.float32)
    for step, (_, channels) in enumerate(STEPS):
        for channel in channels:
            sound[step * n : (step + 1) * n, channel] = wave * ramp
    return sound


def tone(report: Report, output: str = "default", rate: int | None = None, block: int = 0) -> Facts:
    """Play the test tone on ``output``; reports each ``channel``.  Raises StemplayError if the device does not start."""
    port = PortAudioPort(output, None, rate, block, client_name="stemplay-test")
    sound, position = tone_signal(port.rate), 0

    def play(indata: Audio, outdata: Audio, xrun: int) -> None:
        nonlocal position
        outdata.fill(0.0)
        part = sound[position : position + len(outdata)]
        wide = min(2, outdata.shape[1])
        outdata[: len(part), :wide] = part[:, :wide] if wide == 2 else part.mean(axis=1, keepdims=True)
        position += len(outdata)

    port.start(play)
    try:
        while position < len(sound) and not port.finished.is_set():
            step = min(len(STEPS) - 1, position * len(STEPS) // len(sound))
            report.progress(channel=STEPS[step][0], share=position / len(sound))
            report.cancelled.wait(0.05)
        report.cancelled.wait(0.1 + port.device_latency / port.rate)  # wait for the sound in the device's buffers
    finally:
        port.stop()
        port.close()
    return {"port": port.name, "rate": port.rate}
