"""The environment variables of our own child processes."""

from __future__ import annotations

import os
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
"""The folder that holds the packages; child processes find them there whatever their working directory."""


def child_environment() -> dict[str, str]:
    """The environment of our own child processes: they find the packages' folder, and libraries start no needless threads."""
    paths = [str(ROOT), *filter(None, os.environ.get("PYTHONPATH", "").split(os.pathsep))]
    defaults = {"OMP_NUM_THREADS": "1", "JACK_NO_START_SERVER": "1", "JACK_NO_AUDIO_RESERVATION": "1"}
    return {**defaults, **os.environ, "PYTHONPATH": os.pathsep.join(paths)}
