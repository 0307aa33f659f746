"""The page of the listening tests: choose a sheet, check headphones and volume, answer trial after trial (LIS-01, -02, -03)."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

from PyQt6.QtCore import QCoreApplication, Qt, QTimer
from PyQt6.QtGui import QHideEvent
from PyQt6.QtWidgets import QScrollArea, QStackedWidget, QVBoxLayout, QWidget

from gui.bridge import Bridge, SessionLike, file_session
from gui.listening.answers import Answer, AnswerLog
from gui.listening.parts import label
from gui.listening.player import ReelPlayer
from gui.listening.reel import CHECK, Reel
from gui.listening.sheet import read_sheet
from gui.listening.start import CheckView, DoneView, StartView
from gui.listening.trial import TrialView
from rtaudio.audio.format import StemplayError
from rtaudio.protocol.reports import Snapshot


class ListeningPage(QWidget):
    """Guides a participant through a sheet.

    Args:
        make_session: makes the engine that plays a file; by default a separate one on the live engine's output device.
    """

    def __init__(
        self, bridge: Bridge, parent: QWidget | None = None, make_session: Callable[[Path], SessionLike] | None = None
    ) -> None:
        super().__init__(parent)
        self.bridge = bridge
        self.setAccessibleName(self.tr("Listening tests"))
        self._make_session = make_session or self._own_session
        self.log: AnswerLog | None = None
        self.player: ReelPlayer | None = None
        self.trials: TrialView | None = None
        self.index = 0
        self._reel: Reel | None = None
        self._folder: tempfile.TemporaryDirectory[str] | None = None
        self._steps: Iterator[float] = iter(())
        self._builder = QTimer(self)
        self._builder.timeout.connect(self._build_on)
        self._lay_out()
        if (app := QCoreApplication.instance()) is not None:
            app.aboutToQuit.connect(self.close_sound)

    def _lay_out(self) -> None:
        self.start, self.check, self.done = StartView(), CheckView(), DoneView()
        self.error = label("", "key")
        self.error.setContentsMargins(24, 12, 24, 0)
        self.error.hide()
        self.stack = QStackedWidget()
        for view in (self.start, self.check, self.done):
            self.stack.addWidget(_scrolled(view))
        rows = QVBoxLayout(self)
        rows.setContentsMargins(0, 0, 0, 0)
        rows.addWidget(self.error)
        rows.addWidget(self.stack, 1)
        self.start.chosen.connect(self.open_sheet)
        self.start.failed.connect(self.tell)
        self.check.play_check.connect(self._play_check)
        self.check.volume_changed.connect(self._set_volume)
        self.check.begin.connect(self.begin)
        self.check.back.connect(self.leave)
        self.bridge.snapshot_changed.connect(self._note_engine)
        self.done.again.connect(self.leave)

    def _note_engine(self, report: Snapshot) -> None:
        self.check.live_note.setVisible(report.state == "running")

    def _own_session(self, path: Path) -> SessionLike:
        """Play on the output device of the live engine, if it has one."""
        output = self.bridge.config.output
        heard = output != "null" and Path(output).suffix.lower() not in (".wav", ".flac")
        return file_session(str(path), output if heard else "default")

    # -- the way through ---------------------------------------------------------------------------------------------------

    def open_sheet(self, path: Path) -> None:
        """Prepare the sheet at ``path``."""
        self.tell("")
        self._end_player()
        try:
            sheet = read_sheet(path)
            self.log = AnswerLog(sheet)
            self._folder = tempfile.TemporaryDirectory(prefix="stemplay-listening-", ignore_cleanup_errors=True)
            self._reel = Reel(Path(self._folder.name) / "reel.wav", sheet.sounds)
        except (StemplayError, OSError) as error:
            self.tell(str(error))
            return
        self.check.show_sheet(sheet)
        self._show(1)
        self._steps = self._reel.build()
        self._builder.start(0)

    def _build_on(self) -> None:
        """Make one step of the reel, so that the window stays responsive."""
        try:
            self.check.building(next(self._steps))
        except StopIteration:
            self._builder.stop()
            self._start_player()
        except (StemplayError, OSError) as error:
            self._builder.stop()
            self.check.say(str(error))

    def _start_player(self) -> None:
        assert self._reel is not None
        self.check.say(self.tr("Opening the sound device …"))
        try:
            self.player = ReelPlayer(self._reel.path, self._make_session, self)
        except StemplayError as error:
            self.check.say(str(error))
            return
        self.player.ready.connect(self.check.player_ready)
        self.player.failed.connect(self._sound_failed)
        self.player.ended.connect(self._sound_ended)
        self.player.moved.connect(self._sound_moved)
        self._set_volume(float(self.check.volume.value()))

    def begin(self, headphones: bool) -> None:
        """Go to the first trial without an answer."""
        assert self.log is not None and self.player is not None
        self.player.stop()
        try:
            self.log.begin(headphones)
        except StemplayError as error:
            self.tell(str(error))
            return
        self.trials = TrialView(self.log.sheet)
        self.trials.play.connect(self._play)
        self.trials.stop.connect(self.player.stop)
        self.trials.answered.connect(self._answered)
        self.trials.back.connect(lambda: self._go(self.index - 1))
        self.trials.leave.connect(self.leave)
        self.stack.addWidget(_scrolled(self.trials))
        self._go(self.log.next_open())

    def _answered(self, answer: Answer) -> None:
        assert self.log is not None
        try:
            self.log.answer(self.log.sheet.trials[self.index], answer)
        except StemplayError as error:
            self.tell(str(error))
            return
        self.tell("")
        following = self.index + 1
        self._go(following if following < len(self.log.sheet.trials) else self.log.next_open())

    def _go(self, index: int) -> None:
        assert self.log is not None and self.trials is not None and self.player is not None
        self.player.stop()
        trials = self.log.sheet.trials
        if index >= len(trials):
            self.done.show_log(self.log)
            self._end_player()
            self._show(2)
            return
        self.index = index
        self.trials.show_trial(index, len(trials) - self.log.left, self.log.given.get(trials[index].id))
        self._show(3)

    def leave(self) -> None:
        """Return to the start view, which shows the progress of the sheets."""
        self._end_player()
        self._show(0)
        if self.log is not None:
            self.start.open_test(self.log.sheet.folder)

    def tell(self, sentence: str) -> None:
        """Show an error; an empty text removes it."""
        self.error.setText(sentence)
        self.error.setVisible(bool(sentence))

    def close_sound(self) -> None:
        """Stop playing because the program ends."""
        self._end_player()

    def hideEvent(self, event: QHideEvent | None) -> None:  # noqa: N802 (Qt's name)
        """Stop playing because another page is shown."""
        if self.player is not None:
            self.player.stop()
            self._sound_ended()
        super().hideEvent(event)

    def _show(self, number: int) -> None:
        self.stack.setCurrentIndex(min(number, self.stack.count() - 1))

    # -- sound -----------------------------------------------------------------------------------------------------------

    def _play_check(self) -> None:
        if self.player is not None and self._reel is not None:
            self.player.play(self._reel.pieces[CHECK])
            self.check.check_played()

    def _play(self, role: str) -> None:
        assert self.log is not None and self.trials is not None and self.player is not None and self._reel is not None
        sound = self.log.sheet.folder / self.trials.trial.sounds[role]
        self.player.play(self._reel.pieces[sound], self.player.position())

    def _set_volume(self, db: float) -> None:
        if self.player is not None:
            self.player.set_volume(db)

    def _sound_ended(self) -> None:
        if self.trials is not None:
            self.trials.set_playing("")

    def _sound_moved(self, seconds: float) -> None:
        if self.trials is not None and self.trials.playing and self._reel is not None and self.log is not None:
            sound = self.log.sheet.folder / self.trials.trial.sounds[self.trials.playing]
            self.trials.moved(seconds / self._reel.pieces[sound].seconds)

    def _sound_failed(self, sentence: str) -> None:
        self.check.say(sentence)
        if self.trials is not None:
            self.tell(sentence)

    def _end_player(self) -> None:
        self._builder.stop()
        if self.player is not None:
            self.player.close()
            self.player.deleteLater()
            self.player = None
        if self.trials is not None:
            scrolled = self.stack.widget(3)
            assert scrolled is not None
            self.stack.removeWidget(scrolled)
            scrolled.deleteLater()
            self.trials = None
        if self._folder is not None:
            self._folder.cleanup()
            self._folder = None


def _scrolled(view: QWidget) -> QScrollArea:
    area = QScrollArea()
    area.setWidgetResizable(True)
    area.setFrameShape(QScrollArea.Shape.NoFrame)
    area.setFocusPolicy(Qt.FocusPolicy.NoFocus)  # no stop of its own for Tab; it follows the focus of what it holds
    area.setWidget(view)
    return area
