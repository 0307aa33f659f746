"""The card of an exported model: what it is, what it costs, what it was made from, and whether the file is what the card says.

No torch and no ONNX Runtime here: the engine reads cards before it loads anything.
"""

from __future__ import annotations

import hashlib
import json
import math
import os
import re
import tempfile
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any

from models.names import folded, name_problem

MODEL_FILE = "model.onnx"
CARD_FILE = "card.json"
KINDS = ("separator", "instrument", "enhancer")
CARD_VERSION = 1
MOST, MOST_BYTES, MOST_OUTPUTS = 1 << 24, 1 << 33, 1024
"""Elements of a state or samples; bytes or weights of a model; outputs: far beyond what could run, and no arithmetic overflows."""
OTHER_STRIPS = ("mix", "instrument", "dry", "master")
"""What recordings and mixers call what is no stem."""


class CardError(Exception):
    """A model or card that cannot be used; the text is one sentence for the user."""


@dataclass(frozen=True)
class TensorSpec:
    """Name, shape and dtype of one state tensor (ONNX input ``state.NAME``, output ``next.NAME``)."""

    name: str
    shape: tuple[int, ...]
    dtype: str = "float32"


@dataclass(frozen=True)
class ModelCard:
    """What is known of one exported model.

    Attributes:
        kind: ``separator``, ``instrument`` or ``enhancer``.
        hop: samples a call of the network takes and gives.
        latency: look-ahead of the network in samples beside the hop itself (0 for left-padded causal networks).
        outputs: names of the stems, in the order of the output tensor.
        opset: ONNX operator set of the file.
        sha256, size: of ``model.onnx``; size in bytes.
        parameters: number of weights; size in MiB of float32 is ``parameters * 4 / 2**20``.
        shares: by which part of the residual ``mix - sum(stems)`` each stem is mended so that they sum to the mix (a separator's;
            empty for equal parts).
        refining: how much of the mix filtered by the stems' spectra each stem takes where it may look ahead, 0 to 1 (empty: as the
            player sees fit).
        quality: measured scores, each with what it was measured on.
        training: how it was made: recipe, hours, data, commit.
    """

    name: str
    kind: str
    sample_rate: int
    channels: int
    hop: int
    latency: int
    outputs: tuple[str, ...]
    states: tuple[TensorSpec, ...]
    precision: str
    opset: int
    sha256: str
    size: int
    parameters: int
    licence: str
    data: tuple[str, ...] = ()
    quality: dict[str, Any] = field(default_factory=dict)
    training: dict[str, Any] = field(default_factory=dict)
    shares: tuple[float, ...] = ()
    refining: tuple[float, ...] = ()
    description: str = ""
    version: int = CARD_VERSION

    @property
    def refinable(self) -> bool:
        """Whether the player can refine its stems: a separator that streams, no enhancer and nothing in chunks."""
        return self.kind == "separator" and bool(self.states)

    def __post_init__(self) -> None:
        problem = _problem(self)
        if problem:
            raise CardError(problem)


def _problem(card: ModelCard) -> str | None:
    where = f"The card of {card.name!r}"
    if card.version != CARD_VERSION:
        return f"{where} has version {card.version}; this program reads version {CARD_VERSION}."
    if card.kind not in KINDS:
        return f"{where} names the kind {card.kind!r}, which is none of {', '.join(KINDS)}."
    if not 4_000 <= card.sample_rate <= 384_000:
        return f"{where} names a sample rate of {card.sample_rate} Hz, outside 4000 to 384000 Hz."
    if not 1 <= card.channels <= 64:
        return f"{where} names {card.channels} channels, outside 1 to 64."
    if not 1 <= card.hop <= 1 << 20 or card.latency < 0:
        return f"{where} names a hop of {card.hop} and a latency of {card.latency} samples, which is impossible."
    problem = _problem_of_names(card, where)
    if problem:
        return problem
    if card.shares and (
        len(card.shares) != len(card.outputs)
        or not all(0 <= x <= 1 for x in card.shares)  # false for what is no number, too
        or not abs(sum(card.shares) - 1) <= 1e-3
    ):
        return f"{where} shares the residual by {list(card.shares)}, which must be one part from 0 up for each output, 1 in all."
    if card.refining and (len(card.refining) != len(card.outputs) or not all(0 <= x <= 1 for x in card.refining)):
        return (
            f"{where} refines its stems by {list(card.refining)}, which must be one part from 0 to 1 for each output."
        )
    if any(not 1 <= n <= MOST for state in card.states for n in state.shape) or card.latency > MOST:
        return f"{where} describes a state tensor without elements, or something too large."
    if not (0 < card.size <= MOST_BYTES and 0 < card.parameters <= MOST_BYTES and 1 <= card.opset <= 99):
        return f"{where} names {card.size} bytes, {card.parameters} weights and operator set {card.opset}, which cannot be."
    return None


def _problem_of_names(card: ModelCard, where: str) -> str | None:
    """Outputs become names of files and strips; the card's own name becomes a folder's."""
    problem = name_problem(card.name)
    if problem:
        return f"A card's name, {card.name[:80]!r}, {problem}."
    if not card.outputs or len({folded(name) for name in card.outputs}) != len(card.outputs):
        return f"{where} names no outputs, or one of them twice."
    if len(card.outputs) > MOST_OUTPUTS:
        return f"{where} names {len(card.outputs)} outputs, more than {MOST_OUTPUTS}."
    for name in card.outputs:
        problem = name_problem(name)
        if problem:
            return f"{where} names the output {name[:80]!r}, which {problem}."
        if card.kind != "instrument" and folded(name) in OTHER_STRIPS:
            return f"{where} names the output {name!r}, which is the name of another strip or recording of the mixer."
    return None


def sha256_of(path: Path) -> str:
    """Hexadecimal SHA-256 of a file."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(1 << 20):
            digest.update(chunk)
    return digest.hexdigest()


def read_card(directory: Path) -> ModelCard:
    """Read ``card.json`` in ``directory``. Raises CardError with one sentence if it is missing, damaged or contradicts itself."""
    path = directory / CARD_FILE
    try:
        values = json.loads(path.read_text(encoding="utf-8"), parse_float=_finite, parse_constant=_finite)
    except FileNotFoundError:
        raise CardError(f"There is no model in {directory}: {CARD_FILE} is missing.") from None
    except (OSError, UnicodeDecodeError, ValueError) as error:
        raise CardError(f"The card {path} cannot be read: {error}.") from None
    return card_from_dict(values, str(path))


def _finite(text: str) -> float:
    """Of JSON's numbers, and of NaN and the infinities that Python's reader takes beside them, those that are numbers."""
    value = float(text)
    if not math.isfinite(value):
        raise ValueError(f"{text} is no finite number")
    return value


def _whole(value: Any) -> int:
    if type(value) is not int:
        raise TypeError(f"{value!r} is no whole number")
    return value


_TEXTS = ("name", "kind", "precision", "sha256", "licence", "description")


def card_from_dict(values: Any, where: str) -> ModelCard:
    """A card from parsed JSON; ``where`` names it in error sentences."""
    if not isinstance(values, dict):
        raise CardError(f"The card {where} is no JSON object.")
    known = {f.name: f for f in fields(ModelCard)}
    unknown = set(values) - set(known)
    if unknown:
        raise CardError(f"The card {where} has fields this program does not know: {', '.join(sorted(unknown))}.")
    for kind, names in ((str, _TEXTS), (dict, ("quality", "training"))):
        wrong = [name for name in names if not isinstance(values.get(name, kind()), kind)]
        if wrong:
            raise CardError(f"The card {where} is malformed: {wrong[0]} cannot be {values[wrong[0]]!r}.")
    try:
        states = tuple(TensorSpec(s["name"], tuple(_whole(n) for n in s["shape"]), s["dtype"]) for s in values["states"])
        whole = {
            key: _whole(values[key])
            for key in ("sample_rate", "channels", "hop", "latency", "opset", "size", "parameters")
        }
        lists = {key: tuple(str(x) for x in values.get(key, ())) for key in ("outputs", "data")}
        parts = {key: tuple(float(x) for x in values.get(key, ())) for key in ("shares", "refining")}
        return ModelCard(**{**values, **whole, **lists, **parts, "states": states})
    except (KeyError, TypeError, ValueError, OverflowError) as error:
        raise CardError(f"The card {where} is incomplete or malformed ({type(error).__name__}: {error}).") from None


def finite(values: Any) -> Any:
    """``values`` with None in the place of floats that JSON has no word for (infinite, or no number)."""
    if isinstance(values, dict):
        return {key: finite(value) for key, value in values.items()}
    if isinstance(values, (list, tuple)):
        return [finite(value) for value in values]
    return None if isinstance(values, float) and not math.isfinite(values) else values


def write_card(card: ModelCard, directory: Path) -> None:
    """Write ``card.json`` atomically."""
    text = json.dumps(finite(asdict(card)), indent=2, ensure_ascii=False, allow_nan=False) + "\n"
    text = re.sub(
        r"\[\s+([\d,\s]+?)\s+\]", lambda m: "[" + re.sub(r"\s+", " ", m.group(1)) + "]", text
    )  # shapes on one line
    handle, temporary = tempfile.mkstemp(dir=directory, prefix=CARD_FILE, suffix=".tmp")
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        file.write(text)
    os.chmod(temporary, 0o644)
    os.replace(temporary, directory / CARD_FILE)


def verify_file(card: ModelCard, directory: Path) -> Path:
    """Check that ``model.onnx`` is the file the card describes and return its path.

    Raises:
        CardError: the file is missing, truncated, or has another hash.
    """
    path = directory / MODEL_FILE
    try:
        size = path.stat().st_size
    except OSError:
        raise CardError(f"The model {card.name!r} has a card but no {MODEL_FILE} in {directory}.") from None
    if size != card.size:
        raise CardError(
            f"The file {path} is {size} bytes long, not {card.size} as its card says: it is truncated or another file."
        )
    if sha256_of(path) != card.sha256:
        raise CardError(f"The file {path} does not have the hash in its card: it was changed or damaged.")
    return path
