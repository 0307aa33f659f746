"""MIDI learn: assigns MIDI controllers to controls. No I/O, no thread."""

from __future__ import annotations

from typing import Any

from rtaudio.midi.message import MidiMessage
from rtaudio.protocol.strips import is_button

RESERVED = frozenset({0, 6, 32, 38, *range(96, 102), *range(120, 128)})
"""Controllers that cannot be learned: bank select, data entry, (N)RPN and channel mode."""


class MidiMap:
    """Maps controllers and keys to targets. Each controller moves one target; a target may have several controllers.

    Entries are ``{"channel", "control", "target"}``, or ``{"channel", "note", "target"}`` for keys. Keys can only press buttons.
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
                continue  # written by another version: keep the other entries
            self._targets[key] = target

    def learn(self, target: str) -> None:
        """Assign the next controller that moves to ``target`` (or the next key if it is a button). Empty: stop waiting for one."""
        self.learning = target

    def forget(self, target: str) -> None:
        """Remove all controllers of ``target``, or of all targets if it is empty."""
        self._targets = {key: kept for key, kept in self._targets.items() if target and kept != target}

    def take(self, message: MidiMessage) -> tuple[str, float] | None:
        """``(target, 0 to 1)`` if the message comes from a learned controller, or from one that is being learned; otherwise None."""
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
        """Whether the controller of this message can be learned for the target that waits."""
        if message.kind == "control":
            return message.a not in RESERVED
        return message.kind == "note_on" and message.b > 0 and is_button(self.learning)

    def entries(self) -> list[dict[str, Any]]:
        """The map as plain JSON values."""
        return [
            {"channel": channel, kind: number, "target": target}
            for (kind, channel, number), target in sorted(self._targets.items())
        ]
