"""The prepared audio: a memory-mapped int16 array for each song, and a JSON manifest for each collection.

A collection is a folder ``NAME/`` with ``manifest.json`` and, for each song, an ``.npy`` file of shape ``(n_sources, channels, frames)``.
Writes are atomic, and an interrupted preparation continues where it stopped.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import numpy.typing as npt

from models.names import LONGEST, inside, name_problem
from rtaudio.audio.format import StemplayError

Stems = npt.NDArray[np.float32]
"""float32, ``(sources, channels, time)`` or with a leading batch axis: the layout of training, unlike the engine's."""

FULL_SCALE = 32767.0


@dataclass(frozen=True)
class Item:
    """One song of a collection.

    Attributes:
        name: unique in the collection. The file is ``name + ".npy"``, with unsafe characters replaced.
        frames: length at the collection's rate.
        scale: sample value of int16 full scale. Quiet material thus keeps its resolution.
        split: ``train``, ``valid`` or ``test``.
        group: singer, song or drummer. One group must not be in two splits.
        bandwidth: highest frequency with content, Hz.
        sha256: hash of the inputs (file contents and options). If it differs, the item is made again.
    """

    name: str
    file: str
    frames: int
    scale: float
    split: str
    group: str
    bandwidth: float
    sha256: str


@dataclass
class Manifest:
    """The contents of a collection; ``sources`` are the stems of each file, in order."""

    collection: str
    sources: tuple[str, ...]
    channels: int
    licence: str
    sample_rate: int = 44_100
    items: list[Item] = field(default_factory=list)

    @property
    def seconds(self) -> float:
        """Seconds of audio in all items."""
        return sum(item.frames for item in self.items) / self.sample_rate

    def write(self, folder: Path) -> None:
        """Replace ``folder/manifest.json`` atomically."""
        values: dict[str, Any] = {**asdict(self), "sources": list(self.sources), "seconds": round(self.seconds, 1)}
        write_atomic(folder / "manifest.json", json.dumps(values, indent=1).encode())

    @classmethod
    def read(cls, folder: Path) -> Manifest:
        """Raises StemplayError if the manifest is missing or invalid."""
        try:
            values = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
            values.pop("seconds", None)
            items = [Item(**item) for item in values.pop("items")]
            for item in items:
                inside(folder, item.file)
            return cls(**{**values, "sources": tuple(values["sources"])}, items=items)
        except FileNotFoundError:
            raise StemplayError(
                f"There is no prepared data in {folder}: run `python -m training prepare stems` first."
            ) from None
        except (ValueError, TypeError, KeyError) as error:
            raise StemplayError(
                f"The manifest in {folder} cannot be read ({error}); delete the folder and prepare it again."
            ) from error


@contextmanager
def replacing(path: Path) -> Iterator[BinaryIO]:
    """A file to write, which replaces ``path`` on success: readers see the old file or the complete new one, never a part.

    It has the permissions of any new file, unlike a temporary file of the standard library.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        with temporary.open("wb") as file:
            yield file
        os.replace(temporary, path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


def write_atomic(path: Path, data: bytes) -> None:
    """Write a whole file through ``replacing``."""
    with replacing(path) as file:
        file.write(data)


def file_name(name: str) -> str:
    """The file name of an item: its name with unsafe characters replaced, and a hash of the full name if more than spaces changed."""
    plain = "".join(c if c.isalnum() or c in "-_." else "_" for c in name)
    if plain != name.replace(" ", "_") or name_problem(plain):
        digest = hashlib.sha256(name.encode("utf-8", "surrogatepass")).hexdigest()
        plain = f"{plain.strip('.')[: LONGEST - 9]}-{digest[:8]}"
    return f"{plain}.npy"


def write_stems(
    folder: Path, name: str, stems: Stems, *, split: str, group: str, bandwidth: float, sha256: str
) -> Item:
    """Store ``stems`` ``(sources, channels, time)`` as int16 with its own scale; returns the manifest entry."""
    scale = max(float(np.abs(stems).max(initial=0.0)), 1e-3)
    quantised = np.rint(stems * (FULL_SCALE / scale)).astype(np.int16)
    file = file_name(name)
    with replacing(folder / file) as out:
        np.save(out, quantised)
    return Item(name, file, stems.shape[-1], scale, split, group, bandwidth, sha256)


def fingerprint(paths: Iterable[Path], *options: object) -> str:
    """SHA-256 of the contents of ``paths`` and the text of ``options``."""
    digest = hashlib.sha256(repr(options).encode())
    for path in paths:
        digest.update(path.read_bytes())
    return digest.hexdigest()


class Collection:
    """Read access to one prepared collection; arrays are memory-mapped on first use."""

    def __init__(self, folder: Path, splits: tuple[str, ...] = ("train",)) -> None:
        self.folder = folder
        self.manifest = Manifest.read(folder)
        self.items = [item for item in self.manifest.items if item.split in splits]
        self._arrays: dict[int, npt.NDArray[np.int16]] = {}

    def __len__(self) -> int:
        return len(self.items)

    def crop(self, index: int, start: int, frames: int) -> Stems:
        """``frames`` samples of item ``index`` from ``start`` on, ``(sources, channels, frames)`` float32, with zeros after its end."""
        if index not in self._arrays:
            self._arrays[index] = np.load(self.folder / self.items[index].file, mmap_mode="r")
        piece = self._arrays[index][..., start : start + frames]
        out = np.empty((*piece.shape[:-1], frames), np.float32)
        out[..., : piece.shape[-1]] = piece  # converting first and then scaling is faster than both at once
        out[..., piece.shape[-1] :] = 0
        out *= np.float32(self.items[index].scale / FULL_SCALE)
        return out

    def whole(self, index: int) -> Stems:
        """The whole item, ``(sources, channels, frames)`` float32."""
        return self.crop(index, 0, self.items[index].frames)
