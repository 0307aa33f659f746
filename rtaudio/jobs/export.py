"""Export: separates a song into one file for each stem, at full speed, exactly like ``python -m rtaudio separate``.

The stems are made in a hidden folder inside the target folder and moved when all are complete, so that a job that is cancelled or killed
leaves no incomplete stem.
"""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import shutil
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from models.catalog import best_separator
from models.names import is_stem_file
from rtaudio.audio.format import StemplayError
from rtaudio.files.offline import separate_file
from rtaudio.files.writer import reason
from rtaudio.jobs import WORKSHOP, Facts, Report
from rtaudio.jobs.project import plan_of, write_projects
from rtaudio.protocol.insert_checks import check_inserts
from rtaudio.protocol.messages import from_dict
from rtaudio.protocol.settings import MixerState

TELL_S = 0.1


def export(
    report: Report, song: str, folder: str, model: str = "", stems: Sequence[str] | None = None,
    format: str = "wav", consistent: bool = True, refine: bool = True, strict: bool = False,
    inserts: Mapping[str, Any] | None = None, project: Mapping[str, Any] | None = None, marker: str = "", tempo: float = 1.0,
    key: float = 0.0,
) -> Facts:  # fmt: skip
    """Separate ``song`` into ``folder``/STEM.``format``; existing files are replaced, but never the song itself.

    Without a ``model`` a stem file's own stems are written, and any other song is separated by the best installed one. A stem format
    writes one file, ``folder``/SONG.``format``. Reports ``done`` and ``total`` frames (0 if unknown). Raises StemplayError.

    Args:
        inserts: effects of stems, as lists of ``InsertState`` as dicts.
        tempo, key: as in ``separate_file``.
        project: ``mixer`` (a ``MixerState`` as a dict), and ``kinds``, ``tempo``, ``markers`` and ``regions`` as in ``ProjectPlan``.
        marker: name of a file that is written beside the stems when all of them are there, with the result as JSON; "" for none.
    """
    target, told = Path(folder), 0.0

    def progress(done: int, total: int) -> None:
        nonlocal told
        now = time.monotonic()
        if report.cancelled.is_set() or now - told > TELL_S:
            told = now
            report.progress(done=done, total=total)

    wanted = project or {}
    plan = plan_of(wanted, from_dict(MixerState, wanted.get("mixer", {})))
    plan.check(format)
    chosen = model or (None if is_stem_file(song) else best_separator())
    made = [path for path in (target, *target.parents) if not path.exists()]  # the deepest first
    workshop = target / f"{WORKSHOP}{secrets.token_hex(8)}"
    report.line({"makes": {"folder": str(workshop), "parents": [str(path) for path in made]}})  # for a parent that has to kill this job
    _make(workshop)
    try:
        result = separate_file(
            song, workshop, chosen, stems=stems, format=format, consistent=consistent, refine=refine, strict=strict,
            inserts={stem: check_inserts(stem, states) for stem, states in (inserts or {}).items()}, tempo=tempo, key=key,
            progress=progress,
        )  # fmt: skip
        report.progress(done=result.frames, total=result.frames)
        projects, notes = write_projects(result, song, workshop, plan) if plan.kinds else ({}, [])
        files = result.files | projects
        facts: Facts = {
            "files": {name: str(target / path.name) for name, path in files.items()}, "seconds": result.seconds, "rtf": result.rtf,
            "duration": result.frames / result.rate, "clipped": result.clipped, "warnings": [*result.warnings, *notes],
        }  # fmt: skip
        if marker:
            files = files | {"": _mark(workshop / marker, facts)}  # the last that is moved
        _move(files, target, Path(song))
    except StemplayError as error:  # a person knows the folder, not the workshop in it
        raise StemplayError(str(error).replace(str(workshop), str(target))) from None
    finally:
        shutil.rmtree(workshop, ignore_errors=True)
        with contextlib.suppress(
            OSError
        ):  # remove empty folders; stops at the first one that is not empty
            for path in made:
                path.rmdir()
    return facts


def _make(workshop: Path) -> None:
    try:
        workshop.mkdir(parents=True)
    except (OSError, ValueError) as error:
        raise StemplayError(f"Exporting into {workshop.parent} is impossible: {reason(error)}.") from None


def _mark(path: Path, facts: Facts) -> Path:
    try:
        path.write_text(json.dumps(facts), encoding="utf-8")
    except OSError as error:
        raise StemplayError(f"{path} cannot be written: {reason(error)}.") from None
    return path


def _move(files: dict[str, Path], target: Path, song: Path) -> None:
    moved = {name: target / path.name for name, path in files.items()}
    for path in moved.values():
        with contextlib.suppress(OSError):
            if path.samefile(song):
                raise StemplayError(f"The file {path.name} would overwrite the song. Choose another folder.")
    try:
        for name, path in files.items():
            os.replace(path, moved[name])
    except OSError as error:
        raise StemplayError(f"The stems cannot be moved into {target}: {reason(error)}.") from None
