"""``python -m training sing tables``: Table 2.1 and Fig. 2.2 of the thesis on any note set (SING-27, -30, -31)."""

from __future__ import annotations

import copy
import json
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch

from models.card import ModelCard
from models.rainbowgram import bin_frequencies, constant_q, rainbowgram
from models.sing import NoteEncoder, Sing, SingConfig, compression_factor
from rtaudio.files.offline import InstrumentNotes
from training.data.note_store import NoteStore, Rows
from training.data.notes import RATE
from training.data.store import replacing, write_atomic
from training.sing.fit import sized_for
from training.sing.recipe import SingRecipe
from training.sing.score import Synthesis, by_codes, by_symbols, losses
from training.sing.stages import Trainer
from training.tables.thesis import thesis_table

THESIS: dict[str, tuple[float | None, ...]] = {
    row.name: tuple(None if isinstance(value, str) else value for value in row.values)
    for row in thesis_table("2.1").rows
}
"""Table 2.1 as printed for NSynth, in the order of ``COLUMNS``."""

COLUMNS = ("train spectral", "train MSE", "test spectral", "test MSE")


class Variants:
    """The five models of Table 2.1, trained in the same way on one note set."""

    def __init__(self, recipe: SingRecipe, store: NoteStore, seed: int, say: Callable[[str], None]) -> None:
        # The tables are for the thesis' network, which has no excitation.
        self.recipe = replace(recipe, network=replace(sized_for(recipe.network, store), bands=0))
        self.store, self.seed, self.say = store, seed, say
        self.models: dict[str, Synthesis] = {}
        self.sing: Sing | None = None
        """The model with the spectral loss."""

    def train(self) -> dict[str, Synthesis]:
        """Train all models; returns the functions that render their notes."""
        for loss in ("waveform", "spectral"):
            parts = self._parts(self.recipe.network)
            self._stage("autoencoder", loss, *parts)
            sing, encoder = copy.deepcopy(parts)
            self.models[f"Autoencoder, {loss}"] = by_codes(encoder, sing, self.store)
            self.sing = self._symbols_stages(loss, *parts)
            self.models[f"SING, {loss}"] = by_symbols(self.sing, self.store)
            if loss == "spectral":
                timeless, _ = self._parts(replace(self.recipe.network, time_dim=0))
                timeless.decoder.load_state_dict(sing.decoder.state_dict())
                name = "SING, spectral, no time embedding"
                self.models[name] = by_symbols(self._symbols_stages(loss, timeless, encoder), self.store)
        return self.models

    def _parts(self, config: Any) -> tuple[Sing, NoteEncoder]:
        torch.manual_seed(self.seed)
        return Sing(config), NoteEncoder(config)

    def _symbols_stages(self, loss: str, sing: Sing, encoder: NoteEncoder) -> Sing:
        self._stage("sequence", loss, sing, encoder)
        self._stage("end_to_end", loss, sing, encoder)
        return sing

    def _stage(self, stage: str, loss: str, sing: Sing, encoder: NoteEncoder) -> None:
        plan = replace(getattr(self.recipe, stage), loss=loss)
        smoothed = Trainer(sing, encoder, self.store, seed=self.seed).run(stage, plan)
        timed = "" if sing.config.time_dim else ", no time embedding"
        self.say(f"{stage} ({loss}{timed}): loss {smoothed:.5f}")


def table(models: dict[str, Synthesis], store: NoteStore, train_rows: Rows) -> dict[str, tuple[float, ...]]:
    """The 5 x 4 numbers, test columns on the evaluation list (NSY-05)."""
    rows: dict[str, tuple[float, ...]] = {}
    for name, synthesis in models.items():
        train, test = losses(synthesis, store, train_rows), losses(synthesis, store, store.evaluation)
        rows[name] = (train["spectral"], train["waveform"], test["spectral"], test["waveform"])
    return rows


def as_text(rows: dict[str, tuple[float, ...]], data: str) -> str:
    """Our results beside the thesis' as a Markdown table. The data differ, so only the order of rows can be compared."""
    lines = [
        f"Ours: {data}. In brackets: the thesis, on NSynth with 63.7 M weights. Only the order of rows can be compared, not the numbers.",
        "",
        f"| model, loss | {' | '.join(COLUMNS)} |",
        "|---|" + "---|" * len(COLUMNS),
    ]
    for name, values in rows.items():
        printed = ["-" if value is None else f"{value:g}" for value in THESIS[name]]
        cells = [f"{value:.4f} ({other})" for value, other in zip(values, printed, strict=True)]
        lines.append(f"| {name} | {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def draw_rainbowgrams(path: Path, panels: dict[str, np.ndarray[Any, Any]]) -> None:
    """One panel for each sound, ``(samples,)`` at 16 kHz, all with the brightness scale of the first (Fig. 2.2)."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    frequencies = bin_frequencies()
    peak = float(np.abs(constant_q(next(iter(panels.values())), RATE, frequencies)).max())
    figure, axes = pyplot.subplots(1, len(panels), figsize=(3.2 * len(panels), 3.6), sharey=True, layout="constrained")
    for axis, (title, wav) in zip(np.atleast_1d(axes), panels.items(), strict=True):
        picture = rainbowgram(wav, RATE, frequencies, peak)
        axis.imshow(picture, aspect="auto", extent=(0, len(wav) / RATE, 0, 6), interpolation="nearest")
        axis.set_title(title, fontsize=10)
        axis.set_xlabel("seconds")
    np.atleast_1d(axes)[0].set_yticks(range(7), [f"C{octave}" for octave in range(2, 9)])
    with replacing(path) as file:
        figure.savefig(file, format="png", dpi=110)
    pyplot.close(figure)


def draw_tables(path: Path, sing: Sing, instruments: list[str]) -> None:
    """Draw the symbols of each look-up table on its two principal axes (SING-31)."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    sequence = sing.sequence
    lowest = sing.config.lowest_pitch
    named = {
        "instruments": (sequence.instrument.weight, instruments),
        "pitches": (sequence.pitch.weight, [str(lowest + k) for k in range(sing.config.pitches)]),
        "velocities": (sequence.velocity.weight, ["25", "50", "75", "100", "127"][: sing.config.velocities]),
    }
    figure, axes = pyplot.subplots(1, 3, figsize=(16, 5.5), layout="constrained")
    for axis, (title, (weight, labels)) in zip(axes, named.items(), strict=True):
        points = principal_axes(weight.detach().numpy())
        axis.scatter(*points.T, s=8)
        for point, label in zip(points, labels, strict=True):
            axis.annotate(label, point, fontsize=7)
        axis.set_title(title)
    with replacing(path) as file:
        figure.savefig(file, format="png", dpi=110)
    pyplot.close(figure)


def principal_axes(points: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """``(rows, size)`` -> ``(rows, 2)``: PCA."""
    centred = points - points.mean(0)
    _, _, axes = np.linalg.svd(centred, full_matrices=False)
    flat = centred @ axes[:2].T
    return np.asarray(np.pad(flat, ((0, 0), (0, 2 - flat.shape[1]))))


def notes_a_second(notes: InstrumentNotes, count: int = 32) -> float:
    """Seconds of audio per second when ``count`` whole notes are rendered together, on one thread."""
    arguments = ([0] * count, [0] * count, [notes.model.pitches[0]] * count)
    notes.render(*arguments)
    started = time.perf_counter()
    notes.render(*arguments)
    return count * notes.model.samples / notes.model.sample_rate / (time.perf_counter() - started)


def table_2_2(card: ModelCard, speed: float) -> str:
    """Table 2.2 as printed, and a row for an exported instrument (SING-32).

    Args:
        speed: seconds of audio per second when whole notes are rendered, on one thread of this machine.
    """
    config = SingConfig(**card.training["config"])
    hours = sum(float(value) for value in card.training.get("hours", {}).values())
    size = card.parameters * 4 / 2**20
    rows = [
        ("Ground truth", "3.86 ± 0.24", "-", "-", "-", "-"),
        ("WaveNet autoencoder", "2.85 ± 0.24", "3840 GPU hours", "0.2", "32", "948 MB"),
        ("SING of the thesis", "3.55 ± 0.23", "120 GPU hours", "512 (GPU), 11.75 (CPU)", "2133", "243 MB"),
        (
            f"{card.name} {card.precision}", "not yet asked", f"{hours:.1f} h of one CPU thread", f"{speed:.0f} (one CPU thread)",
            str(compression_factor(config)), f"{size:.1f} MiB in float32, {card.size / 2**20:.1f} as it is",
        ),
    ]  # fmt: skip
    lines = ["| | MOS | training | generation, s a second | compression | size |", "|---|---|---|---|---|---|"]
    return "\n".join([*lines, *(f"| {' | '.join(row)} |" for row in rows)]) + "\n"


def make_tables(recipe: SingRecipe, store: NoteStore, folder: Path, seed: int, say: Callable[[str], None]) -> str:
    """Train, measure, draw: ``table-2.1.md``, ``table-2.1.json``, ``figure-2.2.png`` and ``embeddings.png``. Returns the table."""
    folder.mkdir(parents=True, exist_ok=True)
    variants = Variants(recipe, store, seed, say)
    models = variants.train()
    if variants.sing is not None:
        draw_tables(folder / "embeddings.png", variants.sing, store.instruments)
    train_rows = np.random.default_rng(seed).permutation(store.train)[: max(1, len(store.evaluation))]
    rows = table(models, store, train_rows)
    data = f"{len(store.instruments)} instruments, {len(store.train)} training notes ({', '.join(store.manifest['sources'])})"
    text = as_text(rows, data)
    write_atomic(folder / "table-2.1.md", text.encode())
    write_atomic(folder / "table-2.1.json", json.dumps({"data": data, "columns": COLUMNS, "rows": rows}).encode())
    row = store.evaluation[len(store.evaluation) // 2 :][:1]
    shown = {"recording": store.audio(row)[0].numpy()}
    with torch.no_grad():
        for name in ("SING, spectral", "SING, waveform", "SING, spectral, no time embedding"):
            shown[name] = models[name](row)[0].numpy()
    draw_rainbowgrams(folder / "figure-2.2.png", shown)
    return text


def instrument_table(scores: dict[str, dict[str, Any]], sustains: dict[str, bool]) -> str:
    """A Markdown table of ``by_instrument``: what the recordings themselves score is in brackets."""
    lines = [
        "| instrument | sustains | spectral distance | level, dB | error of the fundamental, cents | restarts a note | lines, dB |",
        "|---|---|---|---|---|---|---|",
    ]
    for name, found in scores.items():
        cells = [
            name,
            "yes" if sustains[name] else "no",
            f"{found['note_spectral']:.3f}",
            f"{found['level_error_db']:+.1f}",
            f"{found['f0_median_cents']:g}",
            f"{found['restarts_per_note']:.1f} ({found['restarts_per_note_recorded']:.1f})",
            f"{found['tonal_artefact_db']:.0f} ({found['tonal_artefact_db_recorded']:.0f})",
        ]
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)
