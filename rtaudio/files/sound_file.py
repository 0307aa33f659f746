"""Reads sound files of any length in blocks of float32 ``(frames, channels)``, and opens writers.

It reads all formats of soundfile, and others through PyAV or the ffmpeg program if installed. A file that is not sound or contains none
raises StemplayError. A damaged or truncated file gives the sound before the damage, and samples that are not finite become silence;
``Reader.warnings`` reports both, one sentence each. Writing: ``rtaudio/files/writer.py``.
"""

from __future__ import annotations

import contextlib
import shutil
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from types import TracebackType
from typing import Self

import numpy as np
import soxr

from rtaudio.audio.format import MAX_RATE, MIN_RATE, Audio, StemplayError
from rtaudio.files.decoders import DECODERS, Decoder, NotReadable
from rtaudio.files.writer import FORMATS, Writer, create_writer, reason

__all__ = [
    "FORMATS",
    "Reader",
    "Writer",
    "create_writer",
    "in_steps",
    "open_reader",
    "read_audio",
    "require_undamaged",
    "resampled",
]

MAX_CHANNELS = 64

Progress = Callable[[float], None]
"""Called with the completed share, 0 to 1."""


def in_steps(progress: Progress, steps: int = 100) -> Progress:
    """Pass on at most ``steps`` calls with increasing shares, and a last one with 1.0, for slow progress bars and pipes."""
    told = 0.0

    def tell(share: float) -> None:
        nonlocal told
        if share > told and (share >= 1.0 or share - told >= 1.0 / steps):
            told = min(1.0, share)
            progress(told)

    return tell


class Reader:
    """Reads a sound file in blocks. A context manager; made by ``open_reader``.

    Attributes:
        rate: Hz.
        channels: number of channels.
        frames: length stated by the file, 0 if it states none; an estimate for some MP3 files.
        decoder: ``soundfile``, ``PyAV`` or ``ffmpeg``.
        position: frames read so far.
    """

    def __init__(self, path: Path, decoder: Decoder, first: Audio) -> None:
        self.path, self._decoder, self._first = path, decoder, first
        self.rate, self.channels, self.frames = decoder.rate, decoder.channels, decoder.frames or 0
        self.decoder = decoder.name
        self.position = 0
        self._mended = 0

    @property
    def warnings(self) -> list[str]:
        """Problems of the sound read so far, one sentence each; complete after the last block."""
        found = []
        if self._decoder.complaint:
            length = f" of {self.frames / self.rate:.1f}" if self.frames and self.frames > self.position else ""
            found.append(
                f"{self.path.name}: {self._decoder.complaint}; {self.position / self.rate:.1f}{length} s of it could be read."
            )
        if self._mended:
            found.append(f"{self.path.name}: {self._mended} samples are not finite numbers and were replaced by silence.")
        return found

    def blocks(self, frames: int = 1 << 16, progress: Progress | None = None) -> Iterator[Audio]:
        """The rest of the file in blocks of 1 to ``frames`` frames.

        ``progress`` is called with the share read, 0 to 1, after each block (only 1.0, at the end, when the length is unknown).
        """
        block, self._first = self._first, self._first[:0]
        while len(block) or len(block := self._decoder.read()):
            self._mend(block)
            for start in range(0, len(block), frames):
                piece = block[start : start + frames]
                self.position += len(piece)
                yield piece
                if progress and self.frames:
                    progress(min(1.0, self.position / self.frames))
            block = block[:0]
        if progress:
            progress(1.0)

    def _mend(self, block: Audio) -> None:
        finite = np.isfinite(block)
        if not finite.all():
            self._mended += int(finite.size - np.count_nonzero(finite))
            block[~finite] = 0.0

    def close(self) -> None:
        """Close the file."""
        self._decoder.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def open_reader(path: str | Path) -> Reader:
    """Open a sound file for reading in blocks.

    Its first block is decoded here, so that a file without sound is refused before anything else starts. Raises StemplayError.
    """
    path = readable_file(path)
    empty = False
    for kind in DECODERS:
        try:
            decoder: Decoder = kind(path)
        except NotReadable:
            continue
        try:
            check_stream(path, decoder)
            first = decoder.read()
        except BaseException:
            decoder.close()
            raise
        if len(first):
            return Reader(path, decoder, first)
        empty = True
        decoder.close()
    if empty:
        raise StemplayError(f"{path} contains no sound.")
    if not decoders_installed():
        raise StemplayError(
            f"{path} cannot be read; if it is sound, install PyAV (pip install av) or ffmpeg to read its format."
        )
    raise StemplayError(f"{path} is not a sound file of a known format.")


def readable_file(path: str | Path) -> Path:
    """``path``, which is a file that can be opened and is not empty. Raises StemplayError."""
    path = Path(path)
    try:
        if path.is_dir():
            raise StemplayError(f"{path} is a folder, not a sound file.")
        if not path.is_file():
            raise StemplayError(f"There is no file {path}." if not path.exists() else f"{path} is not a regular file.")
        with path.open("rb") as file:
            if not file.read(1):
                raise StemplayError(f"{path} is empty.")
    except (OSError, ValueError) as error:
        raise StemplayError(f"{path} cannot be opened: {reason(error)}.") from None
    return path


def require_undamaged(path: str | Path) -> None:
    """Decode the whole file without keeping it. Raises StemplayError if ``Reader.warnings`` reports a problem."""
    with open_reader(path) as reader:
        for _ in reader.blocks():
            pass
        if reader.warnings:
            raise StemplayError(" ".join([*reader.warnings, "Nothing was written, because damaged sound is refused."]))


def decoders_installed() -> bool:
    """Whether there is a decoder for formats that soundfile cannot read."""
    if shutil.which("ffmpeg"):
        return True
    with contextlib.suppress(ImportError):
        import av  # noqa: F401

        return True
    return False


def check_stream(path: Path, decoder: Decoder) -> None:
    """Raises StemplayError if a file's rate or number of channels is out of range."""
    if not MIN_RATE <= decoder.rate <= MAX_RATE:
        raise StemplayError(f"{path} has a sample rate of {decoder.rate} Hz, outside {MIN_RATE} to {MAX_RATE} Hz.")
    if not 1 <= decoder.channels <= MAX_CHANNELS:
        raise StemplayError(f"{path} has {decoder.channels} channels; only 1 to {MAX_CHANNELS} can be read.")


def resampled(blocks: Iterable[Audio], rate: int, to_rate: int, channels: int) -> Iterator[Audio]:
    """Convert blocks ``(frames, channels)`` from ``rate`` to ``to_rate``: aligned at sample 0, with soxr's high quality."""
    if rate == to_rate:
        yield from blocks
        return
    stream = soxr.ResampleStream(rate, to_rate, channels, dtype="float32", quality="HQ")
    for block in blocks:
        if len(converted := stream.resample_chunk(np.ascontiguousarray(block))):
            yield converted
    if len(converted := stream.resample_chunk(np.zeros((0, channels), np.float32), last=True)):
        yield converted


def read_audio(path: str | Path, rate: int | None = None) -> tuple[Audio, int]:
    """The whole file, float32 ``(frames, channels)``, and its rate, which is ``rate`` if given (converted).

    It takes 4 bytes a sample, and twice as many for a moment. Use ``open_reader`` for long files. Raises StemplayError.
    """
    with open_reader(path) as reader:
        try:
            blocks = list(resampled(reader.blocks(), reader.rate, rate or reader.rate, reader.channels))
            return (
                np.concatenate(blocks) if blocks else np.zeros((0, reader.channels), np.float32)
            ), rate or reader.rate
        except MemoryError:
            raise StemplayError(f"{path} is too long for the memory.") from None
