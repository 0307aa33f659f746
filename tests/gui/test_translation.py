"""Ready for other languages: what people read goes through tr, in a form that the collector understands, and is found again."""

from __future__ import annotations

import ast
import base64
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from pathlib import Path

import pytest
from PyQt6.QtCore import QLocale, QTranslator
from PyQt6.QtWidgets import QApplication, QWidget

from gui.translation import bases, install
from gui.translations.collect import HELPER, collect, context_of

ROOT = Path(__file__).resolve().parents[2]

SHOWN = {
    "setText", "setToolTip", "setAccessibleName", "setAccessibleDescription", "setWindowTitle", "setPlaceholderText", "setTitle",
    "setLabel", "setStatusTip", "setWhatsThis", "setPrefix", "setSuffix", "setItemText", "setTabText", "addItem", "addItems",
    "addTab", "addAction", "addMenu", "addRow", "setHeaderLabels", "setHorizontalHeaderLabels", "setInformativeText", "drawText",
    "QLabel", "QPushButton", "QToolButton", "QCheckBox", "QRadioButton", "QAction", "QGroupBox", "QListWidgetItem",
    "getExistingDirectory", "getOpenFileName", "getOpenFileNames", "getSaveFileName", "warning", "information", "question", "critical",
    "label", "button", "Card", "tell", "say",
}  # fmt: skip
"""Calls whose arguments people read, those of our own helpers too."""

FIRST = {"addItem", "tell", "say", "label", "button", "QListWidgetItem"}
"""Of these people read the first argument; the next ones are for code."""

NAMES = {"Stemplay", "CLIP", "JACK", "MIDI", "SING", "dB", "Hz", "kHz", "ms"}
"""Proper names and units are the same in all languages."""

PLAIN = {
    "python -m training listening mos REFERENCE SYSTEM … -o TEST",  # a command to type
    "bottom", "left", "good", "warning", "bad",
}  # fmt: skip
"""What has words and is not for reading, or not for translating: names that code gives to code."""


def sources() -> Iterator[tuple[Path, ast.Module]]:
    for path in sorted((ROOT / "gui").rglob("*.py")):
        yield path, ast.parse(path.read_text(encoding="utf-8"))


def called(node: ast.Call) -> str:
    return getattr(node.func, "attr", getattr(node.func, "id", ""))


def has_words(text: object) -> bool:
    if not isinstance(text, str) or text in PLAIN:
        return False
    return any(len(word) > 1 and word.isalpha() and word not in NAMES for word in text.split())


def words_in(node: ast.AST) -> Iterator[str]:
    """Literals with words in an expression, save those that go through tr or translate, and what other calls make of theirs."""
    if isinstance(node, ast.Constant) and has_words(node.value):
        yield repr(node.value)
    elif isinstance(node, ast.JoinedStr):
        for part in node.values:
            if isinstance(part, ast.Constant):
                yield from words_in(part)
    elif isinstance(node, ast.Call):
        if called(node) in ("format", "join", "strip", "title", "capitalize"):
            yield from words_in(node.func.value)  # type: ignore[attr-defined]
            for argument in [*node.args, *(keyword.value for keyword in node.keywords)]:
                yield from words_in(argument)
    elif isinstance(node, ast.IfExp):
        yield from words_in(node.body)
        yield from words_in(node.orelse)
    elif isinstance(node, ast.BinOp):
        yield from words_in(node.left)
        yield from words_in(node.right)
    elif isinstance(node, ast.BoolOp | ast.List | ast.Tuple):
        for part in node.values if isinstance(node, ast.BoolOp) else node.elts:
            yield from words_in(part)


def untranslated(path: Path, tree: ast.Module) -> list[str]:
    found = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and called(node) in SHOWN:
            for argument in node.args[:1] if called(node) in FIRST else node.args:
                found += [f"{path.name}:{node.lineno} {text}" for text in words_in(argument)]
    return found


def test_what_people_read_goes_through_tr() -> None:
    assert [text for path, tree in sources() for text in untranslated(path, tree)] == []


@pytest.mark.parametrize(
    "code",
    ["QLabel('Hello there')", "x.setText(f'Hello {name}')", "x.setToolTip('Yes' if y else self.tr('No'))", "say('Hello {}'.format(1))",
     "x.setText('Hello ' + name)", "button('Go on')", "x.addItems(['One', 'Two'])"],
)  # fmt: skip
def test_a_text_without_tr_would_be_found(code: str) -> None:
    assert untranslated(Path("x.py"), ast.parse(code))


@pytest.mark.parametrize(
    "code", ["x.setText(self.tr('Hello {n}').format(n=n))", "QLabel('dB')", "x.setText(f'{n} Hz')", "x.setText('44.1')"]
)
def test_what_needs_no_translation_is_left_alone(code: str) -> None:
    assert not untranslated(Path("x.py"), ast.parse(code))


class Asked(ast.NodeVisitor):
    """Every ``self.tr``: the class it stands in and its text; ``wrong`` are those that no collector could understand."""

    def __init__(self, path: Path) -> None:
        self.path, self.classes = path, [""]
        self.context = context_of(path.read_text(encoding="utf-8"))
        self.texts: set[tuple[str, str]] = set()
        self.wrong: list[str] = []

    def visit_ClassDef(self, node: ast.ClassDef) -> None:
        self.classes.append(node.name)
        self.generic_visit(node)
        self.classes.pop()

    def visit_Call(self, node: ast.Call) -> None:
        self.generic_visit(node)
        literal = node.args[0] if node.args else None
        if called(node) == HELPER and isinstance(literal, ast.Constant):
            self.texts.add((self.context, literal.value))
        if called(node) != "tr" or not isinstance(node.func, ast.Attribute):
            return
        owner = getattr(node.func.value, "id", "")
        if owner != "self" or not self.classes[-1] or not isinstance(literal, ast.Constant):
            self.wrong.append(f"{self.path.name}:{node.lineno}: tr wants to be self.tr of a literal, within a class")
            return
        self.texts.add((self.classes[-1], literal.value))


def test_the_collector_finds_every_text(tmp_path: Path) -> None:
    """What ``make translations`` does; texts that it misses could never be translated."""
    asked, wrong = set(), []
    for path, tree in sources():
        visitor = Asked(path)
        visitor.visit(tree)
        asked |= visitor.texts
        wrong += visitor.wrong
    assert wrong == []
    collect(tmp_path / "all.ts")
    found = {
        (context.findtext("name"), message.findtext("source"))
        for context in ET.parse(tmp_path / "all.ts").getroot().iter("context")
        for message in context.iter("message")
    }
    assert asked - found == set()
    assert {("Pages", "Mixer"), ("Shortcuts", "Settings")} <= found  # those of tables


class Above(QWidget):
    """Stands for one of the window's classes."""


GERMAN = base64.b64decode(
    "PLhkGMrvnJXNIRy/YKG93acAAAACZGVCAAAAEAAFcokAAABODAtMtgAAAABpAAAAegMAAAAmAEUAaQBuAGUAbgAgAFQAZQBzAHQAIAD2AGYAZg"
    "BuAGUAbgAgICYIAAAAAAYAAAAOT3BlbiBhIHRlc3TigKYHAAAABUFib3ZlAQMAAAAOAFMAcABpAGUAbABlAG4IAAAAAAYAAAAEUGxheQcAAAAF"
    "QWJvdmUBiAAAAAIBAQ=="
)
"""A file of Qt Linguist's with two texts of the class Above: "Play" and "Open a test…"."""


def test_a_file_for_the_language_is_loaded_and_derived_classes_find_their_bases_texts(
    qapp: QApplication, tmp_path: Path
) -> None:
    class Below(Above):
        pass

    Above.__module__ = Below.__module__ = "gui.test"
    bases.cache_clear()
    (tmp_path / "stemplay_de.qm").write_bytes(GERMAN)
    try:
        assert install(qapp, QLocale("de_AT"), tmp_path)
        for widget in (Above(), Below()):
            assert widget.tr("Play") == "Spielen" and widget.tr("Open a test…") == "Einen Test öffnen …"
            assert widget.tr("Stop…") == "Stop…"
    finally:
        for translator in qapp.findChildren(QTranslator):
            qapp.removeTranslator(translator)
        bases.cache_clear()
    assert Above().tr("Play") == "Play"


def test_without_a_file_for_the_language_the_window_stays_english(qapp: QApplication, tmp_path: Path) -> None:
    assert not install(qapp, QLocale("tlh"), tmp_path)
