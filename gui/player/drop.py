"""Songs dropped on a widget."""

from __future__ import annotations

from PyQt6.QtCore import QEvent, QObject
from PyQt6.QtGui import QDropEvent
from PyQt6.QtWidgets import QWidget

from gui.player.player_model import PlayerModel


class SongDrop(QObject):
    """Opens the first file that is dropped on ``widget``."""

    def __init__(self, widget: QWidget, player_model: PlayerModel) -> None:
        super().__init__(widget)
        self._player_model = player_model
        widget.setAcceptDrops(True)
        widget.installEventFilter(self)

    def eventFilter(self, watched: QObject | None, event: QEvent | None) -> bool:  # noqa: N802 - Qt's name
        if not isinstance(event, QDropEvent):  # entering and moving are kinds of it
            return False
        mime = event.mimeData()
        files = [url.toLocalFile() for url in mime.urls() if url.isLocalFile()] if mime is not None else []
        if not files:
            return False
        event.acceptProposedAction()
        if event.type() == QEvent.Type.Drop:
            self._player_model.open(files[0])
        return True
