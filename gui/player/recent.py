"""Songs that were opened before: their menu, and how one is opened again."""

from __future__ import annotations

from pathlib import Path

from PyQt6.QtCore import QCoreApplication
from PyQt6.QtWidgets import QMenu, QWidget

from gui.bridge import Bridge
from gui.player.player_model import PlayerModel
from gui.widgets.plain import plain
from models.names import exists
from rtaudio.audio.format import StemplayError


def recent_songs(bridge: Bridge) -> list[str]:
    """Their paths, the latest first."""
    return list(bridge.store.preferences.recent)


def open_recent(player_model: PlayerModel, path: str) -> bool:
    """Open the song. If its file is not there, returns False and says so; the song stays in the list, as its disk may come back."""
    if not exists(path):
        text = _tr("{} is not there: it was moved, renamed or deleted, or its disk is not connected.")
        player_model.told.emit(text.format(path))
        return False
    player_model.open(path)
    return True


def clear_recent(bridge: Bridge) -> None:
    """Forget all of them."""
    try:
        bridge.store.forget_songs()
    except StemplayError as error:
        bridge.refused.emit(str(error))


class RecentMenu(QMenu):
    """The recent songs as a menu, made anew each time it opens."""

    def __init__(self, player_model: PlayerModel, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._player_model = player_model
        self.setTitle(self.tr("Recent songs"))
        self.setToolTipsVisible(True)
        self.aboutToShow.connect(self.rebuild)

    def rebuild(self) -> None:
        """Show the present list."""
        self.clear()
        player_model, songs = self._player_model, recent_songs(self._player_model.bridge)
        for path in songs:
            action = self.addAction(Path(path).name.replace("&", "&&"))
            assert action is not None
            action.setToolTip(plain(path))
            action.triggered.connect(lambda _, path=path: open_recent(player_model, path))
        if not songs:
            none = self.addAction(self.tr("No song yet"))
            assert none is not None
            none.setEnabled(False)
            return
        self.addSeparator()
        forget = self.addAction(self.tr("Clear the list"))
        assert forget is not None
        forget.triggered.connect(lambda: clear_recent(player_model.bridge))


def _tr(text: str) -> str:
    return QCoreApplication.translate("Recent", text)
