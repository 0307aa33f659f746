"""Networks of the usual sizes with random weights, for timing only. The training package makes them once, in a separate process."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from pathlib import Path

import platformdirs

from models.card import CARD_FILE, CARD_VERSION
from rtaudio.audio.format import StemplayError
from rtaudio.bench.machine import ROOT


def timing_models(directory: Path | None) -> list[Path]:
    """The networks' directories: those in ``directory``, else those in the cache, which is filled if it is empty and torch is installed.

    Raises StemplayError if ``directory`` contains none.
    """
    place = directory or cache_directory()
    if directory is None and not any(place.glob(f"*/{CARD_FILE}")):
        if not can_train():
            print(
                "Causal Demucs 48/4 and 64/5 and the thesis' SING are not timed: making them needs torch (make setup).",
                file=sys.stderr,
            )
            return []
        print(f"Making the networks for timing in {place} ...", file=sys.stderr)
        command = [sys.executable, "-m", "training", "timing", "-o", str(place)]
        made = subprocess.run(
            command, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, check=False
        )
        if made.returncode:
            print(f"That failed, so they are not timed: {made.stderr.strip().splitlines()[-1:]}", file=sys.stderr)
    found = sorted(path.parent for path in place.glob(f"*/{CARD_FILE}"))
    if directory is not None and not found:
        raise StemplayError(f"There are no models in {directory}.")
    return found


def can_train() -> bool:
    """Whether the training package can run here, in a separate process."""
    return importlib.util.find_spec("torch") is not None and (ROOT / "training").is_dir()


def cache_directory() -> Path:
    """The folder of the timing networks in the user's cache, a different one for each version of the card."""
    return Path(platformdirs.user_cache_dir("stemplay", appauthor=False)) / f"timing-{CARD_VERSION}"
