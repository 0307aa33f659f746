"""The page of an empty window: what to begin with, and the songs of the last days."""

from __future__ import annotations

from pathlib import Path

from PyQt6.QtCore import Qt, pyqtSignal
from PyQt6.QtGui import QResizeEvent, QShowEvent
from PyQt6.QtWidgets import (
    QBoxLayout,
    QFrame,
    QGridLayout,
    QHBoxLayout,
    QListWidget,
    QListWidgetItem,
    QPushButton,
    QScrollArea,
    QSizePolicy,
    QVBoxLayout,
    QWidget,
)

from gui.bridge import Bridge
from gui.player.choose import choose_song
from gui.player.demo import demo_song
from gui.player.icons import icon
from gui.player.player_model import player_model_of
from gui.player.recent import clear_recent, open_recent, recent_songs
from gui.widgets.choice import Choice
from gui.widgets.plain import PlainLabel, plain

INSTRUMENT = "sing-gm"
NARROW = 900
"""Width in pixels below which the recent songs are under the choices instead of beside them."""
SHOWN = 6
"""Songs whose rows are in sight without scrolling in a narrow window."""


class StartPage(QScrollArea):
    """See the module's docstring.

    Signals:
        page_wanted(str): show the page with this key. sentence_told(str): a sentence for the user. tour_wanted(): start the tour.
    """

    page_wanted = pyqtSignal(str)
    sentence_told = pyqtSignal(str)
    tour_wanted = pyqtSignal()

    def __init__(self, bridge: Bridge, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.bridge, self.player_model = bridge, player_model_of(bridge)
        self.setWidgetResizable(True)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.setAccessibleName(self.tr("Start"))
        content = QWidget()
        column = QVBoxLayout(content)
        column.setContentsMargins(24, 18, 24, 18)
        column.setSpacing(14)
        column.addLayout(self._make_head())
        self._sides = QBoxLayout(QBoxLayout.Direction.LeftToRight)
        self._sides.setSpacing(14)
        self.choices = self._make_choices()
        self.recent = self._make_recent()
        self._sides.addWidget(self.choices, 3)
        self._sides.addWidget(self.recent, 2)
        column.addLayout(self._sides, 1)
        self.setWidget(content)
        self._shown: list[str] | None = None
        self._song = self.player_model.transport.path
        self.player_model.changed.connect(self._look)
        self.show_recent()

    # -- parts --------------------------------------------------------------------------------------------------------------

    def _make_head(self) -> QHBoxLayout:
        row = QHBoxLayout()
        title = PlainLabel(self.tr("What do you want to hear?"))
        title.setProperty("role", "brand")
        title.setWordWrap(True)
        self.tour_button = QPushButton(self.tr("Take the tour"))
        self.tour_button.setToolTip(self.tr("Six hints to the parts of the window, in a minute (Shift+F1)"))
        self.tour_button.clicked.connect(self.tour_wanted)
        row.addWidget(title, 1)
        row.addWidget(self.tour_button)
        return row

    def _make_choices(self) -> QWidget:
        box = QWidget()
        box.setAccessibleName(self.tr("What do you want to hear?"))
        grid = QGridLayout(box)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setSpacing(14)
        self.demo = Choice(
            self.tr("The demo song"), self.tr("Forty seconds, in four stems at once."), lambda: icon("demo")
        )
        self.song = Choice(
            self.tr("A song of yours"), self.tr("WAV, FLAC, MP3, M4A and others; or drop one on the window."), lambda: icon("open")
        )
        self.microphone = Choice(
            self.tr("The microphone"),
            self.tr("Or a line-in: separated, denoised, with effects. Put on headphones."),
            lambda: icon("microphone"),
        )
        self.keyboard = Choice(
            self.tr("The keyboard"), self.tr("Play 66 instruments with MIDI, mouse or computer keys."), lambda: icon("keyboard")
        )
        if not demo_song():
            self.demo.setEnabled(False)
            self.demo.explain(self.tr("It is not part of this installation."))
        for place, (choice, act) in enumerate(
            ((self.demo, self._open_demo), (self.song, self._choose), (self.microphone, self._listen), (self.keyboard, self._play))
        ):
            choice.clicked.connect(act)
            grid.addWidget(choice, place // 2, place % 2)
            grid.setColumnStretch(place % 2, 1)
            grid.setRowStretch(place // 2, 1)
        return box

    def _make_recent(self) -> QWidget:
        card = QFrame()
        card.setProperty("card", True)
        column = QVBoxLayout(card)
        column.setContentsMargins(14, 12, 14, 12)
        head = QHBoxLayout()
        title = PlainLabel(self.tr("Recent songs"))
        title.setProperty("role", "heading")
        self.clear_button = QPushButton(self.tr("Clear"))
        self.clear_button.setProperty("kind", "flat")
        self.clear_button.setAccessibleName(self.tr("Clear the list of recent songs"))
        self.clear_button.setToolTip(self.clear_button.accessibleName())
        self.clear_button.clicked.connect(self._clear)
        head.addWidget(title, 1)
        head.addWidget(self.clear_button)
        self.songs = QListWidget()
        self.songs.setAccessibleName(self.tr("Recent songs"))
        self.songs.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.songs.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.songs.setTextElideMode(Qt.TextElideMode.ElideMiddle)
        self.songs.itemActivated.connect(self._open_item)
        self.songs.itemClicked.connect(self._open_item)
        column.addLayout(head)
        column.addWidget(self.songs, 1)
        return card

    # -- choices ------------------------------------------------------------------------------------------------------------

    def _begin(self) -> None:
        if self.bridge.snapshot.state == "stopped":
            self.bridge.start()

    def _open_demo(self) -> None:
        self._begin()
        self.player_model.open(demo_song())

    def _choose(self) -> None:
        choose_song(self.player_model, self.window())
        if self.player_model.pending:
            self._begin()

    def _listen(self) -> None:
        self._begin()
        if self.bridge.configure(input="default", loop=False):
            self.page_wanted.emit("mixer")
            self.sentence_told.emit(self.tr("The microphone is open and not heard yet: put on headphones, then press Monitor."))

    def _play(self) -> None:
        self._begin()
        if self.bridge.config.instrument or self.bridge.configure(instrument=INSTRUMENT):
            self.page_wanted.emit("instrument")

    def _open_item(self, item: QListWidgetItem) -> None:
        path = item.data(Qt.ItemDataRole.UserRole)
        if path != self.player_model.pending and open_recent(self.player_model, path):  # a double click comes as a click, too
            self._begin()

    def _clear(self) -> None:
        clear_recent(self.bridge)
        self.show_recent()
        self.song.setFocus()

    # -- what is ------------------------------------------------------------------------------------------------------------

    def _look(self) -> None:
        """Go to the mixer when a song begins that was chosen here."""
        before, self._song = self._song, self.player_model.transport.path
        self.show_recent()
        if self._song and self._song != before and self.isVisible():
            self.page_wanted.emit("mixer")

    def show_recent(self) -> None:
        """Show the present list; without songs there is none."""
        songs = recent_songs(self.bridge)
        self.recent.setVisible(bool(songs))
        if songs == self._shown:
            return
        self._shown = songs
        self.songs.clear()
        for path in songs:
            item = QListWidgetItem(Path(path).name)
            item.setData(Qt.ItemDataRole.UserRole, path)
            item.setToolTip(plain(path))
            self.songs.addItem(item)
        if songs:
            self.songs.setCurrentRow(0)

    def showEvent(self, event: QShowEvent | None) -> None:  # noqa: N802 - Qt's names here and below
        super().showEvent(event)
        self._song = self.player_model.transport.path
        self.show_recent()

    def resizeEvent(self, event: QResizeEvent | None) -> None:  # noqa: N802
        super().resizeEvent(event)
        narrow = self.width() < NARROW
        self._sides.setDirection(QBoxLayout.Direction.TopToBottom if narrow else QBoxLayout.Direction.LeftToRight)
        rows = min(SHOWN, self.songs.count()) if narrow else 2
        self.songs.setMinimumHeight(rows * (self.songs.sizeHintForRow(0) if self.songs.count() else 0) + 2 * self.songs.frameWidth())
