"""Recordings all the while; afterwards every file is opened and its length compared with what the engine had said."""

from __future__ import annotations

import shutil
import threading
import time
from dataclasses import dataclass
from pathlib import Path

import soundfile

from rtaudio.audio.format import StemplayError
from rtaudio.control.session import Session
from rtaudio.files.writer import PART
from rtaudio.protocol.messages import command


@dataclass(frozen=True)
class Take:
    """One recording: what the engine said last, seconds that lie in its shortest file, files, and those that were left unfinished."""

    said: float
    kept: float
    files: int
    unfinished: int
    lengths_differ: bool


class Takes:
    """A thread that records one take after the other, of ``seconds`` each, and removes what was checked."""

    def __init__(self, session: Session, folder: Path, seconds: float) -> None:
        self.session, self.folder, self.seconds = session, folder, seconds
        self.done: list[Take] = []
        self.paused = threading.Event()
        self._idle = threading.Event()
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self._run, name="soak-takes", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self) -> None:
        """End the present take and check it."""
        self._ending.set()
        self._thread.join(120)

    def pause(self) -> None:
        """End the present take; nothing is recorded until ``resume``."""
        self.paused.set()
        self._idle.wait(120)

    def resume(self) -> None:
        """Record again."""
        self.paused.clear()

    def _run(self) -> None:
        number = 0
        while not self._ending.is_set():
            if self.paused.is_set():
                self._idle.set()
                time.sleep(0.1)
                continue
            self._idle.clear()
            number += 1
            place = self.folder / f"take {number}"
            said = self._record(place)
            self.done.append(check(place, said))
            shutil.rmtree(place, ignore_errors=True)

    def _record(self, place: Path) -> float:
        """Returns the seconds that the engines said they had recorded, summed over them."""
        try:
            self.session.send(command("record", directory=str(place), format="wav"))
        except StemplayError:
            time.sleep(1.0)
            return 0.0
        end = time.monotonic() + self.seconds
        total = newest = 0.0
        while time.monotonic() < end and not (self._ending.is_set() or self.paused.is_set()):
            time.sleep(0.05)
            now = self.session.snapshot().recording
            if now.directory != str(place):
                continue
            if now.seconds < newest - 0.01:  # another engine goes on with it
                total += newest
            newest = now.seconds
        self.session.send(command("stop_recording"))
        patience = time.monotonic() + 60
        while time.monotonic() < patience:
            report = self.session.snapshot()
            newest = max(newest, report.recording.seconds if report.recording.directory == str(place) else 0.0)
            if report.state == "running" and not report.recording.active:
                break
            time.sleep(0.05)
        time.sleep(1.0)  # what was cut off is finished beside the sound
        return total + newest


def check(place: Path, said: float) -> Take:
    """Open every file of a take."""
    patience = time.monotonic() + 20  # a take that was cut off is finished by a thread of its own
    while list(place.glob(f"*{PART}")) and time.monotonic() < patience:
        time.sleep(0.2)
    lengths: dict[str, float] = {}
    files = sorted(place.glob("*.wav")) if place.is_dir() else []
    for path in files:
        info = soundfile.info(path)
        stem, _, number = path.stem.partition("-")
        lengths[f"{number or '1'}:{stem}"] = info.frames / info.samplerate
    parts: dict[str, set[float]] = {}
    for name, seconds in lengths.items():
        parts.setdefault(name.partition(":")[0], set()).add(round(seconds, 4))
    kept = sum(min(found) for found in parts.values())
    differ = any(max(found) - min(found) > 0.001 for found in parts.values())
    return Take(said, kept, len(files), len(list(place.glob(f"*{PART}"))) if place.is_dir() else 0, differ)
