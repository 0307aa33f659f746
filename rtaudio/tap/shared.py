"""The tap's file: a ring of samples that one process writes and another reads, without locks, pipes or waiting.

There are two files in the private folder. The *head* (4 KiB, created when the engine starts) holds the format, the range that can be
read, the time when the engine last wrote it, and the time until which somebody listens. The *sound* file is created for the first
listener. Times are monotonic seconds, which all processes of a machine share. A reader never gets frames that are being overwritten:
the range shrinks before each write and grows after it, a stamp is odd in between, and the reader checks both again after copying. A
head that is not updated any more belongs to an engine that died; nothing is read from it.

``TapWriter`` belongs to the engine's reporting thread, ``TapReader`` to one thread of the listener.
"""

from __future__ import annotations

import contextlib
import json
import mmap
import os
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from rtaudio.protocol.reports import TapAudio
from rtaudio.tap.buffer import TapBuffer

FILE_S = 4.0
"""Seconds of sound in the file."""

WANTED_S = 2.0
"""Seconds for which the engine goes on writing after the last read."""

DEAD_S = 1.0
"""Seconds without an update of the head after which the engine counts as dead."""

_MAGIC = 0x31706174_6D657473
_HEAD, _TEXT = 4096, 256
_STAMP, _START, _END, _READY = 1, 2, 3, 4  # indices of integers in the head; 0 is the magic number
_WANTED, _ALIVE = 8, 9  # indices of times
PREFIX, SOUND = "tap-", ".sound"


class TapWriter:
    """Publishes a ``TapBuffer``. Raises OSError if there is no room for the head."""

    def __init__(self, buffer: TapBuffer, directory: Path) -> None:
        sweep(directory)
        self._buffer = buffer
        self._capacity = round(FILE_S * buffer.rate)
        self.path = directory / f"{PREFIX}{os.getpid()}-{time.monotonic_ns():x}"
        about = {
            "rate": buffer.rate, "channels": buffer.channels, "sources": buffer.sources, "capacity": self._capacity,
        }  # fmt: skip
        head = np.zeros(_HEAD // 8, np.int64)
        text = json.dumps(about).encode()
        head.view(np.uint8)[_TEXT : _TEXT + len(text)] = np.frombuffer(text, np.uint8)
        head[0] = _MAGIC
        _write_whole(self.path, head.tobytes())
        self._map = _Mapping(self.path, _HEAD)
        self._whole, self._times = self._map.array(np.int64), self._map.array(np.float64)
        self._sound: _Mapping | None = None
        self._data: npt.NDArray[np.float32] | None = None

    def publish(self) -> None:
        """Copy new frames into the file if somebody listens. Raises OSError if the disk is full."""
        now = time.monotonic()
        self._times[_ALIVE] = now
        wanted = bool(self._times[_WANTED] > now)
        self._buffer.listen(wanted)
        if not wanted:
            return
        data = self._open_sound() if self._data is None else self._data
        position, frames = self._buffer.take()
        frames = frames[-self._capacity :]
        if len(frames):
            self._write(data, position, frames)

    def _open_sound(self) -> npt.NDArray[np.float32]:
        shape = len(self._buffer.sources), self._capacity, self._buffer.channels
        size = 4 * int(np.prod(shape))
        path = _sound_path(self.path)
        _write_whole(path, bytes(size))  # written zeros: a full disk is noticed now, not by a signal while a page is written
        self._sound = _Mapping(path, size)
        self._data = self._sound.array(np.float32).reshape(shape)
        self._whole[_READY] = 1
        return self._data

    def _write(self, data: npt.NDArray[np.float32], position: int, frames: npt.NDArray[np.float32]) -> None:
        end, capacity = position + len(frames), self._capacity
        continues = int(self._whole[_END]) == position
        start = max(int(self._whole[_START]), end - capacity) if continues else position
        self._announce(start, position)
        planes = frames.swapaxes(0, 1)
        offset = position % capacity
        first = min(len(frames), capacity - offset)
        data[:, offset : offset + first] = planes[:, :first]
        data[:, : len(frames) - first] = planes[:, first:]
        self._announce(start, end)

    def _announce(self, start: int, end: int) -> None:
        self._whole[_STAMP] += 1
        self._whole[_START], self._whole[_END] = start, end
        self._whole[_STAMP] += 1

    def close(self) -> None:
        """Mark the tap as ended and remove its files."""
        self._buffer.listen(False)
        self._times[_ALIVE] = 0.0
        del self._whole, self._times
        self._data = None
        self._map.close()
        if self._sound is not None:
            self._sound.close()
        remove(self.path)


class TapReader:
    """Reads the tap at ``path``. Raises OSError or ValueError if it cannot be read."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._map = _Mapping(path, _HEAD)
        self._whole, self._times = self._map.array(np.int64), self._map.array(np.float64)
        if self._whole[0] != _MAGIC:
            raise ValueError(f"{path} is no tap")
        about: dict[str, Any] = json.loads(self._map.array(np.uint8)[_TEXT:].tobytes().rstrip(b"\0"))
        try:
            self.rate, self.channels, self._capacity = int(about["rate"]), int(about["channels"]), int(about["capacity"])
            self.sources = tuple(str(name) for name in about["sources"])
        except (KeyError, TypeError, OverflowError):
            raise ValueError(f"{path} has no valid head") from None
        self._sound: _Mapping | None = None
        self._data: npt.NDArray[np.float32] | None = None

    def read(self, source: str, after: int | None = None, seconds: float = FILE_S) -> TapAudio | None:
        """What ``source`` played from position ``after`` on (None: the last ``seconds``), but no more than the newest ``seconds``.

        Returns None if the engine does not write (yet, or any more) or has no such source. Each read keeps the engine writing.
        """
        now = time.monotonic()
        if now - self._times[_ALIVE] > DEAD_S or source not in self.sources:
            return None
        self._times[_WANTED] = now + WANTED_S
        if not self._whole[_READY]:
            return None
        data = self._open_sound() if self._data is None else self._data
        span = self._range()
        if span is None:
            return None
        start, end = span
        oldest = max(start, end - round(seconds * self.rate))
        first = oldest if after is None else min(max(after, oldest), end)
        frames = np.empty((end - first, self.channels), np.float32)
        offset = first % self._capacity
        head = min(len(frames), self._capacity - offset)
        plane = data[self.sources.index(source)]
        frames[:head] = plane[offset : offset + head]
        frames[head:] = plane[: len(frames) - head]
        span = self._range()
        if span is None or span[0] > first or span[1] < end:  # overwritten while it was copied
            return None
        return TapAudio(self.rate, first, frames, self.path.name)

    def _open_sound(self) -> npt.NDArray[np.float32]:
        shape = len(self.sources), self._capacity, self.channels
        self._sound = _Mapping(_sound_path(self.path), 4 * int(np.prod(shape)))
        self._data = self._sound.array(np.float32).reshape(shape)
        return self._data

    def _range(self) -> tuple[int, int] | None:
        """The range that may be read; None while the writer changes it, for a microsecond or until it is scheduled again."""
        for _ in range(100):
            stamp = int(self._whole[_STAMP])
            start, end = int(self._whole[_START]), int(self._whole[_END])
            if stamp % 2 == 0 and stamp == int(self._whole[_STAMP]):
                return start, end
        return None

    def close(self) -> None:
        """Unmap the files."""
        del self._whole, self._times
        self._data = None
        self._map.close()
        if self._sound is not None:
            self._sound.close()


class _Mapping:
    """A file in memory, shared with other processes."""

    def __init__(self, path: Path, size: int) -> None:
        with path.open("r+b") as file:
            self._memory = mmap.mmap(file.fileno(), size)

    def array(self, kind: Any) -> npt.NDArray[Any]:
        return np.frombuffer(self._memory, kind)

    def close(self) -> None:
        with contextlib.suppress(BufferError):  # an array of it is still in use: the memory is unmapped with that array
            self._memory.close()


def open_tap(buffer: TapBuffer) -> TapWriter | None:
    """A writer in this user's private folder, or None if that is impossible: the engine plays on without a tap."""
    from rtaudio.audio.format import StemplayError
    from rtaudio.system.private_folder import runtime_directory

    try:
        return TapWriter(buffer, runtime_directory())
    except (OSError, ValueError, StemplayError):
        return None


def sweep(directory: Path) -> None:
    """Remove the files of engines that were killed."""
    for path in directory.glob(PREFIX + "*"):
        pid = path.name[len(PREFIX) :].partition("-")[0]
        if path.suffix != SOUND and pid.isdigit() and not _alive(int(pid)):
            remove(path)


def remove(path: Path) -> None:
    """Remove a tap's files; on Windows only if no process has them open."""
    for name in (path, _sound_path(path)):
        with contextlib.suppress(OSError):
            name.unlink()


def _alive(pid: int) -> bool:
    if sys.platform == "win32":
        return False  # Windows does not remove files that a living process has mapped
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except OSError:
        return True
    return True


def _sound_path(path: Path) -> Path:
    return path.with_name(path.name + SOUND)


def _write_whole(path: Path, content: bytes) -> None:
    """Create a file that only this user can read. If the disk is full, remove the incomplete file."""
    part = path.with_name(path.name + ".part")
    try:
        with os.fdopen(
            os.open(part, os.O_CREAT | os.O_EXCL | os.O_WRONLY | getattr(os, "O_BINARY", 0), 0o600), "wb"
        ) as file:
            file.write(content)
        os.replace(part, path)
    except BaseException:
        with contextlib.suppress(OSError):
            part.unlink()
        raise
