"""The song in lanes: heads, the picture and its scroll bar, kept together. ``add_ruler`` adds other rows above the same time axis."""

from __future__ import annotations

from PyQt6.QtCore import QEvent, QPoint, Qt
from PyQt6.QtGui import QResizeEvent
from PyQt6.QtWidgets import QHBoxLayout, QInputDialog, QLineEdit, QMenu, QScrollBar, QVBoxLayout, QWidget

from gui.bridge import Bridge
from gui.insert_moves import PLAYED
from gui.mixer_model import mixer_model_of
from gui.player.lanes.canvas import LaneStyle
from gui.player.lanes.heads import HeadColumn
from gui.player.lanes.source import stem_source_of
from gui.player.lanes.view import LaneView
from gui.player.lanes.viewport import ZOOM_STEP, Viewport
from gui.player.marks import marks_of
from gui.player.player_model import player_model_of
from gui.song_notes import Marker, SavedLoop
from gui.widgets.popup import pop_up

TICKS = 1000
"""Steps of the scroll bar for a second of the song."""


class LaneBoard(QWidget):
    """See the module's docstring.

    Attributes:
        viewport: the part of the song in sight. ``view``: the picture. ``heads``: the lanes' heads. ``source``, ``marks``: what is shown.
    """

    def __init__(self, bridge: Bridge, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.bridge, self.player_model, self.mixer_model = bridge, player_model_of(bridge), mixer_model_of(bridge)
        self.source, self.marks, self.viewport = stem_source_of(bridge), marks_of(bridge), Viewport(self)
        self.view = LaneView(self.player_model, self.source, self.marks, self.viewport)
        self.heads = HeadColumn(self.mixer_model)
        self.bar = QScrollBar(Qt.Orientation.Horizontal)
        self.bar.setAccessibleName(self.tr("Part of the song in sight"))
        self.bar.valueChanged.connect(self._scrolled)
        self._showing = False
        self._rows = QVBoxLayout()
        self._rows.setSpacing(0)
        self._rows.addWidget(self.view, 1)
        self._rows.addWidget(self.bar)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(0)
        row.addWidget(self.heads)
        row.addLayout(self._rows, 1)
        self.view.shaped.connect(self._place)
        self.view.lane_acted.connect(lambda number, field: self.heads.heads[number].act(field))
        self.view.rename_wanted.connect(self.rename)
        self.view.menu_wanted.connect(self._open_menu)
        self.viewport.changed.connect(self._show_bar)
        self.mixer_model.changed.connect(self._dress)
        self.mixer_model.strips_changed.connect(self._dress)
        self.source.changed.connect(self._dress)
        self._dress()
        self._show_bar()

    def add_ruler(self, widget: QWidget) -> None:
        """Put a row above the picture, as wide as it: its x axis is ``viewport``."""
        self._rows.insertWidget(self._rows.indexOf(self.view), widget)

    # -- lanes --------------------------------------------------------------------------------------------------------------

    def strips(self) -> list[str]:
        """The strips that have a lane."""
        if self.source.stems is not None:
            return [name for name in self.source.stems.names if name]
        return [strip for strip in self.mixer_model.strips if strip != PLAYED[0]]

    def _dress(self, _: object = None) -> None:
        """Show the lanes as the mixer is."""
        state, strips = self.mixer_model.state, self.strips()
        soloed = any(strip.solo for strip in state.stems.values())
        lanes = []
        for strip in strips:
            own = state.stems.get(strip)
            heard = own is None or not (own.mute or (soloed and not own.solo))
            lanes.append(LaneStyle(strip, self.mixer_model.colour(strip), heard, self.mixer_model.title(strip)))
        self.heads.show_strips(strips)
        self.heads.show_state(state)
        self.view.show_lanes(lanes)
        self._place()

    def _place(self) -> None:
        self.heads.place(self.view.places, self.view.mapTo(self, QPoint(0, 0)).y() if self.view.parent() is self else 0)

    def resizeEvent(self, event: QResizeEvent | None) -> None:  # noqa: N802 - Qt's names
        super().resizeEvent(event)
        self._place()

    def event(self, event: QEvent | None) -> bool:
        """Keep the heads beside their lanes also after a row was added."""
        done = super().event(event)
        if event is not None and event.type() == QEvent.Type.LayoutRequest:
            self._place()
        return done

    # -- zoom ---------------------------------------------------------------------------------------------------------------

    def zoom(self, steps: float) -> None:
        """Zoom in, or out with a negative number; what is at the playhead stays, if it is in sight, else the middle."""
        at, viewport = self.player_model.transport.position_s, self.viewport
        if not viewport.first_s <= at <= viewport.last_s:
            at = viewport.first_s + viewport.span_s / 2
        viewport.zoom_by(ZOOM_STEP**steps, at)

    def _show_bar(self) -> None:
        self._showing = True
        viewport = self.viewport
        self.bar.setVisible(viewport.zoomed)
        self.bar.setRange(0, round(TICKS * max(0.0, viewport.length_s - viewport.span_s)))
        self.bar.setPageStep(max(1, round(TICKS * viewport.span_s)))
        self.bar.setSingleStep(max(1, round(TICKS * viewport.span_s / 10)))
        self.bar.setValue(round(TICKS * viewport.first_s))
        self._showing = False

    def _scrolled(self, value: int) -> None:
        if not self._showing:
            self.viewport.scroll_to(value / TICKS)

    # -- markers and loops --------------------------------------------------------------------------------------------------

    def rename(self, note: Marker | SavedLoop) -> None:
        """Ask for another name of a marker or a loop."""
        title = self.tr("Rename marker") if isinstance(note, Marker) else self.tr("Rename loop")
        name, given = QInputDialog.getText(self.window(), title, self.tr("Name"), QLineEdit.EchoMode.Normal, note.name)
        if given and isinstance(note, Marker):
            self.marks.rename_marker(note, name)
        elif given and isinstance(note, SavedLoop):
            self.marks.rename_loop(note, name)

    def menu_of(self, at: Marker | SavedLoop | float, parent: QWidget | None = None) -> QMenu:
        """The menu of a marker, of a named loop, or of a position in seconds."""
        menu, marks = QMenu(parent or self), self.marks
        if isinstance(at, Marker):
            menu.addAction(self.tr("Go to “{}”").format(at.name.replace("&", "&&")), lambda: marks.choose_marker(at))
            menu.addAction(self.tr("Rename …"), lambda: self.rename(at))
            menu.addAction(self.tr("Delete"), lambda: marks.remove_marker(at))
        elif isinstance(at, SavedLoop):
            menu.addAction(self.tr("Play the loop “{}”").format(at.name.replace("&", "&&")), lambda: marks.play_loop(at))
            menu.addAction(self.tr("Show it large"), lambda: self.viewport.show_part(at.start_s, at.end_s))
            menu.addAction(self.tr("Rename …"), lambda: self.rename(at))
            menu.addAction(self.tr("Delete"), lambda: marks.remove_loop(at))
        else:
            menu.addAction(self.tr("Add a marker here"), lambda: marks.add_marker(at))
            keep = menu.addAction(self.tr("Keep the loop"), lambda: marks.keep_loop())
            assert keep is not None
            keep.setEnabled(self.player_model.transport.loop is not None and marks.playing_loop is None)
            menu.addAction(self.tr("Show the whole song"), self.viewport.fit)
        return menu

    def _open_menu(self, at: Marker | SavedLoop | float, place: QPoint) -> None:
        pop_up(self.menu_of(at), place)
