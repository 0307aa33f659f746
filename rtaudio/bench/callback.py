"""Measures the audio callback: its allocations, its duration, and how long it waits for the GIL.

Allocations are those of blocks as they are played, with stems that are there and faders that move, alone in the process. Times are those
of a whole engine on its own clock: song, model, instrument if there is one, tap and reports. A probe thread, which wants the interpreter
(the GIL) every half millisecond, notices when it does not get it; the same probe in a process that does nothing else is the bound: what
the system's scheduler takes.
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
from rtaudio.protocol.messages import EngineConfig, InstrumentState, MixerState, StemState
from rtaudio.system.child_process import child_environment
from rtaudio.system.realtime import request_realtime, settle

RATE = 44_100
BLOCKS = 400
"""Blocks whose allocations are counted."""
PROBE_S = 0.0005
BOUND_S = 5.0


@dataclass(frozen=True)
class Allocations:
    """Of the blocks of one callback, in bytes: the most that a block has taken for a while, the median of that, and what it kept."""

    most: int
    median: int
    kept: float


@dataclass(frozen=True)
class Times:
    """Seconds. ``largest`` of all callbacks; ``gil`` and ``bound``: p99 and largest time by which the probe was late."""

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
    """What ``blocks`` callbacks of ``block`` frames allocate, by tracemalloc; nothing else runs meanwhile."""
    port = FakePort(RATE, block=block, max_block=block, realtime=True)
    pipeline = Pipeline(Passthrough(), StreamFormat(RATE, 2, block), block, MixerState(), realtime=True)
    stems = np.full((2 * RATE, len(pipeline.stems), 2), 0.01, np.float32)
    pipeline.ready.write(0, stems, 0)
    song = FilePlayer.from_samples(np.full((RATE, 2), 0.1, np.float32), RATE, loop=True)
    pipeline.worker.feed = lambda end, silent=False: None  # type: ignore[method-assign] # nobody works: its jobs would pile up
    callback = AudioCallback(port, pipeline, [], [], song, None)
    silence, out = np.zeros((block, 2), np.float32), np.zeros((block, 2), np.float32)
    blocks = min(blocks, RATE // block)

    def move(number: int) -> None:
        if number % 20 == 0:
            pipeline.mixer.set_state(MixerState(stems={"vocals": StemState(gain_db=-float(number % 40))}))

    gc.collect()
    gc.disable()
    tracemalloc.start()
    for number in range(blocks):  # what is made once is made, and Python's lists of free objects are full, which a collection empties
        move(20 * number)
        callback(silence, out, False)
    peaks = np.zeros(blocks, np.int64)
    try:
        before = 0
        for number in range(blocks):
            if number == blocks // 4:  # what the state of the moment takes is there
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
    """Times in seconds, as a histogram of milliseconds: an hour of them takes no more room than a second, and stops nobody."""

    def __init__(self) -> None:
        self._meter, self.count = LoadMeter(), 0

    def add(self, seconds: float) -> None:
        """Count one; for one thread."""
        self._meter.add(1000 * seconds)
        self.count += 1

    def clear(self) -> None:
        """Forget all."""
        self._meter.reset()
        self.count = 0

    def quantile(self, share: float) -> float:
        """Seconds, right within 5 %."""
        return self._meter.quantile(share) / 1000

    @property
    def largest(self) -> float:
        """Seconds, exactly."""
        return self._meter.largest / 1000


class _Probe:
    """A thread that wants the interpreter every ``PROBE_S`` and keeps by how much it was late."""

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
    """The probe in a process of its own in which nothing else happens: p99 and largest, seconds."""
    code = "from rtaudio.bench.callback import probe_alone; probe_alone()"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, env=child_environment(), capture_output=True, text=True, check=True
    )
    p99, largest = json.loads(done.stdout)
    return p99, largest


def probe_alone() -> None:
    """Entry point of the child process."""
    with _Probe() as probe:
        time.sleep(BOUND_S)
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
        time.sleep(1.0)  # the first callbacks make what is made once
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
    """Let the engine's port call a callback that is timed from outside. Before ``start``."""
    start: Callable[[Any], None] = engine.port.start

    def start_timed(callback: Any) -> None:
        def call(indata: Any, outdata: Any, xrun: bool) -> None:
            began = time.perf_counter()
            callback(indata, outdata, xrun)
            spent.add(time.perf_counter() - began)

        start(call)

    engine.port.start = start_timed


def lines(found: Times, taken: Allocations, block: int) -> list[str]:
    """The result for a person."""
    us, of = 1e6, found.block_s
    return [
        f"Blocks of {block} frames, {of * 1e3:.2f} ms, {found.callbacks} callbacks, {found.misses} misses:",
        f"{'':<34}{'p50':>9}{'p99':>9}{'p99.9':>9}{'largest':>9}",
        f"{'callback, us':<34}{found.p50 * us:>9.0f}{found.p99 * us:>9.0f}{found.p999 * us:>9.0f}{found.largest * us:>9.0f}",
        f"{'  of its time, %':<34}{100 * found.p50 / of:>9.1f}{100 * found.p99 / of:>9.1f}"
        f"{100 * found.p999 / of:>9.1f}{100 * found.largest / of:>9.1f}",
        f"{'wait for the interpreter, us':<34}{'':>9}{found.gil[0] * us:>9.0f}{'':>9}{found.gil[1] * us:>9.0f}",
        f"{'  bound: the scheduler alone, us':<34}{'':>9}{found.bound[0] * us:>9.0f}{'':>9}{found.bound[1] * us:>9.0f}",
        f"Allocated by a block: {taken.median} bytes for a while (at most {taken.most}), {taken.kept:.1f} bytes kept.",
    ]
