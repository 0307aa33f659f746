"""Describes the machine and measures the speed of one of its threads.

A child process measures the speed, because the number of threads of a BLAS is fixed when numpy is imported.
"""

from __future__ import annotations

import json
import os
import platform
import subprocess
import sys
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

import numpy as np

from rtaudio.bench.processor import this_processor
from rtaudio.bench.timing import times

ROOT = Path(__file__).resolve().parents[2]
_ONE_THREAD = ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS", "VECLIB_MAXIMUM_THREADS")
_MEMORY_FLOATS = 64 << 20  # 256 MiB: larger than any cache
_GEMM = 512


@dataclass(frozen=True)
class Machine:
    """Speed of one thread in float32 matrix products and in reading memory."""

    gflops: float
    read_gb_s: float
    load: float | None
    """Mean number of runnable processes in the minute before; None if the system does not report it."""


@dataclass(frozen=True)
class About:
    """The facts about the machine that make two runs comparable.

    Attributes:
        processor: its name; ``units``: its vector units; ``virtual``: whether it runs under a hypervisor, None if unknown.
        cores: number of logical processors that this program may use.
        system: operating system, its version and architecture; the others are versions.
    """

    processor: str
    units: tuple[str, ...]
    virtual: bool | None
    cores: int
    system: str
    python: str
    onnxruntime: str
    numpy: str


def about_this() -> About:
    """The machine that this program runs on."""
    found = this_processor()
    return About(
        processor=found.name, units=found.units, virtual=found.virtual, cores=usable_cores(), system=_system(),
        python=platform.python_version(), onnxruntime=metadata.version("onnxruntime"), numpy=np.__version__,
    )  # fmt: skip


def usable_cores() -> int:
    """Logical processors that this program may run on."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _system() -> str:
    machine = platform.machine()
    if sys.platform == "darwin":
        return f"macOS {platform.mac_ver()[0]}, {machine}"
    if sys.platform == "win32":
        return f"Windows {platform.release()} ({platform.version()}), {machine}"
    kernel = (
        f"{platform.system()} {'.'.join(platform.release().split('.')[:2])}"  # the rest is the name of a build
    )
    try:
        return f"{platform.freedesktop_os_release().get('PRETTY_NAME', '')}, {kernel}, {machine}".lstrip(", ")
    except OSError:
        return f"{kernel}, {machine}"


def load_average() -> float | None:
    """Load average of the last minute; None on Windows."""
    return os.getloadavg()[0] if hasattr(os, "getloadavg") else None


DRIFT = 0.10
"""Change of speed within a run that causes a warning."""


def drift(before: Machine, after: Machine) -> list[str]:
    """A sentence for each speed that has changed during the run, because of heat, power saving or other users of the hardware."""
    told = []
    for what, unit, first, last in (
        ("matrix products", "GFLOP/s", before.gflops, after.gflops),
        ("reading memory", "GB/s", before.read_gb_s, after.read_gb_s),
    ):
        if max(first, last) > (1 + DRIFT) * min(first, last):
            told.append(
                f"The machine's own speed changed during the run: {what} went from {first:.3g} to {last:.3g} {unit}; "
                "the bounds use the speed at the beginning."
            )
    return told


def measure_machine() -> Machine:
    """Measure in a child process whose BLAS has one thread. It takes one or two seconds."""
    load = load_average()
    environment = {**os.environ, **dict.fromkeys(_ONE_THREAD, "1"), "PYTHONPATH": str(ROOT)}
    code = "import json; from rtaudio.bench.machine import measure_here; print(json.dumps(measure_here()))"
    child = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
    gflops, read = json.loads(child.stdout)
    return Machine(gflops, read, load)


def measure_here() -> tuple[float, float]:
    """(GFLOP/s of a matrix product, GB/s of reading memory) of this process, the best of several tries."""
    rng = np.random.default_rng(0)
    a, b = (rng.standard_normal((_GEMM, _GEMM)).astype(np.float32) for _ in range(2))
    product = min(times(lambda: a @ b, 30))
    memory = np.ones(_MEMORY_FLOATS, dtype=np.float32)
    half = len(memory) // 2
    reading = min(times(lambda: np.dot(memory[:half], memory[half:]), 5))
    return 2 * _GEMM**3 / product / 1e9, memory.nbytes / reading / 1e9
