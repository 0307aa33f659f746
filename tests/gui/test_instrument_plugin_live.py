"""A real plugin as the instrument of a real engine: chosen, played, changed, killed and started again in the window."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from PyQt6.QtCore import Qt
from PyQt6.QtTest import QTest
from pytestqt.qtbot import QtBot

from gui.bridge import Bridge
from gui.insert_moves import PLAYED
from gui.inserts.library import library_of
from gui.inserts.values import ParameterSlider
from gui.pages.instrument import InstrumentPage
from gui.pages.mixer import MixerPage
from gui.presets import apply_preset, present_preset
from gui.store import Store
from gui.views.tap_follower import TapFollower
from rtaudio.control.session import Session
from rtaudio.plugins.scan import installed
from rtaudio.protocol.settings import EngineConfig
from tests.gui.plugin_fixture import lone_piano
from tests.rtaudio.plugins.conftest import build_probe
from tests.sing_fixture import tiny_instrument

PIANO, PATIENCE_MS, LEFT = "lv2:http://drobilla.net/plugins/mda/EPiano", 300_000, Qt.MouseButton.LeftButton

pytestmark = pytest.mark.skipif(PIANO not in installed(), reason="mda-lv2 and liblilv-0-0 are not installed")


class Ear:
    """Loudness of the instrument's strip since the last time it was asked."""

    def __init__(self, bridge: Bridge) -> None:
        self._feed = TapFollower(bridge, "instrument")

    def hears(self, loud: bool) -> bool:
        new = self._feed.read()
        return new is not None and len(new.samples) >= 400 and (float(np.abs(new.samples).max()) > 1e-3) == loud


def kill_host(bridge: Bridge) -> None:
    pid = str(bridge.session.engine_pid)  # type: ignore[attr-defined]
    hosts = subprocess.run(["pgrep", "-P", pid, "-f", "plugins.host"], capture_output=True, text=True, check=True)
    os.kill(int(hosts.stdout.split()[0]), signal.SIGKILL)


class Stage:
    """The page of the instrument and the mixer of one engine, a hand on middle C, and an ear."""

    def __init__(self, qtbot: QtBot, config: EngineConfig) -> None:
        self.qtbot, self.bridge = qtbot, Bridge(Session(config))
        self.bridge.poll()
        self.page, self.mixer = InstrumentPage(self.bridge), MixerPage(self.bridge)
        for widget in (self.page, self.mixer):
            qtbot.addWidget(widget)
            widget.resize(1200, 700)
            widget.show()
        assert self.mixer.instrument_button is not None
        self.keyboard, self.button, self.plugin = self.page.panel.keyboard, self.mixer.instrument_button, self.page.panel.plugin
        self.ear = Ear(self.bridge)

    def press(self) -> None:
        QTest.mousePress(self.keyboard, LEFT, pos=self.keyboard.place_of(60).toPoint())

    def release(self) -> None:
        QTest.mouseRelease(self.keyboard, LEFT, pos=self.keyboard.place_of(60).toPoint())

    def until(self, condition: Callable[[], bool]) -> None:
        self.qtbot.waitUntil(condition, timeout=PATIENCE_MS)

    def plays(self, name: str) -> bool:
        report = self.bridge.snapshot.instrument
        return report.slot.status == "running" and report.model == name

    def values(self) -> dict[str, float]:
        return self.bridge.snapshot.instrument.state.plugin.values

    def close(self) -> None:
        self.page.hide()
        self.mixer.hide()
        self.bridge.close()


@pytest.fixture
def stage(qtbot: QtBot, tmp_path: Path, runtime_directory: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Stage]:
    """An engine whose instrument is a small model with an organ, which lasts as long as its key is down."""
    monkeypatch.setenv("STEMPLAY_CACHE_DIR", str(tmp_path / "cache"))
    monkeypatch.setenv("VST3_PATH", "")
    monkeypatch.setenv("LV2_PATH", str(lone_piano(tmp_path / "piano")))
    stage = Stage(qtbot, EngineConfig(input="none", output="null", model="none", instrument=str(tiny_instrument(tmp_path)), midi="none"))
    yield stage
    stage.close()


def test_another_instrument_is_chosen_while_a_key_is_down_and_is_played(stage: Stage) -> None:
    bridge, panel, library = stage.bridge, stage.page.panel, library_of(stage.bridge)
    assert bridge.start()
    stage.until(lambda: stage.ear.hears(False))
    stage.press()
    stage.until(lambda: stage.ear.hears(True))
    QTest.mouseClick(panel.choose, LEFT)
    browser = panel.choosing
    assert browser is not None
    stage.until(lambda: not library.busy)
    QTest.keyClicks(browser.search, "epiano")
    QTest.keyClick(browser.search, Qt.Key.Key_Return)
    stage.until(lambda: stage.plays("MDA ePiano"))
    stage.until(lambda: stage.ear.hears(False) and not bridge.snapshot.instrument.keys and not stage.keyboard.sounding)
    stage.release()
    stage.until(lambda: stage.mixer.strips["instrument"].note.text() == "MDA ePiano" and stage.button.text() == "♪")
    stage.press()
    stage.until(lambda: stage.ear.hears(True) and stage.keyboard.sounding == {60})
    stage.release()
    stage.until(lambda: not stage.keyboard.sounding)
    slider = stage.plugin.rows["hardness"].control
    assert isinstance(slider, ParameterSlider)
    slider.setFocus()
    QTest.keyClick(slider, Qt.Key.Key_End)
    stage.until(lambda: stage.values().get("hardness") == 1.0)
    stage.plugin.mixer_model.undo.undo()
    stage.until(lambda: stage.values().get("hardness") == 0.5)
    bridge.send("midi", data=[0xB0, 64, 127])
    stage.press()
    stage.release()
    stage.until(lambda: stage.ear.hears(True))  # the pedal holds it
    bridge.send("panic")
    stage.until(lambda: stage.ear.hears(False))


@pytest.mark.skipif(sys.platform == "win32", reason="pgrep")
def test_a_crash_is_told_and_one_click_starts_it_again_and_a_missing_plugin_is_a_hole_with_its_name(stage: Stage) -> None:
    bridge, button, message = stage.bridge, stage.button, stage.plugin.message
    bridge.configure(instrument=PIANO)
    assert bridge.start()
    stage.until(lambda: stage.plays("MDA ePiano"))
    kill_host(bridge)
    stage.until(lambda: button.ailing and "crashed" in message.text() and "crashed" in button.accessibleDescription())
    assert bridge.snapshot.restarts == 0 and "crashed" in bridge.snapshot.message
    QTest.mouseClick(button, LEFT)
    stage.until(lambda: button.text() == "♪" and stage.plays("MDA ePiano") and not bridge.snapshot.message)
    stage.press()
    stage.until(lambda: stage.ear.hears(True))
    stage.release()
    bridge.configure(instrument="lv2:urn:none")
    stage.until(lambda: button.ailing and "no LV2 plugin urn:none" in message.text())
    assert bridge.snapshot.state == "running" and stage.mixer.mixer_model.inserts.title(*PLAYED) == "none"


def test_a_vst3_instrument_is_chosen_by_its_path_and_ends_with_its_key(
    stage: Stage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LV2_PATH", str(tmp_path))  # nothing else is to be looked at
    beep, library = build_probe("Beep"), library_of(stage.bridge)
    assert stage.bridge.start()
    stage.until(lambda: stage.ear.hears(False))
    QTest.mouseClick(stage.page.panel.choose, LEFT)
    browser = stage.page.panel.choosing
    assert browser is not None
    stage.until(lambda: not library.busy)
    browser.take_file(str(build_probe()))
    stage.until(lambda: "is an effect, not an instrument" in browser.count.text())
    browser.search.setText(str(beep))
    QTest.keyClick(browser.search, Qt.Key.Key_Return)
    stage.until(lambda: stage.plays("Beep") and stage.mixer.strips["instrument"].note.text() == "Beep")
    stage.press()
    stage.until(lambda: stage.ear.hears(True))
    stage.release()
    stage.until(lambda: stage.ear.hears(False))


def test_a_preset_brings_the_plugin_back_with_its_settings(qtbot: QtBot, tmp_path: Path, runtime_directory: Path) -> None:
    config = EngineConfig(input="none", output="null", model="none", instrument=PIANO, midi="none")
    bridge = Bridge(Session(config), store=Store(tmp_path / "store"))
    told: list[str] = []
    bridge.refused.connect(told.append)

    def values() -> dict[str, float]:
        report = bridge.snapshot.instrument
        return report.state.plugin.values if report.slot.status == "running" and report.slot.plugin == PIANO else {}

    def until(condition: object) -> None:
        qtbot.waitUntil(condition, timeout=PATIENCE_MS)

    try:
        assert bridge.start()
        until(lambda: bridge.snapshot.instrument.slot.status == "running")
        bridge.send("set_parameter", strip="instrument", key="instrument", parameter="treble_boost", value=0.875)
        until(lambda: values() == {"treble_boost": 0.875})
        bridge.store.save_preset("Bright", present_preset(bridge))
        bridge.send("set_parameter", strip="instrument", key="instrument", parameter="treble_boost", value=0.25)
        bridge.send("set_parameter", strip="instrument", key="instrument", parameter="overdrive", value=1.0)
        until(lambda: values() == {"treble_boost": 0.25, "overdrive": 1.0})
        apply_preset(bridge, bridge.store.load_preset("Bright"), "Bright")
        until(lambda: values() == {"treble_boost": 0.875})  # the same plugin: without a restart
        bridge.configure(instrument=str(tiny_instrument(tmp_path)))
        until(lambda: bridge.snapshot.state == "running" and bridge.snapshot.instrument.model == "tiny")
        apply_preset(bridge, bridge.store.load_preset("Bright"), "Bright")
        until(lambda: values() == {"treble_boost": 0.875})
        for _ in range(20):  # and it stays
            qtbot.wait(50)
            assert values() == {"treble_boost": 0.875}
        assert not told
    finally:
        bridge.close()
