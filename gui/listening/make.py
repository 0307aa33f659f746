"""Makes a test from folders of sounds: a form for the command ``python -m training listening``.

The command runs in a separate process, because the window may not import ``training``. It needs no torch.
"""

from __future__ import annotations

import sys
from pathlib import Path

from PyQt6.QtCore import QProcess, pyqtSignal
from PyQt6.QtWidgets import (
    QAbstractItemView,
    QComboBox,
    QFileDialog,
    QFormLayout,
    QHBoxLayout,
    QListWidget,
    QSpinBox,
    QWidget,
)

from gui.listening.parts import Card, button, label

ROOT = Path(__file__).resolve().parents[2]
"""The folder that contains the packages."""


class MakeCard(Card):
    """A form for systems, kind and size of a test. ``made`` carries its folder, ``failed`` a sentence."""

    made = pyqtSignal(object)
    failed = pyqtSignal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(self.tr("Make a test"))
        self.setParent(parent)
        self._output = Path()
        self._process: QProcess | None = None
        self.rows.addWidget(label(self.tr(
            "Add a folder of sound files for each system, with the same file names in all. The first one is the reference."
        ), "muted"))  # fmt: skip
        self.systems = QListWidget()
        self.systems.setAccessibleName(self.tr("Folders of the systems"))
        self.systems.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        self.systems.setFixedHeight(110)
        self.rows.addWidget(self.systems)
        self.rows.addLayout(self._list_buttons())
        self.rows.addLayout(self._form())
        self.make_button = button(self.tr("Make the test…"))
        self.make_button.clicked.connect(self._ask_output)
        row = QHBoxLayout()
        row.addWidget(self.make_button)
        row.addStretch(1)
        self.rows.addLayout(row)
        self._update()

    def _list_buttons(self) -> QHBoxLayout:
        row = QHBoxLayout()
        self.add_button = button(self.tr("Add a folder…"))
        self.add_button.clicked.connect(self._ask_system)
        self.remove_button = button(self.tr("Remove"))
        self.remove_button.setAccessibleName(self.tr("Remove the chosen folders"))
        self.remove_button.clicked.connect(self._remove)
        row.addWidget(self.add_button)
        row.addWidget(self.remove_button)
        row.addStretch(1)
        return row

    def _form(self) -> QFormLayout:
        form = QFormLayout()
        form.setHorizontalSpacing(16)
        self.kind = QComboBox()
        self.kind.addItem(self.tr("Rate each sound from 1 to 5 (MOS)"), "mos")
        self.kind.addItem(self.tr("Which of two is closer to the reference (ABX)"), "abx")
        self.participants = self._number(1, 999, 1, "")
        self.trials = self._number(0, 9999, 0, self.tr("all"))
        self.extract = self._number(0, 600, 0, self.tr("whole files"))
        self.extract.setSuffix(" s")
        for title, field in (
            (self.tr("Kind"), self.kind),
            (self.tr("Participants"), self.participants),
            (self.tr("Trials for each"), self.trials),
            (self.tr("Extract"), self.extract),
        ):
            field.setAccessibleName(title)
            field.setMaximumWidth(360)
            form.addRow(title, field)
        return form

    def _number(self, low: int, high: int, value: int, special: str) -> QSpinBox:
        box = QSpinBox()
        box.setRange(low, high)
        box.setValue(value)
        box.setSpecialValueText(special)
        box.setMinimumWidth(130)
        return box

    @property
    def folders(self) -> list[str]:
        """The systems' folders."""
        items = [self.systems.item(row) for row in range(self.systems.count())]
        return [item.text() for item in items if item is not None]

    def add(self, folder: Path) -> None:
        """Add a system, unless it is already there."""
        if str(folder) not in self.folders:
            self.systems.addItem(str(folder))
        self._update()

    def make(self, output: Path) -> None:
        """Make the test in ``output``."""
        self._output = output
        arguments = ["-m", "training", "listening", str(self.kind.currentData()), *self.folders, "-o", str(output)]
        arguments += ["--participants", str(self.participants.value())]
        for option, box in (("--trials", self.trials), ("--extract", self.extract)):
            if box.value():
                arguments += [option, str(box.value())]
        self._process = QProcess(self)
        self._process.setWorkingDirectory(str(ROOT))
        self._process.finished.connect(self._finished)
        self._process.errorOccurred.connect(self._not_started)
        self._process.start(sys.executable, arguments)
        self._update()

    def _finished(self, code: int) -> None:
        assert self._process is not None
        told = bytes(self._process.readAllStandardError().data()).decode(errors="replace").strip().splitlines()
        self._process.deleteLater()
        self._process = None
        self._update()
        if code == 0:
            self.made.emit(self._output)
        else:
            self.failed.emit(told[-1] if told else self.tr("The test could not be made."))

    def _not_started(self, error: QProcess.ProcessError) -> None:
        if error == QProcess.ProcessError.FailedToStart:
            self._process = None
            self._update()
            self.failed.emit(self.tr("The test could not be made."))

    def _ask_system(self) -> None:
        folder = QFileDialog.getExistingDirectory(self, self.tr("Folder of a system"))
        if folder:
            self.add(Path(folder))

    def _remove(self) -> None:
        for item in self.systems.selectedItems():
            self.systems.takeItem(self.systems.row(item))
        self._update()

    def _ask_output(self) -> None:
        name, _ = QFileDialog.getSaveFileName(self, self.tr("New folder of the test"), "listening-test")
        if name:
            self.make(Path(name))

    def _update(self) -> None:
        busy = self._process is not None
        self.remove_button.setEnabled(bool(self.folders) and not busy)
        self.make_button.setEnabled(len(self.folders) >= 2 and not busy)
        text = self.tr("Making the test …") if busy else self.tr("Make the test…")
        self.make_button.setText(text)
        self.make_button.setAccessibleName(text)
