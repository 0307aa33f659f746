"""The dialog to export stems: choice of stems, folder, and progress."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import Any

from PyQt6.QtCore import QUrl
from PyQt6.QtGui import QCloseEvent, QDesktopServices
from PyQt6.QtWidgets import (
    QCheckBox,
    QComboBox,
    QDialog,
    QFileDialog,
    QFormLayout,
    QHBoxLayout,
    QLineEdit,
    QProgressBar,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from gui.bridge import Bridge
from gui.jobs import Job
from gui.player.export_files import (
    FORMATS,
    PROJECT_FORMATS,
    PROJECTS,
    STEM_FORMATS,
    file_names,
    song_folder,
    translated,
)
from gui.player.marks import marks_of
from gui.player.player_model import player_model_of
from gui.player.tempo import key_text, speed_text
from gui.player.times import clock
from gui.store import music_folder
from gui.theme import stem_title
from gui.widgets.flow import FlowLayout
from gui.widgets.plain import PlainLabel
from models.card import CardError
from models.catalog import load_card, separators, validation_sdr
from models.names import exists
from rtaudio.audio.format import StemplayError
from rtaudio.protocol.messages import to_dict


class ExportDialog(QDialog):
    """Separates the song in a process of its own, at full speed, while everything else goes on."""

    def __init__(self, bridge: Bridge, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.bridge, self.player_model = bridge, player_model_of(bridge)
        self.song = self.player_model.transport.path
        self.own = dict(self.player_model.transport.titles)  # of a stem file
        self.cards = separators()
        with contextlib.suppress(CardError):
            self.cards.setdefault(bridge.config.model, load_card(bridge.config.model))
        self.job: Job | None = None
        self.setWindowTitle(self.tr("Export stems"))
        self.setMinimumWidth(520)
        column = QVBoxLayout(self)
        column.setContentsMargins(20, 16, 20, 16)
        column.setSpacing(12)
        heading = PlainLabel(Path(self.song).name)
        heading.setProperty("role", "heading")
        heading.setWordWrap(True)
        column.addWidget(heading)
        self.choices = QWidget()
        column.addWidget(self.choices)
        self._make_choices()
        self.message = PlainLabel()
        self.message.setWordWrap(True)
        self.message.setProperty("role", "muted")
        self.bar = QProgressBar()
        self.bar.setRange(0, 1000)
        self.bar.setAccessibleName(self.tr("Progress of the export"))
        column.addWidget(self.bar)
        column.addWidget(self.message)
        column.addStretch(1)
        column.addLayout(self._make_buttons())
        self._choice_changed()

    # -- parts --------------------------------------------------------------------------------------------------------------

    def _make_choices(self) -> None:
        form = QFormLayout(self.choices)
        form.setContentsMargins(0, 0, 0, 0)
        form.setSpacing(10)
        form.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.AllNonFixedFieldsGrow)
        self.model = QComboBox()
        self.model.setAccessibleName(self.tr("Model"))
        self.model.setToolTip(
            self.tr("The best model is first. Higher dB are better; they were measured on songs that no model was trained on.")
        )
        if self.own:
            self.model.addItem(self.tr("None: the stems of the file"), "")
        for name, card in self.cards.items():
            score = validation_sdr(card)
            self.model.addItem(self.tr("{}  ({:.1f} dB)").format(card.name, score) if score > -100 else card.name, name)
        self.model.currentIndexChanged.connect(self._show_stems)
        form.addRow(self.tr("Model"), self.model)
        self.stems: dict[str, QCheckBox] = {}
        stems = QWidget()
        self._flow = FlowLayout(stems, gap=14, row_gap=6)
        self._flow.setContentsMargins(0, 0, 0, 0)
        self._show_stems()
        form.addRow(self.tr("Stems"), stems)
        preferences = self.bridge.store.preferences
        self.format = QComboBox()
        for key, text in FORMATS:
            self.format.addItem(translated(text), key)
        self.format.setCurrentIndex(max(0, self.format.findData(preferences.export_format)))
        self.format.setAccessibleName(self.tr("Format"))
        self.format.currentIndexChanged.connect(self._choice_changed)
        form.addRow(self.tr("Format"), self.format)
        parent = Path(preferences.export_folder or music_folder() / "Stems")
        self.project = QComboBox()
        for key, text in PROJECTS:
            self.project.addItem(translated(text), key)
        self.project.setAccessibleName(self.tr("Project"))
        self.project.setToolTip(
            self.tr("A project with the stems, their levels, markers and loops, to go on in REAPER, Bitwig, Cubase, Studio One and others")
        )
        self.project.currentIndexChanged.connect(self._choice_changed)
        form.addRow(self.tr("Project"), self.project)
        transport = self.player_model.transport
        self._heard = (transport.speed, transport.key)
        self.heard = QCheckBox(self.tr("Tempo {}, key {}").format(speed_text(transport.speed), key_text(transport.key)))
        self.heard.setToolTip(self.tr("Otherwise the stems have the song's own tempo and key."))
        self.heard.setAccessibleName(self.tr("Tempo and key as heard"))
        self.heard.setChecked(self._heard != (1.0, 0.0))
        if self.heard.isChecked():
            form.addRow(self.tr("As heard"), self.heard)
        self.folder = QLineEdit(str(song_folder(parent, self.song)))
        self.folder.setAccessibleName(self.tr("Folder"))
        self.folder.textChanged.connect(self._choice_changed)
        choose = QPushButton(self.tr("Choose …"))
        choose.setAccessibleName(self.tr("Choose a folder"))
        choose.clicked.connect(self._choose_folder)
        row = QHBoxLayout()
        row.addWidget(self.folder, 1)
        row.addWidget(choose)
        form.addRow(self.tr("Folder"), row)

    def _show_stems(self) -> None:
        """Make a check box for each stem of the model; existing ones keep their state."""
        before = {name: box.isChecked() for name, box in self.stems.items()}
        for box in self.stems.values():
            self._flow.removeWidget(box)
            box.deleteLater()
        self.stems = {}
        card = self.cards.get(self.model.currentData())
        for name in self.own if not self.model.currentData() else card.outputs if card is not None else ():
            self.stems[name] = box = QCheckBox(self.own.get(name) or stem_title(name))
            box.setChecked(before.get(name, True))
            box.toggled.connect(self._choice_changed)
            self._flow.addWidget(box)
        if before:
            self._choice_changed()

    def _make_buttons(self) -> QHBoxLayout:
        row = QHBoxLayout()
        self.show_button = QPushButton(self.tr("Open folder"))
        self.show_button.clicked.connect(
            lambda: QDesktopServices.openUrl(QUrl.fromLocalFile(str(Path(self.folder.text()))))
        )
        self.export_button = QPushButton(self.tr("Export"))
        self.export_button.setProperty("kind", "primary")
        self.export_button.setDefault(True)
        self.export_button.clicked.connect(self.start)
        self.close_button = QPushButton(self.tr("Close"))
        self.close_button.clicked.connect(self.give_up)
        row.addWidget(self.show_button)
        row.addStretch(1)
        row.addWidget(self.close_button)
        row.addWidget(self.export_button)
        return row

    def _choose_folder(self) -> None:
        start = Path(self.folder.text())
        found = QFileDialog.getExistingDirectory(self, self.tr("Export into"), str(start.parent))
        if found:
            self.folder.setText(str(song_folder(Path(found), self.song)))

    # -- the work -----------------------------------------------------------------------------------------------------------

    def chosen(self) -> list[str]:
        """Names of the stems to write."""
        return [name for name, box in self.stems.items() if box.isChecked()]

    def start(self) -> None:
        """Start the export."""
        preferences = self.bridge.store.preferences
        preferences.export_format = self.format.currentData()
        preferences.export_folder = str(Path(self.folder.text()).parent)
        try:
            self.bridge.store.save_preferences()
        except StemplayError as error:
            self.message.setText(str(error))
        self.job = self.bridge.job(
            "export", song=self.song, folder=self.folder.text(), model=self.model.currentData(), stems=self.chosen(),
            format=self.format.currentData(), consistent=self.bridge.config.consistent, project=self._plan(), **self._tempo(),
        )  # fmt: skip
        self.job.progress.connect(self._progress)
        self.job.done.connect(self._done)
        self.job.failed.connect(self._failed)
        self.job.ended.connect(self._ended)
        self.bar.setValue(0)
        self._dress()
        self.message.setText(self.tr("The model is being loaded …"))

    def _plan(self) -> dict[str, Any]:
        """The project: the mixer as it is, markers and loops."""
        kinds = [kind for kind in self._project().split(",") if kind]
        if not kinds:
            return {}
        notes = marks_of(self.bridge).for_project(self._tempo()["tempo"])
        return {"kinds": kinds, "mixer": to_dict(self.bridge.snapshot.mixer), **notes}

    def _tempo(self) -> dict[str, float]:
        """Tempo and key of the stems."""
        return {"tempo": self._heard[0], "key": self._heard[1]} if self.heard.isChecked() else {"tempo": 1.0, "key": 0.0}

    def _project(self) -> str:
        """The chosen project, if there can be one with this format."""
        return str(self.project.currentData()) if self.format.currentData() in PROJECT_FORMATS else ""

    def files(self) -> list[Path]:
        """The files to be written."""
        names = file_names(self.song, self.chosen(), self.format.currentData(), self._project())
        return [Path(self.folder.text()) / name for name in names]

    def give_up(self) -> None:
        """Cancel a running export, else close the dialog."""
        if self.job is not None and self.job.running:
            self.message.setText(self.tr("Cancelled; nothing was written."))
            self.job.cancel()
            self.bar.setValue(0)
        else:
            self.reject()

    def _progress(self, facts: dict[str, Any]) -> None:
        done, total = facts.get("done", 0), facts.get("total", 0)
        if not done:
            return
        rate = self.player_model.picture.get("rate", 44_100)
        text = (
            self.tr("{} of {} separated").format(clock(done / rate), clock(total / rate))
            if total
            else clock(done / rate)
        )
        self.message.setText(text)
        self.bar.setRange(0, 1000 if total else 0)
        if total:
            self.bar.setValue(min(1000, 1000 * done // total))

    def _done(self, facts: dict[str, Any]) -> None:
        self.bar.setRange(0, 1000)
        self.bar.setValue(1000)
        speed = facts["duration"] / facts["seconds"] if facts["seconds"] else 0.0
        sentences = [
            self.tr("{} files in {}, {:.1f} times as fast as it plays.").format(
                len(facts["files"]), self.folder.text(), speed
            )
        ]
        if any(facts["clipped"].values()):
            sentences.append(self.tr("Some samples were beyond full scale and are clipped; WAV keeps them."))
        self.message.setText(" ".join([*sentences, *facts["warnings"]]))

    def _failed(self, sentence: str) -> None:
        self.bar.setRange(0, 1000)
        self.bar.setValue(0)
        self.message.setText(sentence)

    def _ended(self) -> None:
        self.bar.setRange(0, 1000)
        self.job = None
        self._dress()

    def _dress(self) -> None:
        busy = self.job is not None
        files = self.files()
        there = sum(exists(path) for path in files)
        self.choices.setEnabled(not busy)
        self.project.setEnabled(self.format.currentData() in PROJECT_FORMATS)
        self.export_button.setEnabled(not busy and bool(files) and bool(self.folder.text().strip()))
        self.close_button.setText(self.tr("Cancel") if busy else self.tr("Close"))
        self.show_button.setVisible(not busy and there > 0)
        self.bar.setVisible(busy or self.bar.value() > 0)

    def _choice_changed(self) -> None:
        """Update after a changed choice: clear the last result, and check for existing files."""
        self.bar.setValue(0)
        there = sum(exists(path) for path in self.files())
        if self.format.currentData() in STEM_FORMATS and not self.files():
            self.message.setText(self.tr("A stem file has drums, bass, other and vocals, all four."))
        else:
            self.message.setText(self.tr("%n file(s) of these names will be replaced.", "", there) if there else "")
        self._dress()

    def closeEvent(self, event: QCloseEvent | None) -> None:  # noqa: N802 - Qt's name
        if self.job is not None:
            self.job.cancel()
        super().closeEvent(event)

    def reject(self) -> None:
        """Escape cancels too."""
        if self.job is not None:
            self.job.cancel()
        super().reject()
