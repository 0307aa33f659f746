"""Measures the audio callback: its allocations, its duration, and how long it waits for the GIL.

Allocations are measured in blocks as they are played, with ready stems and moving faders, and with no other work in the process. Times
are those of a complete engine on its own clock: song, model, instrument if there is one, tap and reports. A probe thread requests the
interpreter (the GIL) every half millisecond and measures its delay. The same probe in a process without other work gives the bound: the
delay of the system's scheduler.
"""

from __future__ import annotations

import gc
import json
import subprocess
import sys
import threading
import time
import tracemalloc
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from rtaudio.audio.format import StreamFormat
from rtaudio.audio.load_meter import LoadMeter
from rtaudio.bench.machine import ROOT
from rtaudio.control.engine_factory import build_engine
from rtaudio.engine.callback import AudioCallback
from rtaudio.engine.pipeline import Pipeline
from rtaudio.files.song_player import FilePlayer
from rtaudio.ports.fake import FakePort
from rtaudio.processors.passthrough import Passthrough
from rtaudio.protocol.settings import EngineConfig, InstrumentState, MixerState, StemState
from rtaudio.system.child_process import child_environment
from rtaudio.system.realtime import request_realtime, settle

RATE = 44_100
BLOCKS = 400
"""Blocks whose allocations are counted."""
PROBE_S = 0.0005
BOUND_S = 5.0


@dataclass(frozen=True)
class Allocations:
    """Bytes allocated by a callback: the largest and the median temporary allocation of a block, and the bytes that a block keeps."""

    most: int
    median: int
    kept: float


@dataclass(frozen=True)
class Times:
    """Times in seconds. ``largest``: of all callbacks; ``gil`` and ``bound``: p99 and largest delay of the probe."""

    callbacks: int
    p50: float
    p99: float
    p999: float
    largest: float
    block_s: float
    misses: int
    gil: tuple[float, float]
    bound: tuple[float, float]


def allocations(block: int, blocks: int = BLOCKS) -> Allocations:
    """Measure the allocations of ``blocks`` callbacks of ``block`` frames with tracemalloc; nothing else runs meanwhile."""
    port = FakePort(RATE, block=block, max_block=block, realtime=True)
    pipeline = Pipeline(Passthrough(), StreamFormat(RATE, 2, block), block, MixerState(), realtime=True)
    stems = np.full((2 * RATE, len(pipeline.stems), 2), 0.01, np.float32)
    pipeline.ready.write(0, stems, 0)
    song = FilePlayer.from_samples(np.full((RATE, 2), 0.1, np.float32), RATE, loop=True)
    pipeline.worker.feed = lambda end, silent=False: None  # type: ignore[method-assign] # no worker runs, so its jobs would pile up
    callback = AudioCallback(port, pipeline, [], [], song, None)
    silence, out = np.zeros((block, 2), np.float32), np.zeros((block, 2), np.float32)
    blocks = min(blocks, RATE // block)

    def move(number: int) -> None:
        if number % 20 == 0:
            pipeline.mixer.set_state(MixerState(stems={"vocals": StemState(gain_db=-float(number % 40))}))

    gc.collect()
    gc.disable()
    tracemalloc.start()
    for number in range(blocks):  # one-time allocations are done, and Python's free lists are full, which a collection empties
        move(20 * number)
        callback(silence, out, False)
    peaks = np.zeros(blocks, np.int64)
    try:
        before = 0
        for number in range(blocks):
            if number == blocks // 4:  # the allocations of the current state are done
                before = tracemalloc.get_traced_memory()[0]
            move(number)
            tracemalloc.reset_peak()
            here = tracemalloc.get_traced_memory()[0]
            callback(silence, out, False)
            peaks[number] = tracemalloc.get_traced_memory()[1] - here
        kept = (tracemalloc.get_traced_memory()[0] - before) / (blocks - blocks // 4)
    finally:
        tracemalloc.stop()
        gc.enable()
    return Allocations(int(peaks.max()), int(np.median(peaks)), kept)


class DurationHistogram:
    """Times in seconds as a histogram in milliseconds. Its memory does not grow with the duration, and counting does not block."""

    def __init__(self) -> None:
        self._meter, self.count = LoadMeter(), 0

    def add(self, seconds: float) -> None:
        """Count one time. Call it from one thread only."""
        self._meter.add(1000 * seconds)
        self.count += 1

    def clear(self) -> None:
        """Forget all."""
        self._meter.reset()
        self.count = 0

    def quantile(self, share: float) -> float:
        """A quantile in seconds, accurate to 5 %."""
        return self._meter.quantile(share) / 1000

    @property
    def largest(self) -> float:
        """Seconds, exactly."""
        return self._meter.largest / 1000


class _Probe:
    """A thread that requests the interpreter every ``PROBE_S`` and records its delay."""

    def __init__(self) -> None:
        self.late = DurationHistogram()
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self._run, name="stemplay-probe", daemon=True)

    def __enter__(self) -> _Probe:
        self._thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._ending.set()
        self._thread.join()

    def _run(self) -> None:
        request_realtime()
        while not self._ending.is_set():
            began = time.perf_counter()
            time.sleep(PROBE_S)
            self.late.add(time.perf_counter() - began - PROBE_S)

    def result(self) -> tuple[float, float]:
        return self.late.quantile(0.99), self.late.largest


def bound() -> tuple[float, float]:
    """The probe in a process without other work: p99 and largest delay in seconds."""
    code = f"from rtaudio.bench.callback import probe_alone; probe_alone({BOUND_S})"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, env=child_environment(), capture_output=True, text=True, check=True
    )
    p99, largest = json.loads(done.stdout)
    return p99, largest


def probe_alone(seconds: float) -> None:
    """Entry point of the child process."""
    with _Probe() as probe:
        time.sleep(seconds)
    print(json.dumps(probe.result()))


def times(song: Path, seconds: float, block: int, model: str, instrument: str = "") -> Times:
    """Play ``song`` again and again for ``seconds`` and time every callback. Raises StemplayError as ``build_engine``."""
    alone = bound()
    config = EngineConfig(
        input=str(song),
        output="null",
        model=model,
        block=block,
        loop=True,
        analyse=False,
        instrument=instrument,
        midi="none",
    )
    engine = build_engine(config, MixerState(), InstrumentState())
    spent = DurationHistogram()
    timed(engine, spent)
    settle(block / engine.port.rate)
    engine.start()
    try:
        time.sleep(1.0)  # the first callbacks include one-time work
        spent.clear()
        engine.tap.listen(True)
        missed = engine.snapshot().misses
        end = time.monotonic() + seconds
        with _Probe() as probe:
            while time.monotonic() < end:
                time.sleep(1 / 30)
                report = engine.snapshot()
                engine.tap.take()
    finally:
        engine.stop()
    return Times(
        spent.count, spent.quantile(0.5), spent.quantile(0.99), spent.quantile(0.999), spent.largest, block / engine.port.rate,
        report.misses - missed, probe.result(), alone,
    )  # fmt: skip


def timed(engine: Any, spent: DurationHistogram) -> None:
    """Make the engine's port call a callback that is timed from outside. Call it before ``start``."""
    start: Callable[[Any], None] = engine.port.start

    def start_timed(callback: Any) -> None:
        def call(indata: Any, outdata: Any, xrun: int) -> None:
            began = time.perf_counter()
            callback(indata, outdata, xrun)
            spent.add(time.perf_counter() - began)

        start(call)

    engine.port.start = start_timed


def lines(found: Times, taken: Allocations, block: int) -> list[str]:
    """The result as text."""
    us, of = 1e6, found.block_s
    return [
        f"Blocks of {block} frames, {of * 1e3:.2f} ms, {found.callbacks} callbacks, {found.misses} misses:",
        f"{'':<34}{'p50':>9}{'p99':>9}{'p99.9':>9}{'largest':>9}",
        f"{'callback, us':<34}{found.p50 * us:>9.0f}{found.p99 * us:>9.0f}{found.p999 * us:>9.0f}{found.largest * us:>9.0f}",
        f"{'  of its time, %':<34}{100 * found.p50 / of:>9.1f}{100 * found.p99 / of:>9.1f}"
        f"{100 * found.p999 / of:>9.1f}{100 * found.largest / of:>9.1f}",
        f"{'wait for the interpreter, us':<34}{'':>9}{found.gil[0] * us:>9.0f}{'':>9}{found.gil[1] * us:>9.0f}",
        f"{'  bound: the scheduler alone, us':<34}{'':>9}{found.bound[0] * us:>9.0f}{'':>9}{found.bound[1] * us:>9.0f}",
        f"Allocated by a block: {taken.median} bytes temporarily (at most {taken.most}), {taken.kept:.1f} bytes kept.",
    ]
