"""Which MIDI controller moves which control, learnt by moving it. Pure; owns no thread."""

from __future__ import annotations

from typing import Any

from rtaudio.midi.message import MidiMessage

RESERVED = frozenset({0, 6, 32, 38, *range(96, 102), *range(120, 128)})
"""Controllers that are not learnt: bank, data entry, (N)RPN and channel mode."""


class MidiMap:
    """Controllers and their targets. A controller moves one target; a target may have several controllers."""

    def __init__(self, entries: list[dict[str, Any]] | None = None) -> None:
        self.learning = ""
        self._targets: dict[tuple[int, int], str] = {}
        for entry in entries or []:
            try:
                key = int(entry["channel"]), int(entry["control"])
                target = str(entry["target"])
            except (KeyError, TypeError, ValueError):
                continue  # of another version: the others are worth keeping
            self._targets[key] = target

    def learn(self, target: str) -> None:
        """Give ``target`` the next controller that moves; empty: wait no longer."""
        self.learning = target

    def forget(self, target: str) -> None:
        """Free all controllers of ``target``; of everything if it is empty."""
        self._targets = {key: kept for key, kept in self._targets.items() if target and kept != target}

    def take(self, message: MidiMessage) -> tuple[str, float] | None:
        """``(target, 0 to 1)`` if the message is of a learnt controller, or of one that is learnt by it; None: it is not ours."""
        if message.kind != "control":
            return None
        key = message.channel, message.a
        if self.learning and message.a not in RESERVED:
            self._targets = {**self._targets, key: self.learning}
            self.learning = ""
        target = self._targets.get(key)
        return None if target is None else (target, message.b / 127)

    def entries(self) -> list[dict[str, Any]]:
        """As JSON keeps it."""
        return [
            {"channel": channel, "control": control, "target": target}
            for (channel, control), target in sorted(self._targets.items())
        ]
