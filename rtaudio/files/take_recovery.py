"""Finishes interrupted recordings: completes their headers and gives them their final names.

A recording's files end in ``.part`` until it is finished (``rtaudio/files/writer.py``). A killed engine cannot finish it, nor can a
machine that loses power. So each running recording has a note: a small JSON file that names its unfinished files, locked by the engine
that writes them. A note without a lock belongs to an interrupted recording. ``finish_cut_off`` finishes it: the files are cut to the
same length, so that they stay aligned, their headers get this length, and they get their final names. No other file is changed;
``.part`` files without a note stay as they are.

Notes are in ``state_directory()``, which survives a restart of the machine.
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

import platformdirs

from rtaudio.audio.format import StemplayError
from rtaudio.files.sound_file import open_reader
from rtaudio.files.writer import FORMATS, PART, Writer, create_writer, cut_wav, reason, wav_frames
from rtaudio.system.file_lock import FileLock

MOST_FILES = 256
MOST_BYTES = 1 << 20
"""Largest size of a note in bytes; a larger file is not one of ours."""


@dataclass(frozen=True)
class CutOff:
    """An interrupted recording after ``finish_cut_off``.

    Attributes:
        pid: process id of the engine that wrote it.
        directory: its folder.
        files: names of the finished files, without folders.
        seconds: length.
        error: why it could not be finished. The next start tries again.
    """

    pid: int
    directory: str
    files: list[str] = field(default_factory=list)
    seconds: float = 0.0
    error: str = ""

    @property
    def sentence(self) -> str:
        """A sentence for the user."""
        if self.error:
            return f"An interrupted recording in {self.directory} cannot be finished: {self.error}."
        return (
            f"An interrupted recording has been finished: {self.seconds:.1f} s in {self.directory} "
            f"({', '.join(self.files)})."
        )


def state_directory() -> Path:
    """The folder of the notes: the platform's folder for a program's state, or ``STEMPLAY_STATE_DIR``.

    Raises RuntimeError if the user has no home directory.
    """
    configured = os.environ.get("STEMPLAY_STATE_DIR")
    if configured:
        return Path(configured)
    folder = Path(platformdirs.user_state_dir("stemplay", appauthor=False))
    if not folder.is_absolute():  # "~/...": there is no home to expand it with
        raise RuntimeError("There is no home directory for the notes of recordings.")
    return folder / "state" if sys.platform in ("win32", "darwin") else folder  # not among the other files in this folder


class Note:
    """The note of a running recording. If it cannot be written (for example in a read-only home), the recording goes on without one."""

    def __init__(self, writers: Sequence[Writer]) -> None:
        self._lock: FileLock | None = None
        text = json.dumps({"pid": os.getpid(), "parts": [str(writer.part.absolute()) for writer in writers]})
        with contextlib.suppress(OSError, RuntimeError):  # RuntimeError: no home directory
            folder = state_directory()
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            lock = FileLock(folder / f"take-{secrets.token_hex(8)}.json")
            if lock.acquire():
                self._lock = lock
                lock.path.write_text(text, encoding="utf-8")

    def remove(self) -> None:
        """Remove the note, because the recording is finished."""
        if self._lock is None:
            return
        lock, self._lock = self._lock, None
        if sys.platform == "win32":  # Windows does not remove open files
            lock.release()
        with contextlib.suppress(OSError):
            lock.path.unlink()
        lock.release()


def finish_cut_off() -> list[CutOff]:
    """Finish interrupted recordings and return them. Running recordings of any process are not affected.

    It may take long, because a FLAC file is rewritten.
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
    """Finish one recording; None if its files are gone."""
    read = _read_note(note)
    if read is None:
        return None
    pid, parts = read
    if not parts[0].parent.is_dir():  # for example a disk that is not connected
        return CutOff(pid, str(parts[0].parent), error="the folder does not exist")
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
    """The engine's process id and the unfinished files; None if it is not a note of ours."""
    try:
        if note.stat().st_size > MOST_BYTES:
            return None
        read = json.loads(note.read_text("utf-8"))
        pid, names = int(read["pid"]), [str(name) for name in read["parts"]]
    except (OSError, ValueError, KeyError, TypeError, RecursionError, OverflowError):  # OverflowError: infinity cannot be an integer
        return None
    parts = [Path(name) for name in names]
    suffixes = {f".{kind}" for kind in FORMATS}
    ours = all(part.is_absolute() and part.suffix == PART and Path(part.stem).suffix in suffixes for part in parts)
    return (pid, parts) if ours and 0 < len(parts) <= MOST_FILES else None


def _finish_files(parts: list[Path]) -> tuple[list[str], float]:
    """Give the files their final names; returns the names and the length in seconds."""
    lengths: list[tuple[Path, int, int]] = []
    for part in parts:
        frames, rate = wav_frames(part) if _format(part) == "wav" else _flac_frames(part)
        lengths.append((part, frames, rate))
    for part, frames, _ in lengths:
        if not frames:  # interrupted before its first block; the other files may have sound
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
    """``path``, with a number if the name is taken."""
    number, target = 1, path
    while target.exists():
        number += 1
        target = path.with_name(f"{path.stem}-{number}{path.suffix}")
    return target


def _flac_frames(part: Path) -> tuple[int, int]:
    """Number of readable frames, and the rate. The header of an unfinished FLAC does not contain its length."""
    if not part.stat().st_size:
        return 0, 1
    with open_reader(part) as reader:
        return sum(len(block) for block in reader.blocks()), reader.rate


def _rewrite_flac(part: Path, target: Path, frames: int, rate: int) -> None:
    """Rewrite a FLAC file, because its header contains its length and checksum."""
    whole = part.with_name(part.name + ".flac")
    whole.with_name(whole.name + PART).unlink(missing_ok=True)  # left by an earlier attempt that was interrupted
    with open_reader(part) as reader, create_writer(whole, rate, reader.channels, "flac") as writer:
        for block in reader.blocks():
            writer.write(block[: frames - writer.frames])
            if writer.frames == frames:
                break
    os.replace(whole, target)
    part.unlink()
