"""Memory shared by an engine and a plugin's host process: input, output and parameters, without locks, pipes or waiting.

Positions are absolute frames of one stream. The engine writes the input and then increases ``fed``. The host processes up to there, writes
the output at the same positions and then increases ``done``. Each number has one writer. ``_in_order`` stands between two accesses whose
order matters to the other process: x86 keeps it anyway, ARM does not.

No file is left behind after a crash of either process: its name is removed once the host has opened it. Under Windows, where an open file
keeps its name, the memory has a name but no file.
"""

from __future__ import annotations

import contextlib
import mmap
import os
import secrets
import struct
import sys
import tempfile
from pathlib import Path
from threading import Lock

import numpy as np
import numpy.typing as npt

from rtaudio.audio.format import Audio, StemplayError

MEMORY = Path("/dev/shm")
"""Where files are made, if it exists: on a disk, writing back would sometimes delay the audio callback."""
MAX_PARAMETERS = 4096
_HEAD = 64  # whole numbers
_FED, _DONE, _EPOCH, _SEEN, _VERSION, _WAITING, _TROUBLE, _LATENCY, _BEGIN, _VALID, _WATCHED = range(11)
MIDI = b"m"
"""First byte of a datagram with a MIDI message; any other datagram only wakes the host."""

_MIDI = struct.Struct("<cqB")

NOT_FINITE = 1
"""Value of ``trouble``: the plugin's output contained samples that are not numbers."""


class SharedRings:
    """One end of the memory; both ends use this class.

    Args:
        path: the file; ``create_file`` makes one of the right size.
        capacity: frames in each ring. ``channels``: of the sound.
    """

    def __init__(self, path: Path, capacity: int, channels: int) -> None:
        self.path, self.capacity, self.channels = path, capacity, channels
        if sys.platform == "win32":
            self._map = mmap.mmap(-1, file_size(capacity, channels), tagname=path.name)
        else:
            with path.open("r+b") as file:
                self._map = mmap.mmap(file.fileno(), file_size(capacity, channels))
        whole = np.frombuffer(self._map, np.uint8)
        self._head = whole[: 8 * _HEAD].view(np.int64)
        start = 8 * _HEAD
        self.values: npt.NDArray[np.float64] = whole[start : start + 8 * MAX_PARAMETERS].view(np.float64)
        start += 8 * MAX_PARAMETERS
        self.serials: npt.NDArray[np.int64] = whole[start : start + 8 * MAX_PARAMETERS].view(np.int64)
        start += 8 * MAX_PARAMETERS
        sound = whole[start:].view(np.float32).reshape(2, capacity, channels)
        self._input, self._output = sound[0], sound[1]

    def _get(self, place: int) -> int:
        return int(self._head[place])

    # -- numbers; the docstring names the writer ------------------------------------------------------------------------

    @property
    def fed(self) -> int:
        """Position after the last input (engine)."""
        return self._get(_FED)

    @property
    def done(self) -> int:
        """Position after the last output (host)."""
        return self._get(_DONE)

    @property
    def epoch(self) -> int:
        """Number of requests to clear the sound (engine)."""
        return self._get(_EPOCH)

    @property
    def seen(self) -> int:
        """The epoch that ``done`` belongs to (host)."""
        return self._get(_SEEN)

    @property
    def version(self) -> int:
        """Number of changes of ``values`` (engine)."""
        return self._get(_VERSION)

    @property
    def waiting(self) -> bool:
        """Whether the engine waits for a message after each piece (engine)."""
        return bool(self._get(_WAITING))

    @waiting.setter
    def waiting(self, on: bool) -> None:
        self._head[_WAITING] = on

    @property
    def trouble(self) -> int:
        """The error in the output, 0 for none (host)."""
        return self._get(_TROUBLE)

    @trouble.setter
    def trouble(self, what: int) -> None:
        self._head[_TROUBLE] = what

    @property
    def latency(self) -> int:
        """The plugin's present latency in frames (host)."""
        return self._get(_LATENCY)

    @latency.setter
    def latency(self, frames: int) -> None:
        self._head[_LATENCY] = frames
        _in_order()
        self._head[_WATCHED] = 1

    @property
    def watched(self) -> bool:
        """Whether ``latency`` was written (host). Read it first."""
        watched = bool(self._get(_WATCHED))
        _in_order()
        return watched

    # -- engine ---------------------------------------------------------------------------------------------------------

    def feed(self, audio: Audio) -> None:
        """Append input."""
        position = self.fed
        _put(self._input, position, audio)
        _in_order()
        self._head[_FED] = position + len(audio)

    def fetch(self, position: int, out: Audio) -> bool:
        """Fill ``out`` from ``position`` on; False if the host is not so far, or still in an older epoch."""
        if self.seen != self.epoch:
            return False
        _in_order()
        if self.done < position + len(out):
            return False
        _in_order()
        if position < self._get(_VALID):
            return False
        _take(self._output, position, out)
        return True

    def forget(self) -> None:
        """Start a new epoch: the plugin must be reset before the next input, and earlier output is no longer needed."""
        self._head[_BEGIN] = self._head[_FED]
        _in_order()
        self._head[_EPOCH] += 1

    def set_value(self, index: int, value: float) -> None:
        """Request a value of the parameter ``index``."""
        self.values[index] = value
        _in_order()
        self.serials[index] += 1
        _in_order()
        self._head[_VERSION] += 1

    # -- host -----------------------------------------------------------------------------------------------------------

    def input_at(self, position: int, out: Audio) -> None:
        """Fill ``out`` with the input from ``position`` on, as far as ``fed`` was read."""
        _in_order()
        _take(self._input, position, out)

    def answer(self, position: int, audio: Audio) -> None:
        """Write output at ``position`` and increase ``done``."""
        _put(self._output, position, audio)
        _in_order()
        self._head[_DONE] = position + len(audio)

    def requests(self, seen: npt.NDArray[np.int64]) -> list[tuple[int, float]]:
        """Index and value of each parameter that was requested after the serial numbers ``seen``, which are updated.

        Read ``version`` first.
        """
        _in_order()
        now = self.serials[: len(seen)].copy()
        _in_order()
        fresh = np.flatnonzero(now != seen)
        seen[:] = now
        return [(int(index), float(self.values[index])) for index in fresh]

    def follow(self) -> bool:
        """Start the new epoch, if there is one. Returns whether the plugin must be reset."""
        epoch = self.epoch
        if self.seen == epoch:
            return False
        _in_order()
        self._head[_DONE] = self._head[_BEGIN]
        _in_order()
        self._head[_SEEN] = epoch
        return True

    def skip(self, block: int) -> None:
        """Skip input that was overwritten before it was processed. Its output is no longer needed."""
        if self.fed - self.done > self.capacity - block:
            self._head[_VALID] = begin = self.fed - block
            _in_order()
            self._head[_DONE] = begin

    # -- both -----------------------------------------------------------------------------------------------------------

    def remove_name(self) -> None:
        """Remove the file's name. Both ends must have opened it."""
        if sys.platform != "win32":
            with contextlib.suppress(OSError):
                self.path.unlink()

    def close(self) -> None:
        """Remove the name if it is still there. The memory is freed with the last reference."""
        self.remove_name()


def _in_order() -> None:
    """A memory barrier: what this thread reads and writes before it comes before what it reads and writes afterwards.

    Python has none by name. Releasing and then acquiring a lock is one, as both synchronise memory (POSIX.1-2017, 4.12) and neither may
    pass the other. Nobody else knows the lock, so this never waits; it takes a third of a microsecond.
    """
    lock = Lock()
    lock.acquire()
    lock.release()
    lock.acquire()


def pack_midi(position: int, data: bytes) -> bytes:
    """A datagram with a MIDI message for the frame at ``position``."""
    return _MIDI.pack(MIDI, position, len(data)) + data


def unpack_midi(word: bytes) -> tuple[int, bytes]:
    """Inverse of ``pack_midi``."""
    _, position, size = _MIDI.unpack_from(word)
    return position, word[_MIDI.size : _MIDI.size + size]


def file_size(capacity: int, channels: int) -> int:
    """Bytes of the file."""
    return 8 * _HEAD + 16 * MAX_PARAMETERS + 2 * 4 * capacity * channels


def create_file(capacity: int, channels: int) -> Path:
    """Create a private file of zeros, in memory if the system has such a place; under Windows, only the name of such memory.

    Raises StemplayError if there is no room.
    """
    if sys.platform == "win32":
        return Path(f"stemplay-plugin-{secrets.token_hex(16)}")
    folder = str(MEMORY) if MEMORY.is_dir() and os.access(MEMORY, os.W_OK) else None
    name = ""
    try:
        handle, name = tempfile.mkstemp(prefix="stemplay-plugin-", dir=folder)
        with os.fdopen(handle, "wb") as file:
            file.write(bytes(file_size(capacity, channels)))
    except OSError as error:
        if name:
            Path(name).unlink(missing_ok=True)
        raise StemplayError(f"There is no room for the sound of a plugin: {error.strerror}.") from None
    return Path(name)


def _put(ring: Audio, position: int, audio: Audio) -> None:
    offset = position % len(ring)
    first = min(len(audio), len(ring) - offset)
    ring[offset : offset + first] = audio[:first]
    ring[: len(audio) - first] = audio[first:]


def _take(ring: Audio, position: int, out: Audio) -> None:
    offset = position % len(ring)
    first = min(len(out), len(ring) - offset)
    out[:first] = ring[offset : offset + first]
    out[first:] = ring[: len(out) - first]
