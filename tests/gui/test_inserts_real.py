"""Effects in the window with a real MIDI controller (a JACK client) and a real mouse (xdotool on Xvfb)."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from PyQt6.QtCore import QPoint, Qt
from PyQt6.QtTest import QTest
from PyQt6.QtWidgets import QApplication, QMenu, QWidget
from pytestqt.qtbot import QtBot

from gui.bridge import Bridge
from gui.insert_moves import PLAYED
from gui.inserts.editor import InsertEditor
from gui.inserts.library import library_of
from gui.inserts.values import ParameterSlider
from gui.pages.mixer import MixerPage
from rtaudio.control.session import Session
from rtaudio.plugins.scan import installed
from rtaudio.protocol.messages import command
from rtaudio.protocol.settings import EngineConfig, InsertState, MixerState, StemState
from tests.gui.plugin_fixture import LATE, install_late, lone_piano
from tests.jack import ROOT, JackServer, private_server
from tests.rtaudio.midi.test_jack_midi import Keyboard
from tests.screen import private_screen

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="Xvfb and JACK are run on Linux only")

PIANO = "lv2:http://drobilla.net/plugins/mda/EPiano"
PATIENCE = 300.0
"""Seconds; only a limit against hanging, never an expectation."""


@pytest.fixture
def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[JackServer]:
    with private_server(tmp_path) as server:
        for name, value in server.environment.items():
            monkeypatch.setenv(name, value)
        monkeypatch.setenv("STEMPLAY_MIDI_BACKEND", "UNIX_JACK")
        yield server


def learn(control: QWidget) -> None:
    """Right click, and the first entry of the menu."""
    control.customContextMenuRequested.emit(QPoint(5, 5))
    menu = QApplication.activePopupWidget()
    assert isinstance(menu, QMenu)
    menu.actions()[0].trigger()
    menu.close()


def slider(editor: InsertEditor, id: str) -> ParameterSlider:
    control = editor.rows[id].control
    assert isinstance(control, ParameterSlider)
    return control


@pytest.mark.jack
@pytest.mark.skipif(PIANO not in installed(), reason="mda-lv2 and liblilv-0-0 are not installed")
def test_a_controller_learns_parameters_of_an_effect_of_a_plugin_and_of_the_instrument(
    server: JackServer, qtbot: QtBot, tmp_path: Path, runtime_directory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    install_late(tmp_path / "lv2")
    monkeypatch.setenv("LV2_PATH", f"{tmp_path / 'lv2'}{os.pathsep}{lone_piano(tmp_path / 'piano')}")
    monkeypatch.setenv("STEMPLAY_CACHE_DIR", str(tmp_path / "cache"))
    monkeypatch.setenv("VST3_PATH", "")
    inserts = [InsertState("reverb", "reverb-1"), InsertState(LATE, "late-1")]
    config = EngineConfig(input="none", output="default", model="none", instrument=PIANO, midi="keys")
    bridge, keyboard = Bridge(Session(config, MixerState({"vocals": StemState(inserts=inserts)}))), Keyboard(tmp_path)
    bridge.poll()
    page = MixerPage(bridge)
    qtbot.addWidget(page)
    page.resize(1100, 640)
    page.show()

    def until(condition: Callable[[], bool]) -> None:
        qtbot.waitUntil(condition, timeout=int(1000 * PATIENCE))

    try:
        assert bridge.start()
        keyboard.tell("plug")
        until(lambda: bridge.snapshot.instrument.slot.status == "running" and len(bridge.snapshot.instrument.ports) == 1)
        until(lambda: [report.status for report in bridge.snapshot.inserts.get("vocals", [])] == ["running", "running"])
        learned = (("vocals", "reverb-1", "mix"), ("vocals", "late-1", "late"), (*PLAYED, "hardness"))
        editors = []
        for number, (place, key, parameter) in enumerate(learned):
            page.desk.edit(place, key)
            editor = page.desk.editors[place, key]
            until(lambda e=editor, p=parameter: p in e.rows)  # type: ignore[misc]
            control = slider(editor, parameter)
            learn(control)
            until(lambda e=editor, p=parameter: "move a control" in e.rows[p].label.text())  # type: ignore[misc]
            keyboard.tell(f"send 176 {20 + number} 0")
            until(lambda e=editor, p=parameter: "move a control" not in e.rows[p].label.text())  # type: ignore[misc]
            editors.append(control)
        steps = page.mixer_model.undo.count()
        for number, control in enumerate(editors):
            keyboard.tell(f"send 176 {20 + number} 127")
            until(lambda c=control: c.value() == c.maximum())  # type: ignore[misc]
            keyboard.tell(f"send 176 {20 + number} 0")
            until(lambda c=control: c.value() == 0)  # type: ignore[misc]
        assert page.mixer_model.undo.count() == steps, "a controller's moves are its own"
        assert bridge.snapshot.instrument.state.plugin.values["hardness"] == 0.0

        slot = page.racks["vocals"].slots[0].name  # the order by key, on an engine that plays
        QTest.keyClick(slot, Qt.Key.Key_Down, Qt.KeyboardModifier.AltModifier)
        until(lambda: [report.key for report in bridge.snapshot.inserts["vocals"]] == ["late-1", "reverb-1"])
        keyboard.tell("send 176 20 127")
        until(lambda: editors[0].value() == editors[0].maximum())  # the controller has gone with its effect
        page.undo_button.click()
        until(lambda: [report.key for report in bridge.snapshot.inserts["vocals"]] == ["reverb-1", "late-1"])
        assert library_of(bridge).entry(LATE) is not None
    finally:
        keyboard.close()
        page.hide()
        bridge.close()


def slot_places(screen: dict[str, str], *plugins: str) -> dict[str, list[int]]:
    """Where the slots of *bass* are on the screen, with these effects."""
    told = subprocess.run(
        [sys.executable, "-m", "tests.gui.places", *plugins], cwd=ROOT, env=screen, capture_output=True, text=True, timeout=PATIENCE,
        check=True,
    )  # fmt: skip
    places: dict[str, list[int]] = json.loads(told.stdout)
    return places


def mouse(screen: dict[str, str], *words: object) -> None:
    subprocess.run(["xdotool", *map(str, words)], env=screen, check=True, timeout=PATIENCE)
    time.sleep(0.1)  # a hand, not a machine gun: Qt takes one place of the pointer for each look


def drag(screen: dict[str, str], start: list[int], end: list[int]) -> None:
    mouse(screen, "mousemove", *start)
    mouse(screen, "mousedown", 1)
    for step in range(1, 11):
        mouse(screen, "mousemove", *(round(a + (b - a) * step / 10) for a, b in zip(start, end, strict=True)))
    mouse(screen, "mouseup", 1)


def test_effects_are_dragged_by_a_real_mouse(tmp_path: Path, runtime_directory: Path) -> None:
    if not shutil.which("xdotool"):
        pytest.skip("xdotool is not installed (apt-get install xdotool)")
    with private_screen(tmp_path) as own:
        screen = os.environ | own | {"STEMPLAY_CONFIG_DIR": str(tmp_path / "config"), "STEMPLAY_RUNTIME_DIR": str(runtime_directory)}
        places = slot_places(screen, "reverb", "eq", "gain")
        options = ["--input", str(ROOT / "demo" / "kimseye.ogg"), "--output", "null", "--instrument", "none", "--model", "none"]
        window = subprocess.Popen([sys.executable, "-m", "gui", *options], cwd=ROOT, env=screen)
        session: Session | None = None

        def until(condition: Callable[[], bool], what: str) -> None:
            deadline = time.monotonic() + PATIENCE
            while not condition():
                assert time.monotonic() < deadline, f"waited {PATIENCE:g} s for {what}"
                time.sleep(0.05)

        def order(place: str) -> list[str]:
            assert session is not None
            mixer = session.snapshot().mixer
            return [entry.plugin for entry in mixer.stems[place].inserts]

        try:
            deadline = time.monotonic() + PATIENCE
            while (session := Session.attach()) is None:
                assert time.monotonic() < deadline, "the engine's daemon"
                time.sleep(0.05)
            until(lambda: session.snapshot().state == "running", "the engine")
            slots = [{"plugin": name, "key": f"{name}-1"} for name in ("reverb", "eq", "gain")]
            session.send(command("set_inserts", strip="bass", inserts=slots))
            until(lambda: order("bass") == ["reverb", "eq", "gain"] and shown(screen), "the effects in the window")
            time.sleep(1.0)  # until the window has drawn them; a drag that begins before finds an empty slot
            for _ in range(3):  # on a busy machine the window may be later still
                drag(screen, places["bass.0"], places["bass.2"])
                with_time = time.monotonic() + 5
                while time.monotonic() < with_time and order("bass") == ["reverb", "eq", "gain"]:
                    time.sleep(0.05)
                if order("bass") != ["reverb", "eq", "gain"]:
                    break
            assert order("bass") == ["eq", "gain", "reverb"]
            drag(screen, places["bass.1"], places["drums.0"])
            until(lambda: order("drums") == ["gain"] and order("bass") == ["eq", "reverb"], "an effect on another strip")
        finally:
            window.kill()
            window.wait()
            if session is not None:
                session.stop()
                session.close()


def shown(screen: dict[str, str]) -> bool:
    search = ["xdotool", "search", "--onlyvisible", "--name", "Stemplay"]
    return bool(subprocess.run(search, env=screen, capture_output=True, text=True, check=False).stdout.strip())
