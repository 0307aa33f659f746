"""Songs as folders of WAV stems, for users who have MUSDB18-HQ or recordings of their own (MUS-01, MUS-02)."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np
import soundfile

from rtaudio.format import SOURCES, StemplayError
from training.data.store import Stems


def song_folders(root: Path) -> list[Path]:
    """The folders below ``root`` that hold WAV files; raises StemplayError if there are none."""
    found = (
        sorted(path for path in root.iterdir() if path.is_dir() and any(path.glob("*.wav"))) if root.is_dir() else []
    )
    if not found:
        raise StemplayError(f"There are no folders with WAV stems in {root}.")
    return found


def read_mapping(path: Path) -> dict[str, str]:
    """Instrument -> source from a JSON file, such as ``{"piano": "other", "lead": "vocals"}``."""
    try:
        mapping = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise StemplayError(f"{path} cannot be read as JSON: {error}.") from error
    wrong = [value for value in mapping.values() if value not in SOURCES] if isinstance(mapping, dict) else [mapping]
    if wrong:
        raise StemplayError(f"{path} maps an instrument to {wrong[0]!r}; the sources are {', '.join(SOURCES)}.")
    return mapping


def read_song(folder: Path, mapping: Mapping[str, str] | None = None, rate: int = 44_100) -> Stems:
    """The stems ``(4, 2, time)`` of one folder; files named after a source or an instrument in ``mapping``, summed.

    ``mixture.wav`` is left out: the mixture is the sum of the stems.

    Raises:
        StemplayError: a file of unknown name, another rate, or different lengths.
    """
    names = {**{source: source for source in SOURCES}, **(mapping or {})}
    stems: dict[str, Stems] = {}
    for path in sorted(folder.glob("*.wav")):
        if path.stem == "mixture":
            continue
        if path.stem not in names:
            raise StemplayError(f"{path} is neither a source nor an instrument of the mapping.")
        audio, have = soundfile.read(str(path), dtype="float32", always_2d=True)
        if have != rate:
            raise StemplayError(f"{path} has a rate of {have} Hz; {rate} Hz are needed.")
        stereo = np.repeat(audio.T, 2, axis=0) if audio.shape[1] == 1 else audio.T[:2]
        source = names[path.stem]
        if source in stems and stems[source].shape != stereo.shape:
            raise StemplayError(f"{path} is not as long as the other stems of its song.")
        stems[source] = stems[source] + stereo if source in stems else stereo
    lengths = {stem.shape[1] for stem in stems.values()}
    if len(lengths) != 1:
        raise StemplayError(f"The stems in {folder} are missing or differ in length.")
    silence = np.zeros((2, lengths.pop()), np.float32)
    return np.stack([stems.get(source, silence) for source in SOURCES])


def read_songs(root: Path, mapping: Mapping[str, str] | None = None) -> Iterator[tuple[str, Stems]]:
    """Name and stems of every song below ``root``, one at a time."""
    for folder in song_folders(root):
        yield folder.name, read_song(folder, mapping)
