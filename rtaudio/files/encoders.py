"""Writers for the formats in which stems leave this program: MP3 and Opus, beside the WAV and FLAC of ``rtaudio/files/writer.py``.

- ``mp3``: 320 kbit/s by LAME, which notes its delay in the file. A player that reads this note (ours does) starts at the first sample.
- ``opus``: Ogg Opus at the encoder's best quality. Opus knows five rates: any other is converted to 48 kHz.

Both are lossy: stems that are decoded again sum to the mix only nearly.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import soxr

from rtaudio.audio.format import Audio, StemplayError
from rtaudio.files.tags import Tags
from rtaudio.files.writer import FORMATS, SoundFileWriter, Writer, create_writer, reason

FULL_RATE = 48_000


class _Converted(SoundFileWriter):
    """Converts to a rate that the format knows."""

    RATES: frozenset[int]

    def __init__(self, path: Path, rate: int, channels: int, exclusive: bool) -> None:
        super().__init__(path, rate, channels, exclusive)
        self._stream: Any = None
        if self.stored_rate != rate:
            self._stream = soxr.ResampleStream(rate, self.stored_rate, channels, dtype="float32", quality="HQ")

    def _rate_for(self, rate: int) -> int:
        return rate if rate in self.RATES else FULL_RATE

    def _append(self, audio: Audio) -> None:
        self._store(self._stream.resample_chunk(np.ascontiguousarray(audio)) if self._stream is not None else audio)

    def _finish(self, frames: int) -> None:
        if self._stream is not None:
            self._store(self._stream.resample_chunk(np.zeros((0, self.channels), np.float32), last=True))
            self._stream = None
        super()._finish(frames)


class Mp3Writer(_Converted):
    """320 kbit/s."""

    kind = "mp3"
    RATES = frozenset((32_000, 44_100, 48_000))

    def _options(self) -> dict[str, Any]:
        return {"format": "MP3", "subtype": "MPEG_LAYER_III", "compression_level": 0.0, "bitrate_mode": "CONSTANT"}


class OpusWriter(_Converted):
    """Best quality."""

    kind = "opus"
    RATES = frozenset((8_000, 12_000, 16_000, 24_000, 48_000))

    def _options(self) -> dict[str, Any]:
        return {"format": "OGG", "subtype": "OPUS", "compression_level": 0.0}


_LOSSY: dict[str, Callable[[Path, int, int, bool], Writer]] = {"mp3": Mp3Writer, "opus": OpusWriter}

SOUND_FORMATS = (*FORMATS, *_LOSSY)
"""One file for each stem."""


def export_writer(path: Path, rate: int, channels: int, format: str, frames_hint: int | None, tags: Tags) -> Writer:
    """As ``create_writer``, for all ``SOUND_FORMATS``, with ``tags``."""
    if format in _LOSSY:
        if path.is_dir():
            raise StemplayError(f"{path} is a folder, so a sound file cannot have this name.")
        try:
            writer = _LOSSY[format](path, rate, channels, False)
        except (OSError, ValueError) as error:
            raise StemplayError(f"{path} cannot be written: {reason(error)}.") from None
    else:
        writer = create_writer(path, rate, channels, format, frames_hint)
    writer.tags = tags
    return writer
