"""A whole song, decoded and converted to the device's rate, so that the audio callback can read it without waiting.

It takes 4 bytes a sample: 21 MB a minute for stereo at 44.1 kHz. Up to ``MEMORY_LIMIT`` bytes (25 minutes) it is held in memory. A longer
one is held in an unnamed temporary file that is mapped into memory. The player keeps the parts near the playing position in the system's
cache (``Song.prefetch``), so that the callback does not wait for the disk.
"""

from __future__ import annotations

import mmap
import tempfile
import threading
from collections.abc import Iterable
from itertools import chain
from pathlib import Path
from typing import IO

import numpy as np

from rtaudio.audio.format import SOURCES, Audio, StemplayError, to_channels
from rtaudio.files.sound_file import Progress, in_steps, open_reader, resampled
from rtaudio.files.stem_file import StemLabel, open_stems
from rtaudio.files.writer import reason

MEMORY_LIMIT = 1 << 29
"""Largest song that is held in memory, in bytes."""


class Song:
    """Decoded samples ``(frames, parts * channels)``. ``file`` is the mapped temporary file of a long song.

    ``parts``: 1, or the number of stems that lie side by side (a stem file). ``labels``: of the stems, by their strips.
    """

    def __init__(self, samples: Audio, file: IO[bytes] | None = None, warnings: list[str] | None = None) -> None:
        self.samples, self.warnings = samples, warnings or []
        self.parts = 1
        self.labels: dict[str, StemLabel] = {}
        self._file = file
        self._lock = threading.Lock()

    @property
    def on_disk(self) -> bool:
        """Whether the samples live in a temporary file."""
        return self._file is not None

    def prefetch(self, start: int, stop: int) -> None:
        """Read the frames ``start`` to ``stop`` into the system's cache. It may wait for the disk, so the callback must not call it."""
        if self._file is None:
            return
        frame = 4 * self.samples.shape[1]
        with self._lock:
            if not self._file.closed:
                # Reading the file fills the cache that the mapping shares, and does so without holding the interpreter.
                self._file.seek(max(0, start) * frame)
                self._file.read(max(0, min(stop, len(self.samples)) - max(0, start)) * frame)

    def close(self) -> None:
        """Release the temporary file. Call it when ``samples`` are not read any more."""
        with self._lock:
            if self._file is not None:
                self._file.close()


def load_song(path: str | Path, rate: int, channels: int, progress: Progress | None = None) -> Song:
    """Decode ``path`` and convert it to ``rate`` and ``channels`` (see ``to_channels``).

    ``progress`` is called with the share done, 0 to 1, about a hundred times at most. ``Song.warnings`` lists problems of
    the file. Raises StemplayError if the file is not a sound file, or if neither memory nor disk can hold it.
    """
    with open_reader(path) as reader:
        blocks = (
            to_channels(block, channels) for block in reader.blocks(progress=in_steps(progress) if progress else None)
        )
        song = _loaded(path, resampled(blocks, reader.rate, rate, channels), reader.frames * rate // reader.rate, channels)
        song.warnings = reader.warnings
        return song


def load_stems(path: str | Path, rate: int, progress: Progress | None = None) -> Song:
    """Decode the stems of a stem file, convert them to ``rate``, and place them side by side, in the order of ``SOURCES``.

    It takes four times the memory of a song. Else as ``load_song``.
    """
    with open_stems(path) as reader:
        width = len(SOURCES) * reader.channels
        blocks = reader.blocks(progress=in_steps(progress) if progress else None)
        song = _loaded(path, resampled(blocks, reader.rate, rate, width), reader.frames * rate // reader.rate, width)
        song.parts, song.labels, song.warnings = len(SOURCES), reader.labels, reader.warnings
        return song


def _loaded(path: str | Path, blocks: Iterable[Audio], expected: int, channels: int) -> Song:
    """All blocks as a song. ``expected``: frames, 0 if unknown. Raises StemplayError."""
    try:
        collect = _to_disk if expected * 4 * channels > MEMORY_LIMIT else _collect
        samples, file = collect(blocks, channels)
    except (OSError, MemoryError) as error:
        what = reason(error) if isinstance(error, OSError) else "not enough memory"
        raise StemplayError(f"{path} cannot be loaded: {what} (TMPDIR chooses the folder of long songs).") from None
    if not len(samples):
        raise StemplayError(f"{path} contains no sound.")
    return Song(samples, file)


def _collect(blocks: Iterable[Audio], channels: int) -> tuple[Audio, IO[bytes] | None]:
    """All blocks as one array: in memory, or from ``MEMORY_LIMIT`` on in a mapped temporary file."""
    audio, filled = np.empty((1 << 20, channels), np.float32), 0
    remaining = iter(blocks)
    for block in remaining:
        if (filled + len(block)) * 4 * channels > MEMORY_LIMIT:
            return _to_disk(chain([audio[:filled], block], remaining), channels)
        if filled + len(block) > len(audio):
            audio.resize((max(2 * len(audio), filled + len(block)), channels), refcheck=False)
        audio[filled : filled + len(block)] = block
        filled += len(block)
    audio.resize((filled, channels), refcheck=False)
    return audio, None


def _to_disk(blocks: Iterable[Audio], channels: int) -> tuple[Audio, IO[bytes] | None]:
    file = tempfile.TemporaryFile(prefix="stemplay-song-")  # noqa: SIM115 - lives as long as the song
    try:
        for block in blocks:
            file.write(np.ascontiguousarray(block).data)
        file.flush()
        mapped = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
    except BaseException:
        file.close()
        raise
    return np.frombuffer(mapped, np.float32).reshape(-1, channels), file
