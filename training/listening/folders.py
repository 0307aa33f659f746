"""Systems to compare: a folder for each, with sound files of the same names.

``SYSTEM/NAME.wav`` is the sound of item NAME; ``SYSTEM/TRACK/SOURCE.wav`` is the sound of a source (drums, bass, ...) of TRACK.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soundfile

from rtaudio.audio.format import SOURCES, Audio, StemplayError

SUFFIXES = (".wav", ".flac", ".ogg", ".mp3", ".aif", ".aiff")


@dataclass(frozen=True, order=True)
class Item:
    """A sound of which all systems have a version; ``source`` is empty if the files are directly in the system's folder."""

    track: str
    source: str = ""

    @property
    def name(self) -> str:
        """A readable name: ``track`` or ``track, source``."""
        return f"{self.track}, {self.source}" if self.source else self.track


@dataclass(frozen=True)
class Systems:
    """``files[system][item]`` is a path; every system has every item, in the same order."""

    files: dict[str, dict[Item, Path]]

    @property
    def names(self) -> tuple[str, ...]:
        """The folders' names, in the order they were given."""
        return tuple(self.files)

    @property
    def items(self) -> tuple[Item, ...]:
        """The items of each system: by track, with sources in the order of the thesis."""
        return tuple(next(iter(self.files.values())))

    @property
    def sources(self) -> tuple[str, ...]:
        """The sources that occur, in the order of the thesis; empty if there are none."""
        found = {item.source for item in self.items} - {""}
        return tuple(sorted(found, key=_source_order))


def read_systems(folders: list[Path], least: int = 2) -> Systems:
    """Find the sounds in ``folders``. Raises StemplayError if they do not have the same files."""
    names = [folder.resolve().name for folder in folders]
    if len(names) < least:
        raise StemplayError(f"A comparison needs {least} folders or more, one for each system.")
    if len(set(names)) < len(names):
        twice = next(name for name in names if names.count(name) > 1)
        raise StemplayError(f"Two folders are named {twice!r}: each folder's name is the name of its system, so it must be unique.")
    files = {name: _sounds(folder) for name, folder in zip(names, folders, strict=True)}
    first = names[0]
    for name in names[1:]:
        lacking = [item for item in files[first] if item not in files[name]]
        surplus = [item for item in files[name] if item not in files[first]]
        if lacking or surplus:
            has, other, item = (first, name, lacking[0]) if lacking else (name, first, surplus[0])
            raise StemplayError(
                f"The folders do not match: {has} has {item.name!r} and {other} does not; {len(lacking) + len(surplus)} such files."
            )
    return Systems({name: {item: files[name][item] for item in files[first]} for name in names})


def _sounds(folder: Path) -> dict[Item, Path]:
    if not folder.is_dir():
        raise StemplayError(f"There is no folder {folder}.")
    found: dict[Item, Path] = {}
    for path in sorted(folder.rglob("*")):
        parts = path.relative_to(folder).parts
        if path.suffix.lower() not in SUFFIXES or any(part.startswith(".") for part in parts) or not path.is_file():
            continue
        if len(parts) > 2:
            raise StemplayError(f"{path} is in too deep a folder: expected {folder}/NAME.wav or {folder}/TRACK/SOURCE.wav.")
        item = Item(path.stem) if len(parts) == 1 else Item(parts[0], path.stem)
        if item in found:
            raise StemplayError(f"{found[item]} and {path.name} have the same name; keep one of them.")
        found[item] = path
    if not found:
        raise StemplayError(f"There are no sound files in {folder}.")
    return {item: found[item] for item in sorted(found, key=lambda item: (item.track, _source_order(item.source)))}


def _source_order(source: str) -> tuple[int, str]:
    return (SOURCES.index(source) if source in SOURCES else len(SOURCES), source)


def read_sound(path: Path) -> tuple[Audio, int]:
    """Samples ``(frames, channels)`` and the rate in Hz. Raises StemplayError if it is not a sound file, or is empty."""
    try:
        audio, rate = soundfile.read(path, dtype="float32", always_2d=True)
    except (OSError, soundfile.LibsndfileError) as error:
        raise StemplayError(f"{path} cannot be read as sound: {error}.") from None
    if not len(audio):
        raise StemplayError(f"{path} contains no sound.")
    return np.nan_to_num(audio, nan=0.0, posinf=0.0, neginf=0.0), int(rate)


def loudest_window(paths: list[Path], seconds: float) -> float:
    """Start, in seconds on a grid of 0.1 s, of the extract of ``seconds`` in which all ``paths`` together have the most energy."""
    energy = np.zeros(0)
    for path in paths:
        audio, rate = read_sound(path)
        step = max(1, rate // 10)
        whole = np.pad(np.square(audio).mean(1), (0, -len(audio) % step)).reshape(-1, step).sum(1)
        size = max(len(energy), len(whole))
        energy = np.pad(energy, (0, size - len(energy))) + np.pad(whole, (0, size - len(whole))) / rate
    width = round(seconds * 10)
    if len(energy) <= width:
        return 0.0
    total = np.concatenate(([0.0], np.cumsum(energy)))
    return float(np.argmax(total[width:] - total[:-width])) / 10


def cut(audio: Audio, rate: int, start: float, seconds: float) -> Audio:
    """``seconds`` of ``audio`` from ``start`` on (both in seconds), with fades of 10 ms at both ends."""
    piece = audio[round(start * rate) : round((start + seconds) * rate)].copy()
    fade = min(len(piece) // 2, rate // 100)
    if fade:
        ramp = np.linspace(0.0, 1.0, fade, dtype=np.float32)[:, None]
        piece[:fade] *= ramp
        piece[-fade:] *= ramp[::-1]
    return piece
