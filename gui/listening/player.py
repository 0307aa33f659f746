"""Plays the pieces of a reel through a separate engine, because the window makes no sound. The live engine is not affected.

The engine is an attached session (like ``python -m rtaudio live --input REEL --model none``), so it ends with the window. Moving to
another piece is a seek in a playing file, without a click. ABX keeps the position in the music.

It owns no thread: a timer in Qt's event loop polls the session, whose ``send`` and ``snapshot`` do not wait.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

from PyQt6.QtCore import QObject, QTimer, pyqtSignal

from gui.bridge import SessionLike
from gui.listening.reel import Piece
from rtaudio.audio.format import StemplayError
from rtaudio.protocol.messages import command
from rtaudio.protocol.reports import Snapshot

LOOK_MS = 33
SETTLE_S = 0.25
"""Seconds after a seek in which the engine's report may be older than it, so that the position is estimated."""


class SoundPlayer(Protocol):
    """The interface that the page needs from a player; a test may use its own."""

    def play(self, piece: Piece, offset: float = 0.0) -> None: ...
    def stop(self) -> None: ...
    def set_volume(self, db: float) -> None: ...
    def position(self) -> float: ...
    def close(self) -> None: ...


class ReelPlayer(QObject):
    """A player of the file at ``path``.

    Signals:
        ready(): sound can start. ended(): a piece has played to its end. failed(str): there is no sound; one sentence says why.
        moved(float): seconds from the piece's start, while it plays.
    """

    ready = pyqtSignal()
    ended = pyqtSignal()
    failed = pyqtSignal(str)
    moved = pyqtSignal(float)

    def __init__(
        self,
        path: Path,
        make: Callable[[Path], SessionLike],
        parent: QObject | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        super().__init__(parent)
        self._clock = clock
        self._piece: Piece | None = None
        self._from = self._since = self._commanded = 0.0
        self._is_ready = False
        self._told = ""
        self._session = make(path)
        self._session.send(command("pause"))
        self._session.start()
        self._timer = QTimer(self)
        self._timer.setInterval(LOOK_MS)
        self._timer.timeout.connect(self.look)
        self._timer.start()

    def play(self, piece: Piece, offset: float = 0.0) -> None:
        """Play ``piece`` from ``offset`` seconds on, at once."""
        offset = min(max(0.0, offset), piece.seconds)
        self._send("seek", position_s=piece.start + offset)
        self._send("play")
        self._piece, self._from = piece, offset
        self._since = self._commanded = self._clock()

    def stop(self) -> None:
        """Be silent."""
        if self._piece is not None:
            self._send("pause")
        self._piece = None

    def set_volume(self, db: float) -> None:
        """Set the volume in dB: 0 plays the files unchanged, and only lower values are possible."""
        self._send("set_mixer", field="master_db", value=min(0.0, db))

    def position(self) -> float:
        """Seconds from the start of the playing piece, 0 if none is playing."""
        if self._piece is None:
            return 0.0
        reckoned = self._from + self._clock() - self._since
        return min(max(0.0, reckoned), self._piece.seconds)

    def close(self) -> None:
        """End the sound and the engine."""
        self._timer.stop()
        self._piece = None
        self._session.close()

    def look(self) -> None:
        """Follow the engine."""
        report = self._session.snapshot()
        self._tell(report)
        if not self._is_ready and report.state == "running" and not self._told:
            self._is_ready = True
            self.ready.emit()
        if self._piece is None or not self._is_ready:
            return
        self._follow(report)
        at = self.position()
        self.moved.emit(at)
        if at >= self._piece.seconds:
            self.stop()
            self.ended.emit()

    def _follow(self, report: Snapshot) -> None:
        """Correct the estimated position by the engine's, which takes blocks and a late start into account."""
        assert self._piece is not None
        now = self._clock()
        heard = report.transport.position_s - self._piece.start
        if now - self._commanded > SETTLE_S and report.state == "running" and -0.1 <= heard <= self._piece.seconds + 1.0:
            age = min(0.2, max(0.0, time.time() - report.time)) if report.time else 0.0
            self._from, self._since = heard + age, now

    def _tell(self, report: Snapshot) -> None:
        silent = report.state in ("waiting", "stopped") or (
            report.state == "running" and "nothing is heard" in report.message
        )
        text = report.message if silent else ""
        if text and text != self._told:
            self.failed.emit(text)
        self._told = text

    def _send(self, op: str, **args: object) -> None:
        try:
            self._session.send(command(op, **args))
        except StemplayError as error:
            self.failed.emit(str(error))
