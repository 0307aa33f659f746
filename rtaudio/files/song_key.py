"""The key by which something is kept about a song: a hash of the file's content, so that a moved or renamed song is known again."""

from __future__ import annotations

import hashlib
from pathlib import Path

from rtaudio.audio.format import StemplayError
from rtaudio.files.writer import reason

DIGITS = 40


def song_key(path: str | Path) -> str:
    """``DIGITS`` hexadecimal digits (BLAKE2b). Raises StemplayError if the file cannot be read."""
    try:
        with Path(path).open("rb") as file:
            return hashlib.file_digest(file, lambda: hashlib.blake2b(digest_size=DIGITS // 2)).hexdigest()
    except (OSError, ValueError) as error:
        raise StemplayError(f"{path} cannot be read: {reason(error)}.") from None
