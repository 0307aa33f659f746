"""Very short blocks on JACK: PortAudio's own C code serves the server, and a thread of ours plays several blocks at a time.

At 16 frames and 96 kHz the server asks 6,000 times a second. A callback in Python would have 0.17 ms for work that takes 0.15 ms for 16
frames and hardly more for 64, because most of it is the cost of some sixty NumPy calls. And it would have to get the interpreter (the GIL)
from the other threads each time. A *blocking* stream of PortAudio needs neither: its callback is C code that only copies between the
server's buffers and two FIFOs. The thread ``stemplay-blocks`` takes a *chunk* of several blocks from one FIFO, calls the engine, and puts
the result into the other one.

**What it costs.** The output is ``Chunks.delay`` frames later. That is exact and part of the declared latency (``Port.pipelining``). The
engine has ``delay - chunk + block`` frames of time for a chunk.

**What is late.** If the engine's answer does not come in time, PortAudio plays silence instead. With an input this is counted exactly:
each callback moves as many frames into one FIFO as out of the other, so both together hold ``delay`` frames, and more by each frame of
silence. The same number of frames is then left out of the engine's late answer, and the latency is as before. Without an input, the
duration of the gap follows from the time since the last answer, rounded up.

PortAudio implements blocking streams on JACK for two channels only.
"""

from __future__ import annotations

import contextlib
import math
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from rtaudio.audio.format import StemplayError
from rtaudio.ports.base import Callback, Port
from rtaudio.system.realtime import request_realtime

SHORT_S = 0.001
"""Blocks shorter than this are collected, seconds."""
CHUNK_S = 0.0013
"""Shortest chunk, seconds: some eight times what the engine needs for it."""
STALL_S = 0.05
"""The FIFOs for a stream with an input hold at least this much, so that no input is lost while the thread is late."""
CHANNELS = 2
SETTLED = 4
"""The output FIFO is empty when it did not get emptier during this number of chunks."""
END_S = 2.0


@dataclass(frozen=True)
class Chunks:
    """How blocks are collected, in frames.

    Attributes:
        block: what the server asks for. ``chunk``: what the engine is asked for, a multiple of it.
        delay: added to the latency.
    """

    block: int
    chunk: int
    delay: int

    @property
    def fifo(self) -> int:
        """The power of two that ``delay`` fits into."""
        return _power_of_two(self.delay)


def chunks_for(rate: int, block: int) -> Chunks | None:
    """How to collect blocks of ``block`` frames; None if they are long enough to be played one by one, or vary (0)."""
    if not 0 < block < SHORT_S * rate:
        return None
    chunk = math.ceil(CHUNK_S * rate / block) * block
    fifo = _power_of_two(2 * chunk)
    return Chunks(block, chunk, fifo - fifo % block)


class FifoStream:
    """A blocking stream and the thread that plays it.

    Args:
        port: gives the rate and the number of input channels, 0 or 2, and is told about the thread's ``scheduling``.
        open_stream: opens the stream, given the suggested latency in seconds, which decides the size of its FIFOs.
        chunks: see there.
        callback: the engine's, called with chunks.
        watch: counts the server's xruns; None if the stream will not be started.
    """

    def __init__(
        self,
        port: Port,
        open_stream: Callable[[float], Any],
        chunks: Chunks,
        callback: Callback,
        watch: ServerWatch | None,
    ) -> None:
        self._port, self._chunks, self._rate, self._in_channels = port, chunks, port.rate, port.in_channels
        self._callback, self._watch = callback, watch
        wanted = max(chunks.fifo, _power_of_two(round(STALL_S * self._rate))) if self._in_channels else chunks.fifo
        self._stream = open_stream((wanted - 0.5) / self._rate)  # PortAudio rounds up to a power of two
        self._out = np.zeros((chunks.chunk, CHANNELS), np.float32)
        self._silence = np.zeros((chunks.delay, CHANNELS), np.float32)
        self._stopping = False
        self._thread = threading.Thread(target=self._run, name="stemplay-blocks", daemon=True)
        self._capacity = self._skip = 0
        self._seen = watch.xruns if watch is not None else 0
        self._heard_at = 0.0
        self._frames_unplayed = 0

    @property
    def latency(self) -> Any:
        """PortAudio's estimate, without the FIFOs."""
        return self._stream.latency

    @property
    def unplayed(self) -> int:
        """Blocks of silence that the server got because the engine was late; a part of a block counts as one."""
        return -(-self._frames_unplayed // self._chunks.block)

    def start(self) -> None:
        """Start the stream and the thread."""
        self._stream.start()
        self._thread.start()

    def stop(self) -> None:
        """End the thread, then the stream. The thread cannot end if the server has died."""
        self._stopping = True
        if self._thread.is_alive():
            self._thread.join(END_S)
        self._stream.stop()

    def close(self) -> None:
        """Close the stream."""
        self._stream.close()

    def _run(self) -> None:
        self._port.scheduling = request_realtime()
        play = self._play_duplex if self._in_channels else self._play_output
        with contextlib.suppress(Exception):  # PortAudio's errors: the stream has ended, which the engine notices
            self._drain()
            play()

    def _sleep_until(self, missing: int) -> None:
        """Sleep for the duration of ``missing`` frames, except for the last block. PortAudio would wake this thread with each block."""
        if missing > self._chunks.block:
            time.sleep((missing - self._chunks.block) / self._rate)

    def _new_xruns(self) -> int:
        total = self._watch.xruns if self._watch is not None else 0
        new, self._seen = total - self._seen, total
        return new

    def _drain(self) -> None:
        """Wait until the output FIFO, which is full of silence at first, is empty. Its capacity is known afterwards."""
        stream, same = self._stream, 0
        while same < SETTLED and not self._stopping:
            if self._in_channels:
                stream.read(self._chunks.chunk)
            else:
                time.sleep(self._chunks.chunk / self._rate)
            now = stream.write_available
            same = same + 1 if now == self._capacity > 0 else 0
            self._capacity = now

    # -- with an input ----------------------------------------------------------------------------------------------------

    def _play_duplex(self) -> None:
        stream, chunk, out = self._stream, self._chunks.chunk, self._out
        self._prime()
        self._heard_at = time.perf_counter()
        while not self._stopping:
            if stream.read_available > self._capacity - chunk:
                self._catch_up()
            self._sleep_until(chunk - stream.read_available)
            heard, _ = stream.read(chunk)
            self._heard_at = time.perf_counter()
            self._callback(heard, out, self._new_xruns())
            self._count(self._held() + chunk - self._chunks.delay - self._skip)
            skipped = min(self._skip, chunk)
            self._skip -= skipped
            if skipped < chunk:
                stream.write(out[skipped:])

    def _prime(self) -> None:
        """Fill the output FIFO so that both FIFOs together hold ``delay`` frames."""
        backlog = self._stream.read_available
        if backlog > self._chunks.block:
            self._stream.read(backlog - self._chunks.block)
        self._stream.write(self._silence[: max(0, self._chunks.delay - self._stream.read_available)])
        self._skip = max(0, self._held() - self._chunks.delay)  # the server may have called meanwhile

    def _catch_up(self) -> None:
        """After a time for which the input FIFO is too small, in which input was lost: count it by the clock, and start afresh."""
        self._frames_unplayed += round((time.perf_counter() - self._heard_at) * self._rate)
        self._stream.read(self._stream.read_available)
        self._capacity = 0
        self._drain()
        self._prime()

    def _held(self) -> int:
        """Frames in both FIFOs at one moment between two callbacks."""
        stream = self._stream
        filled = stream.read_available
        while True:
            space = stream.write_available
            again = stream.read_available
            if again == filled:
                return int(filled + self._capacity - space)
            filled = again

    def _count(self, surplus: int) -> None:
        """Count ``surplus`` frames of silence that the server got, and leave out as many of the late answer."""
        if surplus > 0:
            self._frames_unplayed += surplus
            self._skip += surplus

    # -- without an input -------------------------------------------------------------------------------------------------

    def _play_output(self) -> None:
        stream, chunks, out = self._stream, self._chunks, self._out
        nothing = np.zeros((chunks.chunk, 0), np.float32)
        stream.write(self._silence)
        then, level = time.perf_counter(), self._capacity - stream.write_available
        while not self._stopping:
            self._callback(nothing, out, self._new_xruns())
            if self._capacity - stream.write_available < chunks.block:
                passed = math.ceil((time.perf_counter() - then) * self._rate / chunks.block) * chunks.block
                self._frames_unplayed += max(0, passed - level)
            self._sleep_until(len(out) - stream.write_available)
            stream.write(out)  # waits until there is room
            then, level = time.perf_counter(), self._capacity - stream.write_available


def _power_of_two(n: int) -> int:
    return 1 << max(5, (n - 1).bit_length())


class ServerWatch:
    """A JACK client of its own that watches the server: PortAudio passes neither xruns nor the period on to blocking streams.

    Args:
        name: of our client; this one is called ``NAME-watch``.

    Attributes:
        xruns: so far. ``period``: frames of the server's cycle when this began.
        changed: called, in a thread of JACK, when the period becomes another one.

    Raises:
        StemplayError: the server does not answer.
    """

    def __init__(self, name: str) -> None:
        import jack

        self.xruns = 0
        self.changed: Callable[[], None] = lambda: None
        try:
            self._client = jack.Client(f"{name}-watch", no_start_server=True)
            self.period = int(self._client.blocksize)
            self._client.set_xrun_callback(self._count)
            self._client.set_blocksize_callback(self._compare)
            self._client.activate()
        except jack.JackError as error:
            raise StemplayError(f"The JACK server does not answer: {str(error).rstrip('.')}.") from None

    def _count(self, delayed_us: float) -> None:
        self.xruns += 1

    def _compare(self, period: int) -> None:
        if period != self.period:
            self.changed()

    def close(self) -> None:
        """Leave the server."""
        self._client.close(ignore_errors=True)
