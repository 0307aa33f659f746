"""The bar under all pages: play, position, loop, and recording; with a live input, whether it is heard."""

from __future__ import annotations

from collections.abc import Callable

from PyQt6.QtCore import QEvent, QSize
from PyQt6.QtGui import QResizeEvent
from PyQt6.QtWidgets import QFrame, QHBoxLayout, QPushButton, QSizePolicy, QStackedWidget, QWidget

from gui import theme
from gui.bridge import Bridge
from gui.player.choose import choose_song
from gui.player.icons import icon
from gui.player.marks import marks_of
from gui.player.monitor import MonitorSwitch
from gui.player.player_model import player_model_of
from gui.player.seek import STEP_MS, SeekSlider
from gui.player.tempo import KEY, SPEED, SongValue, song_tempo_of
from gui.player.times import clock
from gui.shortcuts import bind
from gui.widgets.learn import learnable
from gui.widgets.plain import PlainLabel, plain
from gui.widgets.toggle import Toggle, polish
from rtaudio.protocol.reports import Snapshot

NARROW = 760
"""Width in pixels below which the loop's buttons and the times are hidden in favour of the slider."""


class TransportBar(QFrame):
    """See the module's docstring."""

    def __init__(self, bridge: Bridge, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.bridge, self.player_model, self.marks, self.tempo = bridge, player_model_of(bridge), marks_of(bridge), song_tempo_of(bridge)
        self.setProperty("role", "footer")
        self.setAccessibleName(self.tr("Transport"))
        row = QHBoxLayout(self)
        row.setContentsMargins(16, 6, 16, 6)
        row.setSpacing(8)
        self.open_button = self._button(self.tr("Open a song (Ctrl+O)"), self.choose)
        row.addWidget(self.open_button)
        self.ways = QStackedWidget()
        self.ways.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.ways.addWidget(self._make_song())
        self.ways.addWidget(self._make_live())
        row.addWidget(self.ways, 1)
        self.trouble = PlainLabel()
        self.trouble.setProperty("role", "small")
        row.addWidget(self.trouble)
        self.record_button = QPushButton(self.tr("Record"))
        self.record_button.setProperty("kind", "record")
        self.record_button.setMinimumWidth(104)
        self.record_button.clicked.connect(self.player_model.toggle_record)
        row.addWidget(self.record_button)
        for widget, target in (
            (self.play_button, "transport.play"), (self.start_button, "transport.start"), (self.a_button, "transport.loop"),
            (self.b_button, "transport.loop"),
            (self.speed, "transport.speed"), (self.key, "transport.key"),
            (self.record_button, "transport.record"), (self.monitor, "mixer.monitor"),
        ):  # fmt: skip
            learnable(widget, bridge, target)
        self.player_model.changed.connect(self._dress)
        bridge.snapshot_changed.connect(self.show_snapshot)
        bind(self, self.handlers())
        self._dress()
        self.show_snapshot(bridge.snapshot)

    def handlers(self) -> dict[str, Callable[[], object]]:
        """Handlers of the player's shortcuts."""
        player = self.player_model
        return {
            "play": player.toggle_play, "to_start": lambda: player.seek(0.0), "back": lambda: player.nudge(-STEP_MS / 1000),
            "forward": lambda: player.nudge(STEP_MS / 1000), "loop_a": player.set_a, "loop_b": player.set_b,
            "slower": lambda: self.tempo.step(SPEED, -0.05), "faster": lambda: self.tempo.step(SPEED, 0.05),
            "key_down": lambda: self.tempo.step(KEY, -1), "key_up": lambda: self.tempo.step(KEY, 1),
            "loop_off": player.clear_loop, "record": player.toggle_record, "open_song": self.choose,
            "loop_keep": lambda: self.marks.keep_loop(), "loop_next": self.marks.step_loop,
            "marker_add": lambda: self.marks.add_marker(), "marker_previous": lambda: self.marks.step_marker(forward=False),
            "marker_next": lambda: self.marks.step_marker(forward=True),
        }  # fmt: skip

    def choose(self) -> None:
        """Ask for a song and open it."""
        choose_song(self.player_model, self.window())

    # -- parts --------------------------------------------------------------------------------------------------------------

    def _button(self, name: str, act: Callable[[], object], text: str = "") -> QPushButton:
        button = QPushButton(text)
        button.setProperty("kind", "flat")
        button.setAccessibleName(name)
        button.setToolTip(name)
        button.setIconSize(QSize(20, 20))
        button.clicked.connect(lambda: act())
        return button

    def _make_song(self) -> QWidget:
        box = QWidget()
        row = QHBoxLayout(box)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(4)
        player_model = self.player_model
        self.start_button = self._button(self.tr("To the start (Ctrl+Home)"), lambda: player_model.seek(0.0))
        self.play_button = self._button(self.tr("Play"), player_model.toggle_play)
        self.position = PlainLabel(clock(0.0, True))
        self.length = PlainLabel()
        for label in (self.position, self.length):
            label.setFont(theme.font())
        self.position.setMinimumWidth(self.position.fontMetrics().horizontalAdvance("00:00.0") + 4)
        self.length.setProperty("role", "muted")
        self.slider = SeekSlider()
        self.slider.wanted.connect(player_model.seek)
        self.a_button = Toggle("A", "loop", self.tr("Loop from here"), self.tr("Point A: loop from here (Ctrl+[)"))
        self.b_button = Toggle("B", "loop", self.tr("Loop to here"), self.tr("Point B: loop to here (Ctrl+])"))
        self.off_button = self._button(self.tr("End the loop (Ctrl+\\)"), player_model.clear_loop, "✕")
        self.a_button.clicked.connect(lambda: player_model.set_a())
        self.b_button.clicked.connect(lambda: player_model.set_b())
        self.speed = SongValue(
            self.tempo, SPEED, self.tr("Tempo"), self.tr("Tempo of the song (Ctrl+Up, Ctrl+Down); double click: as it is")
        )
        self.key = SongValue(
            self.tempo, KEY, self.tr("Key"),
            self.tr("Key in semitones (Ctrl+Shift+Up, Ctrl+Shift+Down); drums keep their pitch; double click: as it is"),
        )  # fmt: skip
        for widget in (self.start_button, self.play_button, self.position):
            row.addWidget(widget)
        row.addWidget(self.slider, 1)
        for after in (self.length, self.speed, self.key, self.a_button, self.b_button, self.off_button):
            row.addWidget(after)
        return box

    def _make_live(self) -> QWidget:
        box = QWidget()
        row = QHBoxLayout(box)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(12)
        self.source = PlainLabel()
        self.source.setProperty("role", "muted")
        self.source.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        self.monitor = MonitorSwitch(self.bridge)
        row.addWidget(self.source, 1)
        row.addWidget(self.monitor)
        return box

    # -- engine to screen ---------------------------------------------------------------------------------------------------

    def show_snapshot(self, snapshot: Snapshot) -> None:
        """Update the parts that change all the time."""
        transport = snapshot.transport
        if transport.path:
            self.position.setText(clock(transport.position_s, True))
            self.slider.show_place(transport.position_s, transport.length_s)
        if snapshot.recording.active:
            self.record_button.setText(clock(snapshot.recording.seconds))

    def _dress(self) -> None:
        """Update the parts that change now and then."""
        player_model, transport, recording = self.player_model, self.player_model.transport, self.player_model.recording
        self.ways.setCurrentIndex(0 if player_model.has_song or player_model.pending else 1)
        for button in (self.start_button, self.play_button, self.a_button, self.b_button, self.slider, self.speed, self.key):
            button.setEnabled(player_model.has_song)
        playing = transport.playing
        self.play_button.setIcon(icon("pause" if playing else "play"))
        name = self.tr("Pause (Space)") if playing else self.tr("Play (Space)")
        self.play_button.setAccessibleName(name)
        self.play_button.setToolTip(name)
        self.start_button.setIcon(icon("start"))
        self.open_button.setIcon(icon("open"))
        self.length.setText(clock(transport.length_s) if player_model.has_song else "")
        self.slider.loop, self.slider.mark = transport.loop, player_model.mark
        self.slider.update()
        self.a_button.setChecked(transport.loop is not None or player_model.mark is not None)
        self.b_button.setChecked(transport.loop is not None)
        self.off_button.setEnabled(transport.loop is not None or player_model.mark is not None)
        self._dress_live()
        self._dress_record(recording.active, recording.error, recording.dropped_blocks)

    def _dress_live(self) -> None:
        config = self.bridge.config
        live = self.player_model.live
        text = self.tr("Live input: {}").format(config.input) if live else self.tr("No song and no input")
        self.source.setText(text)
        self.source.setToolTip(plain(text))
        self.monitor.setVisible(live)

    def _dress_record(self, active: bool, error: str, dropped: int) -> None:
        button = self.record_button
        button.setText(self.player_model.record_text())
        button.setIcon(
            icon("stop" if active else "record", theme.current().on_accent if active else theme.current().bad)
        )
        name = (
            self.tr("Stop the recording (Ctrl+R)")
            if active
            else self.tr("Record the mix and the armed strips (Ctrl+R)")
        )
        button.setAccessibleName(name)
        folder = self.player_model.recording.directory
        button.setToolTip(plain(f"{name}\n{folder}") if active else name)
        if button.property("recording") != str(active).lower():
            button.setProperty("recording", str(active).lower())
            polish(button)
        lost = self.tr("%n block(s) lost", "", dropped) if dropped else ""
        self.trouble.setText(self.tr("Recording stopped") if error else lost)
        self.trouble.setToolTip(plain(error or lost))
        self.trouble.setVisible(bool(error or lost))

    def resizeEvent(self, event: QResizeEvent | None) -> None:  # noqa: N802 - Qt's name
        wide = self.width() >= NARROW
        for widget in (self.length, self.start_button, self.a_button, self.b_button, self.off_button, self.speed, self.key):
            widget.setVisible(wide)
        super().resizeEvent(event)

    def changeEvent(self, event: QEvent | None) -> None:  # noqa: N802
        """Redraw icons in the colours of the new theme."""
        super().changeEvent(event)
        if event is not None and event.type() == QEvent.Type.PaletteChange and hasattr(self, "record_button"):
            self._dress()
