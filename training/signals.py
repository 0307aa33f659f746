"""Handles signals so that a run ends cleanly. Only the trainer handles them, not the data processes."""

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
    """End the run after the current step with a checkpoint on SIGINT, SIGTERM or Ctrl-Break."""

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
    """Called in a worker of a process pool: end it when the parent is killed, since it would wait for work forever."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        threading.Thread(target=_end_with, args=(parent.sentinel,), name="parent", daemon=True).start()


def _end_with(sentinel: int) -> None:
    multiprocessing.connection.wait([sentinel])
    os._exit(1)
