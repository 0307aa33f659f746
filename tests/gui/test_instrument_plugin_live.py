"""A real plugin as the instrument of a real engine: chosen, played, changed, killed and started again in the window."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
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
from rtaudio.protocol.messages import EngineConfig
from tests.sing_fixture import tiny_instrument

PIANO, PATIENCE_MS, LEFT = "lv2:http://drobilla.net/plugins/mda/EPiano", 90_000, Qt.MouseButton.LeftButton

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


@pytest.mark.skipif(sys.platform == "win32", reason="pgrep")
def test_chosen_played_changed_killed_and_started_again(
    qtbot: QtBot, tmp_path: Path, runtime_directory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("STEMPLAY_CACHE_DIR", str(tmp_path / "cache"))
    monkeypatch.setenv("VST3_PATH", "")
    config = EngineConfig(input="none", output="null", model="none", instrument=str(tiny_instrument(tmp_path)), midi="none")
    bridge = Bridge(Session(config))
    bridge.poll()
    page, mixer = InstrumentPage(bridge), MixerPage(bridge)
    for widget in (page, mixer):
        qtbot.addWidget(widget)
        widget.resize(1200, 700)
        widget.show()
    keyboard, ear, library, button = page.panel.keyboard, Ear(bridge), library_of(bridge), mixer.instrument_button
    place = keyboard.place_of(60).toPoint()

    def press() -> None:
        QTest.mousePress(keyboard, LEFT, pos=place)

    def release() -> None:
        QTest.mouseRelease(keyboard, LEFT, pos=place)

    def until(condition: object) -> None:
        qtbot.waitUntil(condition, timeout=PATIENCE_MS)

    try:
        assert bridge.start() and button is not None
        until(lambda: ear.hears(False))
        press()
        until(lambda: ear.hears(True))  # an organ, which lasts as long as its key is down
        QTest.mouseClick(page.panel.choose, LEFT)
        browser = page.panel.choosing
        assert browser is not None
        until(lambda: not library.busy)
        QTest.keyClicks(browser.search, "epiano")
        QTest.keyClick(browser.search, Qt.Key.Key_Return)
        until(lambda: bridge.snapshot.instrument.slot.status == "running" and bridge.snapshot.instrument.model == "MDA ePiano")
        until(lambda: ear.hears(False) and not bridge.snapshot.instrument.keys and not keyboard.sounding)  # nothing hangs
        release()
        until(lambda: mixer.strips["instrument"].note.text() == "MDA ePiano" and button.text() == "♪")

        press()
        until(lambda: ear.hears(True) and keyboard.sounding == {60})
        release()
        until(lambda: not keyboard.sounding)
        slider = page.panel.plugin.rows["hardness"].control
        assert isinstance(slider, ParameterSlider)
        slider.setFocus()
        QTest.keyClick(slider, Qt.Key.Key_End)
        until(lambda: bridge.snapshot.instrument.state.plugin.values.get("hardness") == 1.0)
        page.panel.plugin.mixer_model.undo.undo()
        until(lambda: bridge.snapshot.instrument.state.plugin.values.get("hardness") == 0.5)
        bridge.send("midi", data=[0xB0, 64, 127])
        press()
        release()
        until(lambda: ear.hears(True))
        bridge.send("panic")
        until(lambda: ear.hears(False))

        kill_host(bridge)
        until(lambda: button.ailing and "crashed" in page.panel.plugin.message.text() and "crashed" in button.accessibleDescription())
        assert bridge.snapshot.restarts == 0 and "crashed" in bridge.snapshot.message
        QTest.mouseClick(button, LEFT)
        until(lambda: button.text() == "♪" and bridge.snapshot.instrument.slot.status == "running" and not bridge.snapshot.message)
        press()
        until(lambda: ear.hears(True))
        release()

        bridge.configure(instrument="lv2:urn:none")
        until(lambda: button.ailing and "no LV2 plugin urn:none" in page.panel.plugin.message.text())
        assert bridge.snapshot.state == "running" and mixer.mixer_model.inserts.title(*PLAYED) == "none"
    finally:
        page.hide()
        mixer.hide()
        bridge.close()


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
