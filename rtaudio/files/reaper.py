"""Writes REAPER projects (``.rpp``): a tree of lines in text form, which refers to the stems by their names.

REAPER does not document the format; its users do, in *State Chunk Definitions* (`github.com/ReaTeam/Doc`).
"""

from __future__ import annotations

import os
import uuid
from collections.abc import Iterator
from pathlib import Path

from rtaudio.files.project import Project, Track, linear, plain, replacing

SUFFIX = ".rpp"
_SOURCES = {".wav": "WAVE", ".flac": "FLAC", ".mp3": "MP3", ".opus": "OPUS"}


def write_reaper(project: Project, path: Path) -> None:
    """Write ``project`` as ``path``. Stems below its folder are named relative to it. Raises StemplayError."""
    with replacing(path) as part:
        part.write_text("\n".join(_lines(project, path.parent)) + "\n", encoding="utf-8")


def _lines(project: Project, folder: Path) -> Iterator[str]:
    yield '<REAPER_PROJECT 0.1 "7.0" 0'
    yield "  PANLAW 1"  # the centre is not attenuated
    yield "  PANMODE 3"  # pan is a balance
    yield f"  TEMPO {_number(project.tempo[0][1])} 4 4"
    yield f"  SAMPLERATE {project.rate} 0 0"
    yield f"  MASTER_VOLUME {_number(linear(project.master_db))} 0 -1 -1 1"
    if len(project.tempo) > 1:
        yield "  <TEMPOENVEX"
        yield "    ACT 1 -1"
        yield "    VIS 1 0 1"
        yield "    DEFSHAPE 1 -1 -1"  # steps, no ramps
        for seconds, bpm in project.tempo:
            yield f"    PT {_number(seconds)} {_number(bpm)} 1"
        yield "  >"
    for number, (seconds, name) in enumerate(project.markers, 1):
        yield f"  MARKER {number} {_number(seconds)} {quoted(name)} 0"
    for number, (start, end, name) in enumerate(project.regions, 1):
        yield f"  MARKER {number} {_number(start)} {quoted(name)} 1"
        yield f'  MARKER {number} {_number(end)} "" 1'
    for track in project.tracks:
        yield from _track(project, track, folder)
    yield ">"


def _track(project: Project, track: Track, folder: Path) -> Iterator[str]:
    yield f"  <TRACK {{{str(uuid.uuid4()).upper()}}}"
    yield f"    NAME {quoted(track.name)}"
    if track.colour:
        red, green, blue = (int(track.colour[k : k + 2], 16) for k in (1, 3, 5))
        yield f"    PEAKCOL {0x1000000 | blue << 16 | green << 8 | red}"
    yield f"    VOLPAN {_number(track.gain)} {_number(track.pan)} -1 -1 1"
    yield f"    MUTESOLO {int(track.mute)} {int(track.solo)} 0"
    yield "    NCHAN 2"
    yield "    <ITEM"
    yield "      POSITION 0"
    yield f"      LENGTH {_number(project.seconds)}"
    yield "      LOOP 0"
    yield "      FADEIN 0 0 0 0 0 0 0"
    yield "      FADEOUT 0 0 0 0 0 0 0"
    yield f"      NAME {quoted(track.file.name)}"
    yield "      VOLPAN 1 0 1 -1"
    yield "      SOFFS 0"
    yield "      PLAYRATE 1 0 0 -1 0 0.0025"
    yield f"      <SOURCE {_SOURCES[track.file.suffix.lower()]}"
    yield f"        FILE {quoted(_relative(track.file, folder))}"
    yield "      >"
    yield "    >"
    yield "  >"


def _relative(file: Path, folder: Path) -> str:
    try:
        return Path(os.path.relpath(file, folder)).as_posix()
    except ValueError:  # on Windows: another drive
        return str(file)


def _number(value: float) -> str:
    return f"{value:.14g}"


def quoted(text: str) -> str:
    """``text`` in the quotation marks that it does not contain itself, as REAPER does; if it contains all three, one kind is replaced."""
    text = plain(text)
    mark = next((mark for mark in "\"'`" if mark not in text), "`")
    return f"{mark}{text.replace('`', chr(39)) if mark == '`' else text}{mark}"
