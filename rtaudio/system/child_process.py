"""Our own child processes: their environment, and removing the temporary folders of killed jobs."""

from __future__ import annotations

import contextlib
import os
import shutil
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
"""The folder that holds the packages; child processes find them there whatever their working directory."""


def child_environment() -> dict[str, str]:
    """The environment of our own child processes: they find the packages' folder, and libraries start no needless threads."""
    paths = [str(ROOT), *filter(None, os.environ.get("PYTHONPATH", "").split(os.pathsep))]
    defaults = {"OMP_NUM_THREADS": "1", "JACK_NO_START_SERVER": "1", "JACK_NO_AUDIO_RESERVATION": "1"}
    return {**defaults, **os.environ, "PYTHONPATH": os.pathsep.join(paths)}


def remove_job_folders(makes: dict[str, Any]) -> None:
    """Remove what a killed job of ``rtaudio.jobs`` has left; a job that ended by itself has done so.

    Args:
        makes: the job's message ``makes``: its temporary ``folder``, and the ``parents`` to remove if they are empty. May be empty.
    """
    if not makes:
        return
    shutil.rmtree(makes["folder"], ignore_errors=True)
    with contextlib.suppress(OSError):  # stops at the first folder that is not empty
        for path in makes["parents"]:
            Path(path).rmdir()
