"""Handles signals so that a run ends cleanly; data processes leave them to the trainer."""

from __future__ import annotations

import multiprocessing
import multiprocessing.connection
import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Protocol


class Stoppable(Protocol):
    """A trainer: after ``stop_requested`` it finishes its step, writes a checkpoint and returns."""

    stop_requested: bool


@contextmanager
def stop_on_signals(trainer: Stoppable) -> Iterator[None]:
    """SIGINT, SIGTERM (and Ctrl-Break) end the run after the current step, with a checkpoint."""

    def stop(number: int, frame: FrameType | None) -> None:
        trainer.stop_requested = True

    names = [name for name in ("SIGINT", "SIGTERM", "SIGBREAK") if hasattr(signal, name)]
    before = {name: signal.signal(getattr(signal, name), stop) for name in names}
    try:
        yield
    finally:
        for name, handler in before.items():
            signal.signal(getattr(signal, name), handler)


def follow_parent() -> None:
    """In a worker of a pool of processes: end when the parent is killed. It would wait for more work forever."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        threading.Thread(target=_end_with, args=(parent.sentinel,), name="parent", daemon=True).start()


def _end_with(sentinel: int) -> None:
    multiprocessing.connection.wait([sentinel])
    os._exit(1)
