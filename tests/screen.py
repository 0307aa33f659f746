"""A screen without a monitor (Xvfb), for windows of other processes."""

from __future__ import annotations

import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest


@contextmanager
def private_screen(folder: Path) -> Iterator[dict[str, str]]:
    """What the environment needs for a window to open on a screen of its own; the log lies in ``folder``. Skips without Xvfb."""
    if not shutil.which("Xvfb"):
        pytest.skip("Xvfb is not installed (apt-get install xvfb)")
    reader, writer = os.pipe()
    arguments = ["Xvfb", "-displayfd", str(writer), "-screen", "0", "1280x800x24", "-nolisten", "tcp", "-noreset"]
    with (folder / "xvfb.log").open("w") as log:
        server = subprocess.Popen(arguments, pass_fds=[writer], stdout=log, stderr=log)
    os.close(writer)
    try:
        with os.fdopen(reader) as told:
            display = told.readline().strip()
        yield {"DISPLAY": f":{display}", "QT_QPA_PLATFORM": "xcb"}
    finally:
        server.terminate()
        server.wait(60)


@contextmanager
def window_manager(folder: Path, environment: dict[str, str]) -> Iterator[None]:
    """openbox on that screen: windows get a frame and the focus, and Alt+F4 closes them. Skips without it."""
    for program in ("openbox", "xdotool"):
        if not shutil.which(program):
            pytest.skip(f"{program} is not installed (apt-get install {program})")
    home = {name: str(folder) for name in ("HOME", "XDG_CONFIG_HOME", "XDG_CACHE_HOME", "XDG_DATA_HOME")}
    with (folder / "openbox.log").open("w") as log:
        manager = subprocess.Popen(["openbox", "--sm-disable"], env=os.environ | home | environment, stdout=log, stderr=log)
    until = time.monotonic() + 60
    try:
        while subprocess.run(["xdotool", "get_desktop"], env=os.environ | environment, capture_output=True, check=False).returncode:
            assert manager.poll() is None and time.monotonic() < until, (folder / "openbox.log").read_text()
            time.sleep(0.05)
        yield
    finally:
        manager.terminate()
        manager.wait(60)
