"""A list with headings, and the field that searches it. The arrow keys move through the list while a person types."""

from __future__ import annotations

from PyQt6.QtCore import QEvent, QObject, Qt
from PyQt6.QtGui import QColor, QKeyEvent
from PyQt6.QtWidgets import QLineEdit, QListWidget, QListWidgetItem, QWidget

from gui import theme

KEY = Qt.ItemDataRole.UserRole
STEP_KEYS = (Qt.Key.Key_Up, Qt.Key.Key_Down, Qt.Key.Key_PageUp, Qt.Key.Key_PageDown)


class SearchField(QLineEdit):
    """A field for words. ``hint`` is shown while it is empty, ``name`` is what screen readers say."""

    def __init__(self, hint: str, name: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._list: QListWidget | None = None
        self.setPlaceholderText(hint)
        self.setAccessibleName(name)
        self.setClearButtonEnabled(True)

    @property
    def words(self) -> list[str]:
        """What has been typed, in lower case."""
        return self.text().lower().split()

    def matches(self, text: str) -> bool:
        """Whether all typed words occur in ``text``."""
        text = text.lower()
        return all(word in text for word in self.words)

    def steer(self, found: QListWidget) -> None:
        """Let the arrow keys move through this list."""
        self._list = found
        self.installEventFilter(self)

    def eventFilter(self, watched: QObject | None, event: QEvent | None) -> bool:  # noqa: N802 - Qt's name
        if (
            watched is self
            and isinstance(event, QKeyEvent)
            and event.type() == QEvent.Type.KeyPress
            and event.key() in STEP_KEYS
        ):
            if self._list is not None:
                self._list.keyPressEvent(event)
            return True
        return super().eventFilter(watched, event)


class HeadedList(QListWidget):
    """Entries with keys (texts) under headings. Entries without a key, like the headings, cannot be chosen."""

    def __init__(self, name: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAccessibleName(name)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)

    def add_heading(self, title: str) -> None:
        """Begin a group."""
        item = QListWidgetItem(title)
        item.setFlags(Qt.ItemFlag.NoItemFlags)
        item.setFont(theme.font(8.5, bold=True))
        item.setForeground(QColor(theme.current().muted_text))
        self.addItem(item)

    def add_entry(self, text: str, key: str) -> QListWidgetItem:
        """Add an entry; without a key it is only read."""
        item = QListWidgetItem(text)
        if key:
            item.setData(KEY, key)
        else:
            item.setFlags(Qt.ItemFlag.NoItemFlags)
        self.addItem(item)
        return item

    def keys(self) -> list[str]:
        """The keys of all entries, in order."""
        items = [self.item(row) for row in range(self.count())]
        return [item.data(KEY) for item in items if item is not None and item.data(KEY)]

    def current_key(self) -> str:
        """The key of the marked entry, or ""."""
        item = self.currentItem()
        return str(item.data(KEY) or "") if item is not None else ""

    def mark(self, key: str) -> bool:
        """Mark the entry with this key. Whether there is one."""
        for row in range(self.count()):
            item = self.item(row)
            if item is not None and key and item.data(KEY) == key:
                self.setCurrentRow(row)
                self.scrollToItem(item)
                return True
        return False
