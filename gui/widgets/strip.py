"""Strips of the mixer: one for a stem or the instrument, one for the master."""

from __future__ import annotations

from PyQt6.QtCore import Qt
from PyQt6.QtGui import QContextMenuEvent, QKeyEvent, QResizeEvent
from PyQt6.QtWidgets import QFrame, QHBoxLayout, QSizePolicy, QVBoxLayout, QWidget

from gui import theme
from gui.mixer_model import MixerModel
from gui.widgets import taper
from gui.widgets.dbentry import DbEntry
from gui.widgets.fader import Fader
from gui.widgets.knob import PanKnob, pan_text
from gui.widgets.learn import learn_menu
from gui.widgets.meter import LevelMeter
from gui.widgets.plain import ElidedLabel, PlainLabel
from gui.widgets.popup import pop_up
from gui.widgets.toggle import Toggle, polish
from rtaudio.protocol.reports import Meter
from rtaudio.protocol.settings import MixerState

WIDTH = (128, 188)
"""A strip's least and greatest width."""


class BaseStrip(QFrame):
    """The common parts of all strips: colour and name, fader, meter, level field. ``strip`` "" is the master."""

    def __init__(self, mixer_model: MixerModel, strip: str, gain_field: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.mixer_model, self.strip, self.gain_field = mixer_model, strip, gain_field
        self.compact = self._learning = False
        self.subtitle = ""
        self.rack: QWidget | None = None
        self.title = mixer_model.title(strip or "master")
        self.colour = mixer_model.colour(strip or "master")
        self.setProperty("card", True)
        self.setMinimumWidth(WIDTH[0])
        self.setMaximumWidth(WIDTH[1])
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred)
        self.setAccessibleName(self.title)
        self.column = QVBoxLayout(self)
        self.column.setContentsMargins(1, 1, 1, 12)
        self.column.setSpacing(6)
        self._add_head()
        self.fader, self.meter, self.entry = Fader(self.colour), LevelMeter(self.colour), DbEntry()
        self.fader.setAccessibleName(self.tr("{} level").format(self.title))
        self.fader.setToolTip(
            self.tr("Level of {}: drag, wheel or arrows; Shift for fine steps; double click for 0 dB").format(
                self.title
            )
        )
        self.meter.setAccessibleName(self.tr("{} meter").format(self.title))
        self.meter.setToolTip(self.tr("Left: peak. Right: RMS. A click resets the clip indicator."))
        self.entry.setAccessibleName(self.tr("{} level in dB, to type").format(self.title))
        self.entry.setToolTip(self.tr("Type a level in dB, or -inf"))
        self.fader.moved_db.connect(lambda db, gesture: self._send_command(self.gain_field, db, gesture))
        self.fader.let_go.connect(lambda: self.show_state(self.mixer_model.state))
        self.entry.entered.connect(lambda db: self._send_command(self.gain_field, db))

    def _add_head(self) -> None:
        bar = QFrame()
        bar.setFixedHeight(5)
        corner = f"{theme.RADIUS - 1}px"
        bar.setStyleSheet(
            f"background: {self.colour}; border: 0; border-top-left-radius: {corner}; border-top-right-radius: {corner};"
        )
        self.name = ElidedLabel(self.title)  # a stem file may have long names
        self.name.setProperty("role", "heading")
        self.name.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.note = PlainLabel(" ")
        self.note.setProperty("role", "small")
        self.note.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.head = QHBoxLayout()
        self.head.setContentsMargins(6, 2, 4, 0)
        self.head.setSpacing(3)
        self.head.addWidget(self.name, 1)
        self.column.addWidget(bar)
        self.column.addLayout(self.head)
        self.column.addWidget(self.note)

    def _add_body(self) -> None:
        body = QHBoxLayout()
        body.setContentsMargins(8, 0, 10, 0)
        body.setSpacing(6)
        body.addStretch(1)
        body.addWidget(self.fader)
        body.addWidget(self.meter, 2)
        body.addStretch(1)
        self.column.addLayout(body, 1)
        self.level_row = QHBoxLayout()
        self.level_row.setContentsMargins(4, 0, 4, 0)
        self.level_row.setSpacing(4)
        self.level_row.addStretch(1)
        self.level_row.addWidget(self.entry)
        self.level_row.addStretch(1)
        self.column.addLayout(self.level_row)
        self.entry.setFixedWidth(72)

    def add_rack(self, rack: QWidget) -> None:
        """Put the slots of the strip's effects under its name, or beside its level where the window is low."""
        self.rack = rack
        self._place_rack()

    def _place_rack(self) -> None:
        if self.rack is None:
            return
        if self.compact:
            self.level_row.insertWidget(2, self.rack)
        else:
            self.column.insertWidget(3, self.rack)

    def _send_command(self, field: str, value: float | bool, gesture: int = 0) -> None:
        if not self.mixer_model.move(self.strip, field, value, gesture):
            self.show_state(self.mixer_model.state)

    def _show_gain(self, db: float) -> None:
        self.fader.show_db(db)
        self.entry.show_number(db)
        self.fader.setAccessibleDescription(f"{taper.written(db)} dB")

    def set_compact(self, compact: bool) -> None:
        """Use fewer rows in a low window, so that the fader keeps its travel."""
        if compact != self.compact:
            self.compact = compact
            self._arrange(compact)
            self.entry.setFixedWidth(56 if compact else 72)
            self._place_rack()

    def _arrange(self, compact: bool) -> None:
        self.note.setVisible(not compact)
        self.name.setProperty("role", "key" if compact else "heading")
        self.name.setMinimumHeight(28 if compact else 0)
        polish(self.name)
        self.column.setSpacing(3 if compact else 6)
        self.column.setContentsMargins(1, 1, 1, 6 if compact else 12)

    def targets(self) -> dict[str, str]:
        """Targets of MIDI learn in this strip: target of ``learn`` -> name for the user."""
        raise NotImplementedError

    def contextMenuEvent(self, event: QContextMenuEvent | None) -> None:  # noqa: N802 - Qt's name
        """MIDI learn."""
        if event is not None:
            pop_up(learn_menu(self, self.mixer_model.bridge, self.targets()), event.globalPos())

    def show_learning(self, target: str) -> None:
        """Show which control waits for a MIDI controller, of this strip or another."""
        learning = target in self.targets()
        if learning != self._learning:
            self._learning = learning
            self.show_state(self.mixer_model.state)

    def show_state(self, state: MixerState) -> None:
        """Show the mixer model's state."""
        raise NotImplementedError

    def feed(self, meter: Meter) -> None:
        """The newest levels."""
        self.meter.feed(meter)

    def _dim(self, dimmed: bool) -> None:
        for part in (self.fader, self.meter):
            if part.dimmed != dimmed:
                part.dimmed = dimmed
                part.update()
        if self.name.isEnabled() == dimmed:
            self.name.setEnabled(not dimmed)


class Strip(BaseStrip):
    """A stem's strip, or the instrument's."""

    def __init__(self, mixer_model: MixerModel, strip: str, parent: QWidget | None = None) -> None:
        super().__init__(mixer_model, strip, "gain_db", parent)
        self._note = " "
        self.corner: QWidget | None = None
        self.pan = PanKnob(self.colour)
        self.pan.setAccessibleName(self.tr("{} pan").format(self.title))
        self.pan.setToolTip(self.tr("Left and right: drag, wheel or arrows; double click for the centre"))
        self.pan.moved.connect(lambda value, gesture: self._send_command("pan", value / 100, gesture))
        self.pan.let_go.connect(lambda: self.show_state(self.mixer_model.state))
        self.pan_label = PlainLabel("C")
        self.pan_label.setProperty("role", "small")
        self.pan_label.setFixedWidth(44)
        self._add_pan()
        self._add_body()
        self.mute = Toggle(
            self.tr("M"), "mute", self.tr("Mute {}").format(self.title), self.tr("Mute {} (M)").format(self.title)
        )
        self.solo = Toggle(
            self.tr("S"), "solo", self.tr("Solo {}").format(self.title), self.tr("Solo {} (S)").format(self.title)
        )
        self.arm = Toggle(
            "●",
            "arm",
            self.tr("Record {}").format(self.title),
            self.tr("Record {} to its own file (R)").format(self.title),
        )
        switches = QHBoxLayout()
        switches.setContentsMargins(12, 2, 12, 0)
        switches.setSpacing(6)
        for button, field in ((self.mute, "mute"), (self.solo, "solo"), (self.arm, "armed")):
            switches.addWidget(button)
            button.clicked.connect(lambda on, f=field: self._send_command(f, on))
        self.column.addLayout(switches)
        self.show_state(mixer_model.state)

    def _add_pan(self) -> None:
        self.pan_row = QHBoxLayout()
        self.pan_row.setContentsMargins(12, 0, 12, 0)
        self.pan_row.setSpacing(4)
        self.pan_row.addStretch(1)
        self.pan_row.addSpacing(24)
        self.pan_row.addWidget(self.pan)
        self.pan_row.addWidget(self.pan_label)
        self.pan_row.addStretch(1)
        self.column.addLayout(self.pan_row)

    def _arrange(self, compact: bool) -> None:
        super()._arrange(compact)
        self._place_corner()
        self.pan_label.setVisible(not compact)
        self.pan.set_small(compact)
        if compact:
            self.head.insertWidget(0, self.pan)
        else:
            self.pan_row.insertWidget(2, self.pan)

    def show_state(self, state: MixerState) -> None:
        own = state.stems.get(self.strip)
        if own is None:
            return
        self._show_gain(own.gain_db)
        pan = round(own.pan * 100)
        self.pan.show_value(pan)
        text = pan_text(self.pan.value())
        if text != self.pan_label.text():
            self.pan_label.setText(text)
            self.pan.setAccessibleDescription(text)
        for button, on in ((self.mute, own.mute), (self.solo, own.solo), (self.arm, own.armed)):
            button.show_on(on)
        self.arm.setText("●" if own.armed else "○")
        soloed = any(strip.solo for strip in state.stems.values())
        if self._learning:
            note = self.tr("move a control …")
        elif own.mute:
            note = self.tr("muted")
        elif soloed and not own.solo:
            note = self.tr("not soloed")
        else:
            note = self.tr("solo") if own.solo else self.subtitle or " "
        if note != self._note:
            self._note = note
            self._fit_note()
        self._dim(own.mute or (soloed and not own.solo))

    def _fit_note(self) -> None:
        beside = 0 if self.corner is None else 2 * self.corner.width()  # the text is in the middle
        room = max(WIDTH[0], self.width()) - 16 - beside
        self.note.setText(self.note.fontMetrics().elidedText(self._note, Qt.TextElideMode.ElideRight, room))

    def resizeEvent(self, event: QResizeEvent | None) -> None:  # noqa: N802 - Qt's name
        super().resizeEvent(event)
        self._fit_note()
        self._place_corner()

    def add_corner(self, button: QWidget) -> None:
        """Put a small button beside the note, in no layout, so that the faders of all strips stay equally long. A low window hides both."""
        self.corner = button
        button.setParent(self)
        self._place_corner()

    def _place_corner(self) -> None:
        if self.corner is None:
            return
        self.corner.setVisible(not self.compact)
        if not self.compact:
            self.column.activate()
            self.corner.move(self.width() - self.corner.width() - 6, self.note.geometry().center().y() - self.corner.height() // 2)

    def show_subtitle(self, text: str) -> None:
        """What is heard on this strip, where there is nothing else to say about it."""
        if text != self.subtitle:
            self.subtitle = text
            self.show_state(self.mixer_model.state)

    def show_recording(self, recording: bool) -> None:
        """Whether this strip is being recorded now."""
        if self.arm.property("recording") != recording:
            self.arm.setProperty("recording", recording)
            polish(self.arm)

    def keyPressEvent(self, event: QKeyEvent | None) -> None:  # noqa: N802 - Qt's name
        """Handle M, S and R from any control of the strip that does not use letters."""
        keys = {Qt.Key.Key_M: self.mute, Qt.Key.Key_S: self.solo, Qt.Key.Key_R: self.arm}
        if event is not None and event.modifiers() == Qt.KeyboardModifier.NoModifier and Qt.Key(event.key()) in keys:
            keys[Qt.Key(event.key())].click()
        else:
            super().keyPressEvent(event)

    def targets(self) -> dict[str, str]:
        fields = {
            "gain_db": self.tr("level"), "pan": self.tr("pan"), "mute": self.tr("mute"), "solo": self.tr("solo"),
            "armed": self.tr("record arm"),
        }  # fmt: skip
        return {f"stem.{self.strip}.{field}": name for field, name in fields.items()}


class MasterStrip(BaseStrip):
    """The sum of all: fader, meter, limiter."""

    def __init__(self, mixer_model: MixerModel, parent: QWidget | None = None) -> None:
        super().__init__(mixer_model, "", "master_db", parent)
        self.reduction = PlainLabel(" ")
        self.reduction.setProperty("role", "small")
        self.reduction.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.reduction.setFixedHeight(36)
        self.column.addWidget(self.reduction)
        self._add_body()
        self.limiter = Toggle(
            self.tr("Limiter"),
            "good",
            self.tr("Limiter"),
            self.tr("Keeps the output below full scale; leave it on unless you have a reason to switch it off"),
        )
        self.limiter.clicked.connect(lambda on: self._send_command("limiter", on))
        row = QHBoxLayout()
        row.setContentsMargins(12, 2, 12, 0)
        row.addWidget(self.limiter)
        self.column.addLayout(row)
        self.show_state(mixer_model.state)

    def show_state(self, state: MixerState) -> None:
        self._show_gain(state.master_db)
        self.limiter.show_on(state.limiter)
        self.note.setText(self.tr("move a control …") if self._learning else " ")

    def _arrange(self, compact: bool) -> None:
        super()._arrange(compact)
        self.reduction.setVisible(not compact)

    def targets(self) -> dict[str, str]:
        return {"mixer.master_db": self.tr("level"), "mixer.limiter": self.tr("limiter")}

    def show_reduction(self, db: float) -> None:
        """Show the limiter's gain reduction in dB (0 or negative)."""
        text = self.tr("limiting {} dB").format(taper.written(db)) if db <= -0.05 else self.tr("limiter idle")
        if text != self.reduction.text():
            self.reduction.setText(text)
