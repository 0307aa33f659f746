"""Decodes a sound file into float32 blocks, with soundfile, else PyAV, else the ffmpeg program.

Each decoder is a class with ``rate``, ``channels``, ``frames`` (None when unknown), ``read()`` (the next block, empty at the
end), ``complaint`` (a description of damage, or empty) and ``close()``. Opening raises ``NotReadable`` if the decoder does not know the
format. Damage in mid-file ends the sound and sets ``complaint``. It is not an error: the sound before it is kept.
"""

from __future__ import annotations

import re
import shutil
import struct
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import soundfile

from rtaudio.audio.format import Audio

PIECE = 4096
"""Frames decoded at once. Before damage in mid-file, fewer frames than this are lost."""

BLOCK = 16 * PIECE

_PACKET = 4096
"""Frames by which a stated length may be too long without meaning damage: encoders round up to whole packets."""


class NotReadable(Exception):  # noqa: N818 - a negative answer, not an error
    """This decoder cannot read the file."""


class Decoder(Protocol):
    """See the module's docstring."""

    name: str
    rate: int
    channels: int
    frames: int | None
    complaint: str

    def read(self) -> Audio: ...

    def close(self) -> None: ...


class _StraightSoundFile(soundfile.SoundFile):  # type: ignore[misc]
    """A SoundFile that is only read sequentially. soundfile seeks after every read, and a seek mutes the next frame of an MP3."""

    def seekable(self) -> bool:
        return False


class SoundFileDecoder:
    """libsndfile: WAV, RF64, W64, AIFF, CAF, FLAC, Ogg Vorbis and Opus, MP3 and about fifteen more."""

    name: str = "soundfile"

    def __init__(self, path: Path) -> None:
        try:
            self._file = _StraightSoundFile(str(path))
        except (soundfile.LibsndfileError, OSError, TypeError, ValueError) as error:
            raise NotReadable(str(error)) from None
        self.rate, self.channels = int(self._file.samplerate), int(self._file.channels)
        # Streamed files carry 2**63 - 1 or the like for "unknown".
        self.frames: int | None = int(self._file.frames) if 0 <= self._file.frames < 1 << 48 else None
        # MP3 lengths may be estimates, good to some per cent.
        self._least = None if self.frames is None else int(self.frames * (0.95 if self._file.format == "MP3" else 1.0))
        self._position = 0
        self.complaint = "it is cut short" if _header_claims_more(self._file.extra_info) else ""

    def read(self) -> Audio:
        block = np.empty((BLOCK, self.channels), np.float32)
        filled = 0
        while filled < BLOCK:
            try:
                got = len(self._file.read(out=block[filled : filled + PIECE]))
            except (soundfile.LibsndfileError, RuntimeError):
                got = 0
                self.complaint = "it is damaged"
            if not got:
                break
            filled += got
        self._position += filled
        if filled < BLOCK and self._least is not None and self._position < self._least and not self.complaint:
            self.complaint = "it is cut short"
        return block[:filled]

    def close(self) -> None:
        self._file.close()


def _header_claims_more(log: str) -> bool:
    """Whether libsndfile's log reports a data chunk larger than the file, except for sizes that mean "unknown"."""
    for claimed, actual in re.findall(r"(?:data|riff|SSND|Data Size)\s*:\s*(\d+) \(should be (\d+)\)", log):
        if int(actual) < int(claimed) < 0x7FFF_0000:
            return True
    return False


class AvDecoder:
    """PyAV (FFmpeg's libraries): M4A/AAC, WMA, and the sound of most films. ``track``: which of its tracks of sound, from 0."""

    name: str = "PyAV"

    def __init__(self, path: Path, track: int = 0) -> None:
        try:
            import av
        except ImportError:
            raise NotReadable("PyAV is not installed") from None
        self._av = av
        self.complaint = ""
        try:
            # Open only this file: a playlist must not make FFmpeg open addresses.
            self._container = av.open(str(path.resolve()), options={"protocol_whitelist": "file"})
        except (av.FFmpegError, OSError, ValueError) as error:
            raise NotReadable(str(error)) from None
        found = self._container.streams.audio[track : track + 1]
        if not found or not getattr(found[0], "rate", 0):  # a header with an unknown codec gives a stream without one
            self._container.close()
            raise NotReadable("no sound in it")
        stream = found[0]
        self.rate, self.channels = int(stream.rate), len(stream.layout.channels)
        self.frames: int | None = None
        if stream.duration and stream.time_base and stream.time_base * self.rate == 1:
            self.frames = int(stream.duration)  # exact: the encoder's padding comes after it
        self._position = 0
        self._blocks = self._decode(stream)

    def _decode(self, stream: Any) -> Iterator[Audio]:
        resampler = self._av.AudioResampler(format="flt", layout=stream.layout, rate=self.rate)
        left = self.frames if self.frames is not None else 1 << 62
        try:
            frames = self._container.decode(stream)
            for frame in frames:
                for piece in resampler.resample(frame):
                    block: Audio = piece.to_ndarray().reshape(-1, self.channels)[:left].astype(np.float32, copy=False)
                    left -= len(block)
                    yield block
        except (self._av.FFmpegError, ValueError, OSError):
            self.complaint = "it is damaged"

    def read(self) -> Audio:
        blocks, total = [], 0
        for block in self._blocks:
            blocks.append(block)
            total += len(block)
            if total >= BLOCK:
                break
        self._position += total
        if total < BLOCK and self.frames is not None and self._position + _PACKET < self.frames and not self.complaint:
            self.complaint = "it is cut short"
        return (
            np.concatenate(blocks).astype(np.float32, copy=False)
            if blocks
            else np.zeros((0, self.channels), np.float32)
        )

    def close(self) -> None:
        self._blocks = iter(())
        self._container.close()


class FfmpegDecoder:
    """The ``ffmpeg`` program, writing Sun AU (the simplest header that has rate and channels) to a pipe. ``track``: as in ``AvDecoder``."""

    name: str = "ffmpeg"

    def __init__(self, path: Path, track: int = 0) -> None:
        program = shutil.which("ffmpeg")
        if program is None:
            raise NotReadable("ffmpeg is not installed")
        self.complaint = ""
        self.frames: int | None = None
        source = [
            program,
            "-v",
            "quiet",
            "-nostdin",
            "-protocol_whitelist",
            "file,pipe",
            "-i",
            f"file:{path.resolve()}",
        ]
        self._process = subprocess.Popen(
            [*source, "-map", f"0:a:{track}", "-c:a", "pcm_f32be", "-f", "au", "-"],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )
        head = self._pull(24)
        if len(head) < 24 or head[:4] != b".snd":
            self.close()
            raise NotReadable("ffmpeg finds no sound in it")
        offset, _, _, self.rate, self.channels = struct.unpack(">5I", head[4:])
        self._pull(offset - 24)

    def _pull(self, count: int) -> bytes:
        assert self._process.stdout is not None
        return self._process.stdout.read(count)

    def read(self) -> Audio:
        size = 4 * self.channels
        data = self._pull(BLOCK * size)
        if len(data) < BLOCK * size and self._process.wait() != 0:
            self.complaint = "it is damaged"
        return np.frombuffer(data[: len(data) // size * size], ">f4").astype(np.float32).reshape(-1, self.channels)

    def close(self) -> None:
        if self._process.stdout is not None:
            self._process.stdout.close()
        if self._process.poll() is None:
            self._process.kill()
        self._process.wait()


DECODERS: tuple[Callable[[Path], Decoder], ...] = (
    SoundFileDecoder,
    AvDecoder,
    FfmpegDecoder,
)
"""In the order they are tried."""
