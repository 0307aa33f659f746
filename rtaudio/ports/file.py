"""Runs a sound file through the engine at full speed, and can write the output to another file.

The callback waits for the worker (``realtime`` is False), so the result is the same on any machine under any load, sample for
sample. ``FilePort`` owns the thread ``stemplay-file``, which reads, calls back and writes.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from rtaudio.audio.format import Audio, StemplayError
from rtaudio.files.sound_file import create_writer, open_reader
from rtaudio.ports.base import Callback, Port


class FilePort(Port):
    """A port whose input is a file. It ends with the file.

    Args:
        source: path of a sound file, or samples ``(frames, channels)`` at ``rate``.
        output: ``.wav`` or ``.flac`` file for the output; None discards it.
        rate: of samples, in Hz. A file has its own rate, so it must not be given for a path.
        block: frames of each call; the last one is filled up with silence.
        tail: frames of silence after the end, to flush the engine: its latency.
    """

    def __init__(
        self,
        source: str | Path | Audio,
        output: str | Path | None = None,
        *,
        rate: int | None = None,
        block: int = 1024,
        out_channels: int = 2,
        tail: int = 0,
    ) -> None:
        super().__init__()
        self._reader: Any = None
        if isinstance(source, np.ndarray):
            self.rate, self.in_channels = rate or 44_100, source.shape[1]
            self._blocks: Iterator[Audio] = iter([source])
            self.name = "samples at full speed"
        else:
            self._reader = open_reader(source)
            self.rate, self.in_channels = self._reader.rate, self._reader.channels
            self._blocks = self._reader.blocks()
            self.name = f"{source} at full speed"
        self.block = self.max_block = block
        self.out_channels, self.tail, self.realtime = out_channels, tail, False
        self._writer = None
        if output is not None:
            suffix = Path(output).suffix.lstrip(".").lower()
            if suffix not in ("wav", "flac"):
                raise StemplayError(f"The output {output} must end in .wav or .flac.")
            self._writer = create_writer(output, self.rate, out_channels, suffix)
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self, callback: Callback) -> None:
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, args=(callback,), name="stemplay-file", daemon=True)
            self._thread.start()

    def complete(self) -> None:
        self._stop.set()

    def stop(self) -> None:
        self._stop.set()
        if self._thread is not None:
            self._thread.join()

    def close(self) -> None:
        self.stop()
        writer, self._writer = self._writer, None
        if writer is not None:
            writer.close()
        if self._reader is not None:
            self._reader.close()

    def _run(self, callback: Callback) -> None:
        outdata = np.zeros((self.block, self.out_channels), np.float32)
        try:
            for indata in self._cut():
                if self._stop.is_set():
                    break
                callback(indata, outdata, False)
                if self._writer is not None:
                    self._writer.write(outdata)
        except (OSError, RuntimeError, StemplayError) as error:
            self.error = f"{self.name} stopped: {str(error).rstrip('.')}."
        finally:
            self.finished.set()

    def _cut(self) -> Iterator[Audio]:
        """Yield the file and its tail in whole blocks."""
        rest = np.zeros((0, self.in_channels), np.float32)
        for piece in self._blocks:
            rest = np.concatenate((rest, piece))
            whole = len(rest) // self.block * self.block
            for start in range(0, whole, self.block):
                yield rest[start : start + self.block]
            rest = rest[whole:]
        frames = -(-(len(rest) + self.tail) // self.block) * self.block
        rest = np.pad(rest, ((0, frames - len(rest)), (0, 0)))
        for start in range(0, frames, self.block):
            yield rest[start : start + self.block]
