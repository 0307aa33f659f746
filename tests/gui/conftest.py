"""The window without a screen, on a session that only remembers what it was told."""

from __future__ import annotations

import os

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")  # before Qt is imported

from collections.abc import Iterator
from pathlib import Path

import pytest
from PyQt6.QtCore import QEvent
from PyQt6.QtWidgets import QApplication

from gui.bridge import Bridge
from rtaudio.desired import Desired
from rtaudio.format import Audio
from rtaudio.messages import Command, EngineConfig, Heard, Meter, MixerState, Snapshot


class FakeSession:
    """Takes orders as the real one does (impossible ones raise) and keeps them; its report is whatever the test sets."""

    def __init__(self, config: EngineConfig | None = None) -> None:
        self.desired = Desired(config or EngineConfig(instrument="sing-gm"), MixerState())
        self.orders: list[Command] = []
        self.sound: dict[str, Audio] = {}
        self.started = self.stopped = self.closed = 0
        self.report = Snapshot(
            state="running", rate=44_100, block=256, port="test", mixer=self.desired.mixer,
            meters={name: Meter([0.1, 0.1], [0.05, 0.05]) for name in self.desired.mixer.stems}, master=Meter([0.1, 0.1], [0.05, 0.05]),
        )  # fmt: skip

    @property
    def config(self) -> EngineConfig:
        return self.desired.config

    def start(self) -> None:
        self.started += 1

    def stop(self) -> None:
        self.stopped += 1

    def close(self) -> None:
        self.closed += 1

    def send(self, order: Command) -> None:
        self.desired.apply(order)
        self.orders.append(order)

    def hear(self, source: str, after: int | None = None, seconds: float = 4.0) -> Heard | None:
        """``sound[source]`` from ``after`` on, as an engine's tap gives it; None without one."""
        sound = self.sound.get(source)
        if sound is None:
            return None
        start = max(after or 0, len(sound) - round(seconds * self.report.rate))
        return Heard(self.report.rate, start, sound[start:], "fake")

    def snapshot(self) -> Snapshot:
        self.report.sequence += 1
        return self.report


@pytest.fixture(autouse=True)
def _no_widgets_of_earlier_tests(qapp: QApplication) -> None:
    """Outside its event loop Qt keeps what ``deleteLater`` condemned; a hundred old windows make each new style sheet slow."""
    qapp.sendPostedEvents(None, QEvent.Type.DeferredDelete.value)


@pytest.fixture(autouse=True)
def settings_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A person's settings that are nobody's."""
    monkeypatch.setenv("STEMPLAY_CONFIG_DIR", str(tmp_path / "settings"))
    return tmp_path / "settings"


@pytest.fixture
def session() -> FakeSession:
    """An engine that only remembers."""
    return FakeSession()


@pytest.fixture
def bridge(qapp: QApplication, session: FakeSession) -> Iterator[Bridge]:
    """A bridge to ``session``; tests call ``bridge.poll()`` instead of waiting for its timer."""
    bridge = Bridge(session)
    yield bridge
    bridge.close()
