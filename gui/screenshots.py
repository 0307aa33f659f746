"""Takes pictures of all pages and dialogs, dark and light, at two sizes, with a real engine that plays the demo song without a sound card.

    python -m gui.screenshots [FOLDER] [--only PAGE ...]

The user's engine, settings and folders are not used or changed.
"""

from __future__ import annotations

import argparse
import os
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from PyQt6.QtWidgets import QApplication, QDialog, QWidget

from gui import theme
from gui.bridge import Bridge, meet_engine
from gui.inserts.browser import EffectBrowser, InstrumentBrowser
from gui.inserts.editor import InsertEditor
from gui.inserts.instrument import use_instrument
from gui.inserts.library import library_of
from gui.pages import PAGES
from gui.player.export import ExportDialog
from gui.player.lanes.source import stem_source_of
from gui.player.marks import marks_of
from gui.player.player_model import player_model_of
from gui.player.song_facts import song_facts_of
from gui.settings.dialog import SettingsDialog
from gui.store import Store
from gui.window import MainWindow
from rtaudio.protocol.settings import EngineConfig, InsertState, MixerState, StemState

SONG = Path(__file__).resolve().parent.parent / "demo" / "kimseye.ogg"
SIZES = ((1240, 760), (900, 600))
THEMES = ("dark", "light")
CHORD = (57, 60, 64)
PATIENCE_S, SEPARATION_S = 40.0, 300.0
MARKERS, LOOPS = ((2.0, "Intro"), (8.0, "Verse"), (26.0, "Chorus")), ((8.0, 24.0, "Verse"), (26.0, 34.0, "Chorus"))
"""Seconds and names in the demo song."""

MIXER = MixerState(
    {"drums": StemState(-3.0), "bass": StemState(-1.5, pan=-0.2), "other": StemState(-6.0, mute=True),
     "vocals": StemState(1.0, inserts=[InsertState("compressor", "compressor-1"), InsertState("reverb", "reverb-1", values={"room": 0.7})]),
     "instrument": StemState(inserts=[InsertState("chorus", "chorus-1", bypass=True)])},
    master_db=-2.0, inserts=[InsertState("eq", "eq-1", values={"low": -2.0, "high": 1.5})],
)  # fmt: skip


class Camera:
    """Takes pictures of a window into a folder."""

    def __init__(self, folder: Path, bridge: Bridge) -> None:
        self.folder, self.bridge = folder, bridge
        folder.mkdir(parents=True, exist_ok=True)
        self.window = MainWindow(bridge)
        self.window.show()
        self.files: list[Path] = []

    def wait(self, seconds: float, until: Callable[[], bool] | None = None) -> bool:
        """Process Qt's events for this time, or until a condition is true; returns the condition."""
        app = QApplication.instance()
        assert app is not None
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            app.processEvents()
            if until is not None and until():
                return True
            time.sleep(0.01)
        return until is None

    def shoot(self, widget: QWidget, name: str) -> None:
        """Take one picture."""
        self.bridge.send("reset_counters")  # misses of a busy machine do not belong in the picture
        self.wait(0.3)
        self.window.notice.dismiss()
        path = self.folder / f"{name}.png"
        if not widget.grab().save(str(path)):
            raise OSError(f"{path} cannot be written")
        self.files.append(path)
        print(path)

    def both(self, act: Callable[[str], None]) -> None:
        """Do it in the dark and in the light theme."""
        for name in THEMES:
            app = QApplication.instance()
            assert isinstance(app, QApplication)
            theme.apply(app, name)
            self.wait(0.1)
            act(name)

    def page(self, key: str, called: str = "") -> None:
        """Take pictures of a page in each theme and size. ``called``: the name of their files, where it is not ``key``."""
        self.window.show_page(key)
        self.wait(10.0 if key == "views" else 1.0)  # a spectrogram of ten seconds

        def shoot(name: str) -> None:
            for width, height in SIZES:
                self.window.resize(width, height)
                self.shoot(self.window, f"{called or key}-{name}-{width}x{height}")

        self.both(shoot)

    def dialog(self, dialog: QDialog, name: str, ready: Callable[[], bool]) -> None:
        """A dialog in each theme; one with tabs shows each of them."""
        dialog.show()
        self.wait(PATIENCE_S, ready)
        tabs = dialog.tabs if isinstance(dialog, SettingsDialog) else None
        for index in range(tabs.count() if tabs is not None else 1):
            if tabs is not None:
                tabs.setCurrentIndex(index)
            self.both(lambda dress, n=index: self.shoot(dialog, f"{name}{n + 1 if tabs else ''}-{dress}"))  # type: ignore[misc]
        dialog.reject()
        dialog.deleteLater()


@contextmanager
def playing(folder: Path) -> Iterator[Bridge]:
    """A bridge to an engine of our own that plays the demo song."""
    os.environ["STEMPLAY_CONFIG_DIR"] = str(folder / "settings")
    os.environ["STEMPLAY_CACHE_DIR"] = str(folder / "cache")
    os.environ["STEMPLAY_RUNTIME_DIR"] = str(folder / "run")
    (folder / "run").mkdir(mode=0o700)
    config = EngineConfig(input=str(SONG), output="null", block=512, instrument="sing-gm", midi="none", loop=True)
    bridge = Bridge(meet_engine(config, MIXER), store=Store())
    bridge.store.preferences.recording_folder = str(Path.home() / "Music" / "Stemplay")
    bridge.start()
    try:
        yield bridge
    finally:
        bridge.stop()
        bridge.close()


def all_pictures(camera: Camera, only: Sequence[str]) -> None:
    """Every page of the table, then the dialogs."""
    bridge = camera.bridge
    camera.wait(PATIENCE_S, lambda: bridge.snapshot.transport.length_s > 0 and bridge.snapshot.state == "running")
    bridge.send("seek", position_s=9.0)
    bridge.send("set_loop", start_s=8.0, end_s=24.0)
    bridge.send("set_sound", channel=0, shares={"string-ensemble-1": 1.0})
    for note in CHORD:
        bridge.send("midi", data=[0x90, note, 90])
    camera.wait(5.0)
    for page in PAGES:
        if not only or page.key in only:
            if page.key == "player":
                _take_apart(camera)
            camera.page(page.key)
    camera.window.resize(*SIZES[0])
    if not only or "settings" in only:
        settings = SettingsDialog(bridge, camera.window)
        camera.dialog(settings, "settings", lambda: bool(settings.draft.cards) and settings.draft.expected is not None)
    if not only or "effects" in only:
        library = library_of(bridge)
        browser = EffectBrowser(library, theme.stem_title("vocals"), camera.window)
        camera.dialog(browser, "browser", lambda: not library.busy)
        editor = InsertEditor(camera.window.mixer_model, library, "vocals", "compressor-1", camera.window)
        camera.dialog(editor, "editor", lambda: True)
        instruments = InstrumentBrowser(library, bridge.config.instrument, camera.window)
        camera.dialog(instruments, "instruments", lambda: not library.busy)
    if not only or "export" in only:
        camera.dialog(ExportDialog(bridge, camera.window), "export", lambda: True)
    if not only or "plugin" in only:
        _plugin_pictures(camera)


def _take_apart(camera: Camera) -> None:
    """Wait for the song's stems and beats, and give it markers and loops with names."""
    camera.window.show_page("player")
    bridge, marks = camera.bridge, marks_of(camera.bridge)
    stems, facts = stem_source_of(bridge), song_facts_of(bridge)
    camera.wait(PATIENCE_S, lambda: stems.working)
    camera.wait(SEPARATION_S, lambda: not stems.working and not facts.searching)
    for at, name in MARKERS:
        marks.add_marker(at, name)
    for start, end, name in LOOPS:
        player_model_of(bridge).clear_loop()  # a loop that is kept would be moved
        camera.wait(PATIENCE_S, lambda: bridge.snapshot.transport.loop is None)
        marks.set_loop(start, end)
        camera.wait(PATIENCE_S, lambda s=start: abs((bridge.snapshot.transport.loop or (-1.0, 0.0))[0] - s) < 0.5)  # type: ignore[misc]
        marks.keep_loop(name)


def _plugin_pictures(camera: Camera) -> None:
    """The page of the instrument with the first plugin that can play, if any is installed."""
    bridge, library = camera.bridge, library_of(camera.bridge)
    library.look()
    camera.wait(PATIENCE_S, lambda: not library.busy)
    for listed in library.plugins:
        if listed.instrument and not listed.error and listed.kind == "LV2":
            use_instrument(bridge, listed.plugin)
            if camera.wait(PATIENCE_S, lambda: bridge.snapshot.instrument.slot.status == "running"):
                for note in CHORD:
                    bridge.send("midi", data=[0x90, note, 90])
                camera.page("instrument", "plugin")
                return


def main(arguments: Sequence[str] | None = None) -> None:
    """The command line."""
    parser = argparse.ArgumentParser(
        prog="python -m gui.screenshots", description="Pictures of every page of the window."
    )
    parser.add_argument("folder", nargs="?", default="build/screenshots", help="(default: %(default)s)")
    parser.add_argument("--only", nargs="*", default=[], metavar="PAGE", help="keys of pages, settings, effects, export, plugin")
    args = parser.parse_args(arguments)
    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    app = QApplication.instance() or QApplication(["stemplay"])
    assert isinstance(app, QApplication)
    theme.apply(app, "dark")
    with tempfile.TemporaryDirectory() as own, playing(Path(own)) as bridge:
        camera = Camera(Path(args.folder), bridge)
        try:
            all_pictures(camera, args.only)
        finally:
            camera.window.hide()


if __name__ == "__main__":
    main()
