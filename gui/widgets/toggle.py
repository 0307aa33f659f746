"""A switch with a letter: mute, solo, record arm and similar. It is filled when on; the accessible name says what it does."""

from __future__ import annotations

from PyQt6.QtCore import Qt
from PyQt6.QtWidgets import QPushButton, QWidget

from gui.widgets.plain import plain


class Toggle(QPushButton):
    """A checkable button. ``kind`` chooses its colour in the style sheet; only the user's action emits ``clicked(bool)``."""

    def __init__(self, text: str, kind: str, name: str, tip: str = "", parent: QWidget | None = None) -> None:
        super().__init__(text, parent)
        self.setCheckable(True)
        self.setProperty("kind", kind)
        self.setAccessibleName(name)
        self.setToolTip(plain(tip or name))
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)

    def show_on(self, on: bool) -> None:
        """Show the engine's state."""
        if on != self.isChecked():
            self.setChecked(on)


def polish(widget: QWidget) -> None:
    """Apply the style sheet again to a widget whose properties changed."""
    style = widget.style()
    if style is not None:
        style.unpolish(widget)
        style.polish(widget)
