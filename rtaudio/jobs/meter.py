"""Measures the levels of an input that no engine uses yet."""

from __future__ import annotations

import threading
from collections.abc import Sequence

import numpy as np

from rtaudio.audio.format import Audio, StemplayError
from rtaudio.engine.routing import input_picks
from rtaudio.jobs import Facts, Report
from rtaudio.ports.capture import CapturePort
from rtaudio.ports.computer import computer_device
from rtaudio.ports.devices import query_here
from rtaudio.ports.portaudio import load_portaudio
from rtaudio.protocol.controls import COMPUTER

PERIOD_S = 0.05
CLIENT = "stemplay-test"


def meter(report: Report, input: str = "default", rate: int | None = None, channels: Sequence[int] = ()) -> Facts:
    """Report ``peak`` and ``rms`` of each chosen channel twenty times a second, until cancelled.

    ``channels`` count from 1; none means the first two. Raises StemplayError if the device or a channel does not exist.
    """
    others = input == COMPUTER
    if others:
        load_portaudio(CLIENT)
        input = str(computer_device(query_here()).index)
    port = CapturePort(input, rate, 0, in_channels=max((2, *channels)), client_name=CLIENT, others=others)
    picks = list(dict.fromkeys(input_picks(tuple(channels), port.in_channels, max(1, len(channels), 2))))
    lock = threading.Lock()  # there is no engine in this process, so the callback may wait
    peak, energy, frames = np.zeros(len(picks)), np.zeros(len(picks)), 0

    def listen(indata: Audio, outdata: Audio, xrun: int) -> None:
        nonlocal frames
        heard = np.nan_to_num(indata[:, picks])
        with lock:
            np.maximum(peak, np.abs(heard).max(axis=0, initial=0.0), out=peak)
            energy[:] += (heard.astype(np.float64) ** 2).sum(axis=0)
            frames += len(heard)

    port.start(listen)
    try:
        while not port.finished.is_set():
            report.cancelled.wait(PERIOD_S)
            with lock:
                levels = peak.tolist(), np.sqrt(energy / max(1, frames)).tolist()
                peak.fill(0.0)
                energy.fill(0.0)
                frames = 0
            report.progress(peak=levels[0], rms=levels[1], channels=[pick + 1 for pick in picks])
    finally:
        port.stop()
        port.close()
    raise StemplayError(f"{port.name} has stopped sending sound.")
