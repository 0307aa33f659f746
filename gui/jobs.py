"""Background jobs in child processes, as Qt objects: they report by signals, and nothing waits for them.

A job is one of ``rtaudio.jobs``. Owns no thread: Qt's event loop watches the process.
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable
from typing import Any

from PyQt6.QtCore import QObject, QProcess, QProcessEnvironment, QTimer, pyqtSignal

PATIENCE_MS = 5000
"""Milliseconds from the request to cancel until the process is killed."""


class Job(QObject):
    """A background job, which starts when it is created.

    Signals:
        progress(dict): its progress; done(dict): its result; failed(str): one sentence for the user.
        ended(): once, after ``done``, ``failed`` or a cancellation.
    """

    progress = pyqtSignal(dict)
    done = pyqtSignal(dict)
    failed = pyqtSignal(str)
    ended = pyqtSignal()

    def __init__(
        self,
        command: tuple[list[str], dict[str, str]],
        name: str,
        args: dict[str, Any],
        clean_up: Callable[[dict[str, Any]], None],
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self.name, self.args = name, args
        self.cancelled = False
        self._answered = self._over = False
        self._buffer = b""
        self._makes: dict[str, Any] = {}  # temporary folders of the job, for ``clean_up`` if it is killed
        self._clean_up = clean_up
        self._process = QProcess(self)
        environment = QProcessEnvironment()
        for key, value in command[1].items():
            environment.insert(key, value)
        self._process.setProcessEnvironment(environment)
        self._process.setProcessChannelMode(QProcess.ProcessChannelMode.SeparateChannels)
        self._process.readyReadStandardOutput.connect(self._read)
        self._process.finished.connect(self._finished)
        self._process.errorOccurred.connect(self._error)
        self._killer = QTimer(self)
        self._killer.setSingleShot(True)
        self._killer.timeout.connect(self._process.kill)
        self._process.start(command[0][0], command[0][1:])
        self._process.write(json.dumps({"job": name, "args": args}).encode() + b"\n")

    @property
    def running(self) -> bool:
        """Whether it is still running."""
        return not self._over

    def cancel(self) -> None:
        """Request that it stops and cleans up; it is killed if it does not. From now on only ``ended`` is emitted."""
        if self._over or self.cancelled:
            return
        self.cancelled = True
        self._process.closeWriteChannel()
        self._killer.start(PATIENCE_MS)

    def abandon(self, wait_ms: int = 1500) -> None:
        """Cancel because the window closes, and wait a moment so that no files are left."""
        self.cancel()
        if self._process.state() != QProcess.ProcessState.NotRunning and not self._process.waitForFinished(wait_ms):
            self._process.kill()
            self._process.waitForFinished(wait_ms)

    def _read(self) -> None:
        self._buffer += bytes(self._process.readAllStandardOutput().data())
        *lines, self._buffer = self._buffer.split(b"\n")
        for line in lines:
            with contextlib.suppress(ValueError):
                self._take(json.loads(line))

    def _take(self, message: dict[str, Any]) -> None:
        self._makes = message.get("makes", self._makes)
        if self.cancelled or self._answered or "makes" in message:
            return
        if "progress" in message:
            self.progress.emit(message["progress"])
            return
        self._answered = True
        if "done" in message:
            self.done.emit(message["done"])
        else:
            self.failed.emit(str(message.get("error", "")))

    def _finished(self) -> None:
        self._killer.stop()
        self._read()
        self._clean_up(self._makes)
        if not self._answered and not self.cancelled:
            self._answered = True
            words = bytes(self._process.readAllStandardError().data()).decode(errors="replace").strip().splitlines()
            self.failed.emit(
                f"The helper process ended unexpectedly ({words[-1].strip().rstrip('.') if words else self.name})."
            )
        self._end()

    def _error(self, error: QProcess.ProcessError) -> None:
        if error == QProcess.ProcessError.FailedToStart:
            self._answered = True
            self.failed.emit(f"The helper process cannot be started: {self._process.errorString().rstrip('.')}.")
            self._end()

    def _end(self) -> None:
        if not self._over:
            self._over = True
            self.ended.emit()
