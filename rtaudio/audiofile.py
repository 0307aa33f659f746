"""Sound files in and out."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from types import TracebackType

import soundfile

from rtaudio.format import Audio, StemplayError


class Reader:
    """A sound file as blocks of float32 ``(frames, channels)``. Use as a context manager or iterate ``blocks``."""

    def __init__(self, path: str | Path) -> None:
        try:
            self._file = soundfile.SoundFile(str(path))
        except (soundfile.LibsndfileError, OSError) as error:
            raise StemplayError(f"{path} cannot be read as a sound file: {error}") from None
        self.rate, self.channels, self.frames = self._file.samplerate, self._file.channels, self._file.frames

    def blocks(self, frames: int = 1 << 16) -> Iterator[Audio]:
        """The rest of the file in blocks of at most ``frames``."""
        while len(block := self._file.read(frames, dtype="float32", always_2d=True)):
            yield block

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def __enter__(self) -> Reader:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()


def open_reader(path: str | Path) -> Reader:
    """Open a sound file for reading in blocks. Raises StemplayError with one sentence if that cannot be."""
    return Reader(path)
