"""The menu of a control that a MIDI controller may move: learn one, forget it."""

from __future__ import annotations

from PyQt6.QtCore import QCoreApplication
from PyQt6.QtWidgets import QMenu, QWidget

from gui.bridge import Bridge


def learn_menu(parent: QWidget, bridge: Bridge, targets: dict[str, str]) -> QMenu:
    """Learn and forget for each of ``targets``: target of the order ``learn`` -> what a person calls it."""
    menu = QMenu(parent)
    menu.setAccessibleName(_tr("MIDI learn"))
    report = bridge.snapshot.instrument
    learnt = {str(entry.get("target")) for entry in report.state.midi_map}
    for target, what in targets.items():
        waiting = report.learning == target
        learn = menu.addAction(_tr("Stop waiting for a controller") if waiting else _tr("MIDI learn: {}").format(what))
        forget = menu.addAction(_tr("Forget the controller of {}").format(what))
        assert learn is not None and forget is not None
        learn.setEnabled(bool(report.model))
        learn.triggered.connect(lambda _, t="" if waiting else target: bridge.send("learn", target=t))
        forget.setEnabled(target in learnt)
        forget.triggered.connect(lambda _, t=target: bridge.send("forget", target=t))
        menu.addSeparator()
    if not report.model:
        note = menu.addAction(_tr("MIDI needs an instrument: choose one in the settings"))
        assert note is not None
        note.setEnabled(False)
    return menu


def _tr(text: str) -> str:
    return QCoreApplication.translate("Learn", text)
