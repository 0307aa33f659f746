"""Writes sound files of any length in blocks of float32 ``(frames, channels)``.

Writing is atomic: the sound is written to ``NAME.part``, which is renamed to ``NAME`` at the end.

An existing unfinished file, of another writer or of one that was killed, is kept: the new one is then ``NAME.2.part``.

- ``wav``: 32-bit float, unchanged, levels above full scale kept. A header with room for RF64's 64-bit sizes (EBU Tech 3306)
  becomes plain RIFF at the end, or RF64 if the file has passed 4 GiB: one file, whatever its length.
- ``flac``: 24 bit. A sample becomes ``round(x * 2**23)``, so it is off by at most ``2**-24`` (-144 dB); levels outside
  -1 to 1 - 2**-23 are clipped, and ``Writer.clipped`` counts them.
"""

from __future__ import annotations

import contextlib
import io
import itertools
import os
import shutil
import struct
from abc import ABC, abstractmethod
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import numpy as np
import soundfile

from rtaudio.audio.format import Audio, StemplayError
from rtaudio.files.tags import Tags, write_tags

RIFF_LIMIT = 0xFFFF_FFFE
"""Largest size that a RIFF header can state, in bytes. A larger file becomes RF64."""

FORMATS = ("wav", "flac")

PART = ".part"
"""Suffix of a file until it is complete."""


class Writer(ABC):
    """A sound file being written; made by ``create_writer``. As a context manager: closed at the end, discarded on an error.

    Attributes:
        path: its final name.
        part: its name until it is closed.
        frames: written so far.
        clipped: samples changed because the format cannot hold their level.
        tags: written at the end.
        kind: what ``write_tags`` calls the format.
    """

    kind = "wav"

    def __init__(self, path: Path, rate: int, channels: int, exclusive: bool) -> None:
        self.path, self.part, self.rate, self.channels = path, path.with_name(path.name + PART), rate, channels
        self.frames = self.clipped = 0
        self.tags = Tags()
        self.closed = False
        self._raw = self._open(exclusive)

    def _open(self, exclusive: bool) -> io.FileIO:
        for number in itertools.count(2):
            try:
                return io.FileIO(self.part, "x+")
            except FileExistsError:
                if exclusive:
                    raise
                self.part = self.path.with_name(f"{self.path.name}.{number}{PART}")
        raise AssertionError("numbers never end")

    def write(self, audio: Audio) -> None:
        """Append ``(frames, channels)``; non-finite samples become silence. Raises StemplayError if the disk refuses it."""
        if audio.ndim != 2 or audio.shape[1] != self.channels:
            raise ValueError(f"expected (frames, {self.channels}), got {audio.shape}")
        if not np.isfinite(audio).all():
            audio = np.nan_to_num(audio, nan=0.0, posinf=0.0, neginf=0.0)
        try:
            self._append(audio)
        except OSError as error:
            raise StemplayError(f"{self.path} cannot be written: {reason(error)}.") from error
        self.frames += len(audio)

    def close(self, frames: int | None = None, keep: bool = False) -> None:
        """Finish the file and rename it. After a failed write it contains what was written before.

        ``frames`` cuts it to at most this length (WAV only). If the disk refuses the end of the file, the file is removed, or with
        ``keep`` renamed with its present content; StemplayError is raised in both cases.
        """
        if self.closed:
            return
        self.closed = True
        try:
            try:
                self._finish(self.frames if frames is None else min(frames, self.frames))
                self._tag()
            finally:
                self._raw.close()
                if keep:
                    os.replace(self.part, self.path)
            if not keep:
                os.replace(self.part, self.path)
        except OSError as error:
            with contextlib.suppress(OSError):
                self.part.unlink(missing_ok=True)
            raise StemplayError(f"{self.path} cannot be finished: {reason(error)}.") from error

    def discard(self) -> None:
        """Close and remove the unfinished file."""
        if self.closed:
            return
        self.closed = True
        with contextlib.suppress(OSError, soundfile.LibsndfileError):
            self._abandon()
        self._raw.close()
        with contextlib.suppress(OSError):
            self.part.unlink()

    def _tag(self) -> None:
        if self.tags == Tags():
            return
        buffered = io.BufferedRandom(self._raw)
        try:
            write_tags(buffered, self.kind, self.tags)
            buffered.flush()
        finally:
            with contextlib.suppress(OSError):
                buffered.detach()

    def sync(self) -> None:  # noqa: B027 - optional
        """Make the unfinished file readable in its present state, if the format allows it. May raise OSError."""

    @abstractmethod
    def _append(self, audio: Audio) -> None: ...

    @abstractmethod
    def _finish(self, frames: int) -> None: ...

    def _abandon(self) -> None:  # noqa: B027 - optional
        """Release everything except the raw file."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is None:
            self.close()
        else:
            self.discard()


def _write_all(raw: Any, data: memoryview | bytes) -> None:
    """Write all of ``data`` to an unbuffered file, whose ``write`` may write less at a time."""
    view = memoryview(data).cast("B")
    while view:
        view = view[raw.write(view) :]


def wav_header(frames: int, channels: int, rate: int) -> bytes:
    """The first ``WavWriter.HEADER`` bytes of a float32 file: RIFF, or RF64 if its sizes need more than 32 bits."""
    frame, size = 4 * channels, 4 * channels * frames
    riff = WavWriter.HEADER - 8 + size
    large = riff > RIFF_LIMIT
    if large:
        head = struct.pack("<4sI4s4sIQQQI", b"RF64", 0xFFFF_FFFF, b"WAVE", b"ds64", 28, riff, size, frames, 0)
    else:
        head = struct.pack("<4sI4s4sI28x", b"RIFF", riff, b"WAVE", b"JUNK", 28)
    head += struct.pack("<4sIHHIIHH", b"fmt ", 16, 3, channels, rate, rate * frame, frame, 32)
    head += struct.pack("<4sII", b"fact", 4, 0xFFFF_FFFF if large else frames)
    return head + struct.pack("<4sI", b"data", 0xFFFF_FFFF if large else size)


class WavWriter(Writer):
    """Float32 WAV, RF64 from 4 GiB on."""

    HEADER = 92

    def __init__(self, path: Path, rate: int, channels: int, exclusive: bool) -> None:
        super().__init__(path, rate, channels, exclusive)
        self._raw.write(self._header(0))

    def _header(self, frames: int) -> bytes:
        return wav_header(frames, self.channels, self.rate)

    def _append(self, audio: Audio) -> None:
        _write_all(self._raw, np.ascontiguousarray(audio, "<f4").tobytes())

    def sync(self) -> None:
        self._raw.seek(0)
        _write_all(self._raw, self._header(self.frames))
        self._raw.seek(0, os.SEEK_END)

    def _finish(self, frames: int) -> None:
        # A write that failed half-way leaves an incomplete frame: cut the file after the last complete write.
        self._raw.truncate(self.HEADER + 4 * self.channels * frames)
        self.frames = frames
        self.sync()


def wav_frames(path: Path) -> tuple[int, int]:
    """Number of complete frames in an unfinished file of a ``WavWriter``, and its rate. The length in its header is ignored.

    Raises OSError, or StemplayError if another program wrote the file.
    """
    channels, rate = _wav_head(path)
    return max(0, path.stat().st_size - WavWriter.HEADER) // (4 * channels), rate


def cut_wav(path: Path, frames: int) -> None:
    """Cut an unfinished file of a ``WavWriter`` to ``frames`` frames, and update its header. Raises like ``wav_frames``."""
    channels, rate = _wav_head(path)
    with path.open("r+b", buffering=0) as raw:
        raw.truncate(WavWriter.HEADER + 4 * channels * frames)
        _write_all(raw, wav_header(frames, channels, rate))
        os.fsync(raw.fileno())


def _wav_head(path: Path) -> tuple[int, int]:
    """Channels and rate."""
    with path.open("rb") as file:
        head = file.read(WavWriter.HEADER)
    if not head:  # without even a header: no frames
        return 1, 1
    if len(head) == WavWriter.HEADER:
        channels, rate = struct.unpack_from("<HI", head, 58)
        ours = head[:4] in (b"RIFF", b"RF64") and 0 < channels <= 256 and 0 < rate < 1 << 24
        if ours and head[48:80] == wav_header(0, channels, rate)[48:80] and head[84:88] == b"data":
            return channels, rate
    raise StemplayError(f"{path} is not a recording of this program.")


class Guarded:
    """Wraps the raw file for libsndfile, through which exceptions cannot pass. It keeps the first one for the writer."""

    def __init__(self, raw: Any) -> None:
        self._raw = raw
        self.error: OSError | None = None

    def write(self, data: bytes) -> int:
        try:
            _write_all(self._raw, data)
        except OSError as error:
            self.error = self.error or error
            return 0
        return len(data)

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        return int(self._raw.seek(offset, whence))

    def tell(self) -> int:
        return int(self._raw.tell())

    def read(self, size: int = -1) -> bytes:
        return bytes(self._raw.read(size))

    def readinto(self, buffer: Any) -> int:
        return int(self._raw.readinto(buffer))

    def flush(self) -> None: ...


class SoundFileWriter(Writer):
    """A format that libsndfile writes.

    Attributes:
        stored_rate: Hz of the file.
    """

    def __init__(self, path: Path, rate: int, channels: int, exclusive: bool) -> None:
        super().__init__(path, rate, channels, exclusive)
        self._guard = Guarded(self._raw)
        self.stored_rate = self._rate_for(rate)
        try:
            self._file = soundfile.SoundFile(self._guard, "w", self.stored_rate, channels, **self._options())
        except soundfile.LibsndfileError:
            self._raw.close()
            self.part.unlink(missing_ok=True)
            raise StemplayError(f"{self.kind.upper()} cannot hold {channels} channels at {rate} Hz; choose wav.") from None

    def _rate_for(self, rate: int) -> int:
        """The rate that a file of sound at ``rate`` Hz has."""
        return rate

    @abstractmethod
    def _options(self) -> dict[str, Any]:
        """Arguments of ``soundfile.SoundFile``."""

    def _store(self, samples: Any) -> None:
        try:
            self._file.write(samples)
        except (soundfile.LibsndfileError, AssertionError, RuntimeError) as error:
            raise self._guard.error or OSError(str(error)) from None
        if self._guard.error:
            raise self._guard.error

    def _finish(self, frames: int) -> None:
        earlier = self._guard.error
        with contextlib.suppress(soundfile.LibsndfileError):
            self._file.close()
        if self._guard.error and not earlier:
            raise self._guard.error

    def _abandon(self) -> None:
        self._file.close()


class FlacWriter(SoundFileWriter):
    """24-bit FLAC."""

    kind = "flac"

    def _options(self) -> dict[str, Any]:
        return {"format": "FLAC", "subtype": "PCM_24"}

    def _append(self, audio: Audio) -> None:
        scaled = np.rint(audio * np.float32(1 << 23))
        limited = np.clip(scaled, -(1 << 23), (1 << 23) - 1)
        self.clipped += int(np.count_nonzero(limited != scaled))
        self._store(limited.astype(np.int32) << 8)


def create_writer(
    path: str | Path,
    rate: int,
    channels: int,
    format: str = "wav",
    frames_hint: int | None = None,
    *,
    exclusive: bool = False,
) -> Writer:
    """Start writing ``path``; an existing file is replaced only when the new one is complete.

    Args:
        path: final name.
        rate: Hz.
        channels: of the sound.
        format: ``wav`` (float32) or ``flac`` (24 bit).
        frames_hint: expected length; a WAV for which the disk has no room is refused at once.
        exclusive: refuse if an unfinished file of this name exists, instead of writing beside it.

    Raises StemplayError: unknown format, folder missing or not writable, disk too small.
    """
    path = Path(path)
    if format not in FORMATS:
        raise StemplayError(f"{format!r} is not an output format; choose {' or '.join(FORMATS)}.")
    if path.is_dir():
        raise StemplayError(f"{path} is a folder, so a sound file cannot have this name.")
    try:
        if frames_hint and format == "wav":
            needed, free = WavWriter.HEADER + 4 * channels * frames_hint, shutil.disk_usage(path.parent).free
            if needed > free:
                raise StemplayError(
                    f"{path} would take {needed / 2**20:.0f} MiB and only {free / 2**20:.0f} MiB are free."
                )
        return (WavWriter if format == "wav" else FlacWriter)(path, rate, channels, exclusive)
    except (OSError, ValueError) as error:
        raise StemplayError(f"{path} cannot be written: {reason(error)}.") from None


@contextlib.contextmanager
def output_folder(folder: Path) -> Iterator[None]:
    """Make ``folder``. An error inside the block removes what was made, unless there is something in it.

    Raises StemplayError if it cannot be made.
    """
    made = [path for path in (folder, *folder.parents) if not os.path.exists(path)]  # the deepest first
    try:
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise StemplayError(f"The folder {folder} cannot be made: {reason(error)}.") from None
        yield
    except BaseException:
        with contextlib.suppress(OSError):  # stops at the first one that is not empty
            for path in made:
                path.rmdir()
        raise


def reason(error: Exception) -> str:
    """The system's message as part of a sentence."""
    return (error.strerror if isinstance(error, OSError) and error.strerror else str(error)).rstrip(".")
