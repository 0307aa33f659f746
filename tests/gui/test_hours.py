"""Hours in seconds: a clock in the test's hand and a disk that swallows everything drive engine, recorder and window; nothing may grow."""

from __future__ import annotations

import gc
import tracemalloc
from pathlib import Path

import numpy as np
import pytest
from PyQt6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from gui.bridge import Bridge
from gui.mixer_model import UNDO_STEPS
from gui.pages import PAGES
from gui.pages.mixer import MixerPage
from gui.window import MainWindow
from rtaudio.engine.engine import Engine
from rtaudio.engine.recorder import Recorder
from rtaudio.files.writer import WavWriter
from rtaudio.ports.fake import FakePort
from rtaudio.processors.passthrough import Passthrough
from rtaudio.protocol.messages import Command
from rtaudio.protocol.reports import Snapshot
from rtaudio.protocol.settings import EngineConfig
from tests.gui.conftest import FakeSession

RATE = 8000
"""Low, so that hours are short; memory does not depend on it."""

MOST_GROWTH = 256 * 1024
"""Bytes of Python objects between the end of the first tenth and the last: less than 40 for each of 7,200 reports."""


class EngineSession(FakeSession):
    """A whole engine on a test clock in place of a report that the test writes. A block comes with every so many reports."""

    def __init__(self, folder: Path, block: int, every: int) -> None:
        super().__init__(EngineConfig(model="none"))
        processor = Passthrough()
        self.port = FakePort(RATE, block=block)
        self.recorder = Recorder(
            RATE, 2, processor.outputs, buffer_s=40
        )  # the test, faster than any clock, seldom waits for it
        self.engine = Engine(
            self.config, self.desired.mixer, port=self.port, processor=processor, recorder=self.recorder
        )
        self.engine.start()
        self.recorder.start(folder)
        self.every, self.asked = every, 0
        self.sound_in = np.random.default_rng(0).uniform(-0.5, 0.5, (block, 2)).astype(np.float32)

    def send(self, command: Command) -> None:
        super().send(command)
        self.commands.clear()  # the fake's own memory is not the window's
        self.engine.send(command)

    def snapshot(self) -> Snapshot:
        """A report; before each ``every``-th of them a block of sound passes."""
        if not self.stopped and self.asked % self.every == 0:
            self.port.tick(self.sound_in)
        self.asked += 1
        return self.engine.snapshot()


@pytest.fixture
def no_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    """Files that take everything and keep nothing."""
    monkeypatch.setattr(WavWriter, "_append", lambda writer, audio: None)
    monkeypatch.setattr(WavWriter, "_finish", lambda writer, frames: None)


def drive(seconds: int, per_second: float, block_s: int, folder: Path, qtbot: QtBot) -> tuple[int, float]:
    """Play ``seconds`` into a window with all its pages. Returns the growth in bytes of Python's objects, and the seconds recorded."""
    session = EngineSession(folder, RATE * block_s, round(per_second * block_s))
    bridge = Bridge(session)
    bridge.poll()
    window = MainWindow(bridge)
    qtbot.addWidget(window)
    window.show()
    for page in PAGES:
        window.show_page(page.key)
    window.show_page("mixer")
    mixer = window.pages["mixer"]
    assert isinstance(mixer, MixerPage)
    now = [0.0]
    for strip in (*mixer.strips.values(), mixer.master):
        strip.meter._clock = lambda: now[0]
    for _ in range(UNDO_STEPS):
        mixer.strips["bass"].mute.click()  # the memory of undo is full from the start
    reports, before = round(seconds * per_second), 0
    tracemalloc.start()
    try:
        for number in range(reports):
            now[0] += 1 / per_second
            bridge.poll()
            if number % 100 == 0:
                bridge.send("set_stem", stem="vocals", field="gain_db", value=-float(number % 7))
                mixer.strips["bass"].mute.click()
                QApplication.processEvents()
            if number == reports // 10:
                gc.collect()
                before = tracemalloc.get_traced_memory()[0]
        gc.collect()
        growth = tracemalloc.get_traced_memory()[0] - before
    finally:
        tracemalloc.stop()
        session.stopped += 1
        session.recorder.stop()
        session.engine.stop()
        bridge.close()
    assert mixer.master.meter.peaks[0].level > -20, "the meters did move"
    return growth, session.recorder.status.seconds


def test_a_minute_of_meters_and_recording_do_not_grow(no_disk: None, tmp_path: Path, qtbot: QtBot) -> None:
    growth, recorded = drive(60, 10, 1, tmp_path, qtbot)
    print(f"{growth / 1024:.0f} KB more after 600 reports")
    assert growth < MOST_GROWTH and recorded == pytest.approx(60, abs=2)


def test_a_window_that_kept_every_report_would_be_found(tmp_path: Path, bridge: Bridge) -> None:
    kept: list[object] = []
    bridge.snapshot_changed.connect(lambda report: kept.append([0.0] * 64))
    tracemalloc.start()
    for _ in range(1200):
        bridge.poll()
    growth = tracemalloc.get_traced_memory()[0]
    tracemalloc.stop()
    assert growth > MOST_GROWTH


@pytest.mark.slow
def test_eight_hours_of_meters_and_recording_do_not_grow(no_disk: None, tmp_path: Path, qtbot: QtBot) -> None:
    """All of the sound of eight hours goes through engine and recorder, with a report in four seconds: 7,200."""
    growth, recorded = drive(8 * 3600, 0.25, 4, tmp_path, qtbot)
    print(f"{growth / 1024:.0f} KB more after 8 h")
    assert growth < MOST_GROWTH and recorded == pytest.approx(8 * 3600, abs=41)
