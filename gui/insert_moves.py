"""The effects in the slots of the strips, for the mixer model: orders, what is still on its way to the engine, and undo.

A *place* is the name of a strip, ``master`` or ``input``, as the commands have it.
"""

from __future__ import annotations

import copy
import math
import re
from collections.abc import Callable, Iterable
from pathlib import Path

from PyQt6.QtCore import QObject
from PyQt6.QtGui import QUndoStack

from gui.bridge import Bridge
from gui.effect_words import plugin_title, translated
from gui.theme import stem_title
from gui.undo import InsertField, InstrumentMove, Move, Put, Value, new_gesture
from rtaudio.protocol.insert_checks import is_foreign
from rtaudio.protocol.messages import to_dict
from rtaudio.protocol.parameters import EFFECTS, MAX_SLOTS, Parameter
from rtaudio.protocol.reports import InsertReport, Snapshot
from rtaudio.protocol.settings import InsertState, MixerState

ORDER, EXACT = ("", "order"), ("", "exact")
"""InsertFields of ``Move`` that stand for all slots of a place: which there are and in which order; or all that is in them too.
``(KEY, "")`` is the bypass of one, ``(KEY, PARAMETER)`` a value."""

MASTER, INPUT = "master", "input"
PLAYED = ("instrument", "instrument")
"""Place and key of the plugin that MIDI plays. It is in no slot; its parameters, restart and window are ordered like an insert's."""


def slots_of(mixer: MixerState, place: str) -> list[InsertState]:
    """The list of the inserts of ``place``; an empty one if there is no such strip."""
    if place in (MASTER, INPUT):
        return mixer.inserts if place == MASTER else mixer.input_inserts
    return mixer.stems[place].inserts if place in mixer.stems else []


def places_of(mixer: MixerState) -> list[str]:
    """All places that have slots."""
    return [*mixer.stems, MASTER, INPUT]


def new_key(plugin: str, taken: Iterable[str]) -> str:
    """A key for ``plugin`` that none of ``taken`` has."""
    stem = re.sub(r"\W+", "-", Path(re.split(r"[/\\#:]", plugin.rstrip("/\\"))[-1]).stem).strip("-")[:40] or "plugin"
    taken = set(taken)
    return next(key for k in range(1, len(taken) + 2) if (key := f"{stem}-{k}") not in taken)


class InsertMoves(QObject):
    """Part of a mixer model.

    Args:
        bridge: takes the orders. ``undo``: remembers them.
        state: what is shown now. ``changed``: tells that it is something else. ``clock``: seconds.
    """

    def __init__(
        self, bridge: Bridge, undo: QUndoStack, state: Callable[[], MixerState], changed: Callable[[], None],
        clock: Callable[[], float], parent: QObject,
    ) -> None:  # fmt: skip
        super().__init__(parent)
        self.bridge, self.undo = bridge, undo
        self._state, self._changed, self._clock = state, changed, clock
        self.ahead: dict[tuple[str, InsertField], tuple[Value, float]] = {}
        self.played: InsertState | None = None

    # -- what there is ------------------------------------------------------------------------------------------------------

    def slots(self, place: str) -> list[InsertState]:
        """The inserts of ``place``, in order; not to be changed."""
        return slots_of(self._state(), place)

    def find(self, place: str, key: str) -> InsertState | None:
        """One insert, if it is (still) there."""
        if (place, key) == PLAYED and self.played is not None:
            return self.played
        return next((entry for entry in self.slots(place) if entry.key == key), None)

    def report(self, place: str, key: str) -> InsertReport | None:
        """What the engine says of it."""
        if (place, key) == PLAYED and self.played is not None:
            slot = self.bridge.snapshot.instrument.slot
            return slot if slot.plugin == self.played.plugin else None
        return next((report for report in self.bridge.snapshot.inserts.get(place, []) if report.key == key), None)

    def title(self, place: str, key: str) -> str:
        """What it is called."""
        entry = self.find(place, key)
        return plugin_title(entry.plugin, self.report(place, key)) if entry is not None else key

    def value(self, place: str, key: str, parameter: Parameter) -> float:
        """What is shown of a parameter."""
        entry = self.find(place, key)
        return parameter.default if entry is None else entry.values.get(parameter.id, parameter.default)

    # -- what a person does -------------------------------------------------------------------------------------------------

    def add(self, place: str, plugin: str, first: bool = False) -> str:
        """Put ``plugin`` after the last insert, or before all. Its key; "" if the engine refused or no slot is free."""
        slots = copy.deepcopy(self.slots(place))
        if not self._room(place):
            return ""
        key = new_key(plugin, (entry.key for entry in slots))
        slots.insert(0 if first else len(slots), InsertState(plugin, key))
        text = self.tr("{0}: add {1}").format(stem_title(place), plugin_title(plugin))
        return key if self.arrange(place, slots, ORDER, text) else ""

    def replace(self, place: str, key: str, plugin: str) -> str:
        """Put ``plugin`` where another insert is. Its key; "" if the engine refused."""
        slots = copy.deepcopy(self.slots(place))
        new = new_key(plugin, (entry.key for entry in slots))
        text = self.tr("{0}: {1} instead of {2}").format(stem_title(place), plugin_title(plugin), self.title(place, key))
        wanted = [InsertState(plugin, new) if entry.key == key else entry for entry in slots]
        return new if self.arrange(place, wanted, ORDER, text) else ""

    def remove(self, place: str, key: str) -> bool:
        """Empty a slot."""
        text = self.tr("{0}: remove {1}").format(stem_title(place), self.title(place, key))
        return self.arrange(place, [entry for entry in self.slots(place) if entry.key != key], ORDER, text)

    def shift(self, place: str, key: str, to: int) -> bool:
        """Give it another position among the inserts of its place."""
        slots = list(self.slots(place))
        entry = self.find(place, key)
        if entry is None:
            return False
        slots.remove(entry)
        slots.insert(min(max(0, to), len(slots)), entry)
        return self.arrange(place, slots, ORDER, self.tr("{0}: order of effects").format(stem_title(place)))

    def carry(self, place: str, key: str, other: str, to: int) -> bool:
        """Move it to another place, with its values, as one step of undo."""
        entry = self.find(place, key)
        if place == other:
            return self.shift(place, key, to)
        if entry is None or not self._room(other):
            return False
        there = copy.deepcopy(self.slots(other))
        moved = copy.deepcopy(entry)
        moved.key = new_key(entry.plugin, (each.key for each in there))
        there.insert(min(max(0, to), len(there)), moved)
        text = self.tr("Move {0} to {1}").format(self.title(place, key), stem_title(other))
        self.undo.beginMacro(text)
        done = self.arrange(other, there, ORDER, text) and self.remove(place, key)
        self.undo.endMacro()
        return done

    def arrange(self, place: str, wanted: list[InsertState], field: InsertField = EXACT, text: str = "") -> bool:
        """Have these inserts. Whether the engine takes them."""
        before = copy.deepcopy(self.slots(place))
        if wanted == before:
            return True
        return self._move(place, field, before, copy.deepcopy(wanted), 0, text or self.tr("{0}: effects").format(stem_title(place)))

    def bypass(self, place: str, key: str, on: bool) -> bool:
        """Let the sound pass without the effect, or through it again."""
        entry = self.find(place, key)
        if entry is None or entry.bypass == on:
            return entry is not None
        text = self.tr("{0}: bypass {1}") if on else self.tr("{0}: {1} on again")
        return self._move(place, (key, ""), entry.bypass, on, 0, text.format(stem_title(place), self.title(place, key)))

    def turn(self, place: str, key: str, parameter: Parameter, value: float, gesture: int = 0) -> bool:
        """Set a parameter, in its unit. Turns with the same ``gesture`` (not 0) are one step of undo."""
        before = self.value(place, key, parameter)
        if self.find(place, key) is None or before == value:
            return True
        text = f"{self.title(place, key)}: {translated(parameter.name)}"
        return self._move(place, (key, parameter.id), before, value, gesture, text)

    def play(self, instrument: str) -> bool:
        """Let this model or plugin be the instrument. The engine starts again with it. Whether it was taken."""
        before, kept = self.bridge.config.instrument, self.settings_of_played()
        if instrument == before:
            return True
        if not self.bridge.configure(instrument=instrument):
            return False
        self.remember_instrument(before, kept)
        self.bridge.poll()
        return True

    def settings_of_played(self) -> InsertState | None:
        """The plugin that MIDI plays, with its values and state; None if it is a model, or nothing."""
        return copy.deepcopy(self.played)

    def remember_instrument(self, before: str, kept: InsertState | None) -> None:
        """Let undo bring back the instrument ``before``, with its settings ``kept``; another one has just been configured."""
        after = self.bridge.config.instrument
        if after != before:
            text = self.tr("Instrument: {}").format(plugin_title(after) if after else self.tr("none"))
            self.undo.push(InstrumentMove(self._play_again, self.settings_of_played, before, after, kept, text))

    def _play_again(self, instrument: str, settings: InsertState | None) -> bool:
        if instrument != self.bridge.config.instrument and not self.bridge.configure(instrument=instrument):
            return False
        if settings is not None and settings.plugin == instrument:
            self.bridge.send("set_instrument", field="plugin", value=to_dict(settings))
        self.bridge.poll()
        return True

    def start_again(self, place: str, key: str) -> bool:
        """Load it afresh, after a failure."""
        return self.bridge.send("restart_insert", strip=place, key=key)

    def open_editor(self, place: str, key: str) -> bool:
        """Show the plugin's own window."""
        return self.bridge.send("open_editor", strip=place, key=key)

    def _room(self, place: str) -> bool:
        if len(self.slots(place)) < MAX_SLOTS:
            return True
        self.bridge.refused.emit(self.tr("{0} has {1} slots for effects, and all are taken.").format(stem_title(place), MAX_SLOTS))
        return False

    def _move(self, place: str, field: InsertField, before: Value, after: Value, gesture: int, text: str) -> bool:
        if not self._put(place, field, after):
            return False
        put = self._put if self.played is None or (place, field[0]) != PLAYED else self._put_while(self.played.plugin)
        self.undo.push(Move(put, place, field, before, after, gesture or new_gesture(), text))
        return True

    def _put_while(self, plugin: str) -> Put:
        """``_put`` as long as ``plugin`` is the instrument: undo must not turn the parameters of another."""
        return lambda place, field, value: self.played is not None and self.played.plugin == plugin and self._put(place, field, value)

    # -- orders -------------------------------------------------------------------------------------------------------------

    def _put(self, place: str, field: InsertField, value: Value) -> bool:
        key, what = field
        if isinstance(value, list):
            if not self._order_slots(place, value, exact=field == EXACT):
                return False
        elif what:
            if not self.bridge.send("set_parameter", strip=place, key=key, parameter=what, value=value):
                return False
        elif not self.bridge.send("bypass_insert", strip=place, key=key, bypass=value):
            return False
        if not isinstance(value, list):
            self.ahead[place, field] = (value, self._clock())
            if self.played is not None and (place, key) == PLAYED:
                self.played.values[what] = float(value)
            else:
                _assign(self._state(), place, field, value)
        self._changed()
        return True

    def _order_slots(self, place: str, wanted: list[InsertState], exact: bool) -> bool:
        """What stays plays on as it is; with ``exact``, what has other values or another state is taken out and loaded afresh."""
        present = {entry.key: entry for entry in self.slots(place)}
        others = {e.key for e in wanted if e.key in present and (exact or e.plugin != present[e.key].plugin) and e != present[e.key]}
        slots = copy.deepcopy([present[e.key] if e.key in present and e.key not in others else e for e in wanted])
        if others and not self._send_slots(place, [entry for entry in slots if entry.key not in others]):
            return False
        if not self._send_slots(place, slots):
            return False
        self.ahead[place, ORDER] = (slots, self._clock())
        slots_of(self._state(), place)[:] = copy.deepcopy(slots)
        return True

    def _send_slots(self, place: str, slots: list[InsertState]) -> bool:
        return self.bridge.send("set_inserts", strip=place, inserts=[to_dict(entry) for entry in slots])

    # -- the engine's word --------------------------------------------------------------------------------------------------

    def lay_over(self, fresh: MixerState, echo_s: float) -> None:
        """Lay what is on its way over what the engine said; forget what it has confirmed, or has not for ``echo_s``."""
        now = self._clock()
        for (place, field), (value, since) in list(self.ahead.items()):
            if (place, field[0]) == PLAYED and self.played is not None:
                continue
            if now - since > echo_s or place not in places_of(fresh) or _confirmed(fresh, place, field, value):
                del self.ahead[place, field]
            elif isinstance(value, list):
                said = {(entry.key, entry.plugin): entry for entry in slots_of(fresh, place)}
                slots_of(fresh, place)[:] = [said.get((e.key, e.plugin)) or copy.deepcopy(e) for e in value]
            else:
                _assign(fresh, place, field, value)

    def follow_played(self, snapshot: Snapshot, echo_s: float) -> bool:
        """Take over what the engine says of the plugin that MIDI plays, under what is on its way. Whether anything shown is different."""
        instrument, said, now = self.bridge.config.instrument, snapshot.instrument.state.plugin, self._clock()
        fresh: InsertState | None = None
        if is_foreign(instrument):
            fresh = copy.deepcopy(said) if said.plugin == instrument else InsertState(instrument, PLAYED[1])
        for (place, field), (value, since) in list(self.ahead.items()):
            if (place, field[0]) != PLAYED or isinstance(value, list):
                continue
            if fresh is None or now - since > echo_s or _same(fresh.values.get(field[1]), value):
                del self.ahead[place, field]
            else:
                fresh.values[field[1]] = float(value)
        different, self.played = fresh != self.played, fresh
        return different


def _confirmed(said: MixerState, place: str, field: InsertField, value: Value) -> bool:
    slots = slots_of(said, place)
    if isinstance(value, list):
        return [(e.key, e.plugin) for e in slots] == [(e.key, e.plugin) for e in value]
    key, what = field
    entry = next((entry for entry in slots if entry.key == key), None)
    return entry is not None and _same(entry.values.get(what) if what else entry.bypass, value)


def _same(said: float | bool | None, value: float | bool) -> bool:
    """Whether the engine agrees. Plugins that keep 32-bit numbers answer with the nearest one."""
    return said is not None and math.isclose(said, value, rel_tol=1e-6, abs_tol=1e-9)


def _assign(mixer: MixerState, place: str, field: InsertField, value: float | bool) -> None:
    key, what = field
    for entry in slots_of(mixer, place):
        if entry.key == key and what:
            entry.values[what] = float(value)
        elif entry.key == key:
            entry.bypass = bool(value)


def table_of(plugin: str) -> tuple[Parameter, ...]:
    """The parameters of a built-in effect; empty for a plugin, whose parameters only a scan knows."""
    return EFFECTS[plugin].parameters if plugin in EFFECTS else ()
