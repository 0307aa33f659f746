"""Effects in the window on a real engine and a real scan: what is added is heard."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import soundfile
from PyQt6.QtCore import Qt
from PyQt6.QtTest import QTest
from pytestqt.qtbot import QtBot

from gui.bridge import Bridge
from gui.inserts.library import library_of
from gui.pages.mixer import MixerPage
from gui.views.tap_follower import TapFollower
from rtaudio.control.session import Session
from rtaudio.protocol.messages import EngineConfig, InsertState, MixerState, StemState
from rtaudio.protocol.parameters import EFFECTS
from tests.rtaudio.conftest import noise
from tests.rtaudio.plugins.conftest import build_probe

PATIENCE_MS = 60_000
LEFT = Qt.MouseButton.LeftButton


class Ear:
    """RMS of what the tap gave since the last time it was asked."""

    def __init__(self, bridge: Bridge) -> None:
        self._feed = TapFollower(bridge, "mix")

    def between(self, low: float, high: float) -> bool:
        new = self._feed.read()
        return new is not None and len(new.samples) >= 400 and low <= float(np.sqrt(np.mean(np.square(new.samples)))) <= high


def test_an_effect_is_found_added_heard_bypassed_and_undone(
    qtbot: QtBot, tmp_path: Path, runtime_directory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("STEMPLAY_CACHE_DIR", str(tmp_path / "cache"))
    song = tmp_path / "song.wav"
    soundfile.write(song, 0.2 * noise(44_100 * 30), 44_100)
    mixer = MixerState({"vocals": StemState(inserts=[InsertState(str(tmp_path / "Gone.vst3"), "Gone-1")])})
    bridge = Bridge(Session(EngineConfig(input=str(song), output="null", model="none", midi="none", analyse=False, loop=True), mixer))
    bridge.poll()
    page = MixerPage(bridge)
    qtbot.addWidget(page)
    page.resize(1100, 640)
    page.show()
    ear, master, vocals = Ear(bridge), page.racks["master"], page.racks["vocals"]
    try:
        assert bridge.start()
        qtbot.waitUntil(lambda: ear.between(0.005, 1.0), timeout=PATIENCE_MS)  # a hole in a strip costs no sound
        qtbot.waitUntil(lambda: vocals.slots[0].ailing, timeout=PATIENCE_MS)
        assert vocals.slots[0].name.accessibleName() == "Vocals, effect 1: Gone" and len(vocals.slots[0].name.accessibleDescription()) > 12
        QTest.mouseClick(master.slots[0].name, LEFT)
        browser = page.desk.browser
        assert browser is not None
        QTest.keyClicks(browser.search, "gain")
        QTest.keyClick(browser.search, Qt.Key.Key_Return)
        (editor,) = page.desk.editors.values()
        qtbot.waitUntil(lambda: master.slots[0].switch.text() == "●", timeout=PATIENCE_MS)  # the engine runs it
        entry = editor.rows["gain"].entry
        assert entry is not None
        entry.selectAll()
        QTest.keyClicks(entry, "-60 dB")
        QTest.keyClick(entry, Qt.Key.Key_Return)
        qtbot.waitUntil(lambda: ear.between(1e-6, 0.002), timeout=PATIENCE_MS)
        QTest.mouseClick(master.slots[0].switch, LEFT)
        qtbot.waitUntil(lambda: ear.between(0.005, 1.0), timeout=PATIENCE_MS)
        page.undo_button.click()
        qtbot.waitUntil(lambda: ear.between(1e-6, 0.002), timeout=PATIENCE_MS)
        page.undo_button.click()
        page.undo_button.click()  # the value, and the effect itself
        qtbot.waitUntil(lambda: ear.between(0.005, 1.0) and not bridge.snapshot.mixer.inserts, timeout=PATIENCE_MS)
        assert not page.desk.editors and bridge.snapshot.mixer.stems["vocals"].inserts[0].key == "Gone-1"
    finally:
        page.hide()
        bridge.close()


def test_a_real_scan_adds_to_what_is_built_in(
    bridge: Bridge, qtbot: QtBot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever is installed here: the job answers, and in the form that the window reads."""
    for name in ("STEMPLAY_CACHE_DIR", "HOME", "LV2_PATH"):
        monkeypatch.setenv(name, str(tmp_path / name))
    folder = tmp_path / "plugins"
    (folder / "Broken.vst3").mkdir(parents=True)
    monkeypatch.setenv("VST3_PATH", str(folder))
    library = library_of(bridge)
    told: list[str] = []
    library.advanced.connect(lambda: told.append(library.progress))
    library.look()
    qtbot.waitUntil(lambda: not library.busy, timeout=PATIENCE_MS)
    assert not library.problem and any("Broken" in text for text in told)
    assert {listed.plugin for listed in library.listed} >= {*EFFECTS, str(folder / "Broken.vst3")}
    (broken,) = [listed for listed in library.listed if listed.plugin == str(folder / "Broken.vst3")]
    assert broken.error and library.parameters(broken.plugin) is None


def test_a_plugin_that_crashes_is_told_and_started_again_by_one_click(
    qtbot: QtBot, tmp_path: Path, runtime_directory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    probe = build_probe()
    for name in ("STEMPLAY_CACHE_DIR", "LV2_PATH"):
        monkeypatch.setenv(name, str(tmp_path / name))
    monkeypatch.setenv("VST3_PATH", str(probe.parent))
    song = tmp_path / "song.wav"
    soundfile.write(song, 0.2 * noise(44_100 * 30), 44_100)
    bridge = Bridge(Session(EngineConfig(input=str(song), output="null", model="none", midi="none", analyse=False, loop=True)))
    bridge.poll()
    page = MixerPage(bridge)
    qtbot.addWidget(page)
    page.resize(1100, 640)
    page.show()
    library, slot = library_of(bridge), page.racks["vocals"].slots[0]
    try:
        assert bridge.start()
        library.look()
        qtbot.waitUntil(lambda: not library.busy, timeout=PATIENCE_MS)
        page.desk.browse("vocals")
        assert page.desk.browser is not None
        page.desk.browser.search.setText("probe")
        assert page.desk.browser.names() == [str(probe)]
        page.desk.browser.choose()
        (editor,) = page.desk.editors.values()
        assert {"gain", "crash"} <= set(editor.rows)
        qtbot.waitUntil(lambda: slot.switch.text() == "●", timeout=PATIENCE_MS)
        editor.rows["crash"].control.setValue(1000)  # type: ignore[union-attr]
        qtbot.waitUntil(lambda: slot.ailing, timeout=PATIENCE_MS)
        assert "crash" in slot.name.accessibleDescription() and "crash" in editor.panel.message.text()
        ear = Ear(bridge)
        qtbot.waitUntil(lambda: ear.between(0.005, 1.0), timeout=PATIENCE_MS)
        assert bridge.snapshot.restarts == 0, "the engine goes on"
        page.mixer_model.undo.undo()  # else it crashes again
        QTest.mouseClick(slot.switch, LEFT)
        qtbot.waitUntil(lambda: slot.switch.text() == "●" and not editor.panel.again.isVisible(), timeout=PATIENCE_MS)
    finally:
        page.hide()
        bridge.close()
