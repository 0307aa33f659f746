"""Measures the load by other programs and by the host of a virtual machine during a measurement.

Linux reports the processors' time and the time stolen by the host in ``/proc/stat``. macOS (``host_statistics``) and Windows
(``GetSystemTimes``) report only the time, so steal is None there. The time of this program and of its finished children is subtracted.
Windows does not report that of children, so if children do the work there, the load of others is None too. None means unknown.
"""

from __future__ import annotations

import ctypes
import os
import sys
import time
from dataclasses import dataclass
from pathlib import Path

from rtaudio.bench.machine import load_average

OTHERS = 0.05
"""Share of all processors' time above which other programs cause a warning."""
STEAL = 0.01
LOAD = 0.5
"""Load average per core before the measurement above which there is a warning."""


@dataclass(frozen=True)
class SystemLoad:
    """Shares of all processors' time, 0 to 1; ``load`` is the average of the minute before. None: not reported by the system."""

    cores: int
    load: float | None
    others: float | None
    steal: float | None

    def warnings(self) -> list[str]:
        """A warning for each reason why the numbers are less reliable."""
        told = []
        if self.load is not None and self.load > LOAD * self.cores:
            told.append(
                f"The machine was busy before this began: load {self.load:.1f} on {self.cores} cores in the last minute."
            )
        if self.others is not None and self.others > OTHERS:
            told.append(
                f"Other programs took {self.others:.0%} of the processors' time during the run; end them and measure again."
            )
        if self.steal is not None and self.steal > STEAL:
            told.append(f"The host of this virtual machine took {self.steal:.1%} of the processors' time (steal).")
        if self.others is None:
            told.append("This system does not report how much processor time other programs took.")
        return told


@dataclass(frozen=True)
class ProcessorTimes:
    """Seconds of all processors since the system's start: busy for programs, and stolen by the host."""

    busy: float
    steal: float | None


class SystemLoadMonitor:
    """Measures from its creation. ``children``: child processes also do the work, and have ended when ``end`` is called."""

    def __init__(self, children: bool = False) -> None:
        self.blind = children and sys.platform == "win32"
        self._load = load_average()
        self._cores = os.cpu_count() or 1  # all processors, as in the system's counters
        self._began = time.monotonic()
        self._ticks, self._own = read_processor_times(), own_processor_seconds()

    def end(self) -> SystemLoad:
        """The load by others since the beginning."""
        ticks, own = read_processor_times(), own_processor_seconds()
        total = max(1e-9, (time.monotonic() - self._began) * self._cores)
        others = steal = None
        if ticks is not None and self._ticks is not None:
            if not self.blind:
                others = max(0.0, ticks.busy - self._ticks.busy - (own - self._own)) / total
            if ticks.steal is not None and self._ticks.steal is not None:
                steal = max(0.0, ticks.steal - self._ticks.steal) / total
        return SystemLoad(self._cores, self._load, others, steal)


def own_processor_seconds() -> float:
    """Processor time of this process and of its children that have ended."""
    used = os.times()
    return used.user + used.system + used.children_user + used.children_system


def parse_stat(text: str, hertz: int) -> ProcessorTimes:
    """The first line of Linux' ``/proc/stat``: user nice system idle iowait irq softirq steal. Raises ValueError."""
    name, *counts = text.splitlines()[0].split() if text else [""]
    if name != "cpu" or len(counts) < 7:
        raise ValueError("not /proc/stat")
    user, nice, system, _, _, irq, softirq, *more = (int(count) for count in counts)
    return ProcessorTimes((user + nice + system + irq + softirq) / hertz, more[0] / hertz if more else None)


def read_processor_times() -> ProcessorTimes | None:
    """The present counters; None if the system does not report them."""
    try:
        if sys.platform == "win32":
            return _windows()
        if sys.platform == "darwin":
            return _macos()
        return parse_stat(Path("/proc/stat").read_text(encoding="ascii"), os.sysconf("SC_CLK_TCK"))
    except (OSError, AttributeError, ValueError):
        return None


def _macos() -> ProcessorTimes:
    """HOST_CPU_LOAD_INFO: user, system, idle, nice in hundredths of a second."""
    library = ctypes.CDLL(None)
    library.mach_host_self.restype = ctypes.c_uint
    counts, size = (ctypes.c_uint * 4)(), ctypes.c_uint(4)
    if library.host_statistics(library.mach_host_self(), 3, counts, ctypes.byref(size)) != 0:
        raise OSError("host_statistics failed")
    user, system, _, nice = counts
    return ProcessorTimes((user + system + nice) / 100, None)


def _windows() -> ProcessorTimes:
    """Idle, kernel (idle included) and user time in units of 100 ns."""
    idle, kernel, user = (ctypes.c_ulonglong() for _ in range(3))
    asked = ctypes.windll.kernel32.GetSystemTimes  # type: ignore[attr-defined,unused-ignore]
    if not asked(ctypes.byref(idle), ctypes.byref(kernel), ctypes.byref(user)):
        raise OSError("GetSystemTimes failed")
    return ProcessorTimes((kernel.value - idle.value + user.value) / 1e7, None)
