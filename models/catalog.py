"""Where models are found: the shipped zoo, or any directory a user names. No torch here."""

from __future__ import annotations

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
