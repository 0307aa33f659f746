"""A plugin's own window on a real screen, under a window manager, while the plugin plays on a real JACK server."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
import soundfile as sf

from rtaudio.control.session import Session
from rtaudio.protocol.messages import command
from rtaudio.protocol.reports import InsertReport
from rtaudio.protocol.settings import EngineConfig, InsertState, MixerState, StemState
from tests.jack import JackServer
from tests.screen import private_screen, window_manager

ROOT = Path(__file__).parents[3]
RATE, BLOCK = 44_100, 256
PANEL, FRAME = "^panel of the probe$", "^Panel$"
"""Names of the plugin's window, and of the one around it."""
PATIENCE = 60.0
"""Seconds; only a limit against hanging, never an expectation."""

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="Xvfb and JACK are run on Linux only")


class Screen:
    """A user's eyes and hands."""

    def __init__(self, environment: dict[str, str]) -> None:
        self._environment = os.environ | environment

    def _do(self, *args: object) -> str:
        done = subprocess.run(
            ["xdotool", *map(str, args)], env=self._environment, capture_output=True, text=True, timeout=PATIENCE, check=False
        )  # fmt: skip
        return done.stdout

    def windows(self, name: str) -> list[str]:
        """The visible windows of this name."""
        return self._do("search", "--onlyvisible", "--name", name).split()

    def drag(self, window: str, start: tuple[int, int], end: tuple[int, int]) -> None:
        self._do("mousemove", "--window", window, *start, "mousedown", 1)
        self._do("mousemove", "--window", window, *end)
        self._do("mouseup", 1)

    def minimise(self, windows: list[str]) -> None:
        for window in windows:
            self._do("windowminimize", window)

    def close(self, windows: list[str]) -> None:
        """As a user does it: Alt+F4, which the window manager takes."""
        for window in windows:
            self._do("windowactivate", window)
            self._do("key", "--clearmodifiers", "alt+F4")

    def colours(self, folder: Path) -> int:
        """Number of colours on the screen; also a picture in ``folder``."""
        picture = folder / "screen.png"
        subprocess.run(["import", "-window", "root", str(picture)], env=self._environment, check=True, timeout=PATIENCE)
        return int(subprocess.run(["identify", "-format", "%k", str(picture)], capture_output=True, text=True, check=True).stdout)


class Recorder:
    """Records the engine's output on a JACK server to a file, in a process of its own."""

    def __init__(self, file: Path) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.jack_recorder", str(file)], cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )

    def __enter__(self) -> None:
        assert self._process.stdout is not None
        assert self._process.stdout.readline().strip() == b"wired"

    def __exit__(self, *_: object) -> None:
        with self._process:  # closes its input, and waits for its end
            pass


@pytest.fixture
def screen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Screen]:
    """A screen with a window manager. Child processes find it by the environment."""
    with private_screen(tmp_path) as environment, window_manager(tmp_path, environment):
        monkeypatch.setenv("DISPLAY", environment["DISPLAY"])
        yield Screen(environment)


def wait(what: Callable[[], object], sentence: Callable[[], object] = lambda: "") -> None:
    until = time.monotonic() + PATIENCE
    while not what():
        assert time.monotonic() < until, sentence()
        time.sleep(0.05)


def insist(action: Callable[[], object], what: Callable[[], object], sentence: Callable[[], object] = lambda: "") -> None:
    """Do it again until it has an effect, as a user does on a busy machine: a window that is being placed takes no clicks."""
    until = time.monotonic() + PATIENCE
    while not what():
        assert time.monotonic() < until, sentence()
        action()
        again = time.monotonic() + 3.0
        while not what() and time.monotonic() < again:
            time.sleep(0.05)


def wait_for_window(screen: Screen) -> str:
    wait(lambda: screen.windows(PANEL))
    return screen.windows(PANEL)[0]


@pytest.mark.jack
def test_its_window_changes_a_parameter_and_is_closed_and_crashes_without_a_gap(
    panel: str, screen: Screen, jack_server: JackServer, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    wave = 0.4 * np.sin(2 * np.pi * 220 * np.arange(120 * RATE) / RATE)
    sf.write(tmp_path / "tone.wav", np.stack([wave, wave], axis=1), RATE, subtype="FLOAT")
    config = EngineConfig(input=str(tmp_path / "tone.wav"), output="default", model="none", analyse=False, block=BLOCK, loop=True)
    mixer = MixerState(limiter=False, stems={"vocals": StemState(inserts=[InsertState(panel, "panel")])})
    with Session(config, mixer) as session:

        def report() -> InsertReport:
            slots = session.snapshot().inserts.get("vocals")
            return slots[0] if slots else InsertReport("", "", "")

        def gain() -> float:
            return session.snapshot().mixer.stems["vocals"].inserts[0].values.get("gain", 1.0)

        wait(lambda: report().status == "running" and session.snapshot().state == "running", report)
        assert report().editor
        with Recorder(tmp_path / "out.npy"):
            before = session.snapshot()
            session.send(command("open_editor", strip="vocals", key="panel"))
            window = wait_for_window(screen)
            wait(lambda: screen.windows(FRAME))  # it has the plugin's name, and not that of the library
            wait(lambda: screen.colours(tmp_path) > 4)  # its slider, its button, and their texts
            insist(lambda: screen.drag(window, (160, 30), (80, 30)), lambda: abs(gain() - 0.5) < 0.02, lambda: (gain(), report()))
            time.sleep(0.5)  # half of the gain is heard; a second drag, which a slow machine asked for, is over, too
            wait(lambda: abs(gain() - 0.5) < 0.02, gain)
            session.send(command("set_parameter", strip="vocals", key="panel", parameter="gain", value=1.5))
            wait(lambda: gain() == 1.5)
            time.sleep(0.5)

            insist(lambda: screen.minimise(screen.windows(FRAME)), lambda: not screen.windows(PANEL))
            session.send(command("open_editor", strip="vocals", key="panel"))  # again: it comes to the front
            wait_for_window(screen)
            wait(lambda: screen.windows(FRAME))
            assert len(screen.windows(PANEL)) == 1
            insist(lambda: screen.close(screen.windows(FRAME)), lambda: not screen.windows(PANEL))
            assert report().status == "running" and report().message == ""

            session.send(command("open_editor", strip="vocals", key="panel"))
            window = wait_for_window(screen)  # with a button that crashes it
            insist(lambda: screen.drag(window, (300, 100), (300, 100)), lambda: report().status == "failed", report)
            told, failed = report().message, session.snapshot()
            time.sleep(0.5)
        after = session.snapshot()
    sound = np.load(tmp_path / "out.npy")
    heard = np.flatnonzero(np.abs(sound) > 0.01)
    gap = int(np.diff(heard).max())
    periods = sound[: len(sound) // 2205 * 2205].reshape(-1, 2205)  # eleven of the tone's
    levels = np.sqrt(np.square(periods).mean(axis=1))[2:-2]
    with capsys.disabled():
        print(f"\nthe window: longest gap {gap} frames in {len(sound) / RATE:.1f} s, xruns {after.xruns - before.xruns}; {told}")
    assert told == "Panel crashed (SIGABRT) and is bypassed."
    assert failed.restarts == after.restarts == 0
    assert gap <= BLOCK * (1 + after.xruns - before.xruns)  # on a busy machine the server itself drops blocks
    assert levels.max() > 1.2 * levels.min() > 0.0  # half of the gain is heard, and one and a half
