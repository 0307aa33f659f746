"""Buttons and lists for zoom, stems, markers and named loops, for a row beside others."""

from __future__ import annotations

from collections.abc import Callable

from PyQt6.QtWidgets import QComboBox, QMenu, QPushButton, QWidget

from gui.player.lanes.board import LaneBoard
from gui.player.times import clock
from gui.song_notes import Marker, SavedLoop
from gui.widgets.plain import plain
from gui.widgets.popup import pop_up
from gui.widgets.toggle import Toggle

LIST_WIDTH = 176


class LaneTools(QWidget):
    """Makes the parts and keeps them right; ``groups`` are put into a layout by the page, those of one group side by side."""

    def __init__(self, board: LaneBoard, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.hide()  # it shows nothing itself
        self.board, self.marks, self.viewport, self.source = board, board.marks, board.viewport, board.source
        self.zoom_out = self._button("−", self.tr("Zoom out (Ctrl+−)"), lambda: board.zoom(-1))
        self.zoom_in = self._button("+", self.tr("Zoom in (Ctrl++)"), lambda: board.zoom(1))
        self.fit = self._button(self.tr("Fit"), self.tr("Show the whole song (Ctrl+0)"), self.viewport.fit)
        self.follow = self._toggle(self.tr("Follow"), self.tr("Scroll with the song while it plays"))
        self.follow.setChecked(True)
        self.follow.clicked.connect(self._follow)
        self.stems = self._toggle(self.tr("Stems"), self.tr("Draw the stems"))
        self.stems.clicked.connect(self.source.want)
        self.markers = self._list(self.tr("Markers of the song"))
        self.markers.activated.connect(self._marker_chosen)
        self.add = self._button(self.tr("+ Marker"), self.tr("Add a marker at the playhead (Ctrl+M)"), lambda: self.marks.add_marker())
        self.marker_more = self._menu_button(self.tr("Change the markers"), self._marker_menu)
        self.loops = self._list(self.tr("Loops of the song"))
        self.loops.activated.connect(self._loop_chosen)
        self.keep = self._button(self.tr("Keep loop"), self.tr("Keep the loop with the song (Ctrl+L)"), lambda: self.marks.keep_loop())
        self.loop_more = self._menu_button(self.tr("Change the loops"), self._loop_menu)
        self.groups: list[list[QWidget]] = [
            [self.loops, self.keep, self.loop_more], [self.markers, self.add, self.marker_more],
            [self.zoom_out, self.zoom_in, self.fit, self.follow, self.stems],
        ]  # fmt: skip
        self.marks.changed.connect(self.dress)
        self.viewport.changed.connect(self.dress)
        self.source.changed.connect(self._dress_stems)
        board.player_model.changed.connect(self.dress)
        self.dress()
        self._dress_stems()

    # -- parts --------------------------------------------------------------------------------------------------------------

    def _button(self, text: str, name: str, act: Callable[[], object]) -> QPushButton:
        button = QPushButton(text)
        button.setAccessibleName(name)
        button.setToolTip(name)
        button.clicked.connect(lambda: act())
        return button

    def _toggle(self, text: str, name: str) -> Toggle:
        return Toggle(text, "switch", name)

    def _list(self, name: str) -> QComboBox:
        found = QComboBox()
        found.setAccessibleName(name)
        found.setFixedWidth(LIST_WIDTH)
        return found

    def _menu_button(self, name: str, make: Callable[[], QMenu]) -> QPushButton:
        def open_menu() -> None:
            pop_up(make(), button.mapToGlobal(button.rect().bottomLeft()))

        button = self._button("⋯", name, open_menu)
        return button

    # -- state --------------------------------------------------------------------------------------------------------------

    def dress(self) -> None:
        """Show markers, loops and zoom."""
        marks, song = self.marks, self.board.player_model.has_song
        playing, loop = marks.playing_loop, self.board.player_model.transport.loop
        _fill(self.markers, [self.tr("Markers: {}").format(len(marks.markers)), *map(_marker_text, marks.markers)])
        self.markers.setCurrentIndex(marks.markers.index(marks.chosen) + 1 if marks.chosen in marks.markers else 0)
        first = self.tr("No loop") if loop is None else self.tr("Loop A–B")
        _fill(self.loops, [first, *map(_loop_text, marks.loops)])
        self.loops.setCurrentIndex(marks.loops.index(playing) + 1 if playing is not None else 0)
        for widget, possible in (
            (self.markers, bool(marks.markers)), (self.marker_more, bool(marks.markers)), (self.add, song),
            (self.loops, bool(marks.loops)), (self.loop_more, bool(marks.loops)), (self.keep, loop is not None and playing is None),
            (self.zoom_in, song), (self.zoom_out, self.viewport.zoomed), (self.fit, self.viewport.zoomed), (self.follow, song),
        ):  # fmt: skip
            widget.setEnabled(possible)

    def _dress_stems(self) -> None:
        source = self.source
        self.stems.show_on(source.wanted)
        text = self.tr("Stems {} %").format(int(100 * source.share)) if source.working else self.tr("Stems")
        if text != self.stems.text():
            self.stems.setText(text)
        self.stems.setAccessibleDescription(
            self.tr("{} % of the song is separated; press to cancel").format(int(100 * source.share)) if source.working else ""
        )
        tip = self.tr("Draw the stems: the song is separated in the background, when the processor has nothing else to do")
        self.stems.setToolTip(plain(tip))

    # -- hands --------------------------------------------------------------------------------------------------------------

    def _follow(self, on: bool) -> None:
        self.viewport.following = on
        if on:
            self.viewport.reveal(self.board.player_model.transport.position_s)

    def _marker_chosen(self, index: int) -> None:
        if 0 < index <= len(self.marks.markers):
            marker = self.marks.markers[index - 1]
            self.marks.choose_marker(marker)
            self.viewport.reveal(marker.at_s)

    def _loop_chosen(self, index: int) -> None:
        if 0 < index <= len(self.marks.loops):
            loop = self.marks.loops[index - 1]
            self.marks.play_loop(loop)
            self.viewport.reveal(loop.start_s)
        else:
            self.board.player_model.clear_loop()
        self.dress()

    def _marker_menu(self) -> QMenu:
        chosen = self.marks.chosen
        if chosen is not None:
            return self.board.menu_of(chosen)
        return self._submenus(self.marks.markers, _marker_text)

    def _loop_menu(self) -> QMenu:
        playing = self.marks.playing_loop
        if playing is not None:
            return self.board.menu_of(playing)
        return self._submenus(self.marks.loops, _loop_text)

    def _submenus(self, notes: list[Marker] | list[SavedLoop], text: Callable[..., str]) -> QMenu:
        """A menu of each of them, if none is chosen."""
        menu = QMenu(self.board)
        for note in notes:
            inner = self.board.menu_of(note, menu)
            inner.setTitle(text(note).replace("&", "&&"))
            menu.addMenu(inner)
        return menu


def _fill(box: QComboBox, texts: list[str]) -> None:
    if [box.itemText(k) for k in range(box.count())] != texts:
        box.clear()
        box.addItems(texts)


def _marker_text(marker: Marker) -> str:
    return f"{clock(marker.at_s, tenths=True)}  {marker.name}"


def _loop_text(loop: SavedLoop) -> str:
    return f"{loop.name}  {clock(loop.start_s)}–{clock(loop.end_s)}"
