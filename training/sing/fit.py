"""``python -m training sing fit``: the three stages on a note set. A run continues from its checkpoint as if it had not stopped."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor

from models.sing import NoteDecoder, NoteEncoder, Sing, SingConfig
from rtaudio.audio.format import StemplayError
from training.data.note_store import NoteStore
from training.data.store import write_atomic
from training.optim.quantize import BITS, HEADER, packed_tensors, unpack_state
from training.runs.checkpoint import read_checkpoint, save_checkpoint
from training.signals import stop_on_signals
from training.sing.recipe import SingRecipe
from training.sing.score import by_codes, losses
from training.sing.stages import STAGES, Trainer

CHECKPOINT, WEIGHTS, HISTORY, CEILING = "last.ckpt", "weights.safetensors", "history.json", "autoencoder.json"
SING = "Sing"
"""Name of the network in the header of its weights."""


@dataclass(frozen=True)
class SingOptions:
    """The options of the command line that are not part of a recipe.

    Attributes:
        folder: the folder of the run; one run per folder.
        store: the note set.
        stages: the stages to run, in order.
        init: weights to start from; tables grow to the note set's instruments and pitches.
        checkpoint_every: seconds between checkpoints.
    """

    folder: Path
    store: Path
    stages: tuple[str, ...] = STAGES
    init: Path | None = None
    resume: bool = False
    seed: int = 0
    threads: int | None = None
    checkpoint_every: float = 120.0


class Run:
    """A trainer with a folder: history, checkpoints, and printed progress."""

    def __init__(self, recipe: SingRecipe, options: SingOptions, say: Callable[[str], None] = print) -> None:
        self.options, self.say = options, say
        self.store = NoteStore(options.store)
        loaded = self._checkpoint() if options.resume else None
        if loaded is not None:
            recipe = SingRecipe.from_dict(loaded["recipe"])
        self.recipe = replace(recipe, network=sized_for(recipe.network, self.store))
        for stage in STAGES:
            self.store.rows_of(getattr(recipe, stage).focus)  # unknown names are told before anything is trained
        torch.manual_seed(options.seed)
        self.sing, self.encoder = Sing(self.recipe.network), NoteEncoder(self.recipe.network)
        if options.init is not None:
            load_sing(options.init, self.sing, self.encoder, self.store.instruments)
        self.history: list[dict[str, Any]] = []
        self.done: list[str] = []
        self.trainer = Trainer(self.sing, self.encoder, self.store, self._after_step, options.seed)
        self._said = self._saved = time.monotonic()
        self._heard = 0.0
        if loaded is not None:
            self._restore(loaded)

    def fit(self) -> list[dict[str, Any]]:
        """Run the remaining stages; returns the history. A signal ends it early, with a checkpoint."""
        self.options.folder.mkdir(parents=True, exist_ok=True)
        write_atomic(self.options.folder / "recipe.json", json.dumps(self.recipe.to_dict(), indent=1).encode())
        with stop_on_signals(self.trainer):
            for stage in self.options.stages:
                if stage in self.done:
                    continue
                if stage == "end_to_end" and "autoencoder" in self.done and self.trainer.position.stage != stage:
                    self._begin_decoder_anew()
                self.trainer.run(stage, getattr(self.recipe, stage))
                if self.trainer.stop_requested:
                    break
                self.done.append(stage)
                self.trainer.forget_position()
                if stage == "autoencoder":
                    self._score_autoencoder()
        self.save()
        return self.history

    def _after_step(self, trainer: Trainer) -> None:
        position, now = trainer.position, time.monotonic()
        plan = getattr(self.recipe, position.stage)
        config = self.sing.config
        self._heard += plan.batch * config.samples(plan.window or None) / config.sample_rate
        if now - self._said >= 10 or position.step == 1:
            speed = self._heard / max(now - self._said, 1e-9) if position.step > 1 else 0.0
            left = max(0.0, (1 - position.progress) / max(position.progress, 1e-9) * position.seconds)
            row = {"stage": position.stage, "step": position.step, "seconds": round(position.seconds, 1)}
            self.history.append({**row, "loss": round(position.loss, 6)})
            self.say(
                f"{position.stage:<12}step {position.step:>6}  loss {position.loss:.5f}  {speed:7.1f} s of audio a second"
                f"  {left / 60:.1f} min left"
            )
            self._said, self._heard = now, 0.0
        if now - self._saved >= self.options.checkpoint_every:
            self.save()

    def _begin_decoder_anew(self) -> None:
        """With an excitation, start the last stage with a new decoder.

        The autoencoder's decoder does not receive the key and generates every phase itself. If it was kept, it continued to do so beside
        the excitation: after equal times the lines at the frame rate were 19 dB stronger than with a new decoder (docs/instrument.md).
        """
        if self.recipe.network.bands:
            self.sing.decoder.load_state_dict(NoteDecoder(self.recipe.network).state_dict())

    def _score_autoencoder(self) -> None:
        """Print the autoencoder's loss on the held-out notes, which is the ceiling of the later stages."""
        found = losses(by_codes(self.encoder, self.sing, self.store), self.store, self.store.test)
        write_atomic(
            self.options.folder / CEILING, json.dumps({f"autoencoder_{k}": v for k, v in found.items()}).encode()
        )
        self.say(f"autoencoder on the held-out notes: spectral loss {found['spectral']:.5f}")

    def save(self) -> None:
        """Write weights, history and checkpoint, each atomically."""
        folder = self.options.folder
        save_checkpoint(
            folder / CHECKPOINT,
            {
                "kind": "sing",
                "recipe": self.recipe.to_dict(),
                "instruments": self.store.instruments,
                "sing": self.sing.state_dict(),
                "encoder": self.encoder.state_dict(),
                "trainer": self.trainer.state(),
                "done": self.done,
                "history": self.history,
            },
        )
        save_sing(folder / WEIGHTS, self.sing, self.encoder, self.store.instruments)
        write_atomic(folder / HISTORY, json.dumps(self.history).encode())
        self._saved = time.monotonic()

    def _checkpoint(self) -> dict[str, Any]:
        path = self.options.folder / CHECKPOINT
        loaded = read_checkpoint(path)
        if loaded.get("kind") != "sing":
            raise StemplayError(f"{path} is not a checkpoint of SING.")
        if loaded["instruments"] != self.store.instruments:
            raise StemplayError(
                f"The run in {self.options.folder} learned other instruments than those in {self.options.store}."
            )
        return loaded

    def _restore(self, loaded: dict[str, Any]) -> None:
        self.sing.load_state_dict(loaded["sing"])
        self.encoder.load_state_dict(loaded["encoder"])
        self.trainer.restore(loaded["trainer"])
        self.done, self.history = list(loaded["done"]), list(loaded["history"])


def sized_for(config: SingConfig, store: NoteStore) -> SingConfig:
    """``config`` with tables for the instruments and pitches of a note set."""
    lowest, highest = int(store.pitch.min()), int(store.pitch.max())
    return replace(config, instruments=len(store.instruments), lowest_pitch=lowest, pitches=highest - lowest + 1)


def save_sing(
    path: Path, sing: Sing, encoder: NoteEncoder | None, instruments: list[str], *, half: bool = False, bits: int = 32
) -> None:
    """Weights as safetensors, with configuration and instruments in the header. Atomic.

    ``half`` stores float16; ``bits`` below 9 as ``training.optim.quantize`` does.
    """
    kind = torch.float16 if half else torch.float32
    tensors = {f"sing.{name}": value for name, value in sing.state_dict().items()}
    if encoder is not None:
        tensors |= {f"encoder.{name}": value for name, value in encoder.state_dict().items()}
    header = {"network": SING, "config": json.dumps(sing.config.to_dict()), "instruments": json.dumps(instruments)}
    if bits in BITS:
        tensors, header[HEADER] = packed_tensors(tensors, bits)
    else:
        tensors = {name: value.to(kind).contiguous() for name, value in tensors.items()}
    write_atomic(path, save(tensors, header))


def is_sing(path: Path) -> bool:
    """Whether ``path`` is a file of ``save_sing``."""
    try:
        with safe_open(str(path), framework="pt") as file:
            return (file.metadata() or {}).get("network") == SING
    except (OSError, SafetensorError):
        return False


def read_sing(path: Path) -> tuple[dict[str, Tensor], SingConfig, list[str]]:
    """The contents of a file of ``save_sing``: float32 tensors, configuration, instruments.

    Raises:
        StemplayError: the file is missing or has no weights of SING.
    """
    try:
        with safe_open(str(path), framework="pt") as file:
            header = file.metadata() or {}
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 (no mapping)
        if HEADER in header:
            tensors = unpack_state(tensors, header[HEADER])
        tensors = {name: value.float() for name, value in tensors.items()}
        return tensors, SingConfig(**json.loads(header["config"])), list(json.loads(header["instruments"]))
    except (OSError, SafetensorError, ValueError, TypeError, KeyError) as error:
        raise StemplayError(f"{path} cannot be read as weights of SING: {error}.") from None


def open_sing(path: Path) -> tuple[Sing, NoteEncoder | None, list[str]]:
    """Networks from ``save_sing``, in evaluation mode; no encoder if the file has none."""
    tensors, config, instruments = read_sing(path)
    sing = Sing(config).eval()
    encoder = NoteEncoder(config).eval() if any(name.startswith("encoder.") for name in tensors) else None
    try:
        sing.load_state_dict(_part(tensors, "sing."))
        if encoder is not None:
            encoder.load_state_dict(_part(tensors, "encoder."))
    except RuntimeError as error:
        raise StemplayError(f"The weights in {path} do not fit: {str(error).splitlines()[-1].strip()}") from None
    return sing, encoder, instruments


def load_sing(path: Path, sing: Sing, encoder: NoteEncoder, instruments: list[str]) -> None:
    """Start from other weights of the same sizes. Instruments and pitches that they contain keep their rows; others start as the mean
    instrument and the nearest pitch."""
    tensors, config, known = read_sing(path)
    rows = tensors["sing.sequence.instrument.weight"]
    table = rows.mean(0).repeat(len(instruments), 1) + 0.2 * rows.std(0, unbiased=False) * torch.randn(
        len(instruments), rows.shape[1]
    )
    for k, name in enumerate(instruments):
        if name in known:
            table[k] = rows[known.index(name)]
    tensors["sing.sequence.instrument.weight"] = table
    wanted = torch.arange(sing.config.pitches) + sing.config.lowest_pitch - config.lowest_pitch
    tensors["sing.sequence.pitch.weight"] = tensors["sing.sequence.pitch.weight"][wanted.clamp(0, config.pitches - 1)]
    try:
        sing.load_state_dict(_part(tensors, "sing."))
        if any(name.startswith("encoder.") for name in tensors):
            encoder.load_state_dict(_part(tensors, "encoder."))
    except RuntimeError as error:
        raise StemplayError(f"The weights in {path} do not fit: {str(error).splitlines()[-1].strip()}") from None


def _part(tensors: dict[str, Tensor], prefix: str) -> dict[str, Tensor]:
    return {name.removeprefix(prefix): value for name, value in tensors.items() if name.startswith(prefix)}
