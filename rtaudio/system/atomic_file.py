"""Replaces the text of a file: whoever reads it finds the old or the new text, never a part of either."""

from __future__ import annotations

import contextlib
import os
import tempfile
from pathlib import Path


def write_text(path: Path, text: str, *, permissions: int = 0o600) -> None:
    """Replace the text of ``path`` (UTF-8, lines end with "\\n"), and make its folder if there is none.

    The text is on the disk before the name changes, so that a power failure leaves the old text or the new one.
    ``permissions`` is for a new file and for one that is replaced. Raises OSError, and leaves no temporary file.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, temporary = tempfile.mkstemp(prefix=path.name, suffix=".tmp", dir=path.parent)
    try:
        with os.fdopen(handle, "w", encoding="utf-8", newline="\n") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        if permissions != 0o600:  # which is what mkstemp made
            os.chmod(temporary, permissions)
        os.replace(temporary, path)
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(temporary)
        raise
