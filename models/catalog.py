"""Where models are found: the shipped zoo, the user's own, or any directory a user names. No torch here."""

from __future__ import annotations

import contextlib
import math
import os
from pathlib import Path

import platformdirs

from models.card import CARD_FILE, CardError, ModelCard, read_card
from models.names import is_file

ZOO = Path(__file__).resolve().parent / "zoo"
PREFERRED = ("demucs-live", "demucs-open")
"""Separators by quality, among those with the shortest latency."""
RETIRED = {
    "demucs-studio": "The model demucs-studio is no longer shipped: use demucs-live and look 17.4 ms ahead (--look-ahead 17.4), "
    "which has the same latency and is better."
}
"""Models of earlier releases, which a session or a preset may still name: what to use instead."""


def user_models() -> Path:
    """The folder of the models that the user installed (``models get``): the platform's data folder, or ``STEMPLAY_MODELS_DIR``."""
    configured = os.environ.get("STEMPLAY_MODELS_DIR")
    folder = Path(configured or platformdirs.user_data_dir("stemplay", appauthor=False))
    if configured:
        return folder
    # platformdirs returns "~/..." for a user without a home: use a folder that does not exist, so nothing is installed there
    return folder / "models" if folder.is_absolute() else Path("/nonexistent")


def model_names() -> list[str]:
    """Names of the shipped and installed models that have a card, sorted."""
    return sorted(_installed())


def _installed() -> dict[str, Path]:
    """Name -> directory; a shipped model wins over one of the user's with its name."""
    found: dict[str, Path] = {}
    for folder in (user_models(), ZOO):
        found |= {path.parent.name: path.parent for path in folder.glob(f"[!.]*/{CARD_FILE}")}
    return found


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
    """The installed separators by name, the best for files first; what cannot be read is passed over."""
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
    """The directory of an installed model's name, or of a path to a directory (or to the ``model.onnx`` in it).

    Raises:
        CardError: there is no such model; the sentence lists the installed ones.
    """
    installed = _installed()
    if str(name) in installed:
        return installed[str(name)]
    path = Path(name)
    with contextlib.suppress(RuntimeError):  # the home of a user who does not exist
        path = path.expanduser()
    if path.name == "model.onnx":
        path = path.parent
    if is_file(path / CARD_FILE):
        return path
    if str(name) in RETIRED:
        raise CardError(RETIRED[str(name)])
    names = ", ".join(sorted(installed)) or "none"
    raise CardError(
        f"There is no model {shortened(str(name))!r}; installed are: {names}. A path to a model's directory works too."
    )


def shortened(text: str, longest: int = 200) -> str:
    """``text`` for a sentence: a name of thousands of characters helps nobody."""
    return text if len(text) <= longest else f"{text[:longest]}..."


def load_card(name: str | Path) -> ModelCard:
    """The card of an installed model or of a directory."""
    return read_card(find_model(name))
