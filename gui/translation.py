"""The window in other languages: ``translations/stemplay_LANGUAGE.qm``, made with Qt Linguist from what ``make translations`` collects.

English is the language of the source, so without a file for the person's language the window is English.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from pathlib import Path

from PyQt6.QtCore import QLibraryInfo, QLocale, QObject, QTranslator
from PyQt6.QtWidgets import QApplication

FOLDER = Path(__file__).parent / "translations"


@cache
def bases(name: str) -> tuple[str, ...]:
    """Names of our classes above the class ``name``, the nearest first.

    ``self.tr`` asks under the name of the object's own class, but a text of a base class is collected under the base's.
    """
    for kind in _descendants(QObject):
        if kind.__name__ == name and kind.__module__.startswith("gui."):
            return tuple(base.__name__ for base in kind.__mro__[1:] if base.__module__.startswith("gui."))
    return ()


def _descendants(kind: type) -> Iterator[type]:
    children: list[type] = type.__subclasses__(kind)
    for child in children:
        yield child
        yield from _descendants(child)


class Translator(QTranslator):
    """Finds the texts of a class and of those it is derived from."""

    def translate(  # type: ignore[override]
        self, context: str | None, text: str | None, disambiguation: str | None = None, n: int = -1
    ) -> str | None:
        """Qt's question. None where there is no translation: an empty text would be shown as such."""
        for name in (context or "", *bases(context or "")):
            if found := self.lookup(name, text or "", disambiguation, n):
                return found
        return None

    def lookup(self, context: str, text: str, disambiguation: str | None, n: int) -> str:
        """What the loaded file says of ``text`` in just this context."""
        # As bytes: PyQt would take a str for ASCII here, though what it hands over is UTF-8.
        name, source, comment = (part.encode() for part in (context, text, disambiguation or ""))
        return super().translate(name, source, comment, n) or ""  # type: ignore[arg-type]


def install(app: QApplication, locale: QLocale | None = None, folder: Path = FOLDER) -> bool:
    """Let ``app`` speak the language of ``locale`` (default: the person's); whether there is a file for it."""
    locale = locale or QLocale()
    translator = Translator(app)
    if not translator.load(locale, "stemplay", "_", str(folder)):
        return False
    qt = QTranslator(app)
    if qt.load(locale, "qtbase", "_", QLibraryInfo.path(QLibraryInfo.LibraryPath.TranslationsPath)):
        app.installTranslator(qt)
    app.installTranslator(translator)
    return True
