"""Export: a song into one file a stem, at full speed, exactly as ``python -m rtaudio separate`` does it.

The stems are made in a hidden folder beside their place and moved when all are complete: whoever cancels, or is killed, leaves
none of them half done.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import shutil
import time
from collections.abc import Sequence
from pathlib import Path

from models.catalog import best_separator
from rtaudio.audio.format import StemplayError
from rtaudio.files.offline import separate_file
from rtaudio.files.writer import reason
from rtaudio.jobs import Facts, Report

PREFIX = ".stemplay-export-"
TELL_S = 0.1


def export(
    report: Report, song: str, folder: str, model: str = "", stems: Sequence[str] | None = None,
    format: str = "wav", consistent: bool = True, refine: bool = True, strict: bool = False,
) -> Facts:  # fmt: skip
    """Separate ``song`` into ``folder``/STEM.``format``; files of these names are replaced, the song itself never is.

    Without a ``model`` it is the best that is installed.
    Tells ``done`` and ``total`` frames (0 if unknown). Raises StemplayError with one sentence.
    """
    target, told = Path(folder), 0.0

    def progress(done: int, total: int) -> None:
        nonlocal told
        now = time.monotonic()
        if report.cancelled.is_set() or now - told > TELL_S:
            told = now
            report.progress(done=done, total=total)

    made = [path for path in (target, *target.parents) if not path.exists()]  # the deepest first
    workshop = target / f"{PREFIX}{secrets.token_hex(8)}"
    report.line({"makes": {"folder": str(workshop), "parents": [str(path) for path in made]}})  # for whoever kills us
    _make(workshop)
    try:
        result = separate_file(
            song, workshop, model or best_separator(), stems=stems, format=format, consistent=consistent, refine=refine,
            strict=strict, progress=progress,
        )  # fmt: skip
        report.progress(done=result.frames, total=result.frames)
        files = _move(result.files, target, Path(song))
    finally:
        shutil.rmtree(workshop, ignore_errors=True)
        with contextlib.suppress(
            OSError
        ):  # folders that hold nothing go again; the first that holds something ends this
            for path in made:
                path.rmdir()
    return {
        "files": {name: str(path) for name, path in files.items()}, "seconds": result.seconds, "rtf": result.rtf,
        "duration": result.frames / result.rate, "clipped": result.clipped, "warnings": result.warnings,
    }  # fmt: skip


def _make(workshop: Path) -> None:
    try:
        workshop.mkdir(parents=True)
    except (OSError, ValueError) as error:
        raise StemplayError(f"Nothing can be exported into {workshop.parent}: {reason(error)}.") from None


def _move(files: dict[str, Path], target: Path, song: Path) -> dict[str, Path]:
    moved = {name: target / path.name for name, path in files.items()}
    for path in moved.values():
        with contextlib.suppress(OSError):
            if path.samefile(song):
                raise StemplayError(f"The stem {path.name} would overwrite the song: choose another folder.")
    try:
        for name, path in files.items():
            os.replace(path, moved[name])
    except OSError as error:
        raise StemplayError(f"The stems cannot be put into {target}: {reason(error)}.") from None
    return moved
