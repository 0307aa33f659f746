"""The page of the instrument: its panel, or an invitation to load an instrument if the engine has none."""

from __future__ import annotations

from PyQt6.QtCore import QEvent, QObject, Qt
from PyQt6.QtGui import QHideEvent, QShowEvent
from PyQt6.QtWidgets import QFrame, QHBoxLayout, QPushButton, QScrollArea, QStackedWidget, QVBoxLayout, QWidget

from gui.bridge import Bridge
from gui.inserts.instrument import use_instrument
from gui.instrument.panel import InstrumentPanel
from gui.widgets.plain import PlainLabel
from rtaudio.protocol.reports import Snapshot

INSTRUMENT = "sing-gm"
"""The shipped instrument that the button loads."""


class InstrumentPage(QStackedWidget):
    """Shows the panel if the configuration has an instrument."""

    def __init__(self, bridge: Bridge, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.bridge = bridge
        self.panel = InstrumentPanel(bridge)
        self.empty = self._make_empty()
        self.surface = QScrollArea()  # in a window that is too small for it
        self.surface.setWidgetResizable(True)
        self.surface.setFrameShape(QFrame.Shape.NoFrame)
        self.surface.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.surface.setWidget(self.panel)
        self.addWidget(self.empty)
        self.addWidget(self.surface)
        self._window: QWidget | None = None
        self._played = bridge.config.instrument
        bridge.snapshot_changed.connect(self.show_snapshot)
        self.show_snapshot(bridge.snapshot)

    def show_snapshot(self, snapshot: Snapshot) -> None:
        """Show the engine's state while the page is visible."""
        if snapshot is not self.bridge.snapshot or (not self.isVisible() and self._window is not None):
            return
        has = bool(self.bridge.config.instrument)
        if self.bridge.config.instrument != self._played:  # no key or pedal is down in another instrument
            self._played = self.bridge.config.instrument
            self.panel.notes.release_all()
        wanted = self.surface if has else self.empty
        if self.currentWidget() is not wanted:
            self.setCurrentWidget(wanted)
        if has:
            self.panel.show_snapshot(snapshot)

    def load_instrument(self) -> None:
        """Restart the engine with the shipped instrument, which takes a second or two."""
        use_instrument(self.bridge, INSTRUMENT)

    def _make_empty(self) -> QWidget:
        page = QWidget()
        title, text = PlainLabel(self.tr("No instrument is loaded")), PlainLabel()
        title.setProperty("role", "heading")
        text.setText(
            self.tr(
                "SING is a neural synthesiser: it plays from a MIDI keyboard, from the computer's keys and from the keyboard "
                "on this page. An installed VST3 or LV2 instrument can play in its place. Loading interrupts the sound for a moment."
            )
        )
        text.setWordWrap(True)
        text.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.load = QPushButton(self.tr("Load SING"))
        self.load.setProperty("kind", "primary")
        self.load.clicked.connect(self.load_instrument)
        self.choose = QPushButton(self.tr("Choose a plugin …"))
        self.choose.clicked.connect(self.panel.choose_instrument)
        buttons = QHBoxLayout()
        buttons.addStretch(1)
        buttons.addWidget(self.load)
        buttons.addWidget(self.choose)
        buttons.addStretch(1)
        layout = QVBoxLayout(page)
        layout.setSpacing(14)
        middle = QHBoxLayout()
        middle.addStretch(1)
        middle.addWidget(text, 2)
        middle.addStretch(1)
        layout.addStretch(2)
        layout.addWidget(title, 0, Qt.AlignmentFlag.AlignHCenter)
        layout.addLayout(middle)
        layout.addLayout(buttons)
        layout.addStretch(3)
        return page

    # -- no note may outlive the page --------------------------------------------------------------------------------------

    def showEvent(self, event: QShowEvent | None) -> None:  # noqa: N802 - Qt's names here and below
        super().showEvent(event)
        window = self.window()
        if window is not None and window is not self._window:
            self._window = window
            window.installEventFilter(self)
        self.show_snapshot(self.bridge.snapshot)

    def hideEvent(self, event: QHideEvent | None) -> None:  # noqa: N802
        self.panel.notes.release_all()
        super().hideEvent(event)

    def eventFilter(self, watched: QObject | None, event: QEvent | None) -> bool:  # noqa: N802
        if event is not None and event.type() in (QEvent.Type.Close, QEvent.Type.WindowDeactivate):
            self.panel.notes.release_all()
        return super().eventFilter(watched, event)
