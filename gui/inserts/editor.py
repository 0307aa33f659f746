"""The generic editor of an effect or a plugin, made from the table of its parameters."""

from __future__ import annotations

from PyQt6.QtCore import Qt, pyqtSignal
from PyQt6.QtWidgets import QDialog, QGridLayout, QHBoxLayout, QPushButton, QScrollArea, QVBoxLayout, QWidget

from gui.effect_words import status_title, translated
from gui.insert_moves import PLAYED, InsertMoves
from gui.inserts.library import PluginLibrary
from gui.inserts.row import ParameterRow
from gui.inserts.status import status_of
from gui.mixer_model import MixerModel
from gui.shortcuts import bind
from gui.theme import stem_title
from gui.widgets.plain import PlainLabel
from gui.widgets.search import SearchField
from gui.widgets.toggle import Toggle
from rtaudio.protocol.parameters import Parameter
from rtaudio.protocol.reports import Snapshot

MOST_ROWS = 100
"""Number of parameters shown at once; a search finds the others."""
SEARCHED = 12
"""Number of parameters from which there is a search."""
ROW, HIGHEST, WIDEST_NAME = 36, 640, 190
"""Sizes in pixels: of a parameter, of a new editor, and of a parameter's name in one line."""


class InsertPanel(QWidget):
    """What is known of one insert, or of the plugin that plays the instrument, and its parameters.

    Signals:
        renamed(str): its name has become known. built(): its controls are new. gone(): it is not there any more.
    """

    renamed = pyqtSignal(str)
    built = pyqtSignal()
    gone = pyqtSignal()

    def __init__(self, mixer_model: MixerModel, library: PluginLibrary, place: str, key: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.mixer_model, self.library, self.place, self.key = mixer_model, library, place, key
        self.moves: InsertMoves = mixer_model.inserts
        self.rows: dict[str, ParameterRow] = {}
        self._table: tuple[Parameter, ...] | None = None
        self._shown = ""
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(10)
        column.addLayout(self._make_head())
        self.message = PlainLabel()
        self.message.setWordWrap(True)
        column.addWidget(self.message)
        self.search = SearchField(self.tr("Search parameters"), self.tr("Search parameters"))
        self.search.textChanged.connect(lambda _: self._build())
        column.addWidget(self.search)
        self.area = QScrollArea()
        self.area.setWidgetResizable(True)
        self.area.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        column.addWidget(self.area, 1)
        self.note = PlainLabel()
        self.note.setProperty("role", "small")
        self.note.setWordWrap(True)
        column.addWidget(self.note)
        mixer_model.changed.connect(self.show_state)
        mixer_model.bridge.snapshot_changed.connect(self.show_snapshot)
        library.changed.connect(self.show_table)
        self.show_table()
        self.show_snapshot(mixer_model.bridge.snapshot)

    @property
    def _plugin(self) -> str:
        entry = self.moves.find(self.place, self.key)
        return entry.plugin if entry is not None else ""

    def _make_head(self) -> QHBoxLayout:
        self.head = row = QHBoxLayout()
        self.name = PlainLabel(self.moves.title(self.place, self.key))
        self.name.setProperty("role", "heading")
        self.again = QPushButton(self.tr("Start again"))
        self.again.clicked.connect(lambda: self.moves.start_again(self.place, self.key))
        self.bypass = Toggle(self.tr("Bypass"), "bypass", self.tr("Bypass this effect"), self.tr("Hear the sound without this effect"))
        self.bypass.clicked.connect(lambda on: self.moves.bypass(self.place, self.key, on))
        self.bypass.setVisible((self.place, self.key) != PLAYED)
        self.own = QPushButton(self.tr("Plugin's own window"))
        self.own.clicked.connect(lambda: self.moves.open_editor(self.place, self.key))
        row.addWidget(self.name, 1)
        for button in (self.again, self.own, self.bypass):
            button.setAutoDefault(False)
            row.addWidget(button)
        return row

    def reset(self) -> None:
        """Set all parameters to their defaults, as one step of undo."""
        table = [p for p in self._table or () if self.moves.value(self.place, self.key, p) != p.default]
        if not table:
            return
        self.mixer_model.undo.beginMacro(self.tr("Reset {}").format(self.moves.title(self.place, self.key)))
        for parameter in table:
            self.moves.turn(self.place, self.key, parameter, parameter.default)
        self.mixer_model.undo.endMacro()

    @property
    def known(self) -> bool:
        """Whether its parameters are known, and there are any."""
        return bool(self._table)

    # -- parameters ---------------------------------------------------------------------------------------------------------

    def show_table(self) -> None:
        """Show the parameters, or that they are not known yet."""
        plugin = self._plugin
        table = self.library.parameters(plugin)
        if table is None:
            self.library.know(plugin)
            looking = self.tr("Looking for its parameters …")
            none = self.tr("The parameters of this plugin are not known, because it could not be loaded.")
            self.note.setText(looking if self.library.busy else none)
        if table == self._table and plugin == self._shown and self.area.widget() is not None:
            return
        self._table, self._shown = table, plugin
        self.search.setVisible(len(table or ()) > SEARCHED)
        self._build()

    def _build(self) -> None:
        found = [p for p in self._table or () if self.search.matches(f"{translated(p.name)} {p.id}")]
        board = QWidget()
        grid = QGridLayout(board)
        grid.setContentsMargins(0, 4, 8, 4)
        grid.setHorizontalSpacing(12)
        grid.setVerticalSpacing(8)
        grid.setColumnStretch(1, 1)
        self.rows = {}
        for number, parameter in enumerate(found[:MOST_ROWS]):
            row = ParameterRow(self.moves, self.place, self.key, parameter, board)
            self.rows[parameter.id] = row
            row.put_into(grid, number)
        widths = [self.fontMetrics().horizontalAdvance(row.label.text()) for row in self.rows.values()]
        grid.setColumnMinimumWidth(0, min(WIDEST_NAME, 8 + max(widths, default=0)))
        grid.setRowStretch(grid.rowCount(), 1)
        self.area.setWidget(board)
        if self._table is not None:
            few = self.tr("{0} of {1} parameters: search for the others.").format(MOST_ROWS, len(found))
            help = self.tr("Double click or Del: default. Right click: MIDI learn.")
            none = self.tr("It has no parameters.") if not self._table else self.tr("Nothing matches.")
            self.note.setText(few if len(found) > MOST_ROWS else help if found else none)
        self.show_state()
        self.built.emit()

    # -- engine to screen ---------------------------------------------------------------------------------------------------

    def show_state(self, _: object = None) -> None:
        """Show the mixer model's values."""
        entry = self.moves.find(self.place, self.key)
        if entry is None:
            self.gone.emit()
            return
        if entry.plugin != self._shown:  # another instrument
            self.show_table()
            return
        self.bypass.show_on(entry.bypass)
        for row in self.rows.values():
            row.show_number(self.moves.value(self.place, self.key, row.parameter))

    def show_snapshot(self, snapshot: Snapshot) -> None:
        """Show the engine's message about the insert."""
        status, message = status_of(self.moves, self.place, self.key)
        report = self.moves.report(self.place, self.key)
        trouble = status in ("failed", "missing")
        told = message or (status_title(status) if trouble or status == "loading" else "")
        self.message.setText(f"⚠ {told}" if trouble else told)
        self.message.setVisible(bool(told))
        self.again.setVisible(trouble)
        self.own.setVisible(report is not None and report.editor)
        title = self.moves.title(self.place, self.key)
        if title != self.name.text():
            self.name.setText(title)
            self.renamed.emit(title)
        for row in self.rows.values():
            row.show_learning(snapshot.instrument.learning)


class InsertEditor(QDialog):
    """The editor of one insert in a window of its own. It closes by itself when the insert is gone."""

    def __init__(
        self, mixer_model: MixerModel, library: PluginLibrary, place: str, key: str, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self.panel = panel = InsertPanel(mixer_model, library, place, key, self)
        column = QVBoxLayout(self)
        column.setContentsMargins(16, 14, 16, 14)
        column.setSpacing(10)
        column.addWidget(panel, 1)
        column.addLayout(self._make_buttons())
        bind(
            self,
            {
                "undo": mixer_model.undo.undo,
                "redo": mixer_model.undo.redo,
                "panic": lambda: mixer_model.bridge.send("panic"),
            },
        )
        panel.renamed.connect(lambda title: self._entitle(title))
        panel.gone.connect(self.reject)
        self._entitle(panel.name.text())
        self.resize(520, min(HIGHEST, 170 + ROW * len(panel.rows)))
        if panel.rows:
            next(iter(panel.rows.values())).control.setFocus()

    @property
    def rows(self) -> dict[str, ParameterRow]:
        """The parameters in sight, by their ids."""
        return self.panel.rows

    def _entitle(self, title: str) -> None:
        self.setWindowTitle(f"{stem_title(self.panel.place)}: {title}")

    def _make_buttons(self) -> QHBoxLayout:
        row = QHBoxLayout()
        self.rest = QPushButton(self.tr("Reset"))
        self.rest.setToolTip(self.tr("Reset all parameters to their defaults"))
        self.rest.clicked.connect(self.panel.reset)
        self.close_button = QPushButton(self.tr("Close"))
        self.close_button.clicked.connect(self.reject)
        for button in (self.rest, self.close_button):
            button.setAutoDefault(False)
        row.addWidget(self.rest)
        row.addStretch(1)
        row.addWidget(self.close_button)
        return row
