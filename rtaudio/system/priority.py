"""Lets a process that only works in the background step back behind all others."""

from __future__ import annotations

import contextlib
import os
import sys

IDLE_PRIORITY_CLASS = 0x40
NICENESS = 15


def step_back() -> None:
    """Give this process the lowest priority that does not stop it. It does nothing where the system refuses."""
    if sys.platform == "win32":
        import ctypes

        kernel = ctypes.windll.kernel32
        kernel.SetPriorityClass(kernel.GetCurrentProcess(), IDLE_PRIORITY_CLASS)
        return
    with contextlib.suppress(OSError):
        os.nice(NICENESS)
