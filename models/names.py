"""Names and paths that come from files: what may become a file's name, on any system, and what stays inside a folder.

A card, a listening test or a prepared collection may come from anybody. What it calls its stems, instruments or sounds becomes a path
somewhere, and must then be one component of it.
"""

from __future__ import annotations

import unicodedata
from pathlib import Path, PurePosixPath, PureWindowsPath

LONGEST = 64
"""Characters."""
PUNCTUATION = " .-_"
RESERVED = frozenset(
    ["con", "prn", "aux", "nul", "conin$", "conout$"]
    + [f"{device}{number}" for device in ("com", "lpt") for number in "0123456789¹²³"]
)
"""Windows opens a device instead of a file of such a name, whatever its suffix."""
STEM_FILES = (".alac.stem.mp4", ".stem.mp4", ".stem.m4a")
"""Endings of files that contain stems."""


def name_problem(name: str) -> str | None:
    """Why ``name`` cannot be the name of a file everywhere, as the end of a sentence; None if it can."""
    if not name.strip():
        return "is empty"
    if len(name) > LONGEST:
        return f"has {len(name)} characters, more than {LONGEST}"
    wrong = [c for c in name if not (c.isalnum() or c in PUNCTUATION or unicodedata.category(c) in ("Mn", "Mc"))]
    if wrong:
        return f"holds {wrong[0]!r}; letters, digits, space and .-_ are allowed"
    if name[0] in " ." or name[-1] in " .":
        return "begins or ends with a dot or a space"
    if name.split(".")[0].strip().casefold() in RESERVED:
        return "is reserved on Windows"
    return None


def folded(name: str) -> str:
    """The same text for names that are one file where case and Unicode's ways to write a letter do not count."""
    return unicodedata.normalize("NFKC", name).casefold()


def inside(folder: Path, relative: str) -> Path:
    """``folder / relative``, which must lie below ``folder`` as it is written, on any system.

    Raises:
        ValueError: it is absolute, names a drive, goes up, or holds control characters.
    """
    for path in (PurePosixPath(relative), PureWindowsPath(relative)):
        if path.is_absolute() or path.anchor or ".." in path.parts or not path.parts:
            raise ValueError(f"the path {relative!r} leads out of its folder")
    if not relative.isprintable():
        raise ValueError(f"the path {relative!r} holds what cannot be written")
    return folder / relative


def exists(path: str | Path) -> bool:
    """Whether there is such a file or folder. A name that no system could have (too long, for one) is none that exists."""
    try:
        return Path(path).exists()
    except (OSError, ValueError):
        return False


def is_dir(path: str | Path) -> bool:
    """Whether there is such a folder; as ``exists``."""
    try:
        return Path(path).is_dir()
    except (OSError, ValueError):
        return False


def is_file(path: str | Path) -> bool:
    """Whether there is such a file; as ``exists``."""
    try:
        return Path(path).is_file()
    except (OSError, ValueError):
        return False


def is_stem_file(path: str | Path) -> bool:
    """Whether the name of a sound file says that it contains stems."""
    return str(path).lower().endswith(STEM_FILES)


def song_name(path: str | Path) -> str:
    """The name of a song's file without its suffix, which may be one of a stem file."""
    name = Path(path).name
    ending = next((suffix for suffix in STEM_FILES if name.lower().endswith(suffix) and len(name) > len(suffix)), "")
    return name[: -len(ending)] if ending else Path(path).stem
