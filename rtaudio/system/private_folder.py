"""The private folder of this user, where processes find each other."""

from __future__ import annotations

import os
import stat
import sys
import tempfile
from pathlib import Path

from rtaudio.audio.format import StemplayError


def runtime_directory() -> Path:
    """Where the detached engine's socket, key, lock and log lie; created private to this user.

    ``STEMPLAY_RUNTIME_DIR`` overrides it. Raises StemplayError if another user could write there.
    """
    override = os.environ.get("STEMPLAY_RUNTIME_DIR")
    if override:
        path = Path(override)
    elif sys.platform == "win32":
        path = Path(os.environ.get("LOCALAPPDATA", tempfile.gettempdir())) / "stemplay"
    elif os.environ.get("XDG_RUNTIME_DIR") and os.access(os.environ["XDG_RUNTIME_DIR"], os.W_OK):
        path = Path(os.environ["XDG_RUNTIME_DIR"]) / "stemplay"
    else:
        path = Path(tempfile.gettempdir()) / f"stemplay-{os.getuid()}"
    try:
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
        status = path.lstat()
    except OSError as error:
        raise StemplayError(f"The folder {path} for the engine's socket cannot be made: {error.strerror}.") from None
    if sys.platform != "win32":
        if not stat.S_ISDIR(status.st_mode) or status.st_uid != os.getuid():
            raise StemplayError(
                f"The folder {path} belongs to someone else, so the engine's socket would not be private."
            )
        if status.st_mode & 0o077:
            path.chmod(0o700)
    return path
