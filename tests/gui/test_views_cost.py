"""What the live views cost: printed, and held only against a generous limit, since machines differ and tests share theirs."""

from __future__ import annotations

import time

import numpy as np
import pytest
from PyQt6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from gui import theme
from gui.bridge import Bridge
from gui.pages.views import ViewsPage
from rtaudio.protocol.reports import TapAudio
from tests.gui.conftest import FakeSession

RATE = 44_100
WALL_S = 20.0
GENEROUS = 0.5
"""Of one core; on an idle one it is 0.08 to 0.11, and the aim is 0.15."""


class Playing(FakeSession):
    """Noise, as fast as time goes by."""

    def __init__(self) -> None:
        super().__init__()
        self.began = time.monotonic()
        self.noise = np.random.default_rng(0).standard_normal((RATE, 2)).astype(np.float32) * 0.1

    def hear(self, source: str, after: int | None = None, seconds: float = 4.0) -> TapAudio | None:
        now = int((time.monotonic() - self.began) * RATE)
        start = max(0 if after is None else after, now - round(seconds * RATE))
        return TapAudio(RATE, start, self.noise[np.arange(start, max(start, now)) % RATE], "noise")


@pytest.mark.slow
@pytest.mark.parametrize("name", ["spectrogram", "rainbowgram", "waveform"])
def test_a_view_costs_a_small_part_of_a_core(qtbot: QtBot, qapp: QApplication, name: str) -> None:
    theme.apply(qapp, "dark")
    bridge = Bridge(Playing())
    bridge.start()
    page = ViewsPage(bridge)
    qtbot.addWidget(page)
    page.resize(1280, 700)
    page.show()
    page.show_view(name)
    qtbot.wait(2000)
    cpu, wall = time.process_time(), time.monotonic()
    qtbot.wait(round(1000 * WALL_S))
    share = (time.process_time() - cpu) / (time.monotonic() - wall)
    print(f"{name}: {share:.1%} of one core over {WALL_S:.0f} s, a look every {page.view.frame_rate.interval_ms} ms")
    bridge.close()
    assert share < GENEROUS
