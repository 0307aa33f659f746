"""Private folders of a host process, in which the files of plugins' states lie. They go with the process."""

from __future__ import annotations

import contextlib
import os
import shutil
import tempfile
from pathlib import Path

from rtaudio.audio.format import StemplayError


def _prefix(pid: int) -> str:
    return f"stemplay-state-{pid}-"


def fresh_folder() -> Path:
    """A new folder of this process, without symbolic links in its path. Raises StemplayError if there is no room."""
    try:
        return Path(tempfile.mkdtemp(prefix=_prefix(os.getpid()))).resolve()
    except OSError as error:
        raise StemplayError(f"There is no room for the state of a plugin: {error.strerror}.") from None


def remove_folders(pid: int) -> None:
    """Remove the folders of the process ``pid``, which has ended or is about to. Raises nothing."""
    with contextlib.suppress(OSError):
        for folder in Path(tempfile.gettempdir()).glob(f"{_prefix(pid)}*"):
            shutil.rmtree(folder, ignore_errors=True)
