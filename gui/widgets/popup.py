"""Menus that are made for one occasion."""

from __future__ import annotations

from PyQt6.QtCore import QPoint, Qt
from PyQt6.QtWidgets import QMenu


def pop_up(menu: QMenu, at: QPoint) -> None:
    """Show ``menu`` at a place of the screen. It is deleted when it closes, or its parent would keep each menu that was ever opened."""
    menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
    menu.popup(at)
