"""Lets a process run only when no other wants the processor: for work that nobody waits for, beside sound that must not wait."""

from __future__ import annotations

import contextlib
import ctypes
import os
import sys

LOWEST_NICE = 19
_DARWIN_PROCESS, _DARWIN_BACKGROUND = 4, 0x1000
"""``PRIO_DARWIN_PROCESS`` and ``PRIO_DARWIN_BG`` of macOS' sys/resource.h: also the disk is used last."""
_WINDOWS_IDLE = 0x40
"""``IDLE_PRIORITY_CLASS`` of Windows. (Its background mode would also cap the memory of the process.)"""


def yield_to_others() -> bool:
    """Give this process, with all threads that it starts from now on, the lowest priority. False if the system refuses."""
    with contextlib.suppress(OSError, AttributeError, ValueError):
        if sys.platform == "win32":
            kernel = ctypes.windll.kernel32
            return bool(kernel.SetPriorityClass(kernel.GetCurrentProcess(), _WINDOWS_IDLE))
        if sys.platform == "darwin":
            os.setpriority(_DARWIN_PROCESS, 0, _DARWIN_BACKGROUND)
            return True
        os.setpriority(os.PRIO_PROCESS, 0, LOWEST_NICE)
        if sys.platform == "linux":
            os.sched_setscheduler(0, os.SCHED_IDLE, os.sched_param(0))
        return True
    return False
