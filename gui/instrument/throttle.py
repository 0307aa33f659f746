"""Limits the commands of a dragged control to thirty a second; the last one is always sent."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from PyQt6.QtCore import QObject, QTimer

INTERVAL_MS = 34


class Throttle(QObject):
    """Calls ``send`` with the newest arguments, not more often than every ``INTERVAL_MS``."""

    def __init__(self, send: Callable[..., object], parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._send = send
        self._waiting: tuple[Any, ...] | None = None
        self._last = 0.0
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.timeout.connect(self.flush)

    def __call__(self, *args: Any) -> None:
        self._waiting = args
        left = INTERVAL_MS - 1000 * (time.monotonic() - self._last)
        if left <= 0:
            self.flush()
        elif not self._timer.isActive():
            self._timer.start(round(left) + 1)

    @property
    def quiet_s(self) -> float:
        """Seconds since the last call; 0 while one waits."""
        return 0.0 if self._waiting is not None else time.monotonic() - self._last

    def flush(self) -> None:
        """Send the waiting value now."""
        self._timer.stop()
        args, self._waiting = self._waiting, None
        if args is not None:
            self._last = time.monotonic()
            self._send(*args)
