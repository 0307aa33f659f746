"""Opens the browser and the editors of the window's inserts, each only once."""

from __future__ import annotations

from PyQt6.QtWidgets import QWidget

from gui.inserts.browser import EffectBrowser
from gui.inserts.editor import InsertEditor
from gui.inserts.library import library_of
from gui.mixer_model import MixerModel
from gui.theme import stem_title


class InsertDesk:
    """``page`` is the widget that its dialogs belong to."""

    def __init__(self, mixer_model: MixerModel, page: QWidget) -> None:
        self.mixer_model, self.page = mixer_model, page
        self.moves = mixer_model.inserts
        self.browser: EffectBrowser | None = None
        self.editors: dict[tuple[str, str], InsertEditor] = {}

    def browse(self, place: str, instead: str = "") -> None:
        """Let the user choose an effect for ``place``, ``instead`` of an existing one or for a free slot."""
        if self.browser is not None:
            self.browser.reject()
        self.browser = EffectBrowser(library_of(self.mixer_model.bridge), stem_title(place), self.page.window())
        self.browser.chosen.connect(lambda plugin: self._take(place, plugin, instead))
        self.browser.finished.connect(self._browsed)
        self.browser.show()

    def edit(self, place: str, key: str) -> None:
        """Show the editor of an insert."""
        editor = self.editors.get((place, key))
        if editor is None:
            editor = InsertEditor(self.mixer_model, library_of(self.mixer_model.bridge), place, key, self.page.window())
            self.editors[place, key] = editor
            editor.finished.connect(lambda: self._edited(place, key))
        editor.show()
        editor.raise_()
        editor.activateWindow()

    def _take(self, place: str, plugin: str, instead: str) -> None:
        there = self.moves.find(place, instead) is not None
        key = self.moves.replace(place, instead, plugin) if there else self.moves.add(place, plugin)
        if key:
            self.edit(place, key)

    def _browsed(self) -> None:
        if self.browser is not None:
            self.browser.deleteLater()
            self.browser = None

    def _edited(self, place: str, key: str) -> None:
        editor = self.editors.pop((place, key), None)
        if editor is not None:
            editor.deleteLater()
