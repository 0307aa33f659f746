"""The dialogs in which an effect, a plugin or an instrument is chosen: a search, categories, and the list."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from PyQt6.QtCore import QPoint, Qt, pyqtSignal
from PyQt6.QtGui import QKeyEvent
from PyQt6.QtWidgets import QComboBox, QDialog, QFileDialog, QHBoxLayout, QMenu, QPushButton, QVBoxLayout, QWidget

from gui.inserts.library import Listed, PluginLibrary, instrument_models
from gui.widgets.plain import PlainLabel, plain
from gui.widgets.popup import pop_up
from gui.widgets.search import HeadedList, SearchField
from gui.widgets.toggle import polish
from models.card import CardError
from models.catalog import load_card
from rtaudio.protocol.insert_checks import is_foreign

ALL, BUILT_IN, INSTALLED = "", "\0built in", "\0installed"


class PluginBrowser(QDialog):
    """The common parts of the dialogs below, which say what they offer.

    Signals:
        chosen(str): the user has chosen this plugin; the name is the one that commands use.
    """

    chosen = pyqtSignal(str)

    def __init__(self, library: PluginLibrary, hint: str, current: str = "", parent: QWidget | None = None) -> None:
        super().__init__(parent)
        instrument_models.cache_clear()  # one may have been installed since
        self.library, self._current = library, current
        self._file = self._told = ""
        self.resize(520, 560)
        self.search = SearchField(hint, self.tr("Search effects and plugins"))
        self.category = QComboBox()
        self.category.setAccessibleName(self.tr("Category"))
        self.category.setMaxVisibleItems(24)
        self.list = HeadedList(self.tr("Effects and plugins"))
        self.list.setWordWrap(True)
        self.search.steer(self.list)
        self.count = PlainLabel()
        self.count.setProperty("role", "small")
        self.count.setWordWrap(True)
        top = QHBoxLayout()
        top.addWidget(self.search, 3)
        top.addWidget(self.category, 2)
        column = QVBoxLayout(self)
        column.setContentsMargins(16, 14, 16, 14)
        column.setSpacing(10)
        column.addLayout(top)
        column.addWidget(self.list, 1)
        column.addWidget(self.count)
        column.addLayout(self._make_buttons())
        self.search.textChanged.connect(self._typed)
        self.search.returnPressed.connect(self.choose)
        self.category.activated.connect(lambda _: self._fill())
        self.list.itemDoubleClicked.connect(lambda _: self.choose())
        self.list.currentItemChanged.connect(lambda: self._dress())
        library.changed.connect(self.show_library)
        library.advanced.connect(self._tell)
        library.examined.connect(self._examined)
        self.show_library()
        library.look()
        self.search.setFocus()

    # -- what a dialog offers -----------------------------------------------------------------------------------------------

    def offered(self) -> Sequence[Listed]:
        """All that is listed."""
        raise NotImplementedError

    def group(self, listed: Listed) -> str:
        """The category under which it is listed."""
        return listed.category

    def unfit(self, listed: Listed) -> str:
        """Why it cannot be chosen here, a sentence; "" if it can."""
        raise NotImplementedError

    # -- parts --------------------------------------------------------------------------------------------------------------

    def _make_buttons(self) -> QHBoxLayout:
        row = QHBoxLayout()
        self.again = QPushButton(self.tr("Scan again"))
        self.again.setToolTip(self.tr("Look for installed plugins again, also for those that failed before"))
        self.again.clicked.connect(lambda: self.library.look(again=True))
        self.file_button = QPushButton(self.tr("From a file …"))
        self.file_button.setToolTip(
            self.tr("Choose a plugin that is in none of the usual folders. Its path can also be typed into the search.")
        )
        self.file_button.clicked.connect(self._open_menu)
        self.close_button = QPushButton(self.tr("Close"))
        self.close_button.clicked.connect(self.reject)
        self.add_button = QPushButton(self.tr("Add"))
        self.add_button.setProperty("kind", "primary")
        self.add_button.clicked.connect(self.choose)
        for button in (self.again, self.file_button, self.close_button, self.add_button):
            button.setAutoDefault(False)
        row.addWidget(self.again)
        row.addWidget(self.file_button)
        row.addStretch(1)
        row.addWidget(self.close_button)
        row.addWidget(self.add_button)
        return row

    def keyPressEvent(self, event: QKeyEvent | None) -> None:  # noqa: N802 - Qt's name
        """Return in the list adds the plugin."""
        if event is not None and event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter) and self.list.hasFocus():
            self.choose()
            return
        super().keyPressEvent(event)

    # -- a plugin's file ----------------------------------------------------------------------------------------------------

    def file_menu(self) -> QMenu:
        """What can be chosen: a plugin is a file or, as a bundle, a folder."""
        menu = QMenu(self)
        for text, act in (
            (self.tr("A file …"), self._ask_file),
            (self.tr("A folder (most .vst3 plugins are folders) …"), self._ask_folder),
        ):
            action = menu.addAction(text)
            assert action is not None
            action.triggered.connect(lambda _, do=act: do())
        return menu

    def _open_menu(self) -> None:
        pop_up(self.file_menu(), self.file_button.mapToGlobal(QPoint(0, self.file_button.height())))

    def _ask_file(self) -> None:
        plugins, every = self.tr("Plugins (*.vst3 *.component)"), self.tr("All files (*)")
        self.take_file(QFileDialog.getOpenFileName(self, self.tr("The file of a plugin"), "", f"{plugins};;{every}")[0])

    def _ask_folder(self) -> None:
        self.take_file(QFileDialog.getExistingDirectory(self, self.tr("The folder of a plugin (.vst3, .component)")))

    def take_file(self, path: str) -> None:
        """Load the plugin at a path (or with a full name such as ``lv2:URI``), and choose it if it fits; else say why it does not."""
        if path:
            self._file, self._told = path, ""
            self.library.examine(path)

    def _examined(self, plugin: str, problem: str) -> None:
        if plugin != self._file:
            return
        self._file = ""
        found = [
            listed
            for listed in self.library.plugins
            if listed.plugin == plugin or listed.plugin.startswith(f"{plugin}::")
        ]
        fitting = [listed for listed in found if not self._wrong(listed)]
        if len(fitting) == 1:
            self._take(fitting[0].plugin)
            return
        self._told = problem or (self._wrong(found[0]) if found and not fitting else "")
        if fitting:  # a file with several plugins
            self.category.setCurrentIndex(0)
            self.search.setText(plugin)
        self._tell()

    # -- the list -----------------------------------------------------------------------------------------------------------

    def names(self) -> list[str]:
        """The plugins in the filtered list that can be added."""
        return self.list.keys()

    def choose(self) -> None:
        """Choose the selected plugin; where nothing is found, a typed path is taken for a plugin's."""
        if key := self.list.current_key():
            self._take(key)
        elif _like_a_path(self.search.text()):
            self.take_file(self.search.text().strip())

    def _take(self, plugin: str) -> None:
        self.chosen.emit(plugin)
        self.accept()

    def show_library(self) -> None:
        """Update the list after plugins were found or a search started."""
        kept = self.category.currentData()
        self.category.clear()
        for title, data in ((self.tr("All categories"), ALL), (self.tr("Built in"), BUILT_IN), (self.tr("Installed plugins"), INSTALLED)):
            self.category.addItem(title, data)
        for name in sorted({group for listed in self.offered() if (group := self.group(listed))}, key=str.casefold):
            self.category.addItem(name, name)
        self.category.setCurrentIndex(max(0, self.category.findData(kept)))
        self.again.setEnabled(not self.library.busy)
        self._fill()

    def _wrong(self, listed: Listed) -> str:
        return listed.error or self.unfit(listed)

    def _in_category(self, listed: Listed) -> bool:
        wanted = self.category.currentData()
        if wanted in (BUILT_IN, INSTALLED):
            return bool(listed.kind) == bool(wanted == INSTALLED)
        return not wanted or self.group(listed) == str(wanted)

    def _typed(self) -> None:
        self._told = ""
        self._fill()

    def _fill(self) -> None:
        kept = self.list.current_key() or self._current
        found = [listed for listed in self.offered() if self._in_category(listed) and self.search.matches(listed.text)]
        self.list.blockSignals(True)
        self.list.clear()
        heading = ""
        for listed in sorted(
            found,
            key=lambda each: (bool(self._wrong(each)), bool(each.kind), self.group(each).casefold() if each.kind else ""),
        ):
            title = self._heading(listed)
            if title != heading:
                heading = title
                self.list.add_heading(title)
            self._add(listed)
        names = self.names()
        self.list.mark(kept if kept in names else names[0] if names else "")
        self.list.blockSignals(False)
        self._tell()
        self._dress()

    def _heading(self, listed: Listed) -> str:
        if self._wrong(listed):
            return self.tr("Cannot be used")
        category = self.group(listed) or self.tr("Other")
        return self.tr("{0} · built in").format(category) if not listed.kind else self.tr("{0} · plugins").format(category)

    def _add(self, listed: Listed) -> None:
        wrong = self._wrong(listed)
        about = wrong or listed.summary or " · ".join(part for part in (listed.maker, listed.kind) if part)
        item = self.list.add_entry(f"{listed.name}\n{about}" if about else listed.name, "" if wrong else listed.plugin)
        item.setToolTip(plain(listed.plugin if listed.kind else listed.summary))
        item.setData(
            Qt.ItemDataRole.AccessibleTextRole,
            ", ".join(part for part in (listed.name, listed.category, about) if part),
        )

    def _tell(self) -> None:
        plugins = sum(bool(listed.kind) and not self._wrong(listed) for listed in self.offered())
        if self._told:
            told = f"⚠ {self._told}"
        elif self._file:
            told = self.tr("Loading {} …").format(self._file)
        elif self.library.busy:
            told = f"{self.tr('Looking for installed plugins …')} {self.library.progress}".strip()
        elif self.library.problem:
            told = self.tr("Installed plugins cannot be listed: {}").format(self.library.problem)
        else:
            told = self.tr("Installed plugins: {}").format(plugins)
        if not self.list.count() and not self._told:
            path = self.tr("Return loads the plugin with this name.") if _like_a_path(self.search.text()) else ""
            told = " ".join(part for part in (self.tr("Nothing matches."), path, told) if part)
        self.count.setText(told)
        if self.count.property("role") != (role := "key" if self._told else "small"):
            self.count.setProperty("role", role)
            polish(self.count)

    def _dress(self) -> None:
        self.add_button.setEnabled(bool(self.list.current_key()) or _like_a_path(self.search.text()))


def _like_a_path(text: str) -> bool:
    """Whether what is searched looks like a plugin's full name: a path, ``lv2:URI`` or ``python:NAME``."""
    text = text.strip()
    return text.startswith(("lv2:", "python:")) or "/" in text or "\\" in text


class EffectBrowser(PluginBrowser):
    """Effects for the slots of ``title``."""

    def __init__(self, library: PluginLibrary, title: str, parent: QWidget | None = None) -> None:
        super().__init__(library, self.tr("Search, for example reverb"), "", parent)
        self.setWindowTitle(self.tr("Add an effect: {}").format(title))

    def offered(self) -> Sequence[Listed]:
        return self.library.listed

    def unfit(self, listed: Listed) -> str:
        return self.tr("It is an instrument: choose it on the page Instrument.") if listed.instrument else ""


class InstrumentBrowser(PluginBrowser):
    """Models and plugins that MIDI can play. ``current``: what plays now."""

    def __init__(self, library: PluginLibrary, current: str, parent: QWidget | None = None) -> None:
        super().__init__(library, self.tr("Search, for example piano"), current, parent)
        self.setWindowTitle(self.tr("Choose an instrument"))
        self.search.setAccessibleName(self.tr("Search instruments"))
        self.list.setAccessibleName(self.tr("Instruments"))
        self.add_button.setText(self.tr("Use"))

    def offered(self) -> Sequence[Listed]:
        own = (Listed(self._current, Path(self._current).name, "", self._current, instrument=True),)
        models, plugins = instrument_models(), (listed for listed in self.library.plugins if listed.instrument)
        elsewhere = self._current and not is_foreign(self._current) and self._current not in [listed.plugin for listed in models]
        return [*models, *(own if elsewhere else ()), *plugins]

    def take_file(self, path: str) -> None:
        """Take the folder of a model, too."""
        if (Path(path) / "card.json").is_file():
            try:
                card = load_card(path)
            except CardError as error:
                self._told = str(error)
            else:
                if card.kind == "instrument":
                    self._take(path)
                    return
                self._told = self.tr("{0} is a {1}, not an instrument.").format(card.name, card.kind)
            self._tell()
            return
        super().take_file(path)

    def unfit(self, listed: Listed) -> str:
        return "" if listed.instrument else self.tr("{} is an effect, not an instrument.").format(listed.name)

    def group(self, listed: Listed) -> str:
        return self.tr("Models") if not listed.kind else listed.kind
