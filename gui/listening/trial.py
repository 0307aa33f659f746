"""Shows one trial after the other: a sound and its ratings, or X, A and B and a choice. Keys: P, X, A, B; 1 to 5; Return."""

from __future__ import annotations

from PyQt6.QtCore import pyqtSignal
from PyQt6.QtWidgets import QHBoxLayout, QProgressBar, QPushButton, QWidget

from gui.listening.answers import Answer
from gui.listening.parts import Card, Choices, Rating, View, button, label
from gui.listening.sheet import Sheet, Trial
from gui.shortcuts import LISTENING, bind


class TrialView(View):
    """Signals: ``play(role)`` and ``stop`` to the player, ``answered(Answer)``, ``back`` to the previous trial, ``leave`` for a break."""

    play = pyqtSignal(str)
    stop = pyqtSignal()
    answered = pyqtSignal(object)
    back = pyqtSignal()
    leave = pyqtSignal()

    def __init__(self, sheet: Sheet, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.sheet = sheet
        self.plays: dict[str, int] = {}
        self.playing = ""
        self.trial: Trial = sheet.trials[0]
        self.rows.addLayout(self._head())
        self.rows.addWidget(self._sounds())
        self.rows.addWidget(self._questions())
        self.rows.addLayout(self._foot())
        keys = (
            self.tr("Keys: X, A and B play, 1 and 2 choose, Return goes on")
            if sheet.kind == "abx"
            else self.tr("Keys: P plays, 1 to 5 rate, Return goes on")
        )
        self.rows.addWidget(label(keys, "small"))
        self.finish()
        plays = {f"play_{role.lower()}": (lambda r=role: self.press(r)) for role in sheet.roles}
        bind(self, {**plays, "answer": self.press_answer, "next_trial": self.next}, LISTENING)

    # -- parts ---------------------------------------------------------------------------------------------------------

    def _head(self) -> QHBoxLayout:
        row = QHBoxLayout()
        self.title = label("", "heading", wrap=False)
        self.done = QProgressBar()
        self.done.setRange(0, len(self.sheet.trials))
        self.done.setTextVisible(False)
        self.done.setMaximumHeight(6)
        self.done.setAccessibleName(self.tr("Trials answered"))
        self.leave_button = button(self.tr("Take a break"), "flat")
        self.leave_button.setAccessibleDescription(self.tr("Leaves the test; all answers so far are saved"))
        self.leave_button.clicked.connect(self.leave)
        row.addWidget(self.title)
        row.addSpacing(16)
        row.addWidget(self.done, 1)
        row.addSpacing(16)
        row.addWidget(self.leave_button)
        return row

    def _sounds(self) -> Card:
        card = Card()
        self.about = label("", "heading")
        card.rows.addWidget(self.about)
        row = QHBoxLayout()
        row.setSpacing(8)
        self.sound_buttons: dict[str, QPushButton] = {}
        for role in self.sheet.roles:
            made = button("")
            made.setMinimumHeight(56)
            made.setCheckable(True)
            made.clicked.connect(lambda _, r=role: self.press(r))
            self.sound_buttons[role] = made
            row.addWidget(made, 1)
        card.rows.addLayout(row)
        self.place = QProgressBar()
        self.place.setRange(0, 1000)
        self.place.setTextVisible(False)
        self.place.setMaximumHeight(6)
        self.place.setAccessibleName(self.tr("Position in the sound"))
        card.rows.addWidget(self.place)
        if self.sheet.kind == "abx":
            card.rows.addWidget(
                label(self.tr("Switching continues at the same position; pressing the playing one stops it."), "muted")
            )
        return card

    def _questions(self) -> Card:
        card = Card()
        card.rows.setSpacing(20)
        self.ratings = [Rating(question) for question in self.sheet.questions]
        self.choice = Choices(
            [
                (self.tr("A is closer to X"), self.tr("A is closer to X")),
                (self.tr("B is closer to X"), self.tr("B is closer to X")),
            ]
        )
        if self.sheet.kind == "abx":
            card.rows.addWidget(label(self.tr("Which one is closer to the reference X?"), "key"))
            card.rows.addWidget(self.choice)
        else:
            self.choice.setParent(None)
        for rating in self.ratings:
            card.rows.addWidget(rating)
            rating.changed.connect(self._update)
        self.choice.changed.connect(self._update)
        return card

    def _foot(self) -> QHBoxLayout:
        row = QHBoxLayout()
        self.back_button = button(self.tr("Back"))
        self.back_button.clicked.connect(self.back)
        self.hint = label("", "muted", wrap=False)
        self.next_button = button(self.tr("Next"), "primary")
        self.next_button.clicked.connect(self.next)
        row.addWidget(self.back_button)
        row.addStretch(1)
        row.addWidget(self.hint)
        row.addSpacing(8)
        row.addWidget(self.next_button)
        return row

    # -- what happens ----------------------------------------------------------------------------------------------------

    def show_trial(self, index: int, answered: int, before: Answer | None = None) -> None:
        """Show trial ``index``; ``before`` is the earlier answer."""
        self.trial = self.sheet.trials[index]
        total = len(self.sheet.trials)
        self.plays = dict.fromkeys(self.sheet.roles, 0) | (before.plays if before else {})
        self.title.setText(self.tr("Sound {number} of {total}").format(number=index + 1, total=total))
        self.done.setValue(answered)
        self.about.setVisible(bool(self.trial.about))
        self.about.setText(self.tr("Listen to the {source}").format(source=self.trial.about))
        for rating in self.ratings:
            rating.choose(before.ratings.get(rating.question.name, 0) if before else 0)
        self.choice.choose({"A": 0, "B": 1}.get(before.choice, -1) if before else -1)
        self.back_button.setEnabled(index > 0)
        self.set_playing("")
        self._update()
        next(iter(self.sound_buttons.values())).setFocus()

    def press(self, role: str) -> None:
        """Play ``role``, or stop it if it plays."""
        if self.playing == role:
            self.set_playing("")
            self.stop.emit()
            return
        self.plays[role] += 1
        self.set_playing(role)
        self.play.emit(role)
        self._update()

    def set_playing(self, role: str) -> None:
        """Set the sound that is playing; empty for silence."""
        self.playing = role
        if not role:
            self.place.setValue(0)
        for name, made in self.sound_buttons.items():
            made.setChecked(name == role)
            made.setText(self._text(name, name == role))
            made.setAccessibleName(self._name(name, name == role))

    def _text(self, role: str, plays: bool) -> str:
        if role == "sound":
            return self.tr("■  Stop") if plays else self.tr("▶  Play")
        return ("■  " if plays else "▶  ") + (self.tr("X, the reference") if role == "X" else role)

    def _name(self, role: str, plays: bool) -> str:
        what = {"sound": self.tr("the sound"), "X": self.tr("X, the reference")}.get(role, role)
        return (self.tr("Stop {what}") if plays else self.tr("Play {what}")).format(what=what)

    def moved(self, share: float) -> None:
        """Set the position in the sound, 0 to 1."""
        self.place.setValue(round(1000 * share))

    def press_answer(self, number: int) -> None:
        """The key of answer ``number``, from 0: it goes to the first question without an answer, else to the one that has the focus."""
        if self.sheet.kind == "abx":
            if number < 2:
                self.choice.choose(number)
                self._update()
            return
        focused = [rating for rating in self.ratings if rating.isAncestorOf(self.focusWidget() or self)]
        unanswered = [rating for rating in self.ratings if not rating.value]
        (unanswered + focused + self.ratings[-1:])[0].choose(number + 1)
        self._update()

    def answer(self) -> Answer | None:
        """The answer, or None while it is incomplete."""
        if self.missing():
            return None
        ratings = {rating.question.name: rating.value for rating in self.ratings}
        return Answer(ratings, ("A", "B")[self.choice.value] if self.sheet.kind == "abx" else "", dict(self.plays))

    def missing(self) -> str:
        """One sentence on what is still to be done; empty when nothing is."""
        unheard = [role for role in self.sheet.roles if not self.plays[role]]
        if unheard:
            names = ", ".join(unheard)
            return (
                self.tr("Listen to {names} first").format(names=names)
                if len(self.sheet.roles) > 1
                else self.tr("Listen first")
            )
        unanswered = any(not rating.value for rating in self.ratings) or (
            self.sheet.kind == "abx" and self.choice.value < 0
        )
        return self.tr("Answer to go on") if unanswered else ""

    def next(self) -> None:
        """Save the answer and continue, if it is complete."""
        if (answer := self.answer()) is not None:
            self.answered.emit(answer)

    def _update(self) -> None:
        missing = self.missing()
        self.hint.setText(missing)
        self.next_button.setEnabled(not missing)
