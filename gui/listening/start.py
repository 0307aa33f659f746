"""The views before and after the trials: choosing a sheet, headphones and volume, the end."""

from __future__ import annotations

from pathlib import Path

from PyQt6.QtCore import Qt, pyqtSignal
from PyQt6.QtWidgets import QComboBox, QFileDialog, QHBoxLayout, QProgressBar, QSlider, QWidget

from gui.listening.answers import AnswerLog
from gui.listening.make import MakeCard
from gui.listening.parts import Card, Choices, View, button, label
from gui.listening.sheet import Sheet, find_sheets, read_sheet
from gui.widgets.plain import PlainLabel
from rtaudio.audio.format import StemplayError


class StartView(View):
    """Open a test's folder and pick a sheet. ``chosen`` carries the sheet's path, ``failed`` a sentence."""

    chosen = pyqtSignal(object)
    failed = pyqtSignal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        card = Card(self.tr("Listening tests"))
        card.rows.addWidget(label(self.tr(
            "Compare systems by ear without knowing which is which: rate sounds from 1 to 5, or say which of two is closer to a reference. "
            "Each answer is saved at once, so you can leave a test at any time and continue later."
        )))  # fmt: skip
        self.open_button = button(self.tr("Open a test…"), "primary")
        self.open_button.setAccessibleDescription(self.tr("Choose the folder of a listening test"))
        self.open_button.clicked.connect(self._ask)
        row = QHBoxLayout()
        row.addWidget(self.open_button)
        row.addStretch(1)
        card.rows.addLayout(row)
        self.rows.addWidget(card)
        self.sheets = self._sheets_card()
        self.sheets.hide()
        self.rows.addWidget(self.sheets)
        self.maker = MakeCard()
        self.maker.made.connect(self._made)
        self.maker.failed.connect(self.failed)
        self.rows.addWidget(self.maker)
        self.finish()

    def _sheets_card(self) -> Card:
        card = Card(self.tr("Who is listening?"))
        self.where = label("", "muted")
        card.rows.addWidget(self.where)
        row = QHBoxLayout()
        self.picker = QComboBox()
        self.picker.setAccessibleName(self.tr("Sheet of the participant"))
        self.picker.setMinimumWidth(320)
        self.picker.setMinimumHeight(36)
        self.go = button(self.tr("Continue"), "primary")
        self.go.clicked.connect(lambda: self.chosen.emit(self.picker.currentData()))
        row.addWidget(self.picker)
        row.addWidget(self.go)
        row.addStretch(1)
        card.rows.addLayout(row)
        return card

    def _ask(self) -> None:
        folder = QFileDialog.getExistingDirectory(self, self.tr("Folder of a listening test"))
        if folder:
            self.open_test(Path(folder))

    def _made(self, folder: Path) -> None:
        self.failed.emit("")
        self.open_test(folder)

    def open_test(self, folder: Path) -> None:
        """List the sheets of the test in ``folder``, the first unfinished one chosen."""
        self.picker.clear()
        try:
            unfinished = None
            for path in find_sheets(folder):
                sheet = read_sheet(path)
                log = AnswerLog(sheet)
                done, total = len(sheet.trials) - log.left, len(sheet.trials)
                text = self.tr("{name}: {done} of {total} answered").format(
                    name=sheet.participant, done=done, total=total
                )
                self.picker.addItem(text, path)
                if unfinished is None and log.left:
                    unfinished = self.picker.count() - 1
        except StemplayError as error:
            self.sheets.hide()
            self.failed.emit(str(error))
            return
        self.picker.setCurrentIndex(unfinished or 0)
        self.where.setText(str(folder))
        self.sheets.show()
        self.go.setFocus()


class CheckView(View):
    """Headphones and volume.

    ``begin`` carries whether headphones are used; ``play_check`` and ``volume_changed`` (in dB) go to the player.
    """

    begin = pyqtSignal(bool)
    play_check = pyqtSignal()
    volume_changed = pyqtSignal(float)
    back = pyqtSignal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._heard = self._ready = False
        self.instructions = label("")
        card = Card(self.tr("Before you begin"))
        card.rows.addWidget(self.instructions)
        card.rows.addWidget(label(self.tr("What do you listen with? Only answers given with headphones count."), "key"))
        self.devices = Choices([(self.tr("Headphones"), self.tr("I listen with headphones")),
                                (self.tr("Loudspeakers"), self.tr("I listen with loudspeakers"))])  # fmt: skip
        self.devices.changed.connect(self._update)
        card.rows.addWidget(self.devices)
        card.rows.addWidget(label(self.tr(
            "Turn the volume down first. The check is as loud as the loudest sound of the test; "
                    "choose a volume that is comfortable and leave it."
        ), "key"))  # fmt: skip
        card.rows.addLayout(self._volume_row())
        self.live_note = label(
            self.tr("The live engine is playing, too: stop it above to hear only the test."), "muted"
        )
        self.live_note.hide()
        card.rows.addWidget(self.live_note)
        self.rows.addWidget(card)
        self.progress = QProgressBar()
        self.progress.setTextVisible(False)
        self.progress.setMaximumHeight(6)
        self.progress.setAccessibleName(self.tr("Preparing the sounds"))
        self.status = label("", "muted")
        self.rows.addWidget(self.progress)
        self.rows.addWidget(self.status)
        row = QHBoxLayout()
        self.back_button = button(self.tr("Back"))
        self.back_button.clicked.connect(self.back)
        self.begin_button = button(self.tr("Begin"), "primary")
        self.begin_button.clicked.connect(lambda: self.begin.emit(self.devices.value == 0))
        row.addWidget(self.back_button)
        row.addStretch(1)
        row.addWidget(self.begin_button)
        self.rows.addLayout(row)
        self.finish()

    def _volume_row(self) -> QHBoxLayout:
        row = QHBoxLayout()
        row.setSpacing(12)
        self.check_button = button(self.tr("Play the check"))
        self.check_button.clicked.connect(self.play_check)
        self.volume = QSlider(Qt.Orientation.Horizontal)
        self.volume.setRange(-50, 0)
        self.volume.setValue(-20)
        self.volume.setPageStep(3)
        self.volume.setAccessibleName(self.tr("Volume in dB"))
        self.level = PlainLabel()
        self.level.setMinimumWidth(64)
        self.volume.valueChanged.connect(self._volume)
        self._volume(self.volume.value())
        row.addWidget(self.check_button)
        row.addWidget(self.volume, 1)
        row.addWidget(self.level)
        return row

    def _volume(self, value: int) -> None:
        self.level.setText(self.tr("{value} dB").format(value=value))
        self.volume_changed.emit(float(value))

    def show_sheet(self, sheet: Sheet) -> None:
        """Start again for ``sheet``."""
        self._heard = self._ready = False
        self.instructions.setText(sheet.instructions or self._task(sheet))
        self.devices.choose(-1)
        self.say("")
        self._update()

    def _task(self, sheet: Sheet) -> str:
        """The instructions for this kind of sheet."""
        if sheet.kind == "abx":
            return self.tr(
                "You hear a reference X and two versions A and B of it, as often as you like. Say which of them is closer to X."
            )
        if len(sheet.questions) > 1:
            return self.tr(
                "You hear parts of songs, such as the drums alone, taken out of the mix by different systems. Rate each sound twice."
            )
        return self.tr("You hear short sounds made by different systems. Rate the quality of each.")

    def building(self, share: float) -> None:
        """Show that the sounds are being prepared."""
        self.progress.setVisible(share < 1)
        self.progress.setValue(round(100 * share))
        self.say(self.tr("Preparing the sounds …"))

    def player_ready(self) -> None:
        """Show that the sounds are ready."""
        self._ready = True
        self.progress.hide()
        self.say(self.tr("Ready: play the check, then begin."))
        self._update()

    def check_played(self) -> None:
        """Note that the check was played, or at least started."""
        self._heard = True
        self._update()

    def say(self, text: str) -> None:
        """Show a sentence about the sound."""
        self.status.setText(text)

    def _update(self) -> None:
        self.check_button.setEnabled(self._ready)
        self.begin_button.setEnabled(self._ready and self._heard and self.devices.value >= 0)


class DoneView(View):
    """Thanks the listener and shows where the answers are. ``again`` leads to the start."""

    again = pyqtSignal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        card = Card(self.tr("Thank you"))
        self.text = label("")
        card.rows.addWidget(self.text)
        row = QHBoxLayout()
        self.again_button = button(self.tr("Another sheet"), "primary")
        self.again_button.clicked.connect(self.again)
        row.addWidget(self.again_button)
        row.addStretch(1)
        card.rows.addLayout(row)
        self.rows.addWidget(card)
        self.finish()

    def show_log(self, log: AnswerLog) -> None:
        """Name the file."""
        text = self.tr("All {total} trials of sheet {name} are answered. The answers are in {path}.")
        self.text.setText(text.format(total=len(log.sheet.trials), name=log.sheet.participant, path=log.path))
