"""Scores of a SING on held-out pairs of instrument and pitch, and the tables and pictures of thesis section 2.5."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from models.sing import NoteAutoencoder, NoteEncoder, Sing
from rtaudio.audio.format import StemplayError
from rtaudio.files.offline import InstrumentNotes
from training.data.note_store import NoteStore, Rows
from training.losses import NOTE_LOSSES
from training.sing import note_metrics as metrics

Synthesis = Callable[[Rows], Tensor]
"""Maps rows of a store to notes ``(rows, 64000)``."""

BATCH = 16


@torch.no_grad()
def losses(synthesis: Synthesis, store: NoteStore, rows: Rows) -> dict[str, float]:
    """Spectral loss and waveform MSE over ``rows``: the columns of Table 2.1 (SING-27)."""
    totals = {"spectral": 0.0, "waveform": 0.0}
    for part in np.array_split(rows, max(1, len(rows) // BATCH)):
        wav, estimate = store.audio(part), synthesis(part)
        for name in totals:
            totals[name] += float(NOTE_LOSSES[name](estimate, wav)) * len(part)
    return {name: total / len(rows) for name, total in totals.items()}


def by_symbols(sing: Sing, store: NoteStore) -> Synthesis:
    """Notes of ``sing`` from the store's symbols."""
    return lambda rows: sing(*store.symbols(rows, sing.config.lowest_pitch))


def by_codes(encoder: NoteEncoder, sing: Sing, store: NoteStore) -> Synthesis:
    """Notes that the autoencoder reconstructs from the store's recordings: the ceiling (SING-13)."""
    autoencoder = NoteAutoencoder(encoder, sing.decoder)
    return lambda rows: autoencoder(store.audio(rows))


@dataclass(frozen=True)
class NoteScore:
    """Measurements of one note and of its recording.

    Attributes:
        error: error of the fundamental relative to the recording's, in cents.
        restarts, artefact: of the note (SING-20).
        restarts_recorded, artefact_recorded: of the recording.
        harmonic: whether the recording's measured pitch is within 50 cents of the key.
        level: of the whole note relative to its recording, in dB.
        spectral: the spectral loss of the note.
    """

    instrument: str
    error: float
    restarts: int
    restarts_recorded: int
    artefact: float
    artefact_recorded: float
    harmonic: bool
    level: float
    spectral: float


def score_note(instrument: str, pitch: int, wav: np.ndarray[Any, Any], reference: np.ndarray[Any, Any]) -> NoteScore:
    """Measure one note against its recording."""
    near = metrics.hertz(pitch)
    truth = metrics.fundamental(reference, near)
    return NoteScore(
        instrument,
        metrics.cents(metrics.fundamental(wav, near), truth),
        metrics.restarts(wav, truth),
        metrics.restarts(reference, truth),
        metrics.tonal_artefact(wav, truth),
        metrics.tonal_artefact(reference, truth),
        abs(metrics.cents(truth, near)) < 50,
        metrics.level_error(wav, reference),
        float(NOTE_LOSSES["spectral"](torch.from_numpy(wav)[None], torch.from_numpy(reference)[None])),
    )


@torch.no_grad()
def score(synthesis: Synthesis, store: NoteStore, rows: Rows) -> list[NoteScore]:
    """Measurements of the notes ``rows``."""
    scores = []
    for part in np.array_split(rows, max(1, len(rows) // BATCH)):
        wavs, references = synthesis(part).numpy(), store.audio(part).numpy()
        for row, wav, reference in zip(part, wavs, references, strict=True):
            name = store.instruments[int(store.instrument[row])]
            scores.append(score_note(name, int(store.pitch[row]), wav, reference))
    return scores


def summary(scores: list[NoteScore]) -> dict[str, Any]:
    """Medians over notes, for a card."""
    harmonic = [abs(entry.error) for entry in scores if entry.harmonic]
    return {
        "notes": len(scores),
        "f0_median_cents": round(float(np.median(harmonic)), 2),
        "f0_within_10_cents": round(float(np.mean(np.array(harmonic) <= 10)), 3),
        "f0_within_50_cents": round(float(np.mean(np.array(harmonic) <= 50)), 3),
        "restarts_per_note": round(float(np.mean([entry.restarts for entry in scores])), 3),
        "restarts_per_note_recorded": round(float(np.mean([entry.restarts_recorded for entry in scores])), 3),
        "tonal_artefact_db": round(float(np.median([entry.artefact for entry in scores])), 1),
        "tonal_artefact_db_recorded": round(float(np.median([entry.artefact_recorded for entry in scores])), 1),
        "level_error_db": round(float(np.mean([entry.level for entry in scores])), 1),
        "level_off_db": round(float(np.mean([abs(entry.level) for entry in scores])), 1),
        "note_spectral": round(float(np.mean([entry.spectral for entry in scores])), 4),
    }


@torch.no_grad()
def mean_distances(synthesis: Synthesis, store: NoteStore, rows: Rows) -> dict[str, float]:
    """Means over notes of the candidate criteria for choosing a model (SING-28)."""
    found = [
        metrics.distances(wav, reference)
        for part in np.array_split(rows, max(1, len(rows) // BATCH))
        for wav, reference in zip(synthesis(part).numpy(), store.audio(part).numpy(), strict=True)
    ]
    return {name: float(f"{np.mean([entry[name] for entry in found]):.4g}") for name in found[0]}


def by_instrument(scores: list[NoteScore]) -> dict[str, dict[str, Any]]:
    """``summary`` of each instrument."""
    names = dict.fromkeys(entry.instrument for entry in scores)
    return {name: summary([entry for entry in scores if entry.instrument == name]) for name in names}


def played(model: Path, store: NoteStore) -> Synthesis:
    """Notes of an exported instrument, through ONNX Runtime as the engine plays them.

    Raises:
        StemplayError: the model does not know the store's instruments.
    """
    notes = InstrumentNotes(model)
    missing = [name for name in store.instruments if name not in notes.instruments]
    if missing:
        raise StemplayError(f"The model in {model} has no instrument {missing[0]}.")
    index = np.array([notes.instruments.index(name) for name in store.instruments])

    def synthesis(rows: Rows) -> Tensor:
        return torch.from_numpy(notes.render(store.velocity[rows], index[store.instrument[rows]], store.pitch[rows]))

    return synthesis
