"""The card of the recorder: folder, format and state."""

from __future__ import annotations

from pathlib import Path

from PyQt6.QtCore import Qt, QUrl
from PyQt6.QtGui import QDesktopServices
from PyQt6.QtWidgets import (
    QComboBox,
    QFileDialog,
    QFrame,
    QGridLayout,
    QHBoxLayout,
    QLineEdit,
    QPushButton,
    QWidget,
)

from gui.player.export_files import RECORDING_FORMATS
from gui.player.player_model import PlayerModel
from gui.player.times import clock
from gui.store import music_folder
from gui.theme import stem_title
from gui.widgets.plain import PlainLabel
from rtaudio.audio.format import StemplayError


class RecordingCard(QFrame):
    """Folder, format, which strips are armed, and the recording that runs or ran last."""

    def __init__(self, player_model: PlayerModel, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.player_model = player_model
        self.setProperty("card", True)
        grid = QGridLayout(self)
        grid.setContentsMargins(16, 12, 16, 12)
        grid.setHorizontalSpacing(12)
        grid.setVerticalSpacing(8)
        heading = PlainLabel(self.tr("Recording"))
        heading.setProperty("role", "heading")
        grid.addWidget(heading, 0, 0, 1, 2)
        self.folder = QLineEdit(player_model.bridge.store.preferences.recording_folder or str(music_folder()))
        self.folder.setAccessibleName(self.tr("Folder of recordings"))
        self.folder.editingFinished.connect(self._keep)
        choose = QPushButton(self.tr("Choose …"))
        choose.setAccessibleName(self.tr("Choose the folder of recordings"))
        choose.clicked.connect(self._choose)
        row = QHBoxLayout()
        row.setSpacing(8)
        row.addWidget(self.folder, 1)
        row.addWidget(choose)
        grid.addWidget(PlainLabel(self.tr("Folder")), 1, 0)
        grid.addLayout(row, 1, 1)
        self.format = QComboBox()
        for key, text in RECORDING_FORMATS:
            self.format.addItem(text, key)
        self.format.setCurrentIndex(max(0, self.format.findData(player_model.bridge.store.preferences.recording_format)))
        self.format.setAccessibleName(self.tr("Format of recordings"))
        self.format.currentIndexChanged.connect(self._keep)
        grid.addWidget(PlainLabel(self.tr("Format")), 2, 0)
        grid.addWidget(self.format, 2, 1, Qt.AlignmentFlag.AlignLeft)
        self.state = PlainLabel()
        self.state.setWordWrap(True)
        self.state.setProperty("role", "muted")
        self.show_button = QPushButton(self.tr("Open folder"))
        self.show_button.clicked.connect(self._open_folder)
        below = QHBoxLayout()
        below.addWidget(self.state, 1)
        below.addWidget(self.show_button)
        grid.addLayout(below, 3, 0, 1, 2)
        grid.setColumnStretch(1, 1)
        grid.setRowStretch(4, 1)
        player_model.bridge.snapshot_changed.connect(self._tell)
        self._told = ""
        self._tell()

    def _choose(self) -> None:
        found = QFileDialog.getExistingDirectory(self, self.tr("Recordings go into"), self.folder.text())
        if found:
            self.folder.setText(found)
            self._keep()

    def _keep(self) -> None:
        store = self.player_model.bridge.store
        store.preferences.recording_folder = self.folder.text().strip()
        store.preferences.recording_format = self.format.currentData()
        try:
            store.save_preferences()
        except StemplayError as error:
            self.player_model.told.emit(str(error))

    def _open_folder(self) -> None:
        recording = self.player_model.recording
        QDesktopServices.openUrl(QUrl.fromLocalFile(recording.directory or self.folder.text()))

    def _tell(self) -> None:
        text = self.sentence()
        if text != self._told:
            self._told = text
            self.state.setText(text)
            self.show_button.setVisible(bool(self.player_model.recording.directory))

    def sentence(self) -> str:
        """Text about the present, last or next recording."""
        recording, mixer = self.player_model.recording, self.player_model.bridge.snapshot.mixer
        lost = self.tr(" %n block(s) were lost: the disk is too slow.", "", recording.dropped_blocks)
        if recording.error:
            return recording.error
        if recording.active or recording.seconds:
            place = Path(recording.directory).name
            text = self.tr("Recording {} into “{}”.") if recording.active else self.tr("Recorded {} into “{}”.")
            return text.format(clock(recording.seconds), place) + (lost if recording.dropped_blocks else "")
        armed = [stem_title(name) for name, strip in mixer.stems.items() if strip.armed]
        if not armed:
            return self.tr("The mix would be recorded; no strip is armed.")
        if len(armed) == len(mixer.stems):
            return self.tr("The mix and all strips would be recorded.")
        return self.tr("The mix and {} would be recorded.").format(", ".join(armed))
