"""Times cold starts: until a stem is written, the first sound, or a window. Each start is a separate process, as for a user.

The bound of each is a Python process that only loads the libraries that this start needs.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median

import numpy as np
import soundfile

from rtaudio.audio.format import StemplayError
from rtaudio.bench.machine import ROOT
from rtaudio.system.child_process import child_environment

TRIES = 3
PATIENCE_S = 300.0

LIBRARIES = "import numpy, onnxruntime, soundfile, soxr"
QT = "from PyQt6.QtWidgets import QApplication; QApplication([])"


@dataclass(frozen=True)
class Start:
    """One kind of start.

    Attributes:
        name: the command, and the event that ends the time.
        first_s, median_s: seconds of the first try, and the median of all tries.
        bound_s: seconds of its bound; 0 if there is none.
    """

    name: str
    first_s: float
    median_s: float
    bound_s: float = 0.0


def measure_starts(song: Path, tell: Callable[[Start], None], tries: int = TRIES, fresh: bool = False) -> list[Start]:
    """Start everything ``tries`` times, and report each kind when it is done.

    Args:
        song: the song to play.
        fresh: also clone the repository and run ``make run`` in it; needs git, make and the package index.

    Raises:
        StemplayError: something does not start.
    """
    found: list[Start] = []

    def take(name: str, once: Callable[[], float], bound_s: float = 0.0) -> float:
        spent = [once() for _ in range(tries)]
        found.append(Start(name, spent[0], median(spent), bound_s))
        tell(found[-1])
        return found[-1].median_s

    with _places() as (folder, environment):
        second = folder / "second.wav"
        soundfile.write(second, 0.1 * np.random.default_rng(0).standard_normal((44_100, 2)).astype(np.float32), 44_100)
        python = take("Python and the libraries", lambda: _run(["-c", LIBRARIES], environment))
        take(
            "separate: one second of sound",
            lambda: _run(["-m", "rtaudio", "separate", str(second), "-o", str(folder / "stems")], environment),
            python,
        )
        play = ["-m", "rtaudio", "live", "--input", str(song), "--output", "null"]
        take("live: command to first sound", lambda: _until(play, "plays", environment), python)
        if _qt_installed(environment):
            qt = take("Python, the libraries and Qt", lambda: _run(["-c", f"{LIBRARIES}; {QT}"], environment))
            window = ["-m", "gui", "--report-start", "--output", "null", "--input", str(song)]
            both = [_both(window, environment) for _ in range(tries)]
            for name, times in (
                ("window: command to window", [a for a, _ in both]),
                ("window: command to first sound", [b for _, b in both]),
            ):
                found.append(Start(name, times[0], median(times), qt))
                tell(found[-1])
        if fresh:
            found.append(_fresh(folder))
            tell(found[-1])
    return found


@contextmanager
def _places() -> Iterator[tuple[Path, dict[str, str]]]:
    """A folder, and an environment in which none of the user's files is read or changed."""
    with tempfile.TemporaryDirectory(prefix="stemplay-starts-") as name:
        folder = Path(name)
        environment = child_environment()
        for variable in ("STEMPLAY_CONFIG_DIR", "STEMPLAY_RUNTIME_DIR", "STEMPLAY_STATE_DIR"):
            environment[variable] = str(folder / variable.lower())
            (folder / variable.lower()).mkdir(mode=0o700)
        if not (sys.platform in ("win32", "darwin") or os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")):
            environment["QT_QPA_PLATFORM"] = "offscreen"
        yield folder, environment


def _run(arguments: list[str], environment: dict[str, str]) -> float:
    began = time.perf_counter()
    done = subprocess.run(
        [sys.executable, *arguments],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
        check=False,
    )
    if done.returncode:
        raise StemplayError(f"{' '.join(arguments[:3])} did not run: {done.stderr.strip().splitlines()[-1]}")
    return time.perf_counter() - began


def _until(arguments: list[str], word: str, environment: dict[str, str]) -> float:
    """Seconds until a line with ``word`` is printed; then the process is ended."""
    return _lines(arguments, (word,), environment)[0]


def _both(arguments: list[str], environment: dict[str, str]) -> tuple[float, float]:
    shown, sound = _lines(arguments, ("shown", "sound"), environment)
    return shown, sound


def _lines(arguments: list[str], words: tuple[str, ...], environment: dict[str, str]) -> list[float]:
    began = time.perf_counter()
    child = subprocess.Popen(
        [sys.executable, "-u", *arguments],
        cwd=ROOT,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    found: list[float] = []
    said = ""
    try:
        assert child.stdout is not None
        for line in child.stdout:
            said = line.strip() or said
            if words[len(found)] in line:
                found.append(time.perf_counter() - began)
                if len(found) == len(words):
                    return found
    finally:
        child.terminate()
        child.communicate(timeout=PATIENCE_S)
    raise StemplayError(f"{' '.join(arguments[:3])} ended before it was ready: {said}")


def _qt_installed(environment: dict[str, str]) -> bool:
    try:
        _run(["-c", QT], environment)
    except StemplayError:
        return False
    return True


def _fresh(folder: Path) -> Start:
    """Clone the repository and run ``make run`` in it until the first sound. Only once, because it downloads packages."""
    for program in ("git", "make"):
        if shutil.which(program) is None:
            raise StemplayError(f"A fresh clone needs {program}, which is not installed.")
    began = time.perf_counter()
    subprocess.run(["git", "clone", "--quiet", str(ROOT), str(folder / "clone")], check=True)
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    child = subprocess.Popen(
        ["make", "run", "RUN_ARGS=--seconds 1"], cwd=folder / "clone", env=environment,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
    )  # fmt: skip
    assert child.stdout is not None
    spent = 0.0
    for line in child.stdout:  # read to its end, so that no process is left running
        if not spent and ("latency" in line):
            spent = time.perf_counter() - began
    if child.wait() or not spent:
        raise StemplayError("make run failed in a fresh clone.")
    return Start("fresh clone: make run to first sound", spent, spent)


HEADER = f"{'start':<42}{'first':>8}{'median':>8}{'bound':>8}{'ratio':>7}"


def row(start: Start) -> str:
    """A line of the table, in seconds."""
    bound = f"{start.bound_s:>8.2f}{start.median_s / start.bound_s:>7.1f}" if start.bound_s else f"{'':>15}"
    return f"{start.name:<42}{start.first_s:>8.2f}{start.median_s:>8.2f}{bound}"
