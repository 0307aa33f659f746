"""Requests realtime scheduling from the system, and keeps garbage collection and other Python threads from delaying the audio."""

from __future__ import annotations

import atexit
import contextlib
import ctypes
import gc
import os
import sys
import threading

SWITCH_INTERVAL_S = 0.0005, 0.00003
"""Longest and shortest time for which a Python thread may keep the interpreter while another one, such as the audio callback, waits."""
MODEL_PRIORITY, CALLBACK_PRIORITY = 40, 60
"""Priorities of threads that run a model, and of the audio callback if no sound server sets it. See ``keep_below``."""
LEVELS = 60, 45, 40
"""Priorities in use, highest first: callback, instrument, model; lower ones count as one level."""
REPORT_PRIORITY = 5
"""Priority of the reporting thread: below all audio threads, but above other programs. If another program could preempt it while it holds
the interpreter, the audio threads would wait for that program."""
KEPT_BYTES = 32 << 20
"""Free memory that the process keeps, and the size from which an allocation gets a mapping of its own; the largest glibc allows."""
M_TRIM_THRESHOLD, M_MMAP_THRESHOLD = -1, -3
"""Constants of glibc's malloc.h."""


def settle(block_s: float = 0.0) -> None:
    """Switch garbage collection off. Call it after warm-up: the collection of a large heap would stall the audio for most of a second.

    Args:
        block_s: length of the device's blocks in seconds, if known. The callback then waits for the interpreter for at most an eighth
            of a block.
    """
    gc.collect()
    gc.freeze()
    atexit.unregister(gc.unfreeze)
    atexit.register(gc.unfreeze)  # else modules are not freed at the end, and bindings made with nanobind print a list of leaks
    gc.disable()
    sys.setswitchinterval(switch_interval(block_s))


def switch_interval(block_s: float = 0.0) -> float:
    """Seconds for which a thread may keep the interpreter while the callback waits, for blocks of ``block_s`` seconds (0: unknown)."""
    longest, shortest = SWITCH_INTERVAL_S
    return max(shortest, min(longest, block_s / 8 if block_s > 0 else longest))


def keep_memory() -> None:
    """Keep freed memory for later allocations of this process, instead of returning it to the system at once.

    glibc returns the top of its heap as soon as 128 KiB of it are free, and gets each page back through a page fault. A NumPy FFT of
    4096 samples then takes three times as long, and so does other code with temporary arrays. The allocators of macOS, Windows and
    musl keep freed pages for a while by themselves and have no such setting.
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


def keep_below() -> None:
    """Lower this process's realtime threads, present and future ones, below those of the sound server, if their priority is lower.

    A server's threads have the shortest periods, so they must come first. ``jackd`` gives its clients priority 5 by default. A model's
    thread with 40 would then keep the client's thread, and the server itself (10), from running. Call it when the server's thread exists,
    and no other library's realtime threads. Linux only; elsewhere priorities are classes.
    """
    if not sys.platform.startswith("linux"):
        return
    server = [
        os.sched_getparam(thread).sched_priority
        for thread in map(int, os.listdir("/proc/self/task"))
        if thread not in _placed and _is_realtime(thread)
    ]
    if not server or min(server) > LEVELS[0]:
        return
    _ceiling[0] = min(server)
    for thread, priority in list(_placed.items()):
        if not os.path.exists(f"/proc/self/task/{thread}"):
            del _placed[thread]
        else:
            os.sched_setscheduler(thread, os.SCHED_FIFO, os.sched_param(_place(priority)))


_placed: dict[int, int] = {}
"""Thread -> priority that it asked for."""
_ceiling = [100]
"""The lowest priority of the sound server's threads."""


def _place(priority: int) -> int:
    """The priority for a thread that asks for ``priority``: in the same order, below the sound server's."""
    if _ceiling[0] > LEVELS[0]:
        return priority
    return max(1, _ceiling[0] - 1 - sum(priority < level for level in LEVELS))


def _is_realtime(thread: int) -> bool:
    return os.sched_getscheduler(thread) & ~0x40000000 in (os.SCHED_FIFO, os.SCHED_RR)  # without SCHED_RESET_ON_FORK


def lower_priority() -> None:
    """Lower the *calling thread*'s priority on Linux, below all ordinary programs. Other systems have no such call for one thread."""
    if sys.platform.startswith("linux"):
        with contextlib.suppress(OSError):
            os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), 10)


def _linux(priority: int) -> str:
    thread = threading.get_native_id()
    if _is_realtime(0) and thread not in _placed:  # set by the sound server: do not lower it
        return f"granted: realtime by the sound server, priority {os.sched_getparam(0).sched_priority}"
    placed = _place(priority)
    try:
        os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(placed))
    except PermissionError:
        return (
            "refused: no realtime priority; allow it with 'rtprio 95' for your user in /etc/security/limits.d/audio.conf "
            "(the package jackd2 offers to do so) and log in again"
        )
    _placed[thread] = priority
    return f"granted: SCHED_FIFO, priority {placed}"


def _macos() -> str:
    """QOS_CLASS_USER_INTERACTIVE, the highest class that an unprivileged thread can get."""
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
