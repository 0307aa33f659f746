"""The instrument's page on a real engine: what is clicked is heard."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PyQt6.QtCore import Qt
from pytestqt.qtbot import QtBot

from gui.bridge import Bridge
from gui.pages.instrument import InstrumentPage
from gui.views.tap_follower import TapFollower
from rtaudio.control.session import Session
from rtaudio.protocol.settings import EngineConfig
from tests.sing_fixture import tiny_instrument

PATIENCE_MS = 60_000


class Ear:
    """Loudness of what the tap gave since the last time it was asked."""

    def __init__(self, bridge: Bridge) -> None:
        self._feed = TapFollower(bridge, "instrument")

    def level(self) -> float | None:
        new = self._feed.read()
        return None if new is None or len(new.samples) < 400 else float(np.abs(new.samples).max())

    def hears(self, loud: bool) -> bool:
        level = self.level()
        return level is not None and (level > 1e-3) == loud


def test_a_click_on_the_keyboard_sounds_in_the_tap_and_its_release_ends_it(
    qtbot: QtBot, tmp_path: Path, runtime_directory: Path
) -> None:
    model = tiny_instrument(tmp_path)  # its first sound is an organ: it lasts as long as its key is down
    config = EngineConfig(input="none", output="null", model="none", instrument=str(model), midi="none")
    bridge = Bridge(Session(config))
    page = InstrumentPage(bridge)
    qtbot.addWidget(page)
    page.resize(1100, 620)
    page.show()
    keyboard, ear = page.panel.keyboard, Ear(bridge)
    try:
        assert bridge.start()
        qtbot.waitUntil(lambda: ear.hears(False), timeout=PATIENCE_MS)
        place = keyboard.place_of(60).toPoint()
        qtbot.mousePress(keyboard, Qt.MouseButton.LeftButton, pos=place)
        qtbot.waitUntil(lambda: ear.hears(True), timeout=PATIENCE_MS)
        qtbot.waitUntil(lambda: keyboard.sounding == {60}, timeout=PATIENCE_MS)  # the engine says so too
        qtbot.mouseRelease(keyboard, Qt.MouseButton.LeftButton, pos=place)
        qtbot.waitUntil(lambda: not keyboard.sounding, timeout=PATIENCE_MS)
        qtbot.waitUntil(lambda: ear.hears(False), timeout=PATIENCE_MS)
    finally:
        page.hide()
        bridge.close()
