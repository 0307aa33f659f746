"""Signals that end a run cleanly, and data processes that leave them to the trainer."""

from __future__ import annotations

import signal
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
