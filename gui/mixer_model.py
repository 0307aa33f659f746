"""The mixer's state in the window: what the engine reports, plus the commands that are still on their way; with undo.

The engine's snapshots are the truth, since MIDI controllers and other windows move faders too. But a command needs a moment to come back in
a snapshot, and a control that the person moves must not jump back meanwhile: the commanded value is shown until the engine agrees, or for
``ECHO_S``.
"""

from __future__ import annotations

import copy
import time
from collections.abc import Callable

from PyQt6.QtCore import QObject, pyqtSignal
from PyQt6.QtGui import QUndoStack

from gui.bridge import Bridge
from gui.insert_moves import InsertMoves
from gui.theme import stem_colour, stem_title
from gui.undo import Move, Value, new_gesture
from rtaudio.protocol.reports import Snapshot
from rtaudio.protocol.settings import MixerState, StemState

ECHO_S = 0.6
"""How long a commanded value counts before the engine has confirmed it."""

UNDO_STEPS = 200


class MixerModel(QObject):
    """One for each bridge, see ``mixer_model_of``.

    Signals:
        changed(MixerState): a shown value has changed.
        strips_changed(list): the strips have changed (another model, an instrument was added, or a stem file has its own names for them).
    """

    changed = pyqtSignal(object)
    strips_changed = pyqtSignal(list)

    def __init__(self, bridge: Bridge, clock: Callable[[], float] = time.monotonic) -> None:
        super().__init__(bridge)
        self.bridge = bridge
        self.state = MixerState()
        self.clock = clock
        self.undo = QUndoStack(self)
        self.undo.setUndoLimit(UNDO_STEPS)
        self._told = MixerState()  # the engine's last state
        self.inserts = InsertMoves(bridge, self.undo, lambda: self.state, lambda: self.changed.emit(self.state), clock, self)
        self._labels: tuple[dict[str, str], dict[str, str]] = ({}, {})
        self._ahead: dict[tuple[str, str], tuple[Value, float]] = {}
        self._wet = 0.0  # the dry/wet value to which A/B returns
        bridge.snapshot_changed.connect(self._take)
        self._take(bridge.snapshot)

    @property
    def strips(self) -> list[str]:
        """Names of the strips without the master."""
        return list(self.state.stems)

    def title(self, strip: str) -> str:
        """The displayed name of a strip: that in the stem file, or the usual one."""
        return self._labels[0].get(strip) or stem_title(strip)

    def colour(self, strip: str) -> str:
        """The colour of a strip, as ``#rrggbb``: that in the stem file, or the usual one."""
        return self._labels[1].get(strip) or stem_colour(strip)

    def value(self, strip: str, field: str) -> Value:
        """The shown value of a field; ``strip`` "" is the mixer as a whole."""
        found: Value = getattr(self.state.stems[strip] if strip else self.state, field)
        return found

    def move(self, strip: str, field: str, value: Value, gesture: int = 0, text: str = "") -> bool:
        """Send the command for a moved control and record it for undo. Moves with the same ``gesture`` (not 0) are one step."""
        if strip and strip not in self.state.stems:
            return False
        before = self.value(strip, field)
        if before == value:
            return True
        if not self.put(strip, field, value):
            return False
        self.undo.push(
            Move(self._put_back, strip, field, before, value, gesture or new_gesture(), text or _told_as(strip, field))
        )
        return True

    def put(self, strip: str, field: str, value: Value) -> bool:
        """Send a command for a value, without an undo step."""
        if strip:
            accepted = self.bridge.send("set_stem", stem=strip, field=field, value=value)
        else:
            accepted = self.bridge.send("set_mixer", field=field, value=value)
        if not accepted:
            return False
        self._ahead[strip, field] = (value, self.clock())
        _assign(self.state, strip, field, value)
        self.changed.emit(self.state)
        return True

    @property
    def comparing(self) -> bool:
        """True while A/B plays the original mix."""
        return self.state.dry >= 1.0

    def compare(self, original: bool) -> None:
        """A/B: ``original`` plays the unprocessed mix, else the stems with the previous dry/wet setting."""
        if original and not self.comparing:
            self._wet = self.state.dry
            self.move("", "dry", 1.0, text=self.tr("A/B"))
        elif not original and self.comparing:
            self.move("", "dry", self._wet if self._wet < 1.0 else 0.0, text=self.tr("A/B"))

    def flatten(self) -> None:
        """Reset all faders, pans, mutes and solos, as one step of undo."""
        rest = {"gain_db": 0.0, "pan": 0.0, "mute": False, "solo": False}
        moves = [(strip, field, value) for strip in self.strips for field, value in rest.items()] + [
            ("", "master_db", 0.0)
        ]
        moves = [move for move in moves if self.value(*move[:2]) != move[2]]
        if not moves:
            return
        self.undo.beginMacro(self.tr("Reset mixer"))
        for move in moves:
            self.move(*move)
        self.undo.endMacro()

    def _put_back(self, strip: str, field: str, value: Value) -> bool:
        return (not strip or strip in self.state.stems) and self.put(strip, field, value)

    def _take(self, snapshot: Snapshot) -> None:
        """Take over the engine's state, with the pending commands applied to it. Cheap if nothing has changed."""
        if self.inserts.follow_played(snapshot, ECHO_S):
            self.changed.emit(self.state)
        said = snapshot.mixer
        labels = (snapshot.transport.titles, snapshot.transport.colours)
        if labels != self._labels:
            self._labels = copy.deepcopy(labels)
            self.strips_changed.emit(self.strips)
        if not said.stems or (said == self._told and not self._ahead and not self.inserts.ahead):
            return
        fresh = copy.deepcopy(said)
        now = self.clock()
        for (strip, field), (value, since) in list(self._ahead.items()):
            target: MixerState | StemState | None = fresh.stems.get(strip) if strip else fresh
            if target is None or getattr(target, field) == value or now - since > ECHO_S:
                del self._ahead[strip, field]
            else:
                setattr(target, field, value)
        self.inserts.lay_over(fresh, ECHO_S)
        self._told = copy.deepcopy(said)
        others = list(fresh.stems) != self.strips
        different = fresh != self.state
        self.state = fresh
        if others:
            self.undo.clear()
            self.strips_changed.emit(self.strips)
        if different:
            self.changed.emit(self.state)


def mixer_model_of(bridge: Bridge) -> MixerModel:
    """The mixer model of a bridge, made when it is first asked for."""
    found = bridge.findChild(MixerModel)
    return found if isinstance(found, MixerModel) else MixerModel(bridge)


def _assign(state: MixerState, strip: str, field: str, value: Value) -> None:
    setattr(state.stems[strip] if strip else state, field, value)


def _told_as(strip: str, field: str) -> str:
    return f"{stem_title(strip or 'master')}: {field.removesuffix('_db').replace('master', 'gain')}"
