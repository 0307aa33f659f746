"""The window as a process on a real screen (Xvfb), with a real engine on a real JACK server: clicked, killed, and joined again."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from PyQt6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from gui.bridge import Bridge
from gui.window import MainWindow
from rtaudio.control.session import Session
from rtaudio.protocol.messages import command
from tests.jack import ROOT, JackServer, private_server
from tests.screen import private_screen

pytestmark = [
    pytest.mark.long,
    pytest.mark.jack,
    pytest.mark.skipif(sys.platform != "linux", reason="Xvfb and JACK are run on Linux only"),
]

PATIENCE = 60.0
"""Seconds; only a limit against hanging, never an expectation."""

AUDIBLE = 1e-3


@pytest.fixture
def screen(tmp_path: Path) -> Iterator[dict[str, str]]:
    """A screen of this test's own: the environment in which a window opens on it."""
    if not shutil.which("xdotool"):
        pytest.skip("xdotool is not installed (apt-get install xdotool)")
    with private_screen(tmp_path) as own:
        yield os.environ | own | {"STEMPLAY_CONFIG_DIR": str(tmp_path / "config")}


class Listener:
    """What comes out of stemplay's JACK ports, ten times a second."""

    def __init__(self, server: JackServer) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.jack_listener"], cwd=ROOT, env=os.environ | server.environment, text=True,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        )  # fmt: skip

    def level(self, seconds: float) -> float:
        """RMS of the loudest channel over the next ``seconds``; what was heard before is thrown away."""
        since, energies = time.monotonic(), []
        assert self._process.stdout is not None
        while True:
            line = json.loads(self._process.stdout.readline())
            if line["time"] > since + 0.15:
                energies.append(line["rms"] ** 2)
            if line["time"] > since + 0.15 + seconds:
                return float((sum(energies) / len(energies)) ** 0.5)

    def close(self) -> None:
        assert self._process.stdin is not None and self._process.stdout is not None
        self._process.stdin.close()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(60)
        self._process.kill()
        self._process.wait()
        self._process.stdout.close()


@pytest.fixture
def jack_server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[JackServer]:
    """A server that survives the death of a client."""
    with private_server(tmp_path, synchronous=False) as server:
        for name, value in server.environment.items():
            monkeypatch.setenv(name, value)
        yield server


@pytest.fixture
def listener(jack_server: JackServer) -> Iterator[Listener]:
    ear = Listener(jack_server)
    yield ear
    ear.close()


def wait_until(happened: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + PATIENCE
    while not happened():
        assert time.monotonic() < deadline, f"waited {PATIENCE:g} s for {what}"
        time.sleep(0.05)


def open_window(screen: dict[str, str], folder: Path) -> subprocess.Popen[bytes]:
    """``python -m gui`` that plays the demo song through JACK."""
    options = ["--input", str(ROOT / "demo" / "kimseye.ogg"), "--output", "system", "--instrument", "none"]
    with (folder / "gui.log").open("ab") as log:
        return subprocess.Popen([sys.executable, "-m", "gui", *options], cwd=ROOT, env=screen, stdout=log, stderr=log)


def second_client() -> Session:
    """Another client of the engine that the window started; looks over its shoulder."""
    found: list[Session] = []

    def attach() -> bool:
        session = Session.attach()
        if session is not None:
            found.append(session)
        return bool(found)

    wait_until(attach, "the engine's daemon")
    return found[0]


def mute_place(screen: dict[str, str], stem: str) -> list[str]:
    """Where its mute button is."""
    told = subprocess.run(
        [sys.executable, "-m", "tests.gui.places"],
        cwd=ROOT,
        env=screen,
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=True,
    )
    return [str(number) for number in json.loads(told.stdout)[stem]]


def test_clicked_killed_and_joined_again(
    jack_server: JackServer,
    listener: Listener,
    screen: dict[str, str],
    runtime_directory: Path,
    tmp_path: Path,
    qtbot: QtBot,
) -> None:
    screen |= {"STEMPLAY_RUNTIME_DIR": str(runtime_directory)}
    place = mute_place(screen, "vocals")
    window = open_window(screen, tmp_path)
    session = second_client()
    try:
        # Only the voice, again and again: what is heard is what the mute button of the voice is about.
        session.send(command("set_loop", start_s=8.0, end_s=20.0))
        for stem in ("drums", "bass", "other"):
            session.send(command("set_stem", stem=stem, field="mute", value=True))
        wait_until(lambda: session.snapshot().state == "running" and listener.level(0.3) > AUDIBLE, "the voice")

        def click_mute(wanted: bool) -> None:
            clicked = 0.0

            def muted() -> bool:
                nonlocal clicked
                if time.monotonic() > clicked + PATIENCE / 15:  # a window that has just opened may not hear the first one
                    clicked = time.monotonic()
                    subprocess.run(["xdotool", "mousemove", *place, "click", "1"], env=screen, check=True, timeout=PATIENCE)
                return session.snapshot().mixer.stems["vocals"].mute is wanted

            wait_until(muted, f"the click (mute {wanted})")

        before = listener.level(2.0)
        click_mute(True)
        after = listener.level(2.0)
        print(f"voice heard at {before:.4f}, muted {after:.6f}")
        assert before > AUDIBLE and after < before / 30, "30 dB less"
        click_mute(False)

        window.kill()
        window.wait()
        alone = listener.level(2.0)
        print(f"without a window {alone:.4f}")
        assert alone > AUDIBLE, "the sound goes on without its window"
        engine = session.engine_pid
        window = open_window(screen, tmp_path)
        wait_until(lambda: is_shown(screen), "the second window")
        click_mute(True)
        assert session.engine_pid == engine and session.snapshot().restarts == 0, "it has joined the engine that ran"
        click_mute(False)
        kill_the_engine(session, listener, qtbot)

        window.terminate()  # as its close button does
        wait_until(lambda: window.poll() is not None, "the window's end")
        assert window.returncode == 0
        wait_until(lambda: session.snapshot().state == "stopped", "the end of the sound")
    finally:
        if window.poll() is None:
            window.kill()
            window.wait()
        session.stop()
        session.close()


def is_shown(screen: dict[str, str]) -> bool:
    found = subprocess.run(
        ["xdotool", "search", "--onlyvisible", "--name", "Stemplay"],
        env=screen,
        capture_output=True,
        text=True,
        check=False,
    )
    return bool(found.stdout.strip())


def kill_the_engine(session: Session, listener: Listener, qtbot: QtBot) -> None:
    """The engine dies; the sound comes back with the same mixer, and a window says so."""
    bridge = Bridge(Session.attach())
    window = MainWindow(bridge)
    qtbot.addWidget(window)
    assert bridge.start()
    wait_until(lambda: bool(QApplication.processEvents() or bridge.snapshot.frames), "the third client's report")
    before, engine = session.snapshot().mixer, session.engine_pid
    assert engine is not None
    killed = time.monotonic()
    os.kill(engine, signal.SIGKILL)
    wait_until(lambda: session.engine_pid not in (None, engine) and listener.level(0.1) > AUDIBLE, "the sound")
    print(f"sound again {time.monotonic() - killed:.1f} s after the engine was killed")
    assert session.snapshot().mixer == before
    wait_until(lambda: bool(QApplication.processEvents() or "restarted" in window.notice.text), "the notice")
    assert bridge.snapshot.restarts == 1
    bridge.close()
