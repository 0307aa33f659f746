"""A rendered note set on disk, as training reads it: ``audio.i16``, ``notes.npz`` and ``manifest.json`` in one folder."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from rtaudio.format import StemplayError

NOTE_SAMPLES = 64_000
Rows = npt.NDArray[np.int64]


class NoteStore:
    """Notes by row number. Audio stays on disk (memory-mapped) until asked for.

    Attributes:
        instruments: names by index.
        instrument, pitch, velocity: symbols of each row; pitch is the MIDI number, velocity the level 0 to 4.
        train, test: row numbers of audible notes in each part of the pitch-completion split (NSY-03).

    Raises:
        StemplayError: the folder is no complete note set.
    """

    def __init__(self, folder: str | Path) -> None:
        folder = Path(folder)
        try:
            self.manifest: dict[str, Any] = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
            with np.load(folder / "notes.npz", allow_pickle=False) as arrays:
                self.instrument, self.pitch, self.velocity, test = (
                    arrays[name] for name in ("instrument", "pitch", "velocity", "test")
                )
            self._audio = np.memmap(folder / "audio.i16", np.int16, "r").reshape(-1, NOTE_SAMPLES)
        except (OSError, ValueError, KeyError) as error:
            raise StemplayError(f"There is no complete note set in {folder}: {error}.") from None
        if not self.manifest.get("complete") or len(self._audio) < len(self.pitch):
            raise StemplayError(f"The note set in {folder} is unfinished; run the same prepare command again.")
        self.instruments: list[str] = list(self.manifest["instruments"])
        audible = np.array([bool(np.abs(self._audio[k, :48_000:7]).max() > 64) for k in range(len(self.pitch))])
        self.train: Rows = np.flatnonzero(audible & ~test)
        self.test: Rows = np.flatnonzero(audible & test)

    def audio(self, rows: Rows) -> Tensor:
        """``(len(rows), 64000)`` float32 in [-1, 1]."""
        return torch.from_numpy(self._audio[rows].astype(np.float32) / 32768.0)

    def symbols(self, rows: Rows, lowest_pitch: int = 0) -> tuple[Tensor, Tensor, Tensor]:
        """Indices into the tables: velocity, instrument and pitch, each ``(len(rows),)``."""
        return (
            torch.from_numpy(self.velocity[rows].astype(np.int64)),
            torch.from_numpy(self.instrument[rows].astype(np.int64)),
            torch.from_numpy(self.pitch[rows].astype(np.int64) - lowest_pitch),
        )
