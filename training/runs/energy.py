"""Estimates the energy of a run (FUT-07).

Processors are read through RAPL if the kernel allows it (``energy_uj`` of each package: all work of the machine, not only ours), GPUs
through their driver. If a value cannot be read, it is assumed, and the assumption is written beside the number.
"""

from __future__ import annotations

import time
from pathlib import Path

import torch

RAPL = Path("/sys/class/powercap")
CPU_WATTS = 10.0
"""Watts of a busy server core with its share of memory and fans; laptops need about half."""
GPU_WATTS = 350.0
"""Watts of a training GPU whose driver does not report its power."""
JOULES_A_KWH = 3.6e6


class EnergyMeter:
    """Adds up energy between calls of ``read``.

    Args:
        device: the device that computes.
        threads: busy processor threads of this process.
        watts: power measured elsewhere, such as at the socket; overrides everything else.
        whole_machine: whether this process counts the energy of the whole machine (only one process per machine does).
    """

    def __init__(
        self, device: torch.device, threads: int, *, watts: float | None = None, whole_machine: bool = True,
        rapl: Path = RAPL,
    ) -> None:  # fmt: skip
        self.device, self.whole_machine = device, whole_machine
        self.packages = [] if watts is not None else _packages(rapl)
        self._assumed = 0.0 if self.packages else CPU_WATTS * threads
        self._gpu = device.type == "cuda" and watts is None
        cpu = "RAPL, whole machine" if self.packages else f"{CPU_WATTS:g} W assumed for each of {threads} threads"
        self.method = cpu
        if watts is not None:
            self._assumed = watts if whole_machine else 0.0
            self.method = f"{watts:g} W as stated"
        elif self._gpu:
            known = _gpu_watts(device) is not None
            self.method += f"; GPU: {'its driver' if known else f'{GPU_WATTS:g} W assumed'}"
        self.kwh = 0.0
        self._time = time.monotonic()
        self._counts = [_count(path) for path in self.packages]

    def read(self) -> float:
        """kWh since the meter was created."""
        now = time.monotonic()
        seconds, self._time = now - self._time, now
        joules = self._assumed * seconds
        if self._gpu:
            watts = _gpu_watts(self.device)
            joules += (GPU_WATTS if watts is None else watts) * seconds
        for number, path in enumerate(self.packages):
            count = _count(path)
            microjoules = count - self._counts[number]
            if microjoules < 0:  # the counter has wrapped around
                microjoules += _count(path.with_name("max_energy_range_uj"))
            self._counts[number] = count
            joules += microjoules / 1e6 if self.whole_machine else 0.0
        self.kwh += joules / JOULES_A_KWH
        return self.kwh


def _packages(rapl: Path) -> list[Path]:
    """The readable counters of whole packages."""
    found = []
    for path in sorted(rapl.glob("intel-rapl:*/energy_uj")):  # AMD's have this name too
        if path.parent.name.count(":") == 1:  # deeper ones are parts of a package
            try:
                _count(path)
            except (OSError, ValueError):
                continue
            found.append(path)
    return found


def _count(path: Path) -> int:
    return int(path.read_text())


def _gpu_watts(device: torch.device) -> float | None:
    """The GPU's present power in watts; None if its driver cannot be queried (this needs the package nvidia-ml-py)."""
    try:
        return torch.cuda.power_draw(device) / 1000
    except Exception:  # any error of the driver's library means that there is no value
        return None
