"""Whoever uses no mouse, or no eyes: every control of every page can be reached and has a name, and every shortcut is told."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest
from PyQt6.QtCore import Qt
from PyQt6.QtGui import QKeySequence, QShortcut
from PyQt6.QtTest import QTest
from PyQt6.QtWidgets import (
    QAbstractButton,
    QAbstractItemView,
    QAbstractSlider,
    QAbstractSpinBox,
    QApplication,
    QComboBox,
    QLabel,
    QLineEdit,
    QScrollBar,
    QTabBar,
    QWidget,
)
from pytestqt.qtbot import QtBot

from gui import theme
from gui.bridge import Bridge
from gui.pages import PAGES
from gui.pages.help import HelpPage
from gui.shortcuts import GESTURES, TABLE, sequences, translated
from gui.window import MainWindow

ROOT = Path(__file__).resolve().parents[2]
CONTROLS = (QAbstractButton, QAbstractSlider, QLineEdit, QComboBox, QAbstractSpinBox, QAbstractItemView)


@pytest.fixture
def window(bridge: Bridge, qtbot: QtBot, qapp: QApplication) -> MainWindow:
    theme.apply(qapp, "dark")
    bridge.poll()
    window = MainWindow(bridge)
    qtbot.addWidget(window)
    window.show()
    return window


def is_control(widget: QWidget) -> bool:
    """A control of ours: not the scroll bars, and not the parts that a compound control of Qt is made of."""
    if not isinstance(widget, CONTROLS) or isinstance(widget, QScrollBar):
        return False
    parent = widget.parentWidget()
    while parent is not None:
        if isinstance(parent, QComboBox | QAbstractSpinBox | QAbstractItemView | QTabBar | QLineEdit):
            return False
        parent = parent.parentWidget()
    return True


def name_of(widget: QWidget) -> str:
    """What a screen reader says; Qt takes a button's own text, which will do if it is a word and not a sign or a letter."""
    text = (
        widget.text()
        if isinstance(widget, QAbstractButton)
        and any(word.isalpha() and len(word) > 1 for word in widget.text().split())
        else ""
    )
    return widget.accessibleName() or text


@pytest.mark.parametrize("key", ["", *(page.key for page in PAGES)])
def test_every_control_has_a_name_and_takes_the_focus(window: MainWindow, bridge: Bridge, key: str) -> None:
    if key:
        window.show_page(key)
    bridge.poll()
    controls = [w for w in (window.pages[key] if key else window).findChildren(QWidget) if is_control(w)]
    assert controls or key == "help"
    nameless = [
        f"{type(w).__name__} {w.toolTip()!r} in {type(w.parentWidget()).__name__}" for w in controls if not name_of(w)
    ]
    assert not nameless
    unreachable = [
        f"{type(w).__name__} {w.accessibleName()!r}" for w in controls if not w.focusPolicy() & Qt.FocusPolicy.TabFocus
    ]
    assert not unreachable


def test_tab_reaches_every_control_of_the_mixer(window: MainWindow, bridge: Bridge, qtbot: QtBot) -> None:
    bridge.poll()
    with qtbot.waitActive(window):
        window.activateWindow()
    wanted = {w for w in window.findChildren(QWidget) if is_control(w) and w.isVisible() and w.isEnabled()}
    reached: set[QWidget] = set()
    for _ in range(len(wanted) + 20):
        QTest.keyClick(QApplication.focusWidget() or window, Qt.Key.Key_Tab)
        focused = QApplication.focusWidget()
        if focused is not None:
            reached.add(focused)
    missed = [w.accessibleName() for w in wanted - reached]
    # Buttons of one exclusive group are one stop; arrows go on within it.
    assert [name for name in missed if not name.startswith("Page ")] == []


def test_values_are_told(window: MainWindow, bridge: Bridge) -> None:
    mixer = window.pages["mixer"]
    window.mixer_model.move("vocals", "gain_db", -6.0)
    window.mixer_model.move("vocals", "pan", -0.5)
    strip = mixer.strips["vocals"]  # type: ignore[attr-defined]
    assert strip.fader.accessibleDescription() == "−6.0 dB" and strip.pan.accessibleDescription() == "L 50"


def test_the_help_page_lists_every_shortcut(bridge: Bridge, qtbot: QtBot) -> None:
    page = HelpPage(bridge)
    qtbot.addWidget(page)
    told = {label.text() for label in page.findChildren(QLabel)}
    assert {translated(key.text) for key in (*TABLE, *GESTURES)} <= told
    assert {translated(key.group) for key in (*TABLE, *GESTURES)} <= told


def test_every_shortcut_of_the_window_is_bound_and_none_twice(window: MainWindow) -> None:
    bound = [
        s.key().toString() for s in window.findChildren(QShortcut) if s.context() == Qt.ShortcutContext.WindowShortcut
    ]
    assert len(bound) == len(set(bound))
    expected = {
        QKeySequence(text).toString() for key in TABLE if key.group in ("Window", "Mixer") for text in sequences(key)
    }
    assert expected <= set(bound)


def test_what_people_read_goes_through_tr() -> None:
    """No text literal is handed to a widget directly: it could not be translated."""
    setters = {
        "setText",
        "setToolTip",
        "setAccessibleName",
        "setWindowTitle",
        "setPlaceholderText",
        "setAccessibleDescription",
        "addTab",
        "setTitle",
    }
    plain = []
    for path in sorted((ROOT / "gui").rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if not isinstance(node, ast.Call):
                continue
            name = getattr(node.func, "attr", getattr(node.func, "id", ""))
            if name in setters or name in ("QLabel", "QPushButton", "QCheckBox", "QAction", "QGroupBox"):
                plain += [f"{path.name}:{node.lineno} {a.value!r}" for a in node.args if is_words(a)]
    assert not plain


def is_words(node: ast.AST) -> bool:
    """A literal that has words in it (a proper name, a sign or a number needs no translation)."""
    return (
        isinstance(node, ast.Constant)
        and isinstance(node.value, str)
        and any(len(w) > 1 and w.isalpha() for w in node.value.split())
        and node.value != "Stemplay"
    )


def test_a_text_without_tr_would_be_found() -> None:
    tree = ast.parse("QLabel('Hello there')")
    call = next(node for node in ast.walk(tree) if isinstance(node, ast.Call))
    assert is_words(call.args[0])
