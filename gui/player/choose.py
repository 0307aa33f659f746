"""Ask for a song."""

from __future__ import annotations

from pathlib import Path

from PyQt6.QtCore import QCoreApplication
from PyQt6.QtWidgets import QFileDialog, QWidget

from gui.player.player_model import SONG_ENDINGS, PlayerModel


def choose_song(player_model: PlayerModel, parent: QWidget | None) -> None:
    """Show the system's dialog and open what is chosen."""
    recent = player_model.bridge.store.preferences.recent
    start = str(Path(recent[0]).parent) if recent else str(Path.home())
    sounds = QCoreApplication.translate("Player", "Sound files")
    every = QCoreApplication.translate("Player", "All files")
    endings = " ".join(f"*.{ending} *.{ending.upper()}" for ending in SONG_ENDINGS)
    path, _ = QFileDialog.getOpenFileName(
        parent, QCoreApplication.translate("Player", "Open a song"), start, f"{sounds} ({endings});;{every} (*)"
    )
    if path:
        player_model.open(path)
