"""A parameter in the editor: its name, a control, and a field for its value."""

from __future__ import annotations

from PyQt6.QtCore import QCoreApplication, QObject
from PyQt6.QtWidgets import QGridLayout, QWidget

from gui.effect_words import translated
from gui.insert_moves import InsertMoves
from gui.inserts.values import ChoiceBox, ParameterSlider, ValueEntry
from gui.widgets.learn import learnable
from gui.widgets.plain import PlainLabel
from rtaudio.protocol.parameters import Parameter

MOST_CHOICES = 200


def choices_of(parameter: Parameter) -> tuple[str, ...]:
    """The choices if each step has a name; a parameter with two steps is a switch."""
    if len(parameter.labels) in range(2, MOST_CHOICES):
        return tuple(translated(label) for label in parameter.labels)
    return (_tr("Off"), _tr("On")) if parameter.steps == 2 and not parameter.unit and not parameter.labels else ()


class ParameterRow(QObject):
    """See the module's text."""

    def __init__(self, moves: InsertMoves, place: str, key: str, parameter: Parameter, parent: QWidget) -> None:
        super().__init__(parent)
        self.parameter = parameter
        self.target = f"insert.{place}.{key}.{parameter.id}"
        self.label = PlainLabel(translated(parameter.name))
        self.label.setProperty("role", "muted")
        self.label.setWordWrap(True)
        self.label.setMinimumWidth(96)
        choices = choices_of(parameter)
        self.control: ChoiceBox | ParameterSlider
        self.entry: ValueEntry | None = None

        def turn(value: float, gesture: int = 0) -> None:
            if not moves.turn(place, key, parameter, value, gesture):
                self.show_number(moves.value(place, key, parameter))

        if choices:
            self.control = ChoiceBox(parameter, choices)
            self.control.turned.connect(turn)
        else:
            self.control = ParameterSlider(parameter)
            self.control.turned.connect(turn)
            self.control.let_go.connect(lambda: self.show_number(moves.value(place, key, parameter)))
            self.entry = ValueEntry(parameter)
            self.entry.setFixedWidth(104)
            self.entry.setAccessibleName(_tr("{}, to type").format(self.label.text()))
            self.entry.entered.connect(turn)
            low, high = parameter.text(parameter.low), parameter.text(parameter.high)
            self.entry.setToolTip(_tr("From {0} to {1}").format(low, high))
        self.control.setAccessibleName(self.label.text())
        self.control.setToolTip(_tr("Default: {}. Right click: MIDI learn.").format(parameter.text(parameter.default)))
        self.label.setBuddy(self.control)
        learnable(self.control, moves.bridge, self.target)

    def put_into(self, grid: QGridLayout, row: int) -> None:
        """Add the widgets to a row of the grid."""
        grid.addWidget(self.label, row, 0)
        grid.addWidget(self.control, row, 1, 1, 1 if self.entry is not None else 2)
        if self.entry is not None:
            grid.addWidget(self.entry, row, 2)

    def show_number(self, value: float) -> None:
        """Show the parameter's value."""
        self.control.show_number(value)
        if self.entry is not None:
            self.entry.show_number(value)
        told = self.parameter.text(value)
        if told != self.control.accessibleDescription():
            self.control.setAccessibleDescription(told)

    def show_learning(self, target: str) -> None:
        """Show whether the parameter is waiting for a MIDI controller."""
        name = translated(self.parameter.name)
        told = f"{name}: {_tr('move a control …')}" if target == self.target else name
        if told != self.label.text():
            self.label.setText(told)


def _tr(text: str) -> str:
    return QCoreApplication.translate("ParameterRow", text)
