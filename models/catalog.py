"""Where models are found: the shipped zoo, or any directory a user names. No torch here."""

from __future__ import annotations

import math
from pathlib import Path

from models.card import CARD_FILE, CardError, ModelCard, read_card

ZOO = Path(__file__).resolve().parent / "zoo"
PREFERRED = ("demucs-live", "demucs-open")
"""Separators by quality, among those with the shortest latency."""


def model_names() -> list[str]:
    """Names of the shipped models that have a card, sorted."""
    return sorted(path.parent.name for path in ZOO.glob(f"*/{CARD_FILE}"))


def default_separator() -> str:
    """Name of the separator that plays where none is named: the best that is installed.

    A wheel has only those with an open licence, the repository has all.
    """
    shipped = model_names()
    return next((name for name in PREFERRED if name in shipped), PREFERRED[0])


def validation_sdr(card: ModelCard) -> float:
    """What the card says of its stems on validation songs: mean SDR in dB; minus infinity where it says nothing."""
    measured = card.quality.get("validation")
    value = measured.get("sdr_mean") if isinstance(measured, dict) else None
    return float(value) if isinstance(value, int | float) and math.isfinite(value) else -math.inf


def best_separator() -> str:
    """Name of the separator for files, where nobody waits for the sound: the best of those that are installed, by their cards."""
    return next(iter(separators()), default_separator())


def separators() -> dict[str, ModelCard]:
    """The shipped separators by name, the best for files first; what cannot be read is passed over."""
    found = {}
    for name in model_names():
        try:
            card = load_card(name)
        except CardError:
            continue
        if card.kind == "separator":
            found[name] = card
    return dict(sorted(found.items(), key=lambda item: -validation_sdr(item[1])))


def find_model(name: str | Path) -> Path:
    """The directory of a shipped model's name, or of a path to a directory (or to the ``model.onnx`` in it).

    Raises:
        CardError: there is no such model; the sentence lists the shipped ones.
    """
    shipped = ZOO / str(name)
    if str(name) in model_names():
        return shipped
    path = Path(name).expanduser()
    if path.name == "model.onnx":
        path = path.parent
    if (path / CARD_FILE).is_file():
        return path
    names = ", ".join(model_names()) or "none"
    raise CardError(
        f"There is no model {str(name)!r}; shipped models are: {names}. A path to a model's directory works too."
    )


def load_card(name: str | Path) -> ModelCard:
    """The card of a shipped model or of a directory."""
    return read_card(find_model(name))
