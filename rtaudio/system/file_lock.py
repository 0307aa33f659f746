"""A lock between processes that the system releases when its holder dies, however it dies. Owns no thread and never waits."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import IO

_BYTE = 1 << 30
"""The byte that Windows locks. It lies beyond the end of any file locked here, because a locked byte could not be read."""


class FileLock:
    """An exclusive lock on ``path``, which is created if it does not exist. Its folder must exist."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._file: IO[bytes] | None = None

    def acquire(self) -> bool:
        """Take the lock without waiting; False if another process, or another lock of this one, holds it. Raises OSError."""
        file = self.path.open("ab+")
        try:
            if sys.platform == "win32":
                import msvcrt

                file.seek(_BYTE)
                msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
            else:
                import fcntl

                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            file.close()
            return False
        self._file = file
        return True

    def release(self) -> None:
        """Release the lock. The file stays, because removing it would race with the next process that acquires the lock."""
        if self._file is not None:
            self._file.close()
            self._file = None
