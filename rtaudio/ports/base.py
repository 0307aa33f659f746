"""The interface of all ports, through which sound enters and leaves the engine.

A port owns the thread that calls the callback. The engine's callback never waits for another thread (unless ``realtime`` is False) and
never raises.
"""

from __future__ import annotations

import threading
from abc import ABC, abstractmethod
from collections.abc import Callable

from rtaudio.audio.format import Audio, StemplayError

Callback = Callable[[Audio, Audio, int], None]
"""``callback(indata (n, in_channels), outdata (n, out_channels), host_xruns)`` fills ``outdata`` and keeps no reference to either array.
``host_xruns``: how many the host has reported since the call before, or whether it has."""

VARYING_BLOCK = 1024
"""``max_block`` of a port whose host chooses the block; larger blocks still work (see ``rtaudio/engine/engine.py``)."""


class DeviceMissingError(StemplayError):
    """The device or its server is missing. It may be connected (again), so waiting for it makes sense."""


class Port(ABC):
    """One stream of sound in and out.

    Attributes:
        name: shown to the user.
        rate: Hz.
        in_channels, out_channels: of the arrays given to the callback; either may be 0.
        block: frames of every call, 0 if they vary.
        max_block: the largest number of frames in one call that the port expects.
        device_latency: samples from microphone to callback and from callback to loudspeaker together, the host's estimate.
        pipelining: samples that the port adds to the latency by itself, exactly, because it collects blocks.
        realtime: False if the port waits for the callback (full speed), so that nothing is ever late.
        finished: set when the port has nothing more to play or has failed.
        error: one sentence if it failed. ``failed``: the engine failed, so that the output is of no use.
        scheduling: one sentence about the realtime scheduling of its thread; empty if unknown.
    """

    name: str = ""
    rate: int
    in_channels: int
    out_channels: int
    block: int
    max_block: int
    device_latency: float = 0.0
    pipelining: int = 0
    realtime: bool = True
    error: str = ""
    failed: bool = False
    scheduling: str = ""

    def __init__(self) -> None:
        self.finished = threading.Event()

    @abstractmethod
    def start(self, callback: Callback) -> None:
        """Begin to call ``callback``. Raises StemplayError if the device refuses."""

    @abstractmethod
    def stop(self) -> None:
        """Stop; there are no more calls of the callback after this returns. May be called twice."""

    @property
    def device_block(self) -> int:
        """Frames that the device asks for at a time, 0 if they vary. ``block`` is a multiple of it, where a port collects blocks."""
        return self.block

    @property
    def unplayed(self) -> int:
        """Blocks of the device that were silence because the callback was late, if the port knows."""
        return 0

    def expected_latency(self) -> float:
        """The ``device_latency`` expected after ``start``, in samples."""
        return self.device_latency

    def close(self) -> None:  # noqa: B027 - most ports have nothing to release
        """Release the device. May be called twice."""

    def monitoring(self, on: bool) -> None:  # noqa: B027 - most ports have no input that is heard by itself
        """Called when the input begins or ends to be heard through the output."""

    def fail(self, sentence: str) -> None:
        """Called when the engine cannot go on at full speed. The port ends, and its file is discarded."""
        self.error = self.error or sentence
        self.failed = True
        self.complete()

    def complete(self) -> None:  # noqa: B027 - a device plays on
        """Called when the engine has played everything. A port that runs at full speed ends; a device continues with silence."""
