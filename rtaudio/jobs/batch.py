"""Separates many songs, several at a time. Each song is a background job in a process of its own (``rtaudio.jobs.song_process``).

A job that fails, crashes or is killed affects no other song, and no incomplete files are left. ``run`` owns a thread for each job, named
``batch-N``, which reads its lines; the caller waits for the threads.
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from models.names import is_dir, is_file, song_name
from rtaudio.audio.format import StemplayError
from rtaudio.files.stem_output import output_files
from rtaudio.jobs import Facts
from rtaudio.jobs.song_process import PATIENCE_S, SongProcess

SUFFIXES = frozenset(
    ".wav .flac .ogg .oga .opus .mp3 .aif .aiff .aifc .m4a .mp4 .aac .wma .w64 .rf64 .caf .au .webm .mka".split()  # noqa: SIM905
)
"""Suffixes of the files that are taken from a folder. A file that is named explicitly is always tried."""


@dataclass(frozen=True)
class Song:
    """A song, and the folder for its stems."""

    path: Path
    folder: Path


@dataclass
class Outcome:
    """Result of a song: ``separated``, ``kept`` (its stems existed), ``failed`` or ``unfinished`` (stopped).

    Attributes:
        done: the job's result, see ``rtaudio.jobs.export``.
        error: one sentence if it failed.
    """

    song: Song
    state: str
    done: Facts = field(default_factory=dict)
    error: str = ""


def find_songs(named: Sequence[str], output: Path) -> list[Song]:
    """The songs of files and folders, sorted within folders, each once; stems go to ``output``/NAME, with a folder's own structure.

    Raises:
        StemplayError: a name is neither a file nor a folder, or nothing is found.
    """
    found: dict[Path, Path] = {}
    for text in named:
        path = Path(text)
        if is_dir(path):
            inside = sorted(file for file in path.rglob("*") if file.suffix.lower() in SUFFIXES and file.is_file())
            for file in inside:
                hidden = any(part.startswith(".") for part in file.relative_to(path).parts)
                if not hidden and output.resolve() not in file.resolve().parents:
                    found.setdefault(file.resolve(), file.relative_to(path).with_name(song_name(file)))
        elif is_file(path):
            found.setdefault(path.resolve(), Path(song_name(path)))
        else:
            raise StemplayError(f"There is no file or folder {text}.")
    if not found:
        raise StemplayError(f"There is no sound file in {', '.join(named)}.")
    return _placed(found, output)


def _placed(found: dict[Path, Path], output: Path) -> list[Song]:
    """Give songs with the same name different folders: ``a.mp3`` and ``a.wav`` become ``a`` and ``a (wav)``."""
    taken: set[str] = set()
    songs = []
    for path, place in found.items():
        folder, count = place, 1
        while str(folder).casefold() in taken:
            mark = path.suffix[1:] if count == 1 and path.suffix else str(count)
            folder, count = place.with_name(f"{place.name} ({mark})"), count + 1
        taken.add(str(folder).casefold())
        songs.append(Song(path, output / folder))
    return songs


def is_there(song: Song, stems: Sequence[str], format: str) -> bool:
    """Whether the files of all ``stems`` are in the song's folder. They appear there only when all of them are complete."""
    return all((song.folder / name).is_file() for name in output_files(song.path, stems, format).values())


def job_args(song: Song, stems: Sequence[str], options: dict[str, Any]) -> Facts:
    """The arguments of ``rtaudio.jobs.export`` for a song."""
    return {"song": str(song.path), "folder": str(song.folder.absolute()), "stems": list(stems), **options}


class Batch:
    """Songs that are separated with the same options.

    Args:
        stems: names of the stems. A song whose folder contains the files of all of them is not separated again.
        options: arguments of ``rtaudio.jobs.export`` other than song, folder and stems, with a ``format``.
        jobs: songs at a time.
        again: also separate songs whose stems exist.
        tell: called with each outcome, from any thread, one at a time.
        progress: called with the number of completed songs, including fractions of those in progress.
    """

    def __init__(
        self, songs: Sequence[Song], stems: Sequence[str], options: dict[str, Any], *, jobs: int = 1, again: bool = False,
        tell: Callable[[Outcome], None] = lambda _: None, progress: Callable[[float], None] = lambda _: None,
    ) -> None:  # fmt: skip
        self._songs, self._stems, self._options, self._again = list(songs), list(stems), options, again
        self._jobs, self._tell, self._progress = jobs, tell, progress
        self._lock = threading.Lock()
        self._part: dict[Song, float] = {}
        self._finished = 0
        self._stopped = threading.Event()
        self._running: dict[Song, SongProcess] = {}
        self.outcomes: list[Outcome] = []

    def run(self) -> list[Outcome]:
        """Separate all of them; returns the outcomes in the order of the songs.

        KeyboardInterrupt stops the running jobs, cleans up and is raised again; ``outcomes`` then has the completed songs.
        """
        waiting: queue.SimpleQueue[Song] = queue.SimpleQueue()
        for song in self._songs:
            waiting.put(song)
        names = [f"batch-{k}" for k in range(min(self._jobs, len(self._songs)))]
        threads = [threading.Thread(target=self._work, args=(waiting,), name=name, daemon=True) for name in names]
        for thread in threads:
            thread.start()
        try:
            for thread in threads:
                while thread.is_alive():
                    thread.join(0.1)
        except BaseException:
            self.stop()
            for thread in threads:
                thread.join(2 * PATIENCE_S)
            raise
        order = {song: k for k, song in enumerate(self._songs)}
        return sorted(self.outcomes, key=lambda outcome: order[outcome.song])

    def stop(self) -> None:
        """Start no more jobs, and stop the running ones."""
        self._stopped.set()
        with self._lock:
            running = list(self._running.values())
        for process in running:
            process.stop()
        for process in running:
            process.wait()

    def _work(self, waiting: queue.SimpleQueue[Song]) -> None:
        while not self._stopped.is_set():
            try:
                song = waiting.get_nowait()
            except queue.Empty:
                return
            try:
                outcome = self._outcome(song)
            except Exception as error:  # every song gets an outcome
                outcome = Outcome(song, "failed", error=f"{song.path.name}: {type(error).__name__}: {error}")
            self._ended(outcome)

    def _ended(self, outcome: Outcome) -> None:
        with self._lock:
            self.outcomes.append(outcome)
            self._part.pop(outcome.song, None)
            self._finished += outcome.state != "unfinished"
            self._tell(outcome)
            self._progress(self._finished + sum(self._part.values()))

    def _outcome(self, song: Song) -> Outcome:
        if not self._again and is_there(song, self._stems, self._options["format"]):
            return Outcome(song, "kept")
        process = SongProcess(song.path.name, job_args(song, self._stems, self._options), lambda part: self._heard(song, part))
        with self._lock:
            self._running[song] = process
        if self._stopped.is_set():
            process.stop()
        try:
            return Outcome(song, *process.run())
        finally:
            with self._lock:
                del self._running[song]

    def _heard(self, song: Song, part: float) -> None:
        with self._lock:
            self._part[song] = part
            self._progress(self._finished + sum(self._part.values()))
