"""The recorder: a file for each armed strip and one for the mix, aligned to the sample, written by a separate thread.

The audio callback copies each block into a preallocated ring. The thread ``stemplay-recorder`` (one for each recording) writes the ring
to the files. Only this thread waits for a disk. Blocks for which the ring has no room are
counted and written as silence of their length, so that all files stay aligned with each other and with the clock.

Files are ``STEM.wav`` and ``mix.wav`` (float32; RF64 past 4 GiB, so that a long recording stays one piece that every part of a
session can be laid over) or ``.flac`` (24 bit, rounded and clipped as ``rtaudio/files/writer.py`` says). Until the recording ends they
are called ``.part``; a WAV's header is brought up to date every second, so that even a killed engine leaves sound behind, and a note
tells the next start to finish them (``rtaudio/files/take_recovery.py``).
Existing files are never touched: a second recording in the same folder is ``STEM-2.wav`` and so on.

A full disk or a vanished folder ends the recording, not the sound: what was written is finished, cut to the same length where
the format allows it (a FLAC may be a block longer), and ``status.error`` tells it in one sentence.
"""

from __future__ import annotations

import re
import threading
import time
from collections import deque
from collections.abc import Collection
from pathlib import Path

import numpy as np

from rtaudio.audio.format import Audio, StemplayError
from rtaudio.files.take_recovery import Note
from rtaudio.files.writer import FORMATS, PART, Writer, create_writer, reason
from rtaudio.protocol.reports import Recording

POLL_S = 0.02
SYNC_S = 1.0
CHUNK = 1 << 14
"""Largest number of frames written at once."""


class Recorder:
    """Records the stems and the mix while the sound goes on.

    ``push`` belongs to the audio callback; ``start``, ``stop`` and ``status`` to control threads.

    Args:
        rate: Hz.
        channels: of the mix and of each stem.
        stems: names, in the order of the stems' axis.
        buffer_s: seconds of sound that the ring holds while a disk is busy (4 s of four stereo stems: 7 MB at 44.1 kHz).
    """

    def __init__(self, rate: int, channels: int, stems: tuple[str, ...], buffer_s: float = 4.0) -> None:
        self.rate, self.channels, self.stems = rate, channels, tuple(stems)
        self._capacity = max(CHUNK, round(buffer_s * rate))
        self._take: _Take | None = None  # what push feeds
        self._latest: _Take | None = None  # what status tells about
        self._trouble = ""
        self._before: list[Recording] = []  # those that have ended, but for the latest

    def start(self, directory: str | Path, format: str = "wav", armed: Collection[str] | None = None) -> None:
        """Start recording into ``directory``, which is created. Raises StemplayError if that is impossible.

        ``armed`` names the stems that are recorded (None: all of them). The mix is always recorded.
        """
        if self._latest is not None and self._latest.thread.is_alive():
            raise StemplayError("A recording is already running. Stop it first.")
        unknown = set(armed or ()) - set(self.stems)
        if unknown:
            raise StemplayError(f"There is no stem {', '.join(sorted(unknown))} to record.")
        picks = tuple(i for i, name in enumerate(self.stems) if armed is None or name in armed)
        folder = Path(directory)
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except (OSError, ValueError) as error:
            raise StemplayError(f"Recording into {folder} is impossible: {reason(error)}.") from None
        writers: list[Writer] = []
        try:
            for path in file_paths(folder, tuple(self.stems[i] for i in picks), format):
                writers.append(create_writer(path, self.rate, self.channels, format, exclusive=True))
        except BaseException:
            for writer in writers:
                writer.discard()
            raise
        self._trouble = ""
        self._before = self.ended
        take = _Take(writers, folder, self.rate, self._capacity, len(self.stems), picks)
        take.thread.start()
        self._latest = self._take = take

    def push(self, stems: Audio, mix: Audio, wait: bool = False) -> None:
        """Take a block of stems ``(n, S, C)`` and mix ``(n, C)``; does nothing while no recording runs.

        A block of another shape (as after a change of model) counts as dropped.

        It never waits, unless ``wait`` is set (for ports that are not real time): then it waits for room instead of dropping the block.
        """
        take = self._take
        if take is not None and take.open:
            take.push(stems, mix, wait)

    def stop(self, timeout: float = 10.0) -> None:
        """End the recording and finish its files; waits for the disk, at most ``timeout`` seconds. Does nothing if none runs."""
        take, self._take = self._take, None
        if take is None:
            return
        take.stopping.set()
        take.thread.join(timeout)
        if take.thread.is_alive():
            self._trouble = (
                f"The disk has not responded for {timeout:.0f} s; the recording in {take.folder} is still being finished."
            )

    @property
    def ended(self) -> list[Recording]:
        """The finished recordings that have files."""
        latest = self._latest
        if latest is None or latest.thread.is_alive() or not latest.files:
            return self._before
        return [*self._before, self.status]

    @property
    def status(self) -> Recording:
        """The state of the recorder, for a snapshot."""
        take = self._latest
        if take is None:
            return Recording()
        alive = take.thread.is_alive()
        error = take.error or (self._trouble if alive else "")
        return Recording(
            alive and not take.error, str(take.folder), take.frames / self.rate, take.dropped, error, list(take.files)
        )


def file_paths(folder: Path, stems: tuple[str, ...], format: str) -> list[Path]:
    """Unused file names for the stems and, last, the mix, all with the same number. Neither they nor their ``.part`` files exist."""
    if format not in FORMATS:
        raise StemplayError(f"{format!r} is not an output format; choose {' or '.join(FORMATS)}.")
    names: list[str] = []
    for stem in stems:
        name = re.sub(r"[^\w.-]", "_", stem).lstrip(".") or "stem"
        while name in (*names, "mix"):
            name += "_"
        names.append(name)
    names.append("mix")
    number = 1
    while True:
        tail = f"-{number}" if number > 1 else ""
        paths = [folder / f"{name}{tail}.{format}" for name in names]
        # In this order, because a take that is being finished at the same time is renamed from the one to the other.
        if not any(path.with_name(path.name + PART).exists() or path.exists() for path in paths):
            return paths
        number += 1


class _Take:
    """One recording: the ring, the writers, and the thread that writes the ring to the files.

    The callback writes ``head``, ``gap`` and ``dropped``, the thread ``tail`` and ``frames``; both append to and pop from
    ``gaps`` (silences: ring position, frames), a deque whose operations are atomic.
    """

    def __init__(
        self, writers: list[Writer], folder: Path, rate: int, capacity: int, n_stems: int, picks: tuple[int, ...]
    ) -> None:
        self.writers, self.folder, self.rate = writers, folder, rate
        self._n_stems, self._picks = n_stems, picks
        self._ring = np.empty((capacity, len(writers), writers[0].channels), np.float32)
        self._ring.fill(0.0)  # touch every page now, not in the callback
        self._silence = np.zeros((CHUNK, writers[0].channels), np.float32)
        self.head = self.tail = self.frames = self.gap = self.dropped = 0
        self._gaps: deque[tuple[int, int]] = deque()
        self.error = ""
        self.files: list[str] = []
        """Names of the finished files."""
        self._note = Note(writers)
        self.open = True
        self.stopping = threading.Event()
        self.thread = threading.Thread(target=self._run, name="stemplay-recorder", daemon=True)

    # -- audio callback -----------------------------------------------------------------------------------------------

    def push(self, stems: Audio, mix: Audio, wait: bool) -> None:
        capacity, n = len(self._ring), len(mix)
        fits = stems.shape == (n, self._n_stems, self._ring.shape[2]) and mix.shape[1] == self._ring.shape[2]
        if wait and fits:
            for start in range(0, n, CHUNK):
                stop = min(n, start + CHUNK)
                while self.open and capacity - (self.head - self.tail) < stop - start:
                    time.sleep(0.001)
                self._store(stems[start:stop], mix[start:stop])
        elif not fits or capacity - (self.head - self.tail) < n:
            self.gap += n
            self.dropped += 1
        else:
            self._store(stems, mix)

    def _store(self, stems: Audio, mix: Audio) -> None:
        n, at = len(mix), self.head % len(self._ring)
        if self.gap:
            self._gaps.append((self.head, self.gap))
            self.gap = 0
        first = min(n, len(self._ring) - at)
        for start, stop, place in ((0, first, at), (first, n, 0)):
            if stop > start:
                for column, pick in enumerate(self._picks):
                    self._ring[place : place + stop - start, column] = stems[start:stop, pick]
                self._ring[place : place + stop - start, -1] = mix[start:stop]
        self.head += n  # last: the thread may now read it

    # -- the thread ---------------------------------------------------------------------------------------------------

    def _run(self) -> None:
        problem = ""
        try:
            self._loop()
        except StemplayError as error:
            problem = _system_reason(error)
        except OSError as error:
            problem = reason(error)
        except Exception as error:  # a failed recording must not affect anything else
            problem = f"{type(error).__name__}: {error}".rstrip(".")
        self.open = False
        self._finish(problem)

    def _loop(self) -> None:
        checked = time.monotonic()
        while True:
            last = self.stopping.is_set()
            moved = self._drain()
            if last and not moved:
                self._write_silence(self.gap)
                return
            if time.monotonic() - checked >= SYNC_S:
                checked = time.monotonic()
                self._look_after_files()
            if not moved:
                self.stopping.wait(POLL_S)

    def _drain(self) -> bool:
        """Write one contiguous part of the ring; False if there is nothing to write."""
        head, tail = self.head, self.tail
        until = head
        if self._gaps:
            place, silent = self._gaps[0]
            if place == tail:
                self._gaps.popleft()
                self._write_silence(silent)
                return True
            until = min(head, place)
        n = min(until - tail, CHUNK, len(self._ring) - tail % len(self._ring))
        if n <= 0:
            return False
        at = tail % len(self._ring)
        for index, writer in enumerate(self.writers):
            writer.write(self._ring[at : at + n, index])
        self.tail = tail + n
        self.frames += n
        return True

    def _write_silence(self, frames: int) -> None:
        while frames > 0:
            n = min(frames, CHUNK)
            for writer in self.writers:
                writer.write(self._silence[:n])
            self.frames += n
            frames -= n

    def _look_after_files(self) -> None:
        for writer in self.writers:
            if not writer.part.exists():
                raise StemplayError(f"the folder {self.folder} or a file in it has vanished.")
            writer.sync()

    def _finish(self, problem: str) -> None:
        length = min(writer.frames for writer in self.writers)
        self.frames = length
        lost = ""
        for writer in self.writers:
            try:
                writer.close(length, keep=True)
            except StemplayError as error:
                if not writer.path.exists():
                    lost = lost or str(error).rstrip(".")
                elif not problem:
                    problem = _system_reason(error)
        self.files = [writer.path.name for writer in self.writers if writer.path.exists()]
        self._note.remove()
        seconds = f"{length / self.rate:.1f} s"
        if lost and problem:
            self.error = f"The recording stopped after {seconds} ({problem}) and is incomplete ({lost})."
        elif lost:
            self.error = f"The recording of {seconds} is incomplete: {lost}."
        elif problem:
            self.error = (
                f"The recording stopped after {seconds} ({problem}); the recorded part is in {self.folder}."
            )


def _system_reason(error: StemplayError) -> str:
    """The system's message that caused ``error``, as part of a sentence."""
    return reason(error.__cause__) if isinstance(error.__cause__, OSError) else str(error).rstrip(".")
