"""``python -m training optim fit``: train a linear classifier on sparse data, with a checkpoint after each pass."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from rtaudio.audio.format import StemplayError
from training.data.store import write_atomic
from training.optim.experiments.tuning import tune
from training.optim.sparse.data import Parts
from training.optim.sparse.solvers import SparseSolver, check_run
from training.optim.sparse.svrg import SparseSvrg
from training.signals import stop_on_signals

CHECKPOINT, WEIGHTS = "linear-checkpoint.npz", "linear-weights.npz"


@dataclass
class LinearRun:
    """Runs passes of one method. A signal ends it after the current pass, with a checkpoint.

    Args:
        folder: receives a checkpoint after each pass, and the weights in the file's order of features.
        rule: one of ``RULES``, or ``svrg`` (AdaBatch SVRG).
        step: step size; None for the best of a grid, on samples held out for this.
        wild: workers share samples, not features (``SparseSolver``).
    """

    parts: Parts
    folder: Path
    rule: str
    step: float | None
    batch: int
    workers: int
    passes: int
    seed: int
    switch: int | None = None
    wild: bool = False
    stop_requested: bool = field(default=False, init=False)

    def __post_init__(self) -> None:
        if self.rule != "svrg":
            check_run(
                self.rule, 1.0 if self.step is None else self.step, self.batch, self.workers, self.parts.train.penalty, self.wild
            )
        elif self.workers > 1 or self.wild:
            raise StemplayError("svrg runs with one worker only.")
        if self.parts.train.loss == "hinge" and self.rule == "svrg":
            raise StemplayError("SVRG needs a smooth loss, and the hinge loss is not smooth.")

    def fit(self, resume: bool, say: Callable[[str], None]) -> None:
        """Run all remaining passes; prints loss and error of the test samples after each."""
        loaded = self._read() if resume else None
        step = float(loaded["step"]) if loaded is not None else self._step(say)
        solver = self._make(step)
        done = 0
        if loaded is not None:
            done = int(loaded["done"])
            solver.w[:] = loaded["w"]
            if isinstance(solver, SparseSvrg):
                solver.epochs = done
            else:
                solver.squares[:] = loaded["squares"]
            say(f"Continued after pass {done}.")
        with stop_on_signals(self):
            while done < self.passes and not self.stop_requested:
                self._pass(solver, np.random.default_rng([self.seed, done]))
                done += 1
                self._save(solver, step, done)
                test = self.parts.test
                say(f"pass {done}  test loss {test.objective(solver.w):.5f}  test error {test.error(solver.w):.4f}")
        say(f"{self.folder / WEIGHTS}")

    def _pass(self, solver: Any, rng: np.random.Generator) -> None:
        if isinstance(solver, SparseSvrg):
            solver.epoch(rng)
        else:
            solver.advance(rng.permutation(self.parts.train.samples))
        if not np.isfinite(solver.w).all():
            raise StemplayError(f"The weights are no longer finite: the step size {solver.step:g} is too large.")

    def _make(self, step: float) -> SparseSolver | SparseSvrg:
        if self.rule == "svrg":
            return SparseSvrg(self.parts.train, True, step, self.batch, self.switch)
        return SparseSolver(self.parts.train, self.rule, step, self.batch, self.workers, wild=self.wild)

    def _step(self, say: Callable[[str], None]) -> float:
        if self.step is not None:
            return self.step

        def value_at(step: float) -> float:
            solver = self._make(step)
            solver.fit(1, self.seed)
            return self.parts.valid.objective(solver.w)

        best = tune(value_at)
        say(f"Step size {best.step:g}, the best of a grid{' (at its border)' if best.border else ''}.")
        return best.step

    def _settings(self) -> str:
        t = self.parts.train
        return f"{self.rule} {self.batch} {self.seed} {t.loss} {t.penalty:g} {t.samples} {t.size} {self.parts.name}"

    def _save(self, solver: Any, step: float, done: int) -> None:
        squares = np.zeros(0) if isinstance(solver, SparseSvrg) else solver.squares
        _write(self.folder / CHECKPOINT, w=solver.w, squares=squares, step=step, done=done, settings=self._settings())
        _write(self.folder / WEIGHTS, weights=self.parts.train.to_user(solver.w))

    def _read(self) -> dict[str, Any]:
        path = self.folder / CHECKPOINT
        try:
            with np.load(io.BytesIO(path.read_bytes()), allow_pickle=False) as file:
                values = {name: file[name] for name in ("w", "squares", "step", "done", "settings")}
        except FileNotFoundError:
            raise StemplayError(f"There is no checkpoint {path} to continue from.") from None
        except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile) as error:
            raise StemplayError(f"{path} cannot be read as a checkpoint: {error}.") from None
        fits = values["w"].shape == (self.parts.train.size,) and np.isfinite(values["w"]).all()
        if str(values["settings"]) != self._settings() or not fits:
            raise StemplayError(f"{path} belongs to a run with other data or settings.")
        return values


def _write(path: Path, **values: Any) -> None:
    buffer = io.BytesIO()
    np.savez(buffer, **values)
    write_atomic(path, buffer.getvalue())
