"""The menu of a strip: let a MIDI controller move its level or its pan."""

from __future__ import annotations

from PyQt6.QtCore import QCoreApplication
from PyQt6.QtWidgets import QMenu, QWidget

from gui.desk import Desk


def learn_menu(parent: QWidget, desk: Desk, strip: str) -> QMenu:
    """Learn and forget, for the level and the pan of a strip."""
    menu = QMenu(parent)
    menu.setAccessibleName(_tr("MIDI learn"))
    ready = bool(desk.bridge.snapshot.instrument.model)
    for target, what in ((f"stem.{strip}.gain_db", _tr("level")), (f"stem.{strip}.pan", _tr("pan"))):
        learn = menu.addAction(_tr("MIDI learn: {}").format(what))
        forget = menu.addAction(_tr("Forget MIDI of {}").format(what))
        for action, op in ((learn, "learn"), (forget, "forget")):
            assert action is not None
            action.setEnabled(ready)
            action.triggered.connect(lambda _, o=op, t=target: desk.bridge.send(o, target=t))
        menu.addSeparator()
    if not ready:
        note = menu.addAction(_tr("MIDI needs an instrument: choose one in the settings"))
        assert note is not None
        note.setEnabled(False)
    return menu


def _tr(text: str) -> str:
    return QCoreApplication.translate("Learn", text)
