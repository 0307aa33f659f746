"""The window without a screen, on a session that only remembers what it was told."""

from __future__ import annotations

import os

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")  # before Qt is imported

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from PyQt6.QtCore import QEvent
from PyQt6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from gui.bridge import Bridge
from gui.window import MainWindow
from rtaudio.audio.format import Audio
from rtaudio.protocol.desired_state import DesiredState
from rtaudio.protocol.messages import Command
from rtaudio.protocol.reports import InstrumentReport, Meter, Snapshot, TapAudio
from rtaudio.protocol.settings import EngineConfig, MixerState

if TYPE_CHECKING:
    from gui.instrument.panel import InstrumentPanel
    from gui.pages.instrument import InstrumentPage
    from tests.gui.listening_stage import Stage


PATIENCE_MS = 60_000
"""Only a limit against hanging, never an expectation."""


class PatientBot(QtBot):
    """Waits for what a test waits for as long as a busy machine needs, and not five seconds."""

    def waitUntil(self, callback: Any, *, timeout: int = PATIENCE_MS) -> None:  # noqa: N802
        super().waitUntil(callback, timeout=timeout)

    def waitSignal(self, signal: Any, *, timeout: int = PATIENCE_MS, **options: Any) -> Any:  # noqa: N802
        return super().waitSignal(signal, timeout=timeout, **options)

    def waitActive(self, widget: Any, *, timeout: int = PATIENCE_MS) -> Any:  # noqa: N802
        return super().waitActive(widget, timeout=timeout)

    def waitExposed(self, widget: Any, *, timeout: int = PATIENCE_MS) -> Any:  # noqa: N802
        return super().waitExposed(widget, timeout=timeout)


@pytest.fixture
def qtbot(qapp: QApplication, request: pytest.FixtureRequest) -> QtBot:
    return PatientBot(request)


class FakeSession:
    """Takes commands as the real one does (impossible ones raise) and keeps them; its report is whatever the test sets."""

    def __init__(self, config: EngineConfig | None = None) -> None:
        self.desired = DesiredState(config or EngineConfig(instrument="sing-gm"), MixerState())
        self.commands: list[Command] = []
        self.sound: dict[str, Audio] = {}
        self.started = self.stopped = self.closed = 0
        self.staying = False
        self.report = Snapshot(
            state="running", rate=44_100, block=256, port="test", mixer=self.desired.mixer,
            meters={name: Meter([0.1, 0.1], [0.05, 0.05]) for name in self.desired.mixer.stems}, master=Meter([0.1, 0.1], [0.05, 0.05]),
        )  # fmt: skip

    @property
    def config(self) -> EngineConfig:
        return self.desired.config

    def start(self) -> None:
        self.started += 1

    def stay(self, wanted: bool) -> None:
        self.staying = wanted

    def stop(self) -> None:
        self.stopped += 1

    def close(self) -> None:
        self.closed += 1

    def send(self, command: Command) -> None:
        self.desired.apply(command)
        self.commands.append(command)

    def hear(self, source: str, after: int | None = None, seconds: float = 4.0) -> TapAudio | None:
        """``sound[source]`` from ``after`` on, as an engine's tap gives it; None without one."""
        sound = self.sound.get(source)
        if sound is None:
            return None
        start = max(after or 0, len(sound) - round(seconds * self.report.rate))
        return TapAudio(self.report.rate, start, sound[start:], "fake")

    def snapshot(self) -> Snapshot:
        self.report.sequence += 1
        return self.report


@pytest.fixture(autouse=True)
def _no_widgets_of_earlier_tests(qapp: QApplication) -> Iterator[None]:
    """Outside its loop Qt keeps what ``deleteLater`` condemned: windows whose timers still fire and that slow each new style sheet."""
    qapp.sendPostedEvents(None, QEvent.Type.DeferredDelete.value)
    yield
    qapp.sendPostedEvents(None, QEvent.Type.DeferredDelete.value)


@pytest.fixture(autouse=True)
def settings_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A person's settings that are nobody's."""
    monkeypatch.setenv("STEMPLAY_CONFIG_DIR", str(tmp_path / "settings"))
    monkeypatch.setenv("STEMPLAY_CACHE_DIR", str(tmp_path / "cache"))
    return tmp_path / "settings"


@pytest.fixture
def session() -> FakeSession:
    """An engine that only remembers."""
    return FakeSession()


@pytest.fixture
def bridge(qapp: QApplication, session: FakeSession) -> Iterator[Bridge]:
    """A bridge to ``session``; tests call ``bridge.poll()`` instead of waiting for its timer. No song is separated for its picture."""
    bridge = Bridge(session)
    bridge.store.preferences.layout["lanes"] = False
    yield bridge
    bridge.close()


@pytest.fixture
def instrument_page(qtbot: QtBot, bridge: Bridge, session: FakeSession) -> Iterator[InstrumentPage]:
    """The instrument's page, in sight, of an engine that agrees with every command at once."""
    from gui.pages.instrument import InstrumentPage
    from models.catalog import load_card

    session.report.instrument = InstrumentReport(model="sing-gm", instruments=list(load_card("sing-gm").outputs))
    session.report.instrument.state = session.desired.instrument
    bridge.poll()
    page = InstrumentPage(bridge)
    qtbot.addWidget(page)
    page.resize(1200, 640)
    page.show()
    qtbot.waitExposed(page)
    session.commands.clear()
    yield page
    page.hide()


@pytest.fixture
def panel(instrument_page: InstrumentPage) -> InstrumentPanel:
    """What is on the instrument's page."""
    return instrument_page.panel


@pytest.fixture
def stage(bridge: Bridge, qtbot: QtBot) -> Iterator[Stage]:
    """The listening page with a listener."""
    from tests.gui.listening_stage import Stage

    stage = Stage(bridge, qtbot)
    yield stage
    stage.page.close_sound()


@pytest.fixture
def window(bridge: Bridge, qtbot: QtBot) -> MainWindow:
    bridge.poll()
    window = MainWindow(bridge)
    qtbot.addWidget(window)
    window.show()
    bridge.poll()
    return window
