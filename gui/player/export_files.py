"""What the export writes: formats of stems, projects for other programs, and the names of the files."""

from __future__ import annotations

from pathlib import Path

from PyQt6.QtCore import QT_TRANSLATE_NOOP, QCoreApplication

from models.names import song_name
from rtaudio.audio.format import SOURCES

RECORDING_FORMATS = (("wav", "WAV, 32 bit float"), ("flac", "FLAC, 24 bit"))
FORMATS = (
    *RECORDING_FORMATS, ("mp3", "MP3, 320 kbit/s"), ("opus", "Opus"),
    ("stem.mp4", QT_TRANSLATE_NOOP("ExportFiles", "Stem file for DJ programs (AAC)")),
    ("alac.stem.mp4", QT_TRANSLATE_NOOP("ExportFiles", "Stem file, lossless (ALAC)")),
)  # fmt: skip
STEM_FORMATS = ("stem.mp4", "alac.stem.mp4")
"""One file for all stems."""

PROJECTS = (
    ("", QT_TRANSLATE_NOOP("ExportFiles", "None")), ("reaper", "REAPER"), ("dawproject", "DAWproject"),
    ("reaper,dawproject", QT_TRANSLATE_NOOP("ExportFiles", "REAPER and DAWproject")),
)  # fmt: skip
PROJECT_SUFFIXES = {"reaper": ".rpp", "dawproject": ".dawproject"}
PROJECT_FORMATS = tuple(name for name, _ in RECORDING_FORMATS)
"""Formats of the stems of a project."""


def translated(text: str) -> str:
    """A text of the tables above."""
    return QCoreApplication.translate("ExportFiles", text)


def file_names(song: str, stems: list[str], format: str, project: str) -> list[str]:
    """Names of the files that an export writes; none if the format does not hold these stems."""
    if format in STEM_FORMATS:
        return [f"{song_name(song)}.{format}"] if set(stems) == set(SOURCES) else []
    projects = [f"{song_name(song)}{PROJECT_SUFFIXES[kind]}" for kind in project.split(",") if kind] if stems else []
    return [*(f"{stem}.{format}" for stem in stems), *projects]


def song_folder(parent: Path, song: str) -> Path:
    """The folder for the stems of a song."""
    return parent / song_name(song)
