"""A row that wraps into further rows if the window is narrow."""

from __future__ import annotations

from PyQt6.QtCore import QPoint, QRect, QSize, Qt
from PyQt6.QtWidgets import QLayout, QLayoutItem, QWidget


class FlowLayout(QLayout):
    """Items from left to right, then in the next row. ``push`` items stand at the right end of their row."""

    def __init__(self, parent: QWidget | None = None, gap: int = 8, row_gap: int = 4) -> None:
        super().__init__(parent)
        self._items: list[QLayoutItem] = []
        self._pushed: set[int] = set()
        self._gap, self._row_gap = gap, row_gap

    def addItem(self, item: QLayoutItem | None) -> None:  # noqa: N802 - Qt's names here and below
        if item is not None:
            self._items.append(item)

    def push(self, widget: QWidget) -> None:
        """Add a widget that is aligned to the right end of its row, with those after it."""
        self._pushed.add(len(self._items))
        self.addWidget(widget)

    def count(self) -> int:
        return len(self._items)

    def itemAt(self, index: int) -> QLayoutItem | None:  # noqa: N802
        return self._items[index] if 0 <= index < len(self._items) else None

    def takeAt(self, index: int) -> QLayoutItem | None:  # noqa: N802
        return self._items.pop(index) if 0 <= index < len(self._items) else None

    def expandingDirections(self) -> Qt.Orientation:  # noqa: N802
        return Qt.Orientation(0)

    def hasHeightForWidth(self) -> bool:  # noqa: N802
        return True

    def heightForWidth(self, width: int) -> int:  # noqa: N802
        return self._arrange(QRect(0, 0, width, 0), place=False)

    def setGeometry(self, rect: QRect) -> None:  # noqa: N802
        super().setGeometry(rect)
        self._arrange(rect, place=True)

    def sizeHint(self) -> QSize:  # noqa: N802
        margins = self.contentsMargins()
        shown = [item.sizeHint() for item in self._items if not item.isEmpty()]
        width = sum(size.width() for size in shown) + self._gap * max(0, len(shown) - 1)
        height = max((size.height() for size in shown), default=0)
        return QSize(width + margins.left() + margins.right(), height + margins.top() + margins.bottom())

    def minimumSize(self) -> QSize:  # noqa: N802
        margins = self.contentsMargins()
        width = max((item.minimumSize().width() for item in self._items if not item.isEmpty()), default=0)
        height = max((item.minimumSize().height() for item in self._items if not item.isEmpty()), default=0)
        return QSize(width + margins.left() + margins.right(), height + margins.top() + margins.bottom())

    def _arrange(self, rect: QRect, *, place: bool) -> int:
        """Put the items into rows of ``rect``; returns the height that they need."""
        inner = rect.marginsRemoved(self.contentsMargins())
        rows: list[list[int]] = [[]]
        used = 0
        for index, item in enumerate(self._items):
            if item.isEmpty():
                continue
            width = item.sizeHint().width()
            if rows[-1] and used + self._gap + width > inner.width():
                rows.append([])
                used = 0
            used += width + (self._gap if rows[-1] else 0)
            rows[-1].append(index)
        y = inner.y()
        for row in rows:
            height = max((self._items[i].sizeHint().height() for i in row), default=0)
            if place:
                self._place_row(row, QRect(inner.x(), y, inner.width(), height))
            y += height + self._row_gap
        return y - self._row_gap - rect.y() + self.contentsMargins().bottom()

    def _place_row(self, row: list[int], rect: QRect) -> None:
        sizes = {i: self._items[i].sizeHint() for i in row}
        spare = rect.width() - sum(size.width() for size in sizes.values()) - self._gap * (len(row) - 1)
        x = rect.x()
        for i in row:
            if i in self._pushed and spare > 0:
                x, spare = x + spare, 0
            width = min(sizes[i].width(), rect.width())
            self._items[i].setGeometry(
                QRect(QPoint(x, rect.y() + (rect.height() - sizes[i].height()) // 2), QSize(width, sizes[i].height()))
            )
            x += width + self._gap
