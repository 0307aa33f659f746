"""Reads a recorded note set for training: the folder that ``training.data.notes`` has written."""

from __future__ import annotations

import json
from collections.abc import Collection
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from rtaudio.audio.format import StemplayError
from training.data.notes import NOTE_SAMPLES, instrument_names, read_split

Rows = npt.NDArray[np.int64]


class NoteStore:
    """Notes by row number. Audio stays on disk (memory-mapped) until it is read.

    Attributes:
        instruments: names by index.
        instrument, pitch, velocity: symbols of each row. Pitch is the MIDI number, velocity is the level from 0 to 4.
        train, test: row numbers of audible notes in each part of the pitch-completion split (NSY-03).
        evaluation: the rows of the fixed list of test notes (NSY-05).

    Raises:
        StemplayError: the folder is not a complete note set.
    """

    def __init__(self, folder: str | Path) -> None:
        folder = Path(folder)
        try:
            self.manifest: dict[str, Any] = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
            self.instruments: list[str] = instrument_names(self.manifest)
            facts = [json.loads((folder / f"{name}.json").read_text(encoding="utf-8")) for name in self.instruments]
            self._audio = [
                np.memmap(folder / f"{n}.i16", np.int16, "r").reshape(-1, NOTE_SAMPLES) for n in self.instruments
            ]
            split = read_split(folder / "split.json")
            listed = json.loads((folder / "split.json").read_text(encoding="utf-8"))["evaluation"]
        except (OSError, ValueError, KeyError) as error:
            raise StemplayError(
                f"There is no complete note set in {folder} ({error}); `python -m training prepare notes` makes one."
            ) from None
        counts = [len(entry["pitch"]) for entry in facts]
        self.instrument: Rows = np.repeat(np.arange(len(facts)), counts)
        self.pitch: Rows = np.concatenate([np.array(entry["pitch"], np.int64) for entry in facts])
        self.velocity: Rows = np.concatenate([np.array(entry["velocity"], np.int64) for entry in facts])
        self._row: Rows = np.concatenate([np.arange(count) for count in counts])
        audible = np.concatenate([np.array(entry["audible"], bool) for entry in facts])
        test = np.concatenate(
            [np.isin(entry["pitch"], split[name]) for name, entry in zip(self.instruments, facts, strict=True)]
        )
        self.train: Rows = np.flatnonzero(audible & ~test)
        self.test: Rows = np.flatnonzero(audible & test)
        rows = {
            (int(i), int(p), int(v)): k
            for k, (i, p, v) in enumerate(zip(self.instrument, self.pitch, self.velocity, strict=True))
        }
        self.evaluation: Rows = np.array([rows[self.instruments.index(n), p, v] for n, p, v in listed], np.int64)

    def audio(self, rows: Rows) -> Tensor:
        """``(len(rows), 64000)`` float32 in [-1, 1]."""
        whole = np.stack([self._audio[i][k] for i, k in zip(self.instrument[rows], self._row[rows], strict=True)])
        return torch.from_numpy(whole.astype(np.float32) / 32768.0)

    def symbols(self, rows: Rows, lowest_pitch: int = 0) -> tuple[Tensor, Tensor, Tensor]:
        """Indices into the tables: velocity, instrument and pitch, each ``(len(rows),)``."""
        return (
            torch.from_numpy(self.velocity[rows]),
            torch.from_numpy(self.instrument[rows]),
            torch.from_numpy(self.pitch[rows] - lowest_pitch),
        )

    def rows_of(self, names: Collection[str]) -> Rows:
        """The training rows of some instruments.

        Raises:
            StemplayError: the set has no instrument of such a name.
        """
        unknown = sorted(set(names) - set(self.instruments))
        if unknown:
            raise StemplayError(f"The note set has no instrument {unknown[0]}; it has {', '.join(self.instruments)}.")
        return self.train[np.isin(self.instrument[self.train], [self.instruments.index(name) for name in names])]

    def range(self, instrument: int) -> tuple[int, int]:
        """Lowest and highest audible pitch of an instrument."""
        rows = np.concatenate([self.train, self.test])
        pitches = self.pitch[rows[self.instrument[rows] == instrument]]
        return int(pitches.min()), int(pitches.max())
