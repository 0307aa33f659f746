"""What the library's part would cost, for each part that is ours: prints the table of docs/by-hand.md. Needs the extra ``training``.

    python tools/against_libraries.py

Ours and the library's take turns in one run on one thread; the numbers are medians.
"""

from __future__ import annotations

import io
import json
import os
import time
from collections.abc import Callable
from multiprocessing import Pipe
from statistics import median
from typing import Any

import numpy as np
import soxr

from rtaudio.audio.limiter import Limiter
from rtaudio.audio.resample import Resampler
from rtaudio.control.ipc import read_message, write_message
from rtaudio.inference.fourier import Fourier
from rtaudio.inference.onnx_graph import OnnxGraph
from rtaudio.inference.runtime import open_graph
from rtaudio.protocol.messages import to_dict
from rtaudio.protocol.reports import Snapshot

ROUNDS = 7


def medians(calls: dict[str, Callable[[], object]], count: int) -> dict[str, float]:
    """Microseconds of a call of each, in turns."""
    spent: dict[str, list[float]] = {name: [] for name in calls}
    for call in calls.values():
        call()
    for _ in range(ROUNDS):
        for name, call in calls.items():
            began = time.perf_counter()
            for _ in range(count):
                call()
            spent[name].append(1e6 * (time.perf_counter() - began) / count)
    return {name: median(times) for name, times in spent.items()}


def resampler() -> list[tuple[str, str, str, str]]:
    """44.1 -> 48 kHz, stereo, blocks of 256."""
    import samplerate

    block = (np.random.default_rng(0).standard_normal((256, 2)) / 10).astype(np.float32)
    ours, theirs = Resampler(44_100, 48_000, 2), soxr.ResampleStream(44_100, 48_000, 2, quality="HQ")
    sinc = samplerate.Resampler("sinc_medium", channels=2)
    times = medians(
        {"ours": lambda: ours.process(block), "soxr": lambda: theirs.resample_chunk(block),
         "samplerate": lambda: sinc.process(block, 48_000 / 44_100)}, 400,
    )  # fmt: skip
    fresh_soxr = soxr.ResampleStream(44_100, 48_000, 2, quality="HQ")
    fresh_sinc = samplerate.Resampler("sinc_medium", channels=2)
    delays = {
        "ours": ours.hold_back / 44.1,
        "soxr": _withheld(fresh_soxr.resample_chunk),
        "samplerate": _withheld(lambda x: fresh_sinc.process(x, 48_000 / 44_100)),
    }
    return [("resampler", name, f"{times[name]:.0f} us", f"{delays[name]:.1f} ms held back") for name in times]


def _withheld(process: Callable[[Any], Any]) -> float:
    """Milliseconds of sound that a converter keeps to itself, at most: a second goes in, in blocks of 256, and comes out late."""
    went = came = worst = 0.0
    for _ in range(170):
        went += 256 / 44.1
        came += len(process(np.zeros((256, 2), np.float32))) / 48.0
        worst = max(worst, went - came)
    return worst


def limiter() -> list[tuple[str, str, str, str]]:
    """Blocks of 256 that are 6 dB too loud."""
    import pedalboard

    block = np.random.default_rng(0).uniform(-2, 2, (256, 2)).astype(np.float32)
    ours, theirs = Limiter(44_100, 256), pedalboard.Limiter(threshold_db=-0.3)
    other = np.ascontiguousarray(block.T)

    def run_ours() -> Any:
        buffer = block.copy()
        ours.process(buffer)
        return buffer

    def run_theirs() -> Any:
        return theirs.process(other, 44_100, reset=False)

    peaks = {"ours": float(np.abs(run_ours()).max()), "pedalboard": float(np.abs(run_theirs()).max())}
    times = medians({"ours": run_ours, "pedalboard": run_theirs}, 400)
    return [("limiter", name, f"{times[name]:.0f} us", f"peak {20 * np.log10(peaks[name]):+.2f} dB") for name in times]


def transforms() -> list[tuple[str, str, str, str]]:
    """Spectra of eight windows of 4096 samples: in one graph as ours and with ONNX's operator, and in a call of NumPy."""
    windows = np.random.default_rng(0).standard_normal((8, 4096)).astype(np.float32)
    plan, graphs = Fourier(4096, 16, 16), (OnnxGraph("ours"), OnnxGraph("theirs"))
    for graph, shape in zip(graphs, ((8, 16, 256), (8, 4096, 1)), strict=True):
        graph.input("x", shape)
    graphs[0].output("y", plan.forward(graphs[0], "x", 16), (8, plan.rows, 32))
    graphs[1].output("y", graphs[1].node("DFT", "x", axis=1, onesided=1), (8, 2049, 2))
    ours, theirs = (open_graph(graph.encode()) for graph in graphs)
    first, second = windows.reshape(8, 16, 256), windows[..., None]
    exact, rows = np.fft.rfft(windows.astype(np.float64)), ours.run(None, {"x": first})[0].astype(np.float64)
    found = (rows[..., :16] + 1j * rows[..., 16:]).reshape(8, 9, 16, 16).transpose(0, 3, 2, 1)  # f3, f2, f1
    half = theirs.run(None, {"x": second})[0].astype(np.float64)
    errors = {
        "ours": np.abs(found - np.fft.fft(windows.astype(np.float64)).reshape(8, 16, 16, 16)[..., :9]).max(),
        "ONNX Runtime's DFT": np.abs(half[..., 0] + 1j * half[..., 1] - exact).max(),
        "NumPy": np.abs(np.fft.rfft(windows) - exact).max(),
    }
    times = medians(
        {"ours": lambda: ours.run(None, {"x": first}), "ONNX Runtime's DFT": lambda: theirs.run(None, {"x": second}),
         "NumPy": lambda: np.fft.rfft(windows)}, 200,
    )  # fmt: skip
    largest = np.abs(exact).max()
    return [("transforms", name, f"{times[name]:.0f} us", f"error {errors[name] / largest:.0e}") for name in times]


def framing() -> list[tuple[str, str, str, str]]:
    """A snapshot to another process and back to an object, through a pipe that both ends of which are here."""
    message = to_dict(Snapshot())
    reading, writing = os.pipe()
    inward, outward = io.BufferedReader(io.FileIO(reading)), io.FileIO(writing, "wb")
    ours_in, ours_out = inward, outward
    theirs_in, theirs_out = Pipe(duplex=False)

    def run_ours() -> Any:
        write_message(ours_out, message)
        return read_message(ours_in)

    def run_theirs() -> Any:
        theirs_out.send_bytes(json.dumps(message).encode())
        return json.loads(theirs_in.recv_bytes())

    times = medians({"ours": run_ours, "multiprocessing": run_theirs}, 200)
    return [("framing", name, f"{times[name]:.0f} us", f"{len(json.dumps(message))} bytes") for name in times]


def bss_eval() -> list[tuple[str, str, str, str]]:
    """BSS Eval v4 of ten estimates of one song of 6 s with four sources."""
    import museval

    from training.metrics.museval4 import References

    rng = np.random.default_rng(0)
    stems = rng.standard_normal((4, 6 * 44_100, 2)) / 10
    estimates = [stems + rng.standard_normal(stems.shape) / 50 for _ in range(10)]

    def run_ours() -> Any:
        references = References(stems.transpose(0, 2, 1))
        return [references.score(estimate.transpose(0, 2, 1)) for estimate in estimates]

    def run_theirs() -> Any:
        return [museval.evaluate(stems, estimate)[0] for estimate in estimates]

    times, found = {}, {}
    for name, call in (("ours", run_ours), ("museval", run_theirs)):
        began = time.perf_counter()
        found[name] = call()
        times[name] = time.perf_counter() - began
    ours = np.array([np.nanmedian(scores.sdr, axis=-1) for scores in found["ours"]])
    theirs = np.array([np.nanmedian(sdr, axis=-1) for sdr in found["museval"]])
    return [("BSS Eval v4", name, f"{times[name]:.1f} s", f"largest difference {np.abs(ours - theirs).max():.1e} dB") for name in times]


def main() -> None:
    print("| part | whose | time | beside it |\n|---|---|---|---|")
    for measure in (resampler, limiter, transforms, framing, bss_eval):
        for row in measure():
            print(f"| {' | '.join(row)} |", flush=True)


if __name__ == "__main__":
    main()
