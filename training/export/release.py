"""Makes publishable weights from a run: float16 safetensors, and a JSON file that records how they were made."""

from __future__ import annotations

import json
from collections.abc import Collection, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import torch

from models.network import SPEECH, Separator
from rtaudio.audio.format import StemplayError
from training.data.plan import COLLECTIONS
from training.data.store import Manifest, write_atomic
from training.runs.checkpoint import load_checkpoint, load_network, save_weights
from training.separation.recipe import Recipe
from training.separation.sources import validation_set
from training.separation.validation import validate

WEIGHTS_FILE, MAKING_FILE = "weights.safetensors", "weights.json"
RESTRICTED = ("musdb", "mir1k", "ravdess", "stems-research")
"""Collections whose licence allows research and private use only. The restriction also applies to weights learned from them."""
SHARE_ALIKE = ("guitar-sharealike", "prompts-sharealike", "noises-sharealike")
"""Collections whose licence (CC BY-SA) requires the same licence for derived works."""
COPYLEFT = ("words", "noises-copyleft")
"""Collections under the GPL, version 2 or 3 and later ones. CC BY-SA 4.0, to which its earlier versions may be raised, may become GPL 3."""
OWN = ("stems",)
"""Collections whose licence only their owner can state."""


def release(
    run: Path, directory: Path, *, store: Path, which: str = "best", note: str = "", continues: bool = False,
    branches: Sequence[Path] = (), average: Sequence[Path] = (), licence: str = "",
) -> dict[str, Any]:  # fmt: skip
    """Write ``weights.safetensors`` (float16) and ``weights.json`` of the run in folder ``run`` into ``directory``.

    Args:
        which: ``best`` on validation, or ``ema``, the averaged weights of the last checkpoint.
        store: the prepared data, to record what the network learned from.
        note: a remark, such as the weights that it started from.
        continues: the run started from the weights that are now in ``directory``; their record is kept under ``earlier``.
        branches: folders of other runs whose weights it started from (``training join``); their records are kept there too.
        average: folders of other runs that started from the same weights as ``run``: the mean of all their weights is released.
        licence: licence of the weights, if the run learned from the user's own stems.

    Raises:
        StemplayError: a run has no weights or no checkpoint, its network differs, or the licence of its weights is unknown.
    """
    network = _weights(run, which)
    checkpoint = load_checkpoint(run / "last.ckpt")
    history = checkpoint["history"]
    scored = min(history, key=score) if which == "best" else history[-1]
    if average:
        network = _mean([network, *(_weights(path, which) for path in average)])
        songs = validation_set(Recipe.from_dict(checkpoint["recipe"]), store)
        scored = validate(network, songs, network.config.sources).row()
    earlier = [
        *(_earlier(directory) if continues else []),
        *(_other(path, store, "a branch of its own") for path in branches),
        *(_other(path, store, "averaged with the newest run") for path in average),
    ]
    record = _record(checkpoint, store)
    # Weights learned from restricted data stay restricted, whatever the next run learns from.
    learned = {row["collection"] for row in (*record["data"], *(row for run in earlier for row in run.get("data", [])))}
    making = {
        "date": datetime.now(UTC).date().isoformat(),
        "licence": licence_of(learned, licence),
        **record,
        "recipe": checkpoint["recipe"],
        "cost": checkpoint.get("cost", {}),
        "validation": {
            "measured_on": _measured_on(checkpoint["recipe"]),
            **scored,
        },
        "note": note,
        **({"earlier": earlier} if earlier else {}),
    }
    save_weights(directory / WEIGHTS_FILE, network.state_dict(), network.config, half=True)
    write_atomic(directory / MAKING_FILE, json.dumps(making, indent=1, ensure_ascii=False).encode())
    return making


def licence_of(collections: Collection[str], own: str = "") -> str:
    """The licence of weights that learned from ``collections``; ``own`` is the user's licence for weights from their own stems.

    Raises:
        StemplayError: the user's own stems are among them and ``own`` is empty.
    """
    if any(name in RESTRICTED for name in collections):
        return "research and private use only (as some of the training data)"
    if any(name in OWN for name in collections):
        if not own:
            raise StemplayError("The run learned from your own stems: state the licence of its weights with --licence.")
        return own
    if any(name in COPYLEFT for name in collections):
        return "GPL-3.0-or-later"
    if any(name in SHARE_ALIKE for name in collections):
        return "CC BY-SA 4.0"
    return "CC BY 4.0"


def _measured_on(recipe: dict[str, Any]) -> str:
    """What chose the weights of a run."""
    if tuple(recipe["network"].get("sources", ())) == SPEECH:
        return "32 clips of 4 s with speakers, singers and noises kept for validation, mixture = sum of stems, residual shared equally"
    return "the validation songs of MUSDB18 that are in the data, mixture = sum of stems, residual shared equally"


def _weights(run: Path, which: str) -> Separator:
    path = run / f"{which}.safetensors"
    if not path.exists():
        raise StemplayError(f"There are no {which} weights in {run}.")
    return load_network(path)


def _mean(networks: Sequence[Separator]) -> Separator:
    """A network whose weights are the mean of those of ``networks`` (Wortsman et al. 2022)."""
    first, *others = networks
    if any(other.config != first.config for other in others):
        raise StemplayError("Only networks of the same sizes can be averaged.")
    states = [network.state_dict() for network in networks]
    first.load_state_dict({name: torch.stack([s[name] for s in states]).mean(dim=0) for name in states[0]})
    return first


def _record(checkpoint: dict[str, Any], store: Path) -> dict[str, Any]:
    """The record of a run: its data, its duration and its validations."""
    recipe = checkpoint["recipe"]
    prepared = recipe["data"] == "prepared"
    return {
        "data": used_data(store, recipe["mixing"].get("collections", ())) if prepared else [],
        "steps": checkpoint["step"],
        "hours": round(checkpoint["elapsed"] / 3600, 3),
        "audio_hours": round(checkpoint["step"] * _batch_seconds(recipe) / 3600, 2),
        "curve": checkpoint["history"],
    }


def _other(run: Path, store: Path, part: str) -> dict[str, Any]:
    """The record of another run that contributed to the weights, with its part in them."""
    checkpoint = load_checkpoint(run / "last.ckpt")
    kind = checkpoint["recipe"]["network"].get("kind", "network")
    return {**_record(checkpoint, store), "note": f"{part}: {checkpoint['recipe']['name']} ({kind})"}


def _earlier(directory: Path) -> list[dict[str, Any]]:
    """The runs behind the weights in ``directory``, oldest first."""
    before = read_making(directory / WEIGHTS_FILE)
    if not before:
        raise StemplayError(f"There is no {MAKING_FILE} in {directory} that this run could continue.")
    kept = ("date", "data", "steps", "hours", "audio_hours", "note", "curve")
    return [*before.get("earlier", []), {name: before[name] for name in kept if name in before}]


def score(row: dict[str, Any]) -> float:
    """The sort key of a validation: smaller is better."""
    return float(row.get("score", row["valid_loss"]))


def used_data(store: Path, only: Sequence[str] = ()) -> list[dict[str, Any]]:
    """Name, licence and hours of training items of each collection that the mixer uses: all, or ``only`` these."""
    rows = []
    for name in COLLECTIONS:
        if (not only or name in only) and (store / name / "manifest.json").exists():
            manifest = Manifest.read(store / name)
            frames = sum(item.frames for item in manifest.items if item.split == "train")
            hours = round(frames / manifest.sample_rate / 3600, 2)
            rows.append({"collection": name, "licence": manifest.licence, "hours": hours})
    return rows


def read_making(weights: Path) -> dict[str, Any]:
    """The ``weights.json`` beside ``weights``; empty if there is none."""
    path = weights.with_name(MAKING_FILE)
    try:
        values: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        return values
    except FileNotFoundError:
        return {}
    except ValueError as error:
        raise StemplayError(f"{path} is not JSON: {error}.") from error


def _batch_seconds(recipe: dict[str, Any]) -> float:
    return float(recipe["mixing"]["batch"]) * float(recipe["mixing"]["seconds"])
