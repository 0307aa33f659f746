"""Asking the system for punctual threads, and keeping Python out of their way. Each function tells what it got in one sentence."""

from __future__ import annotations

import ctypes
import gc
import os
import sys

SWITCH_INTERVAL_S = 0.0005, 0.00003
"""How long a Python thread may keep the interpreter while another waits, at most and at least: the audio callback is such another."""
MODEL_PRIORITY, CALLBACK_PRIORITY = 40, 60
"""Of whoever runs a model, and of the audio callback where no sound server gives it one (JACK's is higher, and kept)."""
REPORT_PRIORITY = 5
"""Of the thread that reports: below all sound, but above other programs. While it holds the interpreter nobody may keep it from giving it
back, or the threads of the sound wait for those who do."""
KEPT_BYTES = 32 << 20
"""Free memory that the process keeps, and the smallest allocation that the system is asked for separately; the most glibc allows."""
M_TRIM_THRESHOLD, M_MMAP_THRESHOLD = -1, -3
"""Of glibc's malloc.h."""


def settle(block_s: float = 0.0) -> None:
    """After warm-up: no garbage collection during sound (a collection of a large heap stalls for most of a second).

    Args:
        block_s: length of the device's blocks, if known; the callback waits for the interpreter for an eighth of one at most.
    """
    gc.collect()
    gc.freeze()
    gc.disable()
    sys.setswitchinterval(switch_interval(block_s))


def switch_interval(block_s: float = 0.0) -> float:
    """For how many seconds a thread may keep the interpreter while the callback of blocks of ``block_s`` (0: unknown) waits for it."""
    longest, shortest = SWITCH_INTERVAL_S
    return max(shortest, min(longest, block_s / 8 if block_s > 0 else longest))


def keep_memory() -> None:
    """Keep what is freed for the next allocation of this process, instead of giving it back to the system at once.

    glibc gives the top of its heap back as soon as 128 KiB of it are free, and gets each page again by a fault: a transform of 4096
    samples in numpy then takes three times as long, and so does whatever else needs room for a moment. The allocators of macOS and
    Windows, and musl's, keep freed pages for a while by themselves, and have no such setting.
    """
    if not sys.platform.startswith("linux"):
        return
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (OSError, AttributeError):  # not glibc
        return
    mallopt(M_TRIM_THRESHOLD, KEPT_BYTES)
    mallopt(M_MMAP_THRESHOLD, KEPT_BYTES)


def request_realtime(priority: int = CALLBACK_PRIORITY) -> str:
    """Ask for realtime scheduling of the *calling thread*; returns a sentence that begins with ``granted`` or ``refused``.

    Args:
        priority: 1 to 99 on Linux; other systems have one realtime class.
    """
    try:
        if sys.platform == "win32":
            return _windows()
        if sys.platform == "darwin":
            return _macos()
        return _linux(priority)
    except (OSError, AttributeError, ValueError) as error:
        return f"refused: the system gave no realtime priority ({error})"


def _linux(priority: int) -> str:
    policy = os.sched_getscheduler(0) & ~0x40000000  # SCHED_RESET_ON_FORK
    if policy in (os.SCHED_FIFO, os.SCHED_RR):  # the host has arranged it: not ours to lower
        return f"granted: realtime by the sound server, priority {os.sched_getparam(0).sched_priority}"
    try:
        os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(priority))
    except PermissionError:
        return (
            "refused: no realtime priority; allow it with 'rtprio 95' for your user in /etc/security/limits.d/audio.conf "
            "(the package jackd2 offers to do so) and log in again"
        )
    return f"granted: SCHED_FIFO, priority {priority}"


def _macos() -> str:
    """QOS_CLASS_USER_INTERACTIVE: what an unprivileged thread may have beside the host's own audio thread."""
    library = ctypes.CDLL(None, use_errno=True)
    if library.pthread_set_qos_class_self_np(0x21, 0) != 0:
        return "refused: macOS did not raise the thread's quality of service"
    return "granted: user-interactive quality of service"


def _windows() -> str:
    """Multimedia class scheduling for the thread, else the highest ordinary priority."""
    windll = ctypes.windll  # type: ignore[attr-defined]
    task = ctypes.c_ulong(0)
    if windll.avrt.AvSetMmThreadCharacteristicsW("Pro Audio", ctypes.byref(task)):
        return "granted: multimedia class Pro Audio"
    time_critical = 15
    if windll.kernel32.SetThreadPriority(windll.kernel32.GetCurrentThread(), time_critical):
        return "granted: time-critical priority"
    return "refused: Windows gave no realtime priority"
