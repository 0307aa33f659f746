"""Effects in the window on a real engine and a real scan: what is added is heard."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import soundfile
from PyQt6.QtCore import Qt
from PyQt6.QtTest import QTest
from pytestqt.qtbot import QtBot

from gui.bridge import Bridge
from gui.health import facts
from gui.inserts.editor import InsertEditor
from gui.inserts.library import library_of
from gui.inserts.values import ParameterSlider
from gui.pages.mixer import MixerPage
from gui.views.tap_follower import TapFollower
from rtaudio.control.session import Session
from rtaudio.protocol.parameters import EFFECTS
from rtaudio.protocol.settings import EngineConfig, InsertState, MixerState, StemState
from tests.gui.plugin_fixture import install_follower, install_late
from tests.rtaudio.conftest import noise
from tests.rtaudio.plugins.conftest import build_probe

PATIENCE_MS = 300_000
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
        page.desk.browser.search.setText("Probe.vst3")
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
        page.undo_button.click()  # else it crashes again
        QTest.mouseClick(slot.switch, LEFT)
        qtbot.waitUntil(lambda: slot.switch.text() == "●" and not editor.panel.again.isVisible(), timeout=PATIENCE_MS)
        page.undo_button.click()
        qtbot.waitUntil(lambda: not bridge.snapshot.inserts.get("vocals") and not page.desk.editors, timeout=PATIENCE_MS)
    finally:
        page.hide()
        bridge.close()


@pytest.fixture
def mixer(qtbot: QtBot, tmp_path: Path, runtime_directory: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[MixerPage]:
    """The mixer of an engine that plays noise, on a machine where only our plugins are installed."""
    for name in ("LV2_PATH", "PYTHONPATH"):
        (tmp_path / name).mkdir()
        monkeypatch.setenv(name, str(tmp_path / name))
    monkeypatch.setenv("STEMPLAY_CACHE_DIR", str(tmp_path / "cache"))
    monkeypatch.setenv("VST3_PATH", "")
    song = tmp_path / "song.wav"
    soundfile.write(song, 0.2 * noise(44_100 * 30), 44_100)
    bridge = Bridge(Session(EngineConfig(input=str(song), output="null", model="none", midi="none", analyse=False, loop=True)))
    bridge.poll()
    page = MixerPage(bridge)
    qtbot.addWidget(page)
    page.resize(1100, 640)
    page.show()
    yield page
    page.hide()
    bridge.close()


def add(page: MixerPage, qtbot: QtBot, words: str, place: str = "vocals") -> InsertEditor:
    """Find a plugin in the browser, add it, and wait until it plays."""
    library = library_of(page.bridge)
    page.desk.browse(place)
    browser = page.desk.browser
    assert browser is not None
    qtbot.waitUntil(lambda: not library.busy, timeout=PATIENCE_MS)
    QTest.keyClicks(browser.search, words)
    QTest.keyClick(browser.search, Qt.Key.Key_Return)
    (editor,) = page.desk.editors.values()
    qtbot.waitUntil(lambda: page.racks[place].slots[0].switch.text() == "●", timeout=PATIENCE_MS)
    return editor


def slider(editor: InsertEditor, id: str) -> ParameterSlider:
    control = editor.rows[id].control
    assert isinstance(control, ParameterSlider)
    return control


def test_what_a_plugin_changes_by_itself_is_shown_and_kept(mixer: MixerPage, qtbot: QtBot, tmp_path: Path) -> None:
    install_follower(tmp_path / "PYTHONPATH")
    assert mixer.bridge.start()
    editor = add(mixer, qtbot, "follower")
    lead, echo = slider(editor, "lead"), slider(editor, "echo")
    lead.setFocus()
    QTest.keyClick(lead, Qt.Key.Key_End)
    qtbot.waitUntil(lambda: echo.value() == echo.maximum(), timeout=PATIENCE_MS)
    assert editor.rows["echo"].entry is not None and editor.rows["echo"].entry.text() == "1.00"
    entry = mixer.bridge.snapshot.mixer.stems["vocals"].inserts[0]
    assert entry.values == {"lead": 1.0, "echo": 1.0}, "it will be in the session"
    mixer.undo_button.click()
    qtbot.waitUntil(lambda: echo.value() == 0 and lead.value() == 0, timeout=PATIENCE_MS)  # undo turns what the person turned
    mixer.undo_button.click()
    qtbot.waitUntil(lambda: not mixer.bridge.snapshot.inserts.get("vocals") and not mixer.desk.editors, timeout=PATIENCE_MS)


def test_a_plugin_whose_latency_changes_is_loaded_again_and_the_latency_shown_is_the_new_one(
    mixer: MixerPage, qtbot: QtBot, tmp_path: Path
) -> None:
    install_late(tmp_path / "LV2_PATH")
    bridge = mixer.bridge
    assert bridge.start()
    ear = Ear(bridge)
    editor = add(mixer, qtbot, "late")
    slot = mixer.racks["vocals"].slots[0]

    def shown() -> tuple[int, str]:
        texts = [fact.text for fact in facts(bridge.snapshot) if fact.text.endswith(" ms")]
        return bridge.snapshot.latency.inserts, texts[0] if texts else ""

    qtbot.waitUntil(lambda: shown()[0] > 0, timeout=PATIENCE_MS)
    before, text = shown()
    entry = editor.rows["late"].entry
    assert entry is not None
    entry.selectAll()
    QTest.keyClicks(entry, "1000")
    QTest.keyClick(entry, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: shown()[0] == before + 1000 and slot.switch.text() == "●", timeout=PATIENCE_MS)
    assert shown()[1] != text and slider(editor, "late").value() == slider(editor, "late").place(1000)
    assert bridge.snapshot.inserts["vocals"][0].latency == before + 1000 and bridge.snapshot.restarts == 0
    qtbot.waitUntil(lambda: ear.between(0.005, 1.0), timeout=PATIENCE_MS)
    mixer.undo_button.click()
    qtbot.waitUntil(lambda: shown() == (before, text), timeout=PATIENCE_MS)
    mixer.undo_button.click()
    qtbot.waitUntil(lambda: shown()[0] == 0 and not bridge.snapshot.inserts.get("vocals"), timeout=PATIENCE_MS)
    mixer.redo_button.click()
    qtbot.waitUntil(lambda: shown()[0] == before, timeout=PATIENCE_MS)


def test_a_plugin_outside_the_usual_folders_is_added_by_its_path(mixer: MixerPage, qtbot: QtBot, tmp_path: Path) -> None:
    probe, beep = build_probe(), tmp_path / "LV2_PATH"
    bridge, library = mixer.bridge, library_of(mixer.bridge)
    assert bridge.start()
    mixer.desk.browse("vocals")
    browser = mixer.desk.browser
    assert browser is not None
    qtbot.waitUntil(lambda: not library.busy, timeout=PATIENCE_MS)
    browser.take_file(str(beep))
    qtbot.waitUntil(lambda: "is no plugin" in browser.count.text(), timeout=PATIENCE_MS)
    browser.take_file(str(probe))
    qtbot.waitUntil(lambda: bool(mixer.desk.editors), timeout=PATIENCE_MS)
    (editor,) = mixer.desk.editors.values()
    assert {"gain", "crash"} <= set(editor.rows) and mixer.racks["vocals"].slots[0].name.accessibleName() == "Vocals, effect 1: Probe"
    qtbot.waitUntil(lambda: mixer.racks["vocals"].slots[0].switch.text() == "●", timeout=PATIENCE_MS)
    # A window that opens later knows it from the session only; the editor finds out its parameters.
    editor.reject()
    library._asked.clear()
    mixer.desk.edit("vocals", mixer.mixer_model.inserts.slots("vocals")[0].key)
    (editor,) = mixer.desk.editors.values()
    assert not editor.rows
    qtbot.waitUntil(lambda: "gain" in editor.rows, timeout=PATIENCE_MS)
