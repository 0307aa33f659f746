"""Reads stem files (``.stem.mp4``): an MP4 whose first track of sound is a song's mix and whose others are its stems.

Native Instruments' format: the atom ``moov/udta/stem`` holds JSON with a name and a colour for each stem, and the settings of a compressor
and a limiter for their sum. Files without this atom, such as those of MUSDB18, are read, too.

The compressor and the limiter are not applied, and the track of the mix is not read: here the mix is the sum of the stems.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import numpy as np

from rtaudio.audio.format import SOURCES, Audio, StemplayError, to_channels
from rtaudio.files.decoders import AvDecoder, Decoder, FfmpegDecoder, NotReadable
from rtaudio.files.sound_file import Progress, Reader, check_stream, decoders_installed, readable_file

CHANNELS = 2
"""Of each stem; mono becomes stereo."""
MOST = len(SOURCES)
"""Stems of a file."""
LONGEST_NAME = 64
"""Characters of a stem's name that are kept."""
MOST_TEXT = 1 << 20
"""Bytes of the atom's JSON."""

_COLOUR = re.compile(r"#[0-9a-fA-F]{6}")
_KNOWN = {
    "drums": ("drum", "beat", "percussion", "perc", "kick"), "bass": ("bass", "sub"),
    "vocals": ("voc", "vox", "voice", "acapella", "singer"),
    "other": ("other", "melod", "instrument", "synth", "music", "harmon", "keys", "guitar", "piano"),
}  # fmt: skip
"""Beginnings of words by which a stem's name is recognised."""


@dataclass(frozen=True)
class StemLabel:
    """How a stem is shown: its name, and its colour as ``#rrggbb`` (empty if the file says none)."""

    name: str
    colour: str = ""


def read_labels(path: str | Path) -> tuple[StemLabel, ...]:
    """Names and colours of a file's stems, in its order; none if it has no such atom, or one that cannot be understood. Raises OSError."""
    from mutagen.mp4 import AtomError, Atoms  # late, as in ``tags``

    with Path(path).open("rb") as file:
        try:
            atom = Atoms(file).path(b"moov", b"udta", b"stem")[-1]
            if atom.datalength > MOST_TEXT:
                return ()
            return labels_of(json.loads(atom.read(file)[1].decode("utf-8")))
        except (AtomError, KeyError, ValueError, EOFError, RecursionError, OverflowError):
            return ()


def labels_of(facts: Any) -> tuple[StemLabel, ...]:
    """The labels in the atom's JSON. Values of a wrong kind are left out, so that each stem has at least an empty name."""
    found = facts.get("stems") if isinstance(facts, dict) else None
    labels = []
    for entry in found if isinstance(found, list) else []:
        entry = entry if isinstance(entry, dict) else {}
        name, colour = entry.get("name"), entry.get("color")
        text = "".join(c for c in name if c.isprintable()).strip()[:LONGEST_NAME] if isinstance(name, str) else ""
        known = colour.lower() if isinstance(colour, str) and _COLOUR.fullmatch(colour) else ""
        labels.append(StemLabel(text, known))
    return tuple(labels)


def strips_for(names: Sequence[str]) -> tuple[str, ...]:
    """The strip (of ``SOURCES``) on which each stem of a file plays: by its name, or else the first that is left, in the usual order."""
    found: dict[int, str] = {}
    for place, name in enumerate(names):
        words = re.findall(r"[^\W\d_]+", name.casefold())
        for strip, starts in _KNOWN.items():
            if strip not in found.values() and any(word.startswith(starts) for word in words):
                found[place] = strip
                break
    left = [strip for strip in SOURCES if strip not in found.values()]
    return tuple(found[place] if place in found else left.pop(0) for place in range(len(names)))


class StemReader:
    """Reads all stems of a file in blocks, side by side. A context manager; made by ``open_stems``.

    Attributes:
        rate: Hz. ``frames``: length of the longest stem, 0 if unknown.
        labels: strip (of ``SOURCES``) -> its label, for the stems that the file has. The other strips are silent.
    """

    channels = CHANNELS

    def __init__(self, path: Path, tracks: Sequence[Reader], labels: Sequence[StemLabel]) -> None:
        self.path, self._tracks = path, tracks
        self.rate = tracks[0].rate
        self.frames = max(track.frames for track in tracks) if all(track.frames for track in tracks) else 0
        names = [label.name for label in labels]
        self._strips = strips_for(names)
        self.labels = dict(zip(self._strips, labels, strict=True))
        self.position = 0

    @property
    def warnings(self) -> list[str]:
        """Problems of the sound read so far; complete after the last block."""
        return list(dict.fromkeys(sentence for track in self._tracks for sentence in track.warnings))

    def blocks(self, frames: int = 1 << 16, progress: Progress | None = None) -> Iterator[Audio]:
        """Blocks of 1 to ``frames`` frames, ``(n, len(SOURCES) * CHANNELS)``, in the order of ``SOURCES``.

        A shorter stem ends in silence.
        """
        places = [SOURCES.index(strip) * CHANNELS for strip in self._strips]
        waiting = [track.blocks(frames) for track in self._tracks]
        held = [np.zeros((0, CHANNELS), np.float32) for _ in waiting]
        while True:
            for k, blocks in enumerate(waiting):
                if not len(held[k]):
                    held[k] = to_channels(next(blocks, np.zeros((0, CHANNELS), np.float32)), CHANNELS)
            there = [len(block) for block in held if len(block)]
            if not there:
                break
            n = min(there)
            out = np.zeros((n, len(SOURCES) * CHANNELS), np.float32)
            for k, place in enumerate(places):
                part = held[k][:n]
                out[: len(part), place : place + CHANNELS] = part
                held[k] = held[k][n:]
            self.position += n
            yield out
            if progress and self.frames:
                progress(min(1.0, self.position / self.frames))
        if progress:
            progress(1.0)

    def close(self) -> None:
        """Close the file."""
        for track in self._tracks:
            track.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()


def open_stems(path: str | Path) -> StemReader:
    """Open a stem file. The first block of each stem is decoded here. Raises StemplayError, also for a file without stems."""
    path = readable_file(path)
    tracks: list[Reader] = []
    try:
        while len(tracks) <= MOST and (track := _open_track(path, len(tracks) + 1)) is not None:
            tracks.append(track)
        if not tracks:
            if not decoders_installed():
                raise StemplayError(f"{path} cannot be read: stem files need PyAV (pip install av) or ffmpeg.")
            raise StemplayError(f"{path} has no stems, only a mix or no sound at all: give --model to separate it, or rename it.")
        if len(tracks) > MOST:
            raise StemplayError(f"{path} has more than {MOST} stems, which is no stem file.")
        if len({track.rate for track in tracks}) > 1:
            raise StemplayError(f"{path} has stems of different sample rates.")
        try:
            labels = read_labels(path)
        except OSError as error:
            raise StemplayError(f"{path} cannot be read: {error.strerror}.") from None
        filled = [labels[k] if k < len(labels) else StemLabel("") for k in range(len(tracks))]
        return StemReader(path, tracks, filled)
    except BaseException:
        for track in tracks:
            track.close()
        raise


def require_undamaged_stems(path: str | Path) -> None:
    """As ``require_undamaged``, for all stems of a stem file."""
    with open_stems(path) as reader:
        for _ in reader.blocks():
            pass
        if reader.warnings:
            raise StemplayError(" ".join([*reader.warnings, "Nothing was written, because damaged sound is refused."]))


def _open_track(path: Path, number: int) -> Reader | None:
    """The ``number``-th track of sound, or None if there is none that has sound."""
    for kind in (AvDecoder, FfmpegDecoder):
        try:
            decoder: Decoder = kind(path, number)
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
        decoder.close()
    return None
