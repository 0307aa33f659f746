"""The dialog in which an effect or a plugin is chosen: a search, categories, and the list."""

from __future__ import annotations

from PyQt6.QtCore import QEvent, QObject, Qt, pyqtSignal
from PyQt6.QtGui import QColor, QKeyEvent
from PyQt6.QtWidgets import (
    QComboBox,
    QDialog,
    QHBoxLayout,
    QLineEdit,
    QListWidget,
    QListWidgetItem,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from gui import theme
from gui.inserts.library import Listed, PluginLibrary
from gui.widgets.plain import PlainLabel, plain

PLUGIN = Qt.ItemDataRole.UserRole
ALL, BUILT_IN, INSTALLED = "", "\0built in", "\0installed"
STEP_KEYS = (Qt.Key.Key_Up, Qt.Key.Key_Down, Qt.Key.Key_PageUp, Qt.Key.Key_PageDown)


class EffectBrowser(QDialog):
    """See the module's text.

    Signals:
        chosen(str): the user has chosen this plugin; the name is the one that commands use.
    """

    chosen = pyqtSignal(str)

    def __init__(self, library: PluginLibrary, title: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.library = library
        self.setWindowTitle(self.tr("Add an effect: {}").format(title))
        self.resize(520, 560)
        self.search = QLineEdit()
        self.search.setPlaceholderText(self.tr("Search, for example reverb"))
        self.search.setAccessibleName(self.tr("Search effects and plugins"))
        self.search.setClearButtonEnabled(True)
        self.search.installEventFilter(self)
        self.category = QComboBox()
        self.category.setAccessibleName(self.tr("Category"))
        self.category.setMaxVisibleItems(24)
        self.list = QListWidget()
        self.list.setAccessibleName(self.tr("Effects and plugins"))
        self.list.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.list.setWordWrap(True)
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
        self.search.textChanged.connect(self._fill)
        self.search.returnPressed.connect(self.choose)
        self.category.activated.connect(lambda _: self._fill())
        self.list.itemDoubleClicked.connect(lambda _: self.choose())
        self.list.currentItemChanged.connect(lambda: self._dress())
        library.changed.connect(self.show_library)
        library.advanced.connect(self._tell)
        self.show_library()
        library.look()
        self.search.setFocus()

    def _make_buttons(self) -> QHBoxLayout:
        row = QHBoxLayout()
        self.again = QPushButton(self.tr("Scan again"))
        self.again.setToolTip(self.tr("Look for installed plugins again, also for those that failed before"))
        self.again.clicked.connect(lambda: self.library.look(again=True))
        self.close_button = QPushButton(self.tr("Close"))
        self.close_button.clicked.connect(self.reject)
        self.add_button = QPushButton(self.tr("Add"))
        self.add_button.setProperty("kind", "primary")
        self.add_button.clicked.connect(self.choose)
        for button in (self.again, self.close_button, self.add_button):
            button.setAutoDefault(False)
        row.addWidget(self.again)
        row.addStretch(1)
        row.addWidget(self.close_button)
        row.addWidget(self.add_button)
        return row

    def eventFilter(self, watched: QObject | None, event: QEvent | None) -> bool:  # noqa: N802 - Qt's name
        """Arrow keys move through the list while the user types."""
        if watched is self.search and isinstance(event, QKeyEvent) and event.type() == QEvent.Type.KeyPress and event.key() in STEP_KEYS:
            self.list.keyPressEvent(event)
            return True
        return super().eventFilter(watched, event)

    def keyPressEvent(self, event: QKeyEvent | None) -> None:  # noqa: N802
        """Return in the list adds the plugin."""
        if event is not None and event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter) and self.list.hasFocus():
            self.choose()
            return
        super().keyPressEvent(event)

    def names(self) -> list[str]:
        """The plugins in the filtered list that can be added."""
        items = [self.list.item(row) for row in range(self.list.count())]
        return [item.data(PLUGIN) for item in items if item is not None and item.data(PLUGIN)]

    def choose(self) -> None:
        """Choose the selected plugin."""
        item = self.list.currentItem()
        if item is not None and item.data(PLUGIN):
            self.chosen.emit(item.data(PLUGIN))
            self.accept()

    def show_library(self) -> None:
        """Update the list after plugins were found or a search started."""
        kept = self.category.currentData()
        self.category.clear()
        for title, data in ((self.tr("All categories"), ALL), (self.tr("Built in"), BUILT_IN), (self.tr("Installed plugins"), INSTALLED)):
            self.category.addItem(title, data)
        for name in sorted({listed.category for listed in self.library.listed if listed.category}, key=str.casefold):
            self.category.addItem(name, name)
        self.category.setCurrentIndex(max(0, self.category.findData(kept)))
        self.again.setEnabled(not self.library.busy)
        self._fill()

    def _in_category(self, listed: Listed) -> bool:
        wanted = self.category.currentData()
        if wanted in (BUILT_IN, INSTALLED):
            return bool(listed.kind) == bool(wanted == INSTALLED)
        return not wanted or listed.category == str(wanted)

    def _fill(self) -> None:
        item = self.list.currentItem()
        kept = item.data(PLUGIN) if item is not None else ""
        words = self.search.text().lower().split()
        found = [listed for listed in self.library.listed if self._in_category(listed) and listed.matches(words)]
        self.list.blockSignals(True)
        self.list.clear()
        heading = ""
        for listed in sorted(found, key=lambda each: (bool(each.error), bool(each.kind), each.category.casefold() if each.kind else "")):
            title = self._heading(listed)
            if title != heading:
                heading = title
                self._add_heading(title)
            self._add(listed)
        self.list.blockSignals(False)
        names = self.names()
        self._mark(kept if kept in names else names[0] if names else "")
        self._tell()
        self._dress()

    def _heading(self, listed: Listed) -> str:
        if listed.error:
            return self.tr("Cannot be used")
        category = listed.category or self.tr("Other")
        return self.tr("{0} · built in").format(category) if not listed.kind else self.tr("{0} · plugins").format(category)

    def _add_heading(self, title: str) -> None:
        item = QListWidgetItem(title)
        item.setFlags(Qt.ItemFlag.NoItemFlags)
        item.setFont(theme.font(8.5, bold=True))
        item.setForeground(QColor(theme.current().muted_text))
        self.list.addItem(item)

    def _add(self, listed: Listed) -> None:
        about = listed.error or listed.summary or " · ".join(part for part in (listed.maker, listed.kind) if part)
        item = QListWidgetItem(f"{listed.name}\n{about}" if about else listed.name)
        item.setToolTip(plain(listed.plugin if listed.kind else listed.summary))
        item.setData(Qt.ItemDataRole.AccessibleTextRole, ", ".join(part for part in (listed.name, listed.category, about) if part))
        if listed.error:
            item.setFlags(Qt.ItemFlag.NoItemFlags)
        else:
            item.setData(PLUGIN, listed.plugin)
        self.list.addItem(item)

    def _mark(self, plugin: str) -> None:
        for row in range(self.list.count()):
            item = self.list.item(row)
            if item is not None and plugin and item.data(PLUGIN) == plugin:
                self.list.setCurrentRow(row)
                return

    def _tell(self) -> None:
        plugins = sum(bool(listed.kind) and not listed.error for listed in self.library.listed)
        if self.library.busy:
            told = f"{self.tr('Looking for installed plugins …')} {self.library.progress}".strip()
        elif self.library.problem:
            told = self.tr("Installed plugins cannot be listed: {}").format(self.library.problem)
        else:
            told = self.tr("Installed plugins: {}").format(plugins)
        self.count.setText(told if self.list.count() else f"{self.tr('Nothing matches.')} {told}")

    def _dress(self) -> None:
        item = self.list.currentItem()
        self.add_button.setEnabled(item is not None and bool(item.data(PLUGIN)))
