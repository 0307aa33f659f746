"""Everything that plays: a JACK server, the detached engine, a second client at the keys, a window on a virtual screen."""

from __future__ import annotations

import contextlib
import os
import random
import shutil
import struct
import subprocess
import sys
import threading
import time
from pathlib import Path

from models.catalog import find_model
from rtaudio.audio.format import StemplayError
from rtaudio.bench.jack_server import JackServer
from rtaudio.control.session import Session
from rtaudio.protocol.messages import command
from rtaudio.protocol.settings import DEFAULT_MODEL, EngineConfig, MixerState

ROOT = Path(__file__).resolve().parents[2]


class Stage:
    """See the module's text. ``start`` and ``stop``; everything lies in ``folder``."""

    def __init__(self, folder: Path, song: Path, block: int, seed: int) -> None:
        self.folder, self.song, self.random = folder, song, random.Random(seed)
        self.server = JackServer(folder, period=block, synchronous=False)
        self.model = folder / "model"
        shutil.copytree(find_model(DEFAULT_MODEL), self.model)
        self.clock = self._prepare_environment()
        self.config = EngineConfig(
            input=str(song),
            output="system",
            model=str(self.model),
            instrument="sing-gm",
            midi="none",
            block=block,
            loop=True,
        )
        self.session = Session(self.config, MixerState(), detached=True)
        self.window: subprocess.Popen[bytes] | None = None
        self._screen: subprocess.Popen[bytes] | None = None
        self._display = ""
        self._ending = threading.Event()
        self._keys = threading.Thread(target=self._play_keys, name="soak-keys", daemon=True)
        self.notes = 0

    def _prepare_environment(self) -> Path | None:
        """Private places; and, where there is a C compiler, a file that steps the wall clock of the daemon and its engines."""
        for name in ("STEMPLAY_RUNTIME_DIR", "STEMPLAY_STATE_DIR", "STEMPLAY_CONFIG_DIR"):
            os.environ[name] = str(self.folder / name.lower())
        os.environ.update(self.server.environment)
        compiler = shutil.which("cc")
        if compiler is None:
            return None
        clock, self._preload = self.folder / "clock", str(self.folder / "wallclock.so")
        clock.write_bytes(struct.pack("l", 0))
        source = Path(__file__).with_name("wallclock.c")
        subprocess.run([compiler, "-shared", "-fPIC", "-O2", "-o", self._preload, str(source), "-ldl"], check=True)
        os.environ["SOAK_CLOCK"] = str(clock)
        return clock

    def start(self) -> None:
        """Start the server, then the engine, then those who look on and play."""
        self.server.start()
        if self.clock is not None:
            os.environ["LD_PRELOAD"] = self._preload  # for the daemon and its engines alone
        try:
            self.session.start()
        finally:
            os.environ.pop("LD_PRELOAD", None)
        self.wait("the first sound", lambda: self.session.snapshot().frames > 0)
        for stem in self.session.snapshot().mixer.stems:
            self.session.send(command("set_stem", stem=stem, field="armed", value=True))
        self._open_screen()
        self.open_window()
        self._keys.start()

    def stop(self) -> None:
        """End everything, whatever of it still lives."""
        self._ending.set()
        if self.window is not None:
            self.window.kill()
        with contextlib.suppress(Exception):
            self.session.stop()
        if self._screen is not None:
            self._screen.terminate()
        self.server.stop()

    def wait(self, what: str, happened: object, patience: float = 90.0) -> None:
        """Wait until ``happened()``. Raises StemplayError if it does not."""
        end = time.monotonic() + patience
        while not happened():  # type: ignore[operator]
            if time.monotonic() > end:
                raise StemplayError(f"The soak waited {patience:g} s for {what}.")
            time.sleep(0.05)

    # -- the window ---------------------------------------------------------------------------------------------------------

    def _open_screen(self) -> None:
        if not shutil.which("Xvfb"):
            return
        reader, writer = os.pipe()
        self._screen = subprocess.Popen(
            ["Xvfb", "-displayfd", str(writer), "-screen", "0", "1280x800x24", "-nolisten", "tcp", "-noreset"],
            pass_fds=[writer], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        os.close(writer)
        with os.fdopen(reader) as told:
            self._display = told.readline().strip()

    def open_window(self) -> None:
        """The window joins the engine that runs."""
        screen = {"DISPLAY": f":{self._display}"} if self._display else {"QT_QPA_PLATFORM": "offscreen"}
        with (self.folder / "gui.log").open("ab") as log:
            self.window = subprocess.Popen(
                [sys.executable, "-m", "gui"], cwd=ROOT, env=os.environ | screen, stdout=log, stderr=log
            )

    def look(self) -> int:
        """How many colours the screen shows now: a window that hangs before its first drawing shows one. -1 where nobody can look."""
        if not self._display or not shutil.which("import"):
            return -1
        picture = self.folder / "screen.png"
        done = subprocess.run(
            ["import", "-window", "root", str(picture)], env=os.environ | {"DISPLAY": f":{self._display}"}, check=False,
            capture_output=True, timeout=60,
        )  # fmt: skip
        if done.returncode:
            return 0
        from PyQt6.QtGui import QImage

        image = QImage(str(picture))
        return len({image.pixel(x, y) for x in range(0, image.width(), 7) for y in range(0, image.height(), 7)})

    # -- the keys -----------------------------------------------------------------------------------------------------------

    def _play_keys(self) -> None:
        """A second client plays chords of one to four notes."""
        own = random.Random(1)
        client: Session | None = None
        while not self._ending.is_set():
            try:
                client = client or Session.attach()
                if client is None:
                    time.sleep(0.5)
                    continue
                chord = [own.randrange(40, 80) for _ in range(own.randrange(1, 5))]
                for note in chord:
                    client.send(command("midi", data=[0x90, note, own.randrange(40, 120)]))
                time.sleep(own.uniform(0.1, 1.0))
                for note in chord:
                    client.send(command("midi", data=[0x80, note, 0]))
                self.notes += len(chord)
                time.sleep(own.uniform(0.05, 0.5))
            except StemplayError:
                client = None
        if client is not None:
            client.close()
