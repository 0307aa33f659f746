"""The tabs of the pages; pages for research share one tab with a menu."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from PyQt6.QtCore import QCoreApplication, QPoint
from PyQt6.QtWidgets import QMenu, QPushButton

from gui.pages import Page


def page_tab(title: str) -> QPushButton:
    """A tab."""
    tab = QPushButton(title)
    tab.setCheckable(True)
    tab.setProperty("kind", "tab")
    tab.setAccessibleName(QCoreApplication.translate("MainWindow", "Page {}").format(title))
    return tab


class LabTab(QPushButton):
    """The tab *Lab*: a menu of ``pages``.

    Args:
        show: shows the page with a key. leave: called when none was chosen, so that the tab of the visible page is marked again.
    """

    def __init__(self, pages: Sequence[Page], show: Callable[[str], None], leave: Callable[[], None]) -> None:
        super().__init__()
        self.setText(self.tr("Lab"))
        self.setCheckable(True)
        self.setProperty("kind", "tab")
        titles = ", ".join(page.translated() for page in pages)
        self.setAccessibleName(self.tr("Page Lab, a menu: {}").format(titles))
        self.setToolTip(self.tr("For research: {}").format(titles))
        self.pages = QMenu(self)
        self.pages.setAccessibleName(self.tr("Lab"))
        for page in pages:
            action = self.pages.addAction(page.translated())
            assert action is not None
            action.triggered.connect(lambda _, key=page.key: show(key))
        self.pages.aboutToHide.connect(leave)
        self.clicked.connect(lambda: self.pages.popup(self.mapToGlobal(QPoint(0, self.height() + 4))))
