"""MIDI learn: assigns MIDI controllers to controls. Pure; owns no thread."""

from __future__ import annotations

from typing import Any

from rtaudio.midi.message import MidiMessage
from rtaudio.protocol.strips import is_button

RESERVED = frozenset({0, 6, 32, 38, *range(96, 102), *range(120, 128)})
"""Controllers that are not learned: bank, data entry, (N)RPN and channel mode."""


class MidiMap:
    """Controllers, or keys of a controller, and their targets. Each moves one target; a target may have several.

    Entries are ``{"channel", "control", "target"}``, and of keys ``{"channel", "note", "target"}``: keys are for buttons alone.
    """

    def __init__(self, entries: list[dict[str, Any]] | None = None) -> None:
        self.learning = ""
        self._targets: dict[tuple[str, int, int], str] = {}
        for entry in entries or []:
            try:
                kind = "note" if "note" in entry else "control"
                key = kind, int(entry["channel"]), int(entry[kind])
                target = str(entry["target"])
            except (ArithmeticError, KeyError, TypeError, ValueError):
                continue  # of another version: the others are worth keeping
            self._targets[key] = target

    def learn(self, target: str) -> None:
        """Give ``target`` the next controller that moves, or key where it is a button; empty: wait no longer."""
        self.learning = target

    def forget(self, target: str) -> None:
        """Free all controllers of ``target``; of everything if it is empty."""
        self._targets = {key: kept for key, kept in self._targets.items() if target and kept != target}

    def take(self, message: MidiMessage) -> tuple[str, float] | None:
        """``(target, 0 to 1)`` if the message is of a learned controller, or of one that is learned by it; None: it is not ours."""
        kind = {"control": "control", "note_on": "note", "note_off": "note"}.get(message.kind)
        if kind is None:
            return None
        key = kind, message.channel, message.a
        if self.learning and self._fit(message):
            self._targets = {**self._targets, key: self.learning}
            self.learning = ""
        target = self._targets.get(key)
        if target is None:
            return None
        struck = message.kind == "note_on" and message.b > 0
        return target, float(struck) if kind == "note" else message.b / 127

    def _fit(self, message: MidiMessage) -> bool:
        """Whether it can be learned for what is waited for."""
        if message.kind == "control":
            return message.a not in RESERVED
        return message.kind == "note_on" and message.b > 0 and is_button(self.learning)

    def entries(self) -> list[dict[str, Any]]:
        """As JSON keeps it."""
        return [
            {"channel": channel, kind: number, "target": target}
            for (kind, channel, number), target in sorted(self._targets.items())
        ]
