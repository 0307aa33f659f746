"""A JACK client in a process of its own: plays a known signal, records what comes back, and reports what it found as JSON.

Left: a sine with a click every half second. Right: a counter, exact in float32 and never zero, so that any lost, doubled or
changed sample is found. Usage: python -m tests.jack_peer SECONDS realtime|freewheel FOLDER; starts when a line comes on standard input.
"""

from __future__ import annotations

import json
import sys
import threading
import time
from pathlib import Path

import numpy as np

COUNTER = 1 << 20


def signal(frames: int, rate: int) -> np.ndarray:
    """``(2, frames)`` float32, within -0.8 to 0.8: no limiter touches it."""
    n = np.arange(frames)
    left = 0.25 * np.sin(2 * np.pi * 440 * n / rate)
    left[:: rate // 2] += 0.5
    right = ((n % COUNTER) + 1) / (2.0 * COUNTER)
    return np.stack([left, right]).astype(np.float32)


def report(
    played: np.ndarray, heard: np.ndarray, rate: int, block: int, xruns: int, elapsed: float
) -> dict[str, object]:
    """Compare. ``delay`` in samples is what most counter values say; ``gaps`` counts places where the counter does not go on by one."""
    counts = np.rint(heard[1].astype(np.float64) * 2 * COUNTER).astype(np.int64) - 1
    sounding = np.flatnonzero(counts >= 0)
    if not len(sounding):
        return {"delay": -1, "exact": False, "gaps": -1, "xruns": xruns, "block": block, "elapsed": elapsed}
    offsets = (sounding - counts[sounding]) % COUNTER
    delay = int(np.bincount(offsets).argmax())
    length = min(played.shape[1], heard.shape[1] - delay)
    part = heard[:, delay : delay + length]
    steps = np.diff(counts[delay : delay + length]) % COUNTER
    return {
        "delay": delay,
        "exact": bool(np.array_equal(part, played[:, :length])),
        "largest_error": float(np.abs(part - played[:, :length]).max()),
        "gaps": int(np.count_nonzero(steps != 1)),
        "zeros": int(np.count_nonzero(part[1] == 0)),
        "level": float(np.sqrt(np.mean(part[0] ** 2))),
        "finite": bool(np.isfinite(heard).all()),
        "compared": int(length),
        "xruns": xruns,
        "block": block,
        "elapsed": round(elapsed, 3),
    }


def main() -> None:
    import jack  # here, for those who want only COUNTER: it needs libjack

    seconds, freewheel, folder = float(sys.argv[1]), sys.argv[2] == "freewheel", Path(sys.argv[3])
    client = jack.Client("peer", no_start_server=True)
    rate = client.samplerate
    played = signal(round(seconds * rate), rate)
    total = played.shape[1] + rate
    heard = np.zeros((2, total), np.float32)
    outs = [client.outports.register(f"out_{k}") for k in (1, 2)]
    ins = [client.inports.register(f"in_{k}") for k in (1, 2)]
    position = xruns = 0
    go, done = threading.Event(), threading.Event()

    @client.set_process_callback
    def process(frames: int) -> None:
        nonlocal position
        active = go.is_set() and not done.is_set()
        for channel in (0, 1):
            out = outs[channel].get_array()
            out[:] = 0
            if active:
                piece = played[channel, position : position + frames]
                out[: len(piece)] = piece
                stop = min(position + frames, total)
                heard[channel, position:stop] = ins[channel].get_array()[: stop - position]
        if active:
            position += frames
            if position >= total:
                done.set()

    @client.set_xrun_callback
    def xrun(delay: float) -> None:
        nonlocal xruns
        xruns += 1

    client.activate()
    print("up", flush=True)
    sys.stdin.readline()
    if freewheel:
        client.set_freewheel(True)
        time.sleep(0.2)
    xruns, started = 0, time.monotonic()
    go.set()
    done.wait(4 * seconds + 60)
    elapsed = time.monotonic() - started
    if freewheel:
        client.set_freewheel(False)
    np.save(folder / "heard.npy", heard)
    print(json.dumps(report(played, heard, rate, client.blocksize, xruns, elapsed)), flush=True)
    client.deactivate()
    client.close()  # a client that just vanishes holds the server's end up


if __name__ == "__main__":
    main()
