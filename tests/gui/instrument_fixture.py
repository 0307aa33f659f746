"""What the tests of the instrument's page share: the notes that reached the session, and a hand that drags."""

from __future__ import annotations

from PyQt6.QtCore import QEvent, QPointF, Qt
from PyQt6.QtGui import QMouseEvent
from PyQt6.QtWidgets import QApplication, QWidget

from models.catalog import load_card
from tests.gui.conftest import FakeSession

NAMES = list(load_card("sing-gm").outputs)
Left = Qt.MouseButton.LeftButton


def midi(session: FakeSession) -> list[list[int]]:
    return [command.args["data"] for command in session.commands if command.op == "midi"]


def hanging(session: FakeSession) -> set[tuple[int, int]]:
    """Notes that were begun and not ended."""
    down: set[tuple[int, int]] = set()
    for status, note, value in midi(session):
        if status >> 4 == 9 and value:
            down.add((status & 15, note))
        elif status >> 4 == 8:
            down.discard((status & 15, note))
    return down


def drag(widget: QWidget, point: QPointF) -> None:
    """The mouse moves there with its button held."""
    where = widget.mapToGlobal(point)
    QApplication.sendEvent(
        widget, QMouseEvent(QEvent.Type.MouseMove, point, where, Left, Left, Qt.KeyboardModifier.NoModifier)
    )
