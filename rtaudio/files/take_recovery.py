"""Completes recordings that were cut off: gives them their names and headers.

A recording's files are called ``.part`` until it ends (``rtaudio/files/writer.py``). An engine that is killed, or a machine that loses its
power, cannot end one. So each take leaves a note while it goes on: a small JSON file that names its unfinished files, locked by the
engine that writes them. A note that nobody holds any more is of a take that was cut off; ``finish_cut_off`` ends it: the files are cut
to one length, so that they stay aligned, their headers say that length, and they get the names that they were meant to have. Nothing
else is touched; ``.part`` files without a note stay as they are.

Notes lie in ``state_directory()``, which outlives a restart of the machine.
"""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from rtaudio.audio.format import StemplayError
from rtaudio.files.sound_file import open_reader
from rtaudio.files.writer import FORMATS, PART, Writer, create_writer, cut_wav, reason, wav_frames
from rtaudio.system.file_lock import FileLock

MOST_FILES = 256
MOST_BYTES = 1 << 20
"""Of a note; a larger one is none of ours."""


@dataclass(frozen=True)
class CutOff:
    """A recording that was cut off, after ``finish_cut_off``.

    Attributes:
        pid: the engine that wrote it.
        directory: where it is.
        files: their names now, without folders.
        seconds: length.
        error: why it could not be finished; it is tried again at the next start.
    """

    pid: int
    directory: str
    files: list[str] = field(default_factory=list)
    seconds: float = 0.0
    error: str = ""

    @property
    def sentence(self) -> str:
        """For the person in front of it."""
        if self.error:
            return f"A recording in {self.directory} was cut off and cannot be finished: {self.error}."
        return (
            f"A recording that was cut off has been finished: {self.seconds:.1f} s in {self.directory} "
            f"({', '.join(self.files)})."
        )


def state_directory() -> Path:
    """Where notes lie: the platform's folder for the state of this user's programs, or ``STEMPLAY_STATE_DIR``."""
    configured = os.environ.get("STEMPLAY_STATE_DIR")
    if configured:
        return Path(configured)
    if sys.platform == "win32":
        return Path(os.environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local") / "stemplay" / "state"
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Application Support" / "stemplay" / "state"
    return Path(os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state") / "stemplay"


class Note:
    """That a take is being written. Where none can be kept (a home that is read-only) the recording goes on without it."""

    def __init__(self, writers: Sequence[Writer]) -> None:
        self._lock: FileLock | None = None
        text = json.dumps({"pid": os.getpid(), "parts": [str(writer.part.absolute()) for writer in writers]})
        with contextlib.suppress(OSError, RuntimeError):  # RuntimeError: there is no home
            folder = state_directory()
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            lock = FileLock(folder / f"take-{secrets.token_hex(8)}.json")
            if lock.acquire():
                self._lock = lock
                lock.path.write_text(text, encoding="utf-8")

    def remove(self) -> None:
        """The take has ended: its files have their names."""
        if self._lock is None:
            return
        lock, self._lock = self._lock, None
        if sys.platform == "win32":  # which removes no open file
            lock.release()
        with contextlib.suppress(OSError):
            lock.path.unlink()
        lock.release()


def finish_cut_off() -> list[CutOff]:
    """Finish what was cut off, and tell of it. Takes that are going on, in whatever process, are left alone.

    May take long: a FLAC is written anew.
    """
    found = []
    try:
        notes = sorted(state_directory().glob("take-*.json"))
    except (OSError, RuntimeError):
        return []
    for path in notes:
        lock = FileLock(path)
        try:
            if not lock.acquire():
                continue
        except OSError:
            continue
        try:
            take = _finish(path)
        finally:
            lock.release()
        if take is None or not take.error:
            with contextlib.suppress(OSError):
                path.unlink()
        if take is not None:
            found.append(take)
    return found


def _finish(note: Path) -> CutOff | None:
    """None where nothing is left to finish."""
    read = _read_note(note)
    if read is None:
        return None
    pid, parts = read
    if not parts[0].parent.is_dir():  # a disk that is not plugged in
        return CutOff(pid, str(parts[0].parent), error="the folder is not there")
    parts = [part for part in parts if part.is_file()]
    if not parts:
        return None
    directory = str(parts[0].parent)
    try:
        files, seconds = _finish_files(parts)
    except (OSError, StemplayError) as error:
        return CutOff(pid, directory, error=reason(error))
    return CutOff(pid, directory, files, seconds) if files else None


def _read_note(note: Path) -> tuple[int, list[Path]] | None:
    """The engine's process and the unfinished files; None for what is no note of ours."""
    try:
        if note.stat().st_size > MOST_BYTES:
            return None
        read = json.loads(note.read_text("utf-8"))
        pid, names = int(read["pid"]), [str(name) for name in read["parts"]]
    except (OSError, ValueError, KeyError, TypeError, RecursionError, OverflowError):  # the last: Infinity is no whole number
        return None
    parts = [Path(name) for name in names]
    suffixes = {f".{kind}" for kind in FORMATS}
    ours = all(part.is_absolute() and part.suffix == PART and Path(part.stem).suffix in suffixes for part in parts)
    return (pid, parts) if ours and 0 < len(parts) <= MOST_FILES else None


def _finish_files(parts: list[Path]) -> tuple[list[str], float]:
    """Give the files their names; returns those and the length in seconds."""
    lengths: list[tuple[Path, int, int]] = []
    for part in parts:
        frames, rate = wav_frames(part) if _format(part) == "wav" else _flac_frames(part)
        lengths.append((part, frames, rate))
    for part, frames, _ in lengths:
        if not frames:  # cut off before its first block; the others may have sound
            part.unlink()
    lengths = [length for length in lengths if length[1]]
    if not lengths:
        return [], 0.0
    whole = min(frames for _, frames, _ in lengths)
    names = []
    for part, _, rate in lengths:
        target = _free(part.with_suffix(""))
        if _format(part) == "wav":
            cut_wav(part, whole)
            os.replace(part, target)
        else:
            _rewrite_flac(part, target, whole, rate)
        names.append(target.name)
    return names, whole / lengths[0][2]


def _format(part: Path) -> str:
    return Path(part.stem).suffix[1:]


def _free(path: Path) -> Path:
    """``path``, or with a number where that is somebody else's by now."""
    number, target = 1, path
    while target.exists():
        number += 1
        target = path.with_name(f"{path.stem}-{number}{path.suffix}")
    return target


def _flac_frames(part: Path) -> tuple[int, int]:
    """Frames that can be read, and the rate. The header of an unfinished FLAC does not know its length."""
    if not part.stat().st_size:
        return 0, 1
    with open_reader(part) as reader:
        return sum(len(block) for block in reader.blocks()), reader.rate


def _rewrite_flac(part: Path, target: Path, frames: int, rate: int) -> None:
    """A FLAC states its length and its sum in its header, which is written with the sound."""
    whole = part.with_name(part.name + ".flac")
    whole.with_name(whole.name + PART).unlink(missing_ok=True)  # of an attempt that was itself cut off
    with open_reader(part) as reader, create_writer(whole, rate, reader.channels, "flac") as writer:
        for block in reader.blocks():
            writer.write(block[: frames - writer.frames])
            if writer.frames == frames:
                break
    os.replace(whole, target)
    part.unlink()
