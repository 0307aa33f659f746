"""Keeps the maps of songs in a folder of the user's settings, beside the session, and never beside a song.

A file is named after the song's content, so that a song that is moved or renamed keeps its map. Files are written atomically. One that is
damaged counts as missing.
"""

from __future__ import annotations

import contextlib
import json
import os
from pathlib import Path

import platformdirs

from rtaudio.audio.format import StemplayError
from rtaudio.protocol.song_map import MAPS, SongMap, from_json, to_json
from rtaudio.system.atomic_file import write_text

MOST_FILES = 1000
"""Maps beyond which the oldest are removed (some 30 KB each)."""
MOST_BYTES = 1 << 24


def default_folder() -> Path:
    """The folder ``MAPS`` beside the session: in ``STEMPLAY_CONFIG_DIR``, or in the platform's folder for this user's settings."""
    return Path(os.environ.get("STEMPLAY_CONFIG_DIR") or platformdirs.user_config_dir("stemplay", appauthor=False)) / MAPS


def load_map(key: str, folder: Path) -> SongMap | None:
    """The stored map of a song; None if there is none that can be understood."""
    path = folder / f"{key}.json"
    try:
        if path.stat().st_size > MOST_BYTES:
            return None
        return from_json(json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError, RecursionError, StemplayError):
        return None


def save_map(key: str, found: SongMap, folder: Path) -> None:
    """Store the map of a song. Raises StemplayError if the disk refuses."""
    path = folder / f"{key}.json"
    try:
        write_text(path, json.dumps(to_json(found)))
    except OSError as error:
        raise StemplayError(f"{path} cannot be written: {error.strerror or error}.") from None
    _tidy(folder)


def _tidy(folder: Path) -> None:
    with contextlib.suppress(OSError):
        files = sorted(folder.glob("*.json"), key=lambda path: path.stat().st_mtime)
        for path in files[:-MOST_FILES]:
            path.unlink(missing_ok=True)
