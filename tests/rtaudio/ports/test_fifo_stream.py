"""Short blocks through PortAudio's FIFOs: exact with a server whose cycles the test triggers, and on a real JACK server."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from rtaudio.audio.format import Audio
from rtaudio.ports.fake import FakePort
from rtaudio.ports.fifo_stream import Chunks, FifoStream, chunks_for
from tests.jack import ROOT, private_server

RATE = 96_000


class CycledStream:
    """A blocking stream like PortAudio's on JACK. A read that has to wait runs the server's cycles, and so does ``cycle``.

    Without an input, looking at it takes a cycle. What comes in counts 1, 2, 3 ... in both channels. ``heard`` is all that went out.
    After ``last`` cycles ``over`` is set, which ends the test.
    """

    def __init__(self, block: int, latency: float, last: int, over: threading.Event, channels: int = 2) -> None:
        self.channels = channels
        self.block, self.last, self.over = block, last, over
        self.size = 1 << (int(latency * RATE) - 1).bit_length()
        self.inside: list[float] = []
        self.outside: list[float] = [0.0] * self.size
        self.heard: list[float] = []
        self.cycles = 0
        self.latency = 0.0

    def cycle(self, count: int = 1) -> None:
        for _ in range(count):
            start = self.cycles * self.block
            room = self.size - len(self.inside)
            self.inside += [float(k + 1) for k in range(start, start + self.block)][:room]
            out, self.outside = self.outside[: self.block], self.outside[self.block :]
            self.heard += out + [0.0] * (self.block - len(out))
            self.cycles += 1
        if self.cycles >= self.last:
            self.over.set()

    @property
    def read_available(self) -> int:
        return len(self.inside)

    @property
    def write_available(self) -> int:
        if not self.channels:
            self.cycle()
        return self.size - len(self.outside)

    def read(self, frames: int) -> tuple[Audio, bool]:
        while len(self.inside) < frames:
            self.cycle()
        part, self.inside = self.inside[:frames], self.inside[frames:]
        return np.repeat(np.array(part, np.float32)[:, None], 2, axis=1), False

    def write(self, audio: Audio) -> None:
        while self.size - len(self.outside) < len(audio):
            self.cycle()
        self.outside += audio[:, 0].tolist()

    def start(self) -> None: ...
    def stop(self) -> None: ...
    def close(self) -> None: ...


def play(
    chunks: Chunks, late: dict[int, int], channels: int = 2, cycles: int = 1500
) -> tuple[CycledStream, FifoStream]:
    """Echo the input, or count without one. ``late``: call of the engine -> cycles of the server that it takes."""
    over = threading.Event()
    streams: list[CycledStream] = []
    calls = [0]
    port = FakePort(RATE, in_channels=channels, block=chunks.chunk)

    def open_stream(latency: float) -> CycledStream:
        streams.append(CycledStream(chunks.block, latency, cycles, over, channels))
        return streams[0]

    def engine(indata: Audio, outdata: Audio, xruns: int) -> None:
        assert len(indata) == len(outdata) == chunks.chunk
        outdata[:] = indata if channels else np.arange(1, chunks.chunk + 1)[:, None] + calls[0] * chunks.chunk
        streams[0].cycle(late.get(calls[0], 0))
        calls[0] += 1

    stream = FifoStream(port, open_stream, chunks, engine, None)
    stream.start()
    assert over.wait(60)
    stream.stop()
    return streams[0], stream


@pytest.mark.parametrize(
    ("rate", "block", "chunk", "delay"),
    [
        (96_000, 16, 128, 256),
        (96_000, 64, 128, 256),
        (48_000, 16, 64, 128),
        (44_100, 32, 64, 128),
        (48_000, 40, 80, 240),
        (44_100, 1, 58, 128),
    ],
)
def test_short_blocks_are_collected(rate: int, block: int, chunk: int, delay: int) -> None:
    assert chunks_for(rate, block) == Chunks(block, chunk, delay)


@pytest.mark.parametrize(("rate", "block"), [(44_100, 64), (48_000, 256), (96_000, 96), (44_100, 0)])
def test_long_and_varying_blocks_are_not(rate: int, block: int) -> None:
    assert chunks_for(rate, block) is None


@pytest.mark.parametrize("block", [16, 40, 48])
def test_the_delay_is_exact(block: int) -> None:
    chunks = chunks_for(RATE, block)
    assert chunks is not None
    server, stream = play(chunks, {})
    heard = np.array(server.heard)
    sounding = np.flatnonzero(heard)
    assert len(sounding) > 100 * block
    assert set(sounding + 1 - heard[sounding]) == {chunks.delay}
    assert (np.diff(heard[sounding[0] :]) == 1).all() and stream.unplayed == 0


def test_silence_instead_of_late_sound_is_counted_and_leaves_the_delay_as_it_is() -> None:
    chunks = Chunks(16, 128, 256)
    late = {10: 8, 20: 9, 21: 9, 40: 30, 60: 100}  # the engine has 9 blocks: 144 frames from the end of a chunk
    server, stream = play(chunks, late)
    heard = np.array(server.heard)
    first = int(np.flatnonzero(heard)[0])
    silent = np.flatnonzero(heard[first:] == 0) + first
    assert stream.unplayed == len(silent) / 16 > 100
    sounding = np.flatnonzero(heard)
    assert set(sounding + 1 - heard[sounding]) == {chunks.delay}, "what was late is left out"


def test_input_that_was_lost_meanwhile_is_counted_by_the_clock_and_the_delay_returns() -> None:
    chunks = Chunks(16, 128, 256)
    server, stream = play(chunks, {30: 1000}, cycles=3500)
    heard = np.array(server.heard)[-1000:]
    assert set(np.arange(len(server.heard) - 1000, len(server.heard)) + 1 - heard) == {chunks.delay}
    assert stream.unplayed > 0


def test_without_an_input_nothing_is_lost_when_the_engine_is_late() -> None:
    server, _ = play(Chunks(16, 128, 256), {20: 40}, channels=0)
    heard = np.array(server.heard)
    sound = heard[heard > 0]
    assert (sound == np.arange(1, len(sound) + 1)).all()


DELAYED = """
import json, sys, time
from rtaudio.ports.portaudio import PortAudioPort
port = PortAudioPort("system", None, None, 32, client_name="stemtest", collect=True)
calls, lengths, slow = [0], set(), 200
def engine(indata, outdata, xruns):
    outdata.fill(0.1)
    calls[0] += 1
    lengths.add((indata.shape, outdata.shape))
    if calls[0] == slow:
        time.sleep(0.02)
port.start(engine)
end = time.monotonic() + 60
while calls[0] < 2 * slow and time.monotonic() < end:
    time.sleep(0.01)
port.stop()
port.close()
print(json.dumps([port.block, port.device_block, port.pipelining, sorted(lengths), port.unplayed, calls[0]]))
"""


@pytest.mark.jack
def test_a_real_server_gets_chunks_and_what_is_late_is_counted(tmp_path: Path) -> None:
    with private_server(tmp_path, rate=48_000, period=32) as server:
        found = _run(DELAYED, server.environment)
    block, device_block, delay, lengths, unplayed, calls = found
    assert (block, device_block, delay) == (64, 32, 128)
    assert lengths == [[[64, 0], [64, 2]]] and calls >= 400
    assert unplayed >= 0.015 * 48_000 / 32, "20 ms without an answer, of which two chunks were ready"


PERIODS = """
import json, sys, time
from rtaudio.ports.portaudio import PortAudioPort
port = PortAudioPort("system", None, None, 16, client_name="stemtest", collect=True)
print(json.dumps([port.block, port.device_block, port.pipelining]))
"""


@pytest.mark.jack
def test_where_the_server_takes_many_blocks_at_once_they_are_not_collected(tmp_path: Path) -> None:
    with private_server(tmp_path, rate=48_000, period=256) as server:
        assert _run(PERIODS, server.environment) == [16, 16, 0]


def _run(code: str, environment: dict[str, str]) -> Any:
    done = subprocess.run(
        [sys.executable, "-c", code], env=os.environ | environment, cwd=ROOT, capture_output=True, text=True, timeout=100, check=False
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-800:]
    return json.loads(done.stdout.splitlines()[-1])
