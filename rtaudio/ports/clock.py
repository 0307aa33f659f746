"""Output without a sound card: driven by a wall clock, or at full speed, optionally written to a sound file.

``ClockPort`` owns the thread named ``stemplay-clock``. If it is paced, it calls back at the times of a sound card and counts an
xrun when it is a block late. Otherwise it runs at full speed, and the engine waits for its worker, so nothing is missed.
"""

from __future__ import annotations

import threading
import time
from pathlib import Path
from typing import Any

import numpy as np

from rtaudio.audio.format import StemplayError
from rtaudio.files.sound_file import create_writer
from rtaudio.ports.base import Callback, Port
from rtaudio.protocol.reports import FULL_SPEED, SILENT_PORT
from rtaudio.system.realtime import request_realtime


class ClockPort(Port):
    """A null device with an exact clock.

    Args:
        path: ``.wav`` or ``.flac`` file for the output; None discards it.
        paced: follow the wall clock, else run at full speed.
    """

    def __init__(
        self,
        rate: int = 44_100,
        block: int = 256,
        *,
        channels: int = 2,
        path: str | Path | None = None,
        paced: bool = True,
    ) -> None:
        super().__init__()
        self.name = (SILENT_PORT if paced else FULL_SPEED) + (f", writing {path}" if path else "")
        self.rate, self.block, self.in_channels, self.out_channels = rate, block or 256, 0, channels
        self.max_block, self.realtime = self.block, paced
        self._writer: Any = None
        if path is not None:
            suffix = Path(path).suffix.lstrip(".").lower()
            if suffix not in ("wav", "flac"):
                raise StemplayError(f"The output {path} must end in .wav or .flac.")
            self._writer = create_writer(path, rate, channels, suffix)
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None
        self.error = ""
        self._unsynced = 0

    def start(self, callback: Callback) -> None:
        if self._thread is not None:
            return
        self._thread = threading.Thread(target=self._run, args=(callback,), name="stemplay-clock", daemon=True)
        self._thread.start()

    def complete(self) -> None:
        """At full speed, end after the present block. A paced clock runs on."""
        if not self.realtime:
            self._stop.set()

    def stop(self) -> None:
        self._stop.set()
        if self._thread is not None and self._thread is not threading.current_thread():
            self._thread.join(5.0)

    def close(self) -> None:
        self.stop()
        writer, self._writer = self._writer, None
        if writer is not None and self.failed:
            writer.discard()
        elif writer is not None:
            writer.close()

    def _run(self, callback: Callback) -> None:
        if self.realtime:
            self.scheduling = request_realtime()
        indata = np.zeros((self.block, 0), np.float32)
        outdata = np.zeros((self.block, self.out_channels), np.float32)
        period = self.block / self.rate
        due = time.perf_counter()
        late = False
        while not self._stop.is_set():
            callback(indata, outdata, late)
            self._write(outdata)
            if not self.realtime:
                continue
            due += period
            wait = due - time.perf_counter()
            late = wait < -period
            if late:
                due = time.perf_counter()
            elif wait > 0:
                time.sleep(wait)
        self.finished.set()

    def _write(self, outdata: np.ndarray[Any, Any]) -> None:
        if self._writer is None or self.error:
            return
        try:
            self._writer.write(outdata)
            self._unsynced += len(outdata)
            if self._unsynced >= self.rate:
                self._unsynced = 0
                self._writer.sync()  # so that the file is readable even if the engine is killed
        except (OSError, RuntimeError, StemplayError) as error:  # a full disk ends the file, but not the sound
            self.error = f"Writing the output stopped: {error}."
