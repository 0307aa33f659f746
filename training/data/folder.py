"""Songs as folders of stems, for the user's own recordings (MUS-01, MUS-02).

A mapping file assigns files to sources by patterns of their names. A song's files of one source are summed:

    drums = ["*kick*", "*snare*", "drum*"]
    bass = ["bass*"]
    vocals = ["*vox*", "*voc*"]
    other = ["*"]
    ignore = ["*mix*"]

The first entry that matches a name is used, in the file's order; letter case does not matter. (A JSON file may also map single names
to sources: ``{"piano": "other"}``.)
"""

from __future__ import annotations

import json
import tomllib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import numpy as np
import soundfile
import soxr

from rtaudio.audio.format import SOURCES, StemplayError
from training.data.store import Stems

SUFFIXES = (".wav", ".flac", ".aif", ".aiff", ".ogg", ".opus", ".mp3")
IGNORE = "ignore"


@dataclass(frozen=True)
class Mapping:
    """Patterns of file names (without suffix) in order, each with its source."""

    rules: tuple[tuple[str, str], ...] = field(default=())

    def source_of(self, name: str) -> str | None:
        """The source of a file, ``ignore``, or None if no pattern matches."""
        for pattern, source in (("mixture", IGNORE), *((source, source) for source in SOURCES), *self.rules):
            if fnmatchcase(name.lower(), pattern.lower()):
                return source
        return None


def read_mapping(path: Path) -> Mapping:
    """A mapping from a TOML or JSON file.

    Raises:
        StemplayError: the file cannot be read, or maps to something that is not a source.
    """
    try:
        text = path.read_text(encoding="utf-8")
        values: Any = tomllib.loads(text) if path.suffix == ".toml" else json.loads(text)
        rules: list[tuple[str, str]] = []
        for key, value in values.items():
            rules += [(key, value)] if isinstance(value, str) else [(str(pattern), key) for pattern in value]
    except (OSError, ValueError, AttributeError, TypeError) as error:
        raise StemplayError(f"{path} cannot be read as a mapping in TOML or JSON: {error}.") from None
    wrong = [source for _, source in rules if source not in (*SOURCES, IGNORE)]
    if wrong:
        raise StemplayError(f"{path} maps to {wrong[0]!r}; the sources are {', '.join(SOURCES)}, and {IGNORE}.")
    return Mapping(tuple(rules))


def stem_files(folder: Path) -> list[Path]:
    """The sound files of a folder and of those inside it, sorted."""
    return sorted(path for path in folder.rglob("*") if path.suffix.lower() in SUFFIXES and path.is_file())


def song_folders(root: Path) -> list[Path]:
    """The folders in ``root`` that contain sound files. Raises StemplayError if there are none."""
    found = sorted(path for path in root.iterdir() if path.is_dir() and stem_files(path)) if root.is_dir() else []
    if not found:
        raise StemplayError(f"There are no folders with stems in {root}.")
    return found


def read_song(folder: Path, mapping: Mapping | None = None, rate: int = 44_100) -> Stems:
    """The stems ``(4, 2, time)`` of one folder at ``rate``. Mono files are copied to both channels, shorter ones are padded with silence.

    The mixture is left out: it is the sum of the stems.

    Raises:
        StemplayError: a file cannot be read or its source is unknown, or there are no stems.
    """
    return read_files(stem_files(folder), mapping or Mapping(), rate)


def read_files(paths: Sequence[Path], mapping: Mapping, rate: int = 44_100) -> Stems:
    """Like ``read_song``, for a list of files."""
    parts: list[tuple[int, Stems]] = []
    for path in paths:
        source = mapping.source_of(path.stem)
        if source is None:
            raise StemplayError(f"The source of {path} is unknown: its name is not a source, and no pattern of the mapping matches it.")
        if source != IGNORE:
            parts.append((SOURCES.index(source), _read_stereo(path, rate)))
    if not parts:
        raise StemplayError(f"There are no stems among {', '.join(path.name for path in paths) or 'no files'}.")
    song = np.zeros((len(SOURCES), 2, max(sound.shape[1] for _, sound in parts)), np.float32)
    for index, sound in parts:
        song[index, :, : sound.shape[1]] += sound
    return song


def _read_stereo(path: Path, rate: int) -> Stems:
    try:
        audio, have = soundfile.read(str(path), dtype="float32", always_2d=True)
    except (soundfile.LibsndfileError, OSError) as error:
        raise StemplayError(f"{path} cannot be read as sound: {error}.") from None
    if have != rate:
        audio = np.asarray(soxr.resample(audio, have, rate), np.float32)
    return np.repeat(audio.T, 2, axis=0) if audio.shape[1] == 1 else np.ascontiguousarray(audio.T[:2])


def read_songs(root: Path, mapping: Mapping | None = None) -> Iterator[tuple[str, Stems]]:
    """Name and stems of every song below ``root``, one at a time."""
    for folder in song_folders(root):
        yield folder.name, read_song(folder, mapping)
