"""Publishes an instrument from weights of SING: float16 weights, the split, the exported model, and a card with measured scores."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from models.card import CardError, ModelCard, finite, read_card, write_card
from rtaudio.audio.format import StemplayError
from training.data.note_store import NoteStore
from training.data.store import write_atomic
from training.export.instrument import export_instrument
from training.export.release import MAKING_FILE, WEIGHTS_FILE
from training.export.separator import Precision
from training.sing.fit import CEILING, HISTORY, WEIGHTS, open_sing, save_sing
from training.sing.score import by_instrument, losses, mean_distances, played, score, summary

LICENCES = {
    "FluidR3_GM.sf2": "MIT",
    "TimGM6mb.sf2": "GPL-2 with an exception for documents that use it",
    "MuseScore_General.sf3": "MIT",
}
"""Licences of soundfonts, which also concern the weights learned from their recordings."""


def release_sing(
    run: Path, directory: Path, store: NoteStore, *, precision: Precision = "int8", making: dict[str, Any] | None = None
) -> ModelCard:
    """Publish the run in folder ``run`` into ``directory`` and measure what was published.

    Args:
        making: further facts for the card about how it was made.

    Raises:
        StemplayError: the run learned other instruments than those of the note set.
    """
    sing, _, instruments = open_sing(run / WEIGHTS)
    if instruments != store.instruments:
        raise StemplayError(f"The run in {run} learned other instruments than those of the note set.")
    save_sing(directory / WEIGHTS_FILE, sing, None, instruments, half=True)
    sing, _, _ = open_sing(directory / WEIGHTS_FILE)  # measure the published weights
    write_atomic(
        directory / "split.json",
        json.dumps({"test": _held_out(store), "evaluation": _evaluation(store)}).encode(),
    )
    facts = _making(run, store, making or {})
    export = dict(
        name=directory.name,
        instruments=tuple(instruments),
        sustains=tuple(store.manifest["sustains"]),
        ranges=tuple(store.range(k) for k in range(len(instruments))),
        precision=precision,
        licence=_licence(store),
        data=tuple(f"{source} ({LICENCES.get(source, 'see its package')})" for source in store.manifest["sources"]),
        training={key: facts[key] for key in facts if key != "curve"} | {"programs": store.manifest["programs"]},
        description=f"SING: {len(instruments)} instruments that a MIDI keyboard plays.",
    )
    export_instrument(sing, directory, **export)
    quality = {**measure(directory, store), **_ceiling(run)}
    facts["quality"] = quality
    card = export_instrument(
        sing, directory, **export, quality={k: v for k, v in quality.items() if k != "instruments"}
    )
    write_atomic(directory / MAKING_FILE, json.dumps(facts, indent=1).encode())
    return card


def export_again(
    weights: Path, directory: Path, *, name: str, precision: Precision, store: NoteStore | None = None
) -> ModelCard:
    """Export published weights again. Facts that are not in the weights are taken from the card beside them.

    Args:
        store: notes on which the export is measured; without them its card has no scores.

    Raises:
        StemplayError: there is no card of this instrument beside the weights.
    """
    sing, _, instruments = open_sing(weights)
    try:
        before = read_card(weights.parent)
    except CardError as error:
        raise StemplayError(f"The card beside {weights} is needed, because it lists the instruments: {error}") from None
    facts = before.training
    if list(before.outputs) != instruments or not {"sustains", "ranges", "velocities"} <= set(facts):
        raise StemplayError(f"The card beside {weights} belongs to another instrument.")
    card = export_instrument(
        sing,
        directory,
        name=name,
        instruments=before.outputs,
        sustains=tuple(facts["sustains"]),
        ranges=tuple((low, high) for low, high in facts["ranges"]),
        velocities=tuple(facts["velocities"]),
        precision=precision,
        licence=before.licence,
        data=before.data,
        training=facts,
        description=before.description,
    )
    if store is not None:
        quality = measure(directory, store)
        kept = {key: value for key, value in before.quality.items() if key.startswith("autoencoder_")}
        card = replace(card, quality={k: v for k, v in quality.items() if k != "instruments"} | kept)
        write_card(card, directory)
    return card


def measure(model: Path, store: NoteStore) -> dict[str, Any]:
    """Scores of an exported instrument on all held-out pairs, with middle velocity for the meters and all velocities for the losses."""
    synthesis = played(model, store)
    rows = store.test
    found = losses(synthesis, store, rows)
    meters = score(synthesis, store, rows[store.velocity[rows] == 3])
    return {
        "measured_on": f"{len(rows)} notes of held-out pairs of instrument and pitch; meters at velocity 100",
        "spectral": round(found["spectral"], 5),
        "waveform": round(found["waveform"], 5),
        **summary(meters),
        "distances": mean_distances(synthesis, store, store.evaluation),
        "instruments": by_instrument(meters),
    }


def _making(run: Path, store: NoteStore, extra: dict[str, Any]) -> dict[str, Any]:
    recipe = json.loads((run / "recipe.json").read_text(encoding="utf-8"))
    curve = json.loads((run / HISTORY).read_text(encoding="utf-8"))
    last: dict[str, float] = {}
    for row in curve:
        last[row["stage"]] = row["seconds"]
    return {
        "date": datetime.now(UTC).date().isoformat(),
        "recipe": finite({key: value for key, value in recipe.items() if key != "network"}),
        "hours": {stage: round(seconds / 3600, 2) for stage, seconds in last.items()},
        "notes": {"train": len(store.train), "test": len(store.test)},
        **extra,
        "curve": curve,
    }


def _ceiling(run: Path) -> dict[str, float]:
    """The autoencoder's losses on the same notes, if the run trained one."""
    try:
        values = json.loads((run / CEILING).read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    return {str(key): round(float(value), 5) for key, value in values.items()}


def _held_out(store: NoteStore) -> dict[str, list[int]]:
    return {
        name: sorted({int(p) for p in store.pitch[store.test[store.instrument[store.test] == k]]})
        for k, name in enumerate(store.instruments)
    }


def _evaluation(store: NoteStore) -> list[tuple[str, int, int]]:
    return [
        (store.instruments[int(store.instrument[k])], int(store.pitch[k]), int(store.velocity[k]))
        for k in store.evaluation
    ]


def _licence(store: NoteStore) -> str:
    free = all(LICENCES.get(source) == "MIT" for source in store.manifest["sources"])
    return "MIT (as the soundfont it learned from)" if free else "as the soundfonts it learned from"
