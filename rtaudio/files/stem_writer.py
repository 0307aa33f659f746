"""Writes Native Instruments' stem files: an MP4 with the mix and four stems, and the atom that names and colours them.

The mix is the sum of the stems. Each track is AAC (256 kbit/s) or ALAC (lossless, 24 bit). An AAC encoder needs a lead-in of 1024
samples. The file says so in an edit list, and a decoder that follows it (FFmpeg's and ours do) starts at the first sample. In one that
does not, all five tracks are late by the same 1024 samples. Source: Native Instruments' specification of stem files, 2015.
"""

from __future__ import annotations

import contextlib
import io
import json
import struct
from collections.abc import Mapping
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np

from rtaudio.audio.format import SOURCES, Audio, StemplayError
from rtaudio.files.stem_file import CHANNELS, StemLabel
from rtaudio.files.tags import Tags
from rtaudio.files.writer import Guarded, Writer, reason

CODECS = {"stem.mp4": "aac", "alac.stem.mp4": "alac"}
"""Formats, which are also the files' suffixes, and their codecs."""
BITRATE = 256_000
AAC_RATES = (96_000, 88_200, 64_000, 48_000, 44_100, 32_000, 24_000, 22_050, 16_000, 12_000, 11_025, 8_000)

LABELS = {
    "drums": StemLabel("Drums", "#009e73"), "bass": StemLabel("Bass", "#d55e00"), "other": StemLabel("Other", "#cc79a7"),
    "vocals": StemLabel("Vocals", "#56b4e9"),
}  # fmt: skip
"""Names and colours of the stems; the colours are those of Native Instruments' own songs."""

MASTERING = {
    "compressor": {
        "enabled": False, "input_gain": 0.0, "output_gain": 0.0, "threshold": 0.0, "ratio": 3.0, "attack": 0.003, "release": 0.3,
        "hp_cutoff": 300.0, "dry_wet": 50.0,
    },
    "limiter": {"enabled": False, "threshold": 0.0, "ceiling": -0.35, "release": 0.05},
}  # fmt: skip
"""Settings of the effects on the stems' sum, which the format demands. Both are off, because the stems sum to the mix without them."""


class StemWriter(Writer):
    """Writes blocks ``(frames, len(SOURCES) * CHANNELS)``: the stems side by side, in the order of ``SOURCES``.

    Args:
        codec: ``aac`` or ``alac``.
        labels: name and colour of each stem, by its strip.

    Raises:
        StemplayError: PyAV is not installed, or the codec does not know the rate.
    """

    kind = "mp4"

    def __init__(self, path: Path, rate: int, codec: str, labels: Mapping[str, StemLabel], tags: Tags) -> None:
        try:
            import av
        except ImportError:
            raise StemplayError("Stem files are written with PyAV: pip install av.") from None
        if codec == "aac" and rate not in AAC_RATES:
            raise StemplayError(f"AAC cannot hold {rate} Hz; choose --format alac.stem.mp4.")
        try:
            super().__init__(path, rate, len(SOURCES) * CHANNELS, False)
        except (OSError, ValueError) as error:
            raise StemplayError(f"{path} cannot be written: {reason(error)}.") from None
        self._av: Any = av
        self.tags, self._labels = tags, labels
        self._guard = Guarded(self._raw)
        self._container: Any
        self._pts = 0
        try:
            self._container = self._av.open(self._guard, "w", format="mp4", options={"movie_timescale": str(rate)})
            self._tracks = [self._add_track(codec, name) for name in ("Mix", *(self._label(strip).name for strip in SOURCES))]
        except (av.FFmpegError, ValueError) as error:
            self._raw.close()
            self.part.unlink(missing_ok=True)
            raise StemplayError(f"{path} cannot be written: {reason(error)}.") from None

    def _label(self, strip: str) -> StemLabel:
        own, usual = self._labels.get(strip, StemLabel("")), LABELS[strip]
        return StemLabel(own.name or usual.name, own.colour or usual.colour)

    def _add_track(self, codec: str, name: str) -> Any:
        track = self._container.add_stream(codec, rate=self.rate, layout="stereo", format="fltp" if codec == "aac" else "s32p")
        if codec == "aac":
            track.bit_rate = BITRATE
        track.time_base = Fraction(1, self.rate)
        track.metadata["handler_name"] = name
        track.disposition = self._av.stream.Disposition.default if name == "Mix" else self._av.stream.Disposition(0)
        return track

    def _append(self, audio: Audio) -> None:
        stems = audio.reshape(len(audio), len(SOURCES), CHANNELS)
        for track, signal in zip(self._tracks, (stems.sum(axis=1), *stems.swapaxes(0, 1)), strict=True):
            for packet in track.encode(self._frame(track, np.ascontiguousarray(signal.T))):
                self._mux(packet)
        self._pts += len(audio)

    def _frame(self, track: Any, signal: Any) -> Any:
        """A frame of ``signal`` ``(channels, frames)``."""
        form, samples = track.codec_context.format.name, signal
        if form == "s32p":  # 24 bit, in the upper three bytes
            scaled = np.rint(signal.astype(np.float64) * (1 << 23))
            limited = np.clip(scaled, -(1 << 23), (1 << 23) - 1)
            self.clipped += int(np.count_nonzero(limited != scaled))
            samples = limited.astype(np.int32) << 8
        frame = self._av.AudioFrame.from_ndarray(samples, format=form, layout="stereo")
        frame.sample_rate, frame.pts = self.rate, self._pts
        frame.time_base = track.time_base
        return frame

    def _mux(self, packet: Any) -> None:
        try:
            self._container.mux(packet)
        except self._av.FFmpegError as error:
            raise self._guard.error or OSError(str(error)) from None
        if self._guard.error:
            raise self._guard.error

    def _finish(self, frames: int) -> None:
        if self._guard.error:
            raise self._guard.error
        if not self.frames:
            raise OSError("there is no sound for it")
        for track in self._tracks:
            for packet in track.encode(None):
                self._mux(packet)
        try:
            self._container.close()
        except self._av.FFmpegError as error:
            raise self._guard.error or OSError(str(error)) from None
        if self._guard.error:
            raise self._guard.error

    def _tag(self) -> None:
        super()._tag()
        facts = {
            "version": 1, "mastering_dsp": MASTERING,
            "stems": [{"name": self._label(strip).name, "color": self._label(strip).colour.upper()} for strip in SOURCES],
        }  # fmt: skip
        add_atom(self._raw, json.dumps(facts).encode("utf-8"))

    def _abandon(self) -> None:
        with contextlib.suppress(self._av.FFmpegError, ValueError):
            self._container.close()


def add_atom(raw: io.FileIO, data: bytes) -> None:
    """Add ``data`` as the atom ``moov/udta/stem`` of an MP4 whose last atom is ``moov``. Raises OSError."""
    from mutagen.mp4 import AtomError, Atoms

    raw.seek(0)
    try:
        atoms = Atoms(raw)
        movie = atoms[b"moov"]
        if atoms.atoms[-1] is not movie:
            raise OSError("the index of the file is not at its end")
        user = next((child for child in movie.children or [] if child.name == b"udta"), None)
    except (AtomError, KeyError) as error:
        raise OSError(str(error)) from error
    added = struct.pack(">I4s", 8 + len(data), b"stem") + data
    if user is None:
        added = struct.pack(">I4s", 8 + len(added), b"udta") + added
    place = movie.offset + movie.length if user is None else user.offset + user.length
    raw.seek(place)
    rest = raw.read()
    for atom in (movie, user):
        if atom is not None:
            raw.seek(atom.offset)
            _put(raw, struct.pack(">I", atom.length + len(added)))
    raw.seek(place)
    _put(raw, added + rest)


def _put(raw: io.FileIO, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[raw.write(view) or 0 :]
