"""Collect the window's texts for Qt Linguist: ``python -m gui.translations.collect`` writes ``stemplay.ts``; translations in it are kept.

PyQt's collector knows ``self.tr`` and ``translate``. Functions outside of classes say ``_tr(text)``, a line of their module that calls
``QCoreApplication.translate`` with the module's context; they are rewritten, in a copy, to what the collector knows.
"""

from __future__ import annotations

import re
import shutil
import tempfile
from pathlib import Path

from PyQt6.lupdate.lupdate import lupdate

GUI = Path(__file__).resolve().parents[1]
TEXTS = GUI / "translations" / "stemplay.ts"
HELPER = "_tr"
DEFINITION = re.compile(rf'def {HELPER}\(.*\n(?:    """.*"""\n)?    return QCoreApplication\.translate\("(\w+)", ')
CALL = re.compile(rf"""\b{HELPER}\((\s*)(["'])""")
"""A call with a literal; the context is quoted as that is, for it may stand in an f-string."""


def context_of(source: str) -> str:
    """The context of a module's ``_tr``, or empty where it has none."""
    found = DEFINITION.search(source)
    return found[1] if found else ""


def collect(texts: Path = TEXTS) -> None:
    """Write the texts of all modules into the file ``texts``, merged with the translations that it holds."""
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / "gui"
        shutil.copytree(GUI, copy, ignore=shutil.ignore_patterns("__pycache__", "*.ts", "*.qm"))
        for path in copy.rglob("*.py"):
            source = path.read_text(encoding="utf-8")
            if context := context_of(source):
                path.write_text(CALL.sub(rf"translate(\2{context}\2, \1\2", source), encoding="utf-8")
        fresh = copy / "translations" / texts.name
        if texts.exists():
            shutil.copy(texts, fresh)
        lupdate([str(copy)], [str(fresh)], no_obsolete=True)  # type: ignore[no-untyped-call]
        shutil.copy(fresh, texts)


if __name__ == "__main__":
    collect()
