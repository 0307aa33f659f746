"""The pages of the window: one line each in ``PAGES``. A page is a widget made as ``Class(bridge, parent)``.

A page's module is imported when the page is first shown, so that the window opens at once.
"""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module
from typing import cast

from PyQt6.QtCore import QT_TRANSLATE_NOOP, QCoreApplication
from PyQt6.QtWidgets import QWidget

from gui.bridge import Bridge


@dataclass(frozen=True)
class Page:
    """One page: ``key`` names it in settings and tests, ``title`` is what its tab says, ``factory`` is ``module:Class``.

    ``lab``: for research, behind the tab *Lab*.
    """

    key: str
    title: str
    factory: str
    lab: bool = False

    def translated(self) -> str:
        """The title in the user's language."""
        return QCoreApplication.translate("Pages", self.title)

    def make(self, bridge: Bridge, parent: QWidget | None = None) -> QWidget:
        """A new widget of this page."""
        module, _, name = self.factory.partition(":")
        return cast(QWidget, getattr(import_module(module), name)(bridge, parent))


PAGES: tuple[Page, ...] = (
    Page("start", QT_TRANSLATE_NOOP("Pages", "Start"), "gui.pages.start:StartPage"),
    Page("mixer", QT_TRANSLATE_NOOP("Pages", "Mixer"), "gui.pages.mixer:MixerPage"),
    Page("views", QT_TRANSLATE_NOOP("Pages", "Views"), "gui.pages.views:ViewsPage"),
    Page("instrument", QT_TRANSLATE_NOOP("Pages", "Instrument"), "gui.pages.instrument:InstrumentPage"),
    Page("player", QT_TRANSLATE_NOOP("Pages", "Player"), "gui.pages.player:PlayerPage"),
    Page("listening", QT_TRANSLATE_NOOP("Pages", "Listening tests"), "gui.pages.listening:ListeningPage", lab=True),
    Page("curves", QT_TRANSLATE_NOOP("Pages", "Training curves"), "gui.pages.curves:CurvesPage", lab=True),
    Page("help", QT_TRANSLATE_NOOP("Pages", "Help"), "gui.pages.help:HelpPage"),
)
"""The pages in the order of their tabs."""

OF_A_SONG = ("", "start", "mixer", "views", "player")
"""Pages that show little without a song or an input; "" is that of the first start."""


def first_page(left: str, empty: bool) -> str:
    """The page that a new window shows: the one it was ``left`` on, but *Start* if that page would be empty."""
    if empty and left in OF_A_SONG:
        return "start"
    return left if any(page.key == left for page in PAGES) and left != "start" else "mixer"
