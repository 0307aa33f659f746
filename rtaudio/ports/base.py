"""Where sound enters and leaves: the contract of all ports.

A port owns the thread that calls the callback; the engine's callback never waits for another thread (unless ``realtime`` is
False) and never raises.
"""

from __future__ import annotations

import threading
from abc import ABC, abstractmethod
from collections.abc import Callable

from rtaudio.audio.format import Audio, StemplayError

Callback = Callable[[Audio, Audio, bool], None]
"""``callback(indata (n, in_channels), outdata (n, out_channels), host_xrun)``: fills ``outdata``, keeps neither array."""

VARYING_BLOCK = 1024
"""``max_block`` of a port whose host chooses the block; a larger one still works (see ``rtaudio/engine/engine.py``)."""


class DeviceMissingError(StemplayError):
    """The device or its server is not there; it may come (back), so waiting for it makes sense."""


class Port(ABC):
    """One stream of sound in and out.

    Attributes:
        name: for people.
        rate: Hz.
        in_channels, out_channels: of the arrays given to the callback; either may be 0.
        block: frames of every call, 0 if they vary.
        max_block: the most frames of one call that the port expects.
        device_latency: samples from microphone to callback and from callback to loudspeaker together, the host's estimate.
        realtime: False if the callback may take its time (full speed): nothing is then ever late.
        finished: set when the port has nothing more to play, or has died.
        error: one sentence if it died.
        scheduling: what realtime scheduling its thread got, one sentence; empty if it is not known.
    """

    name: str = ""
    rate: int
    in_channels: int
    out_channels: int
    block: int
    max_block: int
    device_latency: float = 0.0
    realtime: bool = True
    error: str = ""
    scheduling: str = ""

    def __init__(self) -> None:
        self.finished = threading.Event()

    @abstractmethod
    def start(self, callback: Callback) -> None:
        """Begin to call ``callback``. Raises StemplayError if the device refuses."""

    @abstractmethod
    def stop(self) -> None:
        """No more calls after this returns. May be called twice."""

    def expected_latency(self) -> float:
        """What ``device_latency`` is going to be, in samples, before ``start``."""
        return self.device_latency

    def close(self) -> None:  # noqa: B027 - most ports have nothing to let go
        """Let go of the device. May be called twice."""

    def complete(self) -> None:  # noqa: B027 - a device plays on
        """The engine has played all there is. A port that runs at full speed ends; a device plays on (silence)."""
