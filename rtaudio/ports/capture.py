"""An input device without an output device: the output is written to a sound file, or discarded.

The host calls the callback in its own thread, at the input's clock. ``FileSink`` owns the thread ``stemplay-capture``, the only one that
waits for the disk. The callback copies its block into a queue.
"""

from __future__ import annotations

import queue
import threading
from pathlib import Path
from typing import Any

import numpy as np

from rtaudio.audio.format import Audio, StemplayError
from rtaudio.files.sound_file import create_writer
from rtaudio.ports.base import VARYING_BLOCK, Callback, DeviceMissingError, Port
from rtaudio.ports.computer import Follower
from rtaudio.ports.portaudio import (
    _channels,
    _reason,
    _Scheduled,
    device_label,
    find_device,
    follow_others,
    load_portaudio,
)

SINK_SECONDS = 10.0
"""Seconds for which the disk may block before writing stops with an error."""


class FileSink:
    """Writes blocks to a file in a thread of its own. ``error``: one sentence if writing has stopped."""

    def __init__(self, path: str | Path, rate: int, channels: int) -> None:
        self.error = ""
        self._path, self._rate = path, rate
        self._writer = create_writer(path, rate, channels, Path(path).suffix.lstrip(".").lower())
        self._blocks: queue.SimpleQueue[Audio | None] = queue.SimpleQueue()
        self._waiting, self._room = 0, round(SINK_SECONDS * rate)
        self._thread = threading.Thread(target=self._run, name="stemplay-capture", daemon=True)
        self._thread.start()

    def push(self, block: Audio) -> None:
        """Queue ``(n, channels)`` from the callback; never waits."""
        if self.error:
            return
        if self._waiting > self._room:
            self.error = f"The disk is too slow for {self._path}, so writing has stopped."
            return
        self._waiting += len(block)
        self._blocks.put(block.copy())

    def close(self) -> None:
        """Write the remaining blocks and finish the file; waits for the disk."""
        self._blocks.put(None)
        self._thread.join()
        self._writer.close()

    def _run(self) -> None:
        unsynced = 0
        while (block := self._blocks.get()) is not None:
            self._waiting -= len(block)
            try:
                if not self.error:
                    self._writer.write(block)
                    unsynced += len(block)
                    if unsynced >= self._rate:
                        unsynced = 0
                        self._writer.sync()  # so that the file is readable even if the engine is killed
            except (OSError, StemplayError) as error:
                self.error = f"Writing the output stopped: {str(error).rstrip('.')}."


class CapturePort(Port):
    """A port with an input stream only.

    Args:
        input: device as for ``find_device``.
        rate: Hz, None for the device's own.
        block: frames of a callback; 0 lets the host choose.
        in_channels: smallest number of input channels to open. ``out_channels``: number of output channels.
        path: ``.wav`` or ``.flac`` file for the output; None discards it.
        others: hear what other programs play, through ``input`` (``rtaudio.ports.computer``).

    Raises:
        DeviceMissingError: the device or its server is missing.
        StemplayError: PortAudio is missing, the device refuses the rate or the channels, or the file cannot be made.
    """

    def __init__(
        self,
        input: str,
        rate: int | None = None,
        block: int = 256,
        *,
        in_channels: int = 2,
        out_channels: int = 2,
        path: str | Path | None = None,
        client_name: str = "stemplay",
        others: bool = False,
    ) -> None:
        super().__init__()
        self._others, self._client_name = others, client_name
        self._follower: Follower | None = None
        self._sd = sd = load_portaudio(client_name)
        self._device = find_device(sd, input, "input")
        device = sd.query_devices(self._device)
        self.rate = int(rate or device["default_samplerate"])
        self.in_channels, self.out_channels = _channels(device, "input", in_channels), out_channels
        label = device_label(device, sd.query_hostapis())
        self.name = f"{label}, writing {path}" if path else f"{label}, output discarded"
        self.block, self.max_block = block, block or VARYING_BLOCK
        try:
            sd.check_input_settings(self._device, self.in_channels, "float32", samplerate=self.rate)
        except (sd.PortAudioError, ValueError) as error:
            raise StemplayError(f"{label} does not work at {self.rate} Hz: {_reason(error)}.") from None
        self._sink = FileSink(path, self.rate, out_channels) if path is not None else None
        self._stream: Any = None

    def start(self, callback: Callback) -> None:
        scheduled = _Scheduled(self, callback)
        scratch = np.zeros((self.max_block, self.out_channels), np.float32)

        def listen(indata: Any, frames: int, time: Any, status: Any) -> None:
            nonlocal scratch
            if frames > len(scratch):
                scratch = np.zeros((frames, self.out_channels), np.float32)
            scheduled(indata, scratch[:frames], bool(status))
            if self._sink is not None:
                self._sink.push(scratch[:frames])
                self.error = self._sink.error

        try:
            self._stream = self._sd.InputStream(
                device=self._device, channels=self.in_channels, samplerate=self.rate, blocksize=self.block,
                dtype="float32", latency="low", callback=listen, finished_callback=self.finished.set,
            )  # fmt: skip
            self._stream.start()
        except self._sd.PortAudioError as error:
            raise DeviceMissingError(f"{self.name} does not start: {_reason(error)}.") from None
        if self._others:
            source = self._sd.query_devices(self._device)
            self._follower = follow_others(source, self._sd.query_hostapis(), self._client_name)
        latency = float(self._stream.latency)
        self.device_latency = latency * self.rate if 0.0 <= latency <= 5.0 else 0.0

    def expected_latency(self) -> float:
        latency = float(self._sd.query_devices(self._device)["default_low_input_latency"])
        return latency * self.rate if 0.0 <= latency <= 5.0 else 0.0

    def stop(self) -> None:
        follower, self._follower = self._follower, None
        if follower is not None:
            follower.stop()
        if self._stream is not None:
            self._stream.stop()

    def close(self) -> None:
        stream, self._stream = self._stream, None
        if stream is not None:
            stream.close()
        sink, self._sink = self._sink, None
        if sink is not None:
            sink.close()
