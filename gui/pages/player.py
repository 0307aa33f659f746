"""The page of the song: its picture, practice loop, recording and export."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from PyQt6.QtCore import QEvent, QSize, Qt
from PyQt6.QtWidgets import (
    QFrame,
    QHBoxLayout,
    QLineEdit,
    QPushButton,
    QScrollArea,
    QSizePolicy,
    QVBoxLayout,
    QWidget,
)

from gui.bridge import Bridge
from gui.mixer_model import mixer_model_of
from gui.player.bar_ruler import BarRuler
from gui.player.choose import choose_song
from gui.player.drop import SongDrop
from gui.player.export import ExportDialog
from gui.player.icons import icon
from gui.player.lanes.board import LaneBoard
from gui.player.lanes.tools import LaneTools
from gui.player.player_model import player_model_of
from gui.player.recent import RecentMenu
from gui.player.recording import RecordingCard
from gui.player.seek import STEP_MS
from gui.player.song_facts import song_facts_of
from gui.player.times import clock, parse_clock
from gui.shortcuts import bind
from gui.widgets.flow import FlowLayout
from gui.widgets.learn import learnable
from gui.widgets.plain import PlainLabel, plain
from gui.widgets.popup import pop_up
from gui.widgets.toggle import Toggle
from rtaudio.protocol.settings import MixerState


class PlayerPage(QWidget):
    """See the module's docstring. Songs may be dropped on it."""

    def __init__(self, bridge: Bridge, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.bridge, self.player_model = bridge, player_model_of(bridge)
        self.song_facts, self.mixer_model = song_facts_of(bridge), mixer_model_of(bridge)
        SongDrop(self, self.player_model)
        self._shown_loop: tuple[str, ...] = ("", "")
        content = QWidget()
        column = QVBoxLayout(content)
        column.setContentsMargins(20, 14, 20, 14)
        column.setSpacing(12)
        column.addLayout(self._make_head())
        self.message = PlainLabel()
        self.message.setWordWrap(True)
        self.message.hide()
        column.addWidget(self.message)
        column.addWidget(self._make_song(), 3)
        self.recording = RecordingCard(self.player_model)
        column.addWidget(self.recording, 0)
        surface = QScrollArea()  # in a window that is too small for it
        surface.setWidgetResizable(True)
        surface.setFrameShape(QFrame.Shape.NoFrame)
        surface.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        surface.setWidget(content)
        outer = QVBoxLayout(self)
        outer.setContentsMargins(0, 0, 0, 0)
        outer.addWidget(surface)
        self.player_model.changed.connect(self._dress)
        self.song_facts.changed.connect(self._dress)
        self.player_model.told.connect(self.tell)
        self.board.source.told.connect(self.tell)
        bind(self, {
            "export": self.export, "zoom_in": lambda: self.board.zoom(1), "zoom_out": lambda: self.board.zoom(-1),
            "zoom_fit": self.board.viewport.fit,
        })  # fmt: skip
        self._dress()

    def _show_click(self, state: MixerState) -> None:
        self.click.show_on(state.click)

    # -- parts --------------------------------------------------------------------------------------------------------------

    def _make_head(self) -> QHBoxLayout:
        row = QHBoxLayout()
        row.setSpacing(8)
        names = QVBoxLayout()
        names.setSpacing(0)
        self.title, self.facts = PlainLabel(), PlainLabel()
        self.title.setProperty("role", "heading")
        self.facts.setProperty("role", "muted")
        self.facts.setWordWrap(True)
        for label in (self.title, self.facts):
            label.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
            names.addWidget(label)
        row.addLayout(names, 1)
        self.open_button = QPushButton(self.tr("Open song …"))
        self.open_button.clicked.connect(lambda: choose_song(self.player_model, self.window()))
        self.recent_button = QPushButton(self.tr("Recent"))
        self.recent_button.setAccessibleName(self.tr("Songs opened before"))
        self.recent_button.clicked.connect(self._show_recent)
        self.export_button = QPushButton(self.tr("Export stems …"))
        self.export_button.clicked.connect(self.export)
        self.close_button = QPushButton(self.tr("Close song"))
        self.close_button.clicked.connect(self.player_model.close_song)
        for button in (self.open_button, self.recent_button, self.export_button, self.close_button):
            row.addWidget(button)
        return row

    def _make_song(self) -> QWidget:
        card = QFrame()
        card.setProperty("card", True)
        column = QVBoxLayout(card)
        column.setContentsMargins(1, 1, 1, 10)
        column.setSpacing(8)
        self.board = LaneBoard(self.bridge)
        self.wave = self.board.view
        self.tools = LaneTools(self.board, card)
        self.empty = PlainLabel(self.tr("Drop a song here, or open one: WAV, FLAC, OGG, MP3, M4A."))
        self.empty.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.empty.setWordWrap(True)
        self.empty.setProperty("role", "muted")
        column.addWidget(self.board, 1)
        self.ruler = BarRuler(self.song_facts, self.board.viewport)
        self.board.viewport.changed.connect(self.ruler.update)
        self.board.add_ruler(self.ruler)
        column.addWidget(self.empty, 1)
        self.controls = QWidget()
        flow = FlowLayout(self.controls, gap=6, row_gap=6)
        flow.setContentsMargins(12, 0, 12, 0)
        step = STEP_MS / 1000
        self.buttons: dict[str, QPushButton] = {}
        for key, drawing, name, act in (
            ("start", "start", self.tr("To the start"), lambda: self.player_model.seek(0.0)),
            ("back", "back", self.tr("Five seconds back"), lambda: self.player_model.nudge(-step)),
            ("play", "play", self.tr("Play"), self.player_model.toggle_play),
            ("forward", "forward", self.tr("Five seconds on"), lambda: self.player_model.nudge(step)),
        ):
            flow.addWidget(self._button(key, name, act, drawing))
        self.loop_label = PlainLabel(self.tr("Loop"))
        self.loop_label.setProperty("role", "muted")
        flow.push(self.loop_label)
        self.a_field, self.b_field = self._field(self.tr("Loop from")), self._field(self.tr("Loop to"))
        flow.addWidget(self._button("a", self.tr("Set A here"), lambda: self.player_model.set_a()))
        flow.addWidget(self.a_field)
        flow.addWidget(self._button("b", self.tr("Set B here"), lambda: self.player_model.set_b()))
        flow.addWidget(self.b_field)
        flow.addWidget(self._button("off", self.tr("End loop"), self.player_model.clear_loop))
        self.snapping = Toggle(
            self.tr("Snap to bars"), "good", self.tr("Snap loops to bars"), self.tr("Loops begin and end at bars of the song")
        )
        self.snapping.clicked.connect(self.song_facts.set_snapping)
        self.click = Toggle(self.tr("Click"), "good", self.tr("Click"), self.tr("A click at the beats; its level is in the mixer"))
        self.click.clicked.connect(lambda on: self.mixer_model.move("", "click", on))
        self.mixer_model.changed.connect(self._show_click)
        for toggle in (self.snapping, self.click):
            toggle.setMinimumWidth(toggle.fontMetrics().horizontalAdvance(toggle.text()) + 36)
            toggle.setMinimumHeight(28)
            flow.addWidget(toggle)
        learnable(self.click, self.bridge, "mixer.click")
        for group in self.tools.groups:
            flow.addWidget(_side_by_side(group))
        column.addWidget(self.controls)
        return card

    def _button(self, key: str, name: str, act: object, drawing: str = "") -> QPushButton:
        self.buttons[key] = button = QPushButton("" if drawing else name)
        button.setAccessibleName(name)
        button.setToolTip(name)
        button.setProperty("drawing", drawing)
        button.setIconSize(QSize(18, 18))
        button.clicked.connect(lambda: act())  # type: ignore[operator]
        return button

    def _field(self, name: str) -> QLineEdit:
        field = QLineEdit()
        field.setAccessibleName(name)
        field.setToolTip(self.tr("{}: minutes:seconds").format(name))
        field.setPlaceholderText("0:00.0")
        field.setFixedWidth(84)
        field.editingFinished.connect(self._loop_typed)
        return field

    # -- person to engine ---------------------------------------------------------------------------------------------------

    def export(self) -> None:
        """Open the dialog of the export, for the song that is loaded."""
        if self.player_model.has_song:
            dialog = ExportDialog(self.bridge, self)
            dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
            dialog.open()

    def _show_recent(self) -> None:
        pop_up(RecentMenu(self.player_model, self), self.recent_button.mapToGlobal(self.recent_button.rect().bottomLeft()))

    def _loop_typed(self) -> None:
        texts = (self.a_field.text(), self.b_field.text())
        if texts == self._shown_loop:
            return
        start, end = (parse_clock(text) for text in texts)
        if start is not None and end is not None:
            self.player_model.set_loop(start, end)
        elif start is not None:
            self.player_model.set_a(start)
        self._show_loop()

    def _show_loop(self) -> None:
        """Show the engine's loop in the fields, except in one that is being edited."""
        start, end = self.player_model.transport.loop or (self.player_model.mark, None)
        self._shown_loop = tuple("" if value is None else clock(value, True) for value in (start, end))
        for field, text in zip((self.a_field, self.b_field), self._shown_loop, strict=True):
            field.setEnabled(self.player_model.has_song)
            if not (field.hasFocus() and field.isModified()):
                field.setText(text)

    # -- engine to screen ---------------------------------------------------------------------------------------------------

    def tell(self, sentence: str) -> None:
        """Show a message about the song."""
        self.message.setText(sentence)
        self.message.setVisible(bool(sentence))

    def _dress(self) -> None:
        player_model, transport = self.player_model, self.player_model.transport
        path = player_model.path
        self.title.setText(Path(path).name if path else self.tr("No song"))
        self.title.setToolTip(plain(path))
        self.facts.setText(self._facts() if path else self.tr("The sound comes from an input, or there is none."))
        song = bool(path)
        self.board.setVisible(song)
        self.controls.setVisible(song)
        self.empty.setVisible(not song)
        separated = bool(transport.titles) or self.bridge.config.model != "none"
        self.export_button.setEnabled(player_model.has_song and separated)
        self.close_button.setVisible(song)
        self.recent_button.setEnabled(bool(self.bridge.store.preferences.recent))
        for button in self.buttons.values():
            button.setEnabled(player_model.has_song)
        found = self.song_facts.found
        self.snapping.setEnabled(found is not None and bool(found.beats))
        self.snapping.show_on(self.bridge.store.preferences.snap_to_bars)
        self.buttons["off"].setEnabled(transport.loop is not None or player_model.mark is not None)
        playing = self.buttons["play"]
        playing.setProperty("drawing", "pause" if transport.playing else "play")
        playing.setAccessibleName(self.tr("Pause") if transport.playing else self.tr("Play"))
        playing.setToolTip(playing.accessibleName())
        for button in self.buttons.values():
            if button.property("drawing"):
                button.setIcon(icon(button.property("drawing")))
        self._show_loop()

    def _facts(self) -> str:
        picture = self.player_model.picture
        if not picture.get("rate"):
            return self.tr("Looking through the song …") if self.player_model.pending else ""
        channels = {1: self.tr("mono"), 2: self.tr("stereo")}.get(
            picture["channels"], f"{picture['channels']} channels"
        )
        parts = [f"{picture['rate'] / 1000:g} kHz", channels, clock(picture["seconds"])]
        if self.player_model.transport.titles:
            parts.append(self.tr("plays its own stems, without a model"))
        parts.append(self.song_facts.words())
        return "  ·  ".join(part for part in parts if part)

    def changeEvent(self, event: QEvent | None) -> None:  # noqa: N802
        """Redraw icons in the colours of the new theme."""
        super().changeEvent(event)
        if event is not None and event.type() == QEvent.Type.PaletteChange and hasattr(self, "recording"):
            self._dress()


def _side_by_side(widgets: Sequence[QWidget]) -> QWidget:
    """Widgets that stay in one row."""
    box = QWidget()
    row = QHBoxLayout(box)
    row.setContentsMargins(0, 0, 0, 0)
    row.setSpacing(4)
    for widget in widgets:
        row.addWidget(widget)
    return box
