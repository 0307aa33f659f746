"""Small and large windows, and so 100 and 200 %: no word is cut off, nothing lies on top of anything else."""

from __future__ import annotations

from itertools import combinations

import pytest
from PyQt6.QtCore import QRect
from PyQt6.QtWidgets import QAbstractButton, QApplication, QFileDialog, QLabel, QPushButton, QToolButton, QWidget
from pytestqt.qtbot import QtBot

from gui import theme
from gui.bridge import Bridge
from gui.pages import PAGES
from gui.pages.player import PlayerPage
from gui.window import MainWindow
from tests.gui.conftest import FakeSession

SIZES = ((640, 400), (960, 540), (1280, 800), (1920, 1080))
"""The first two are 1280 x 800 and 1920 x 1080 at 200 %."""


@pytest.fixture(scope="module")
def dressed(qapp: QApplication) -> QApplication:
    theme.apply(qapp, "dark")
    return qapp


@pytest.fixture
def window(dressed: QApplication, session: FakeSession, qtbot: QtBot) -> MainWindow:
    session.report.realtime, session.report.port = "granted: SCHED_FIFO", "JACK Audio Connection Kit:system"
    session.report.mixer.stems["bass"].mute = True
    bridge = Bridge(session)
    bridge.poll()
    window = MainWindow(bridge)
    qtbot.addWidget(window)
    window.show()
    return window


def texts(root: QWidget) -> list[QWidget]:
    """What shows words that do not break into lines."""
    labels = [label for label in root.findChildren(QLabel) if not label.wordWrap() and label.text().strip()]
    return [part for part in (*labels, *root.findChildren(QPushButton)) if part.isVisible()]


@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
@pytest.mark.parametrize("key", [page.key for page in PAGES])
def test_no_word_is_cut_off(window: MainWindow, size: tuple[int, int], key: str) -> None:
    window.resize(*size)
    window.show_page(key)
    window.bridge.poll()
    for _ in range(3):
        QApplication.processEvents()
    assert (window.width(), window.height()) == size, "the window can be so small"
    cut = [
        f"{type(w).__name__} {getattr(w, 'text', str)()!r}: {w.width()} of {w.sizeHint().width()}"
        for w in texts(window)
        if w.width() < min(w.sizeHint().width(), w.maximumWidth())
    ]
    assert not cut


@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
def test_nothing_overlaps(window: MainWindow, size: tuple[int, int]) -> None:
    """Siblings that a person presses do not share a pixel."""
    window.resize(*size)
    for _ in range(3):
        QApplication.processEvents()
    buttons = [w for w in window.findChildren(QAbstractButton) if w.isVisible()]
    for one, other in combinations(buttons, 2):
        if one.parentWidget() is other.parentWidget():
            shared = QRect(one.geometry()).intersected(other.geometry())
            assert shared.isEmpty(), (one.accessibleName(), other.accessibleName())


def test_the_players_cards_keep_their_height_in_a_small_window(window: MainWindow) -> None:
    window.resize(*SIZES[0])
    window.show_page("player")
    for _ in range(3):
        QApplication.processEvents()
    page = window.pages["player"]
    assert isinstance(page, PlayerPage)
    for part in (page.controls, page.recording):
        assert part.height() >= part.minimumSizeHint().height(), part
    assert page.wave.height() >= page.wave.minimumSizeHint().height()


def test_the_file_dialogs_buttons_show_their_icons(dressed: QApplication, qtbot: QtBot) -> None:
    dialog = QFileDialog(options=QFileDialog.Option.DontUseNativeDialog)
    qtbot.addWidget(dialog)
    dialog.show()
    for button in dialog.findChildren(QToolButton):
        icon = button.grab().toImage()
        inside = range(6, icon.width() - 6)
        assert len({icon.pixel(x, y) for x in inside for y in inside}) > 5, button.objectName()
