"""MIDI learn: assigns MIDI controllers to controls. No I/O, no thread."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from rtaudio.midi.message import MidiMessage
from rtaudio.protocol.controls import is_button

RESERVED = frozenset({0, 6, 32, 38, *range(96, 102), *range(120, 128)})
"""Controllers that cannot be learned: bank select, data entry, (N)RPN and channel mode."""


NEAR = 1.5 / 127
"""Distance at which a controller has reached its control."""

Key = tuple[str, int, int]
Place = Callable[[str], float | None]
"""Where a target is, 0 to 1; None if that is not known."""


@dataclass(frozen=True)
class _Grip:
    """A controller's last position, and where it left its control; None where the control did not follow it."""

    position: float
    left: float | None


class MidiMap:
    """Maps controllers and keys to targets. Each controller moves one target; a target may have several controllers.

    Entries are ``{"channel", "control", "target"}``, or ``{"channel", "note", "target"}`` for keys, which can only press buttons. With
    ``"takeover": "pickup"`` a controller that is not where its control is has no effect until it reaches or passes it (soft takeover).

    Args:
        takeover: of controllers that are learned, one of ``rtaudio.protocol.settings.TAKEOVERS``.
    """

    def __init__(self, entries: list[dict[str, Any]] | None = None, takeover: str = "jump") -> None:
        self.learning = ""
        self.takeover = takeover
        self._targets: dict[Key, str] = {}
        self._soft: frozenset[Key] = frozenset()
        self._grips: dict[Key, _Grip] = {}
        self._shown: dict[Key, int] = {}
        for entry in entries or []:
            try:
                kind = "note" if "note" in entry else "control"
                key = kind, int(entry["channel"]), int(entry[kind])
                target = str(entry["target"])
            except (ArithmeticError, KeyError, TypeError, ValueError):
                continue  # written by another version: keep the other entries
            self._targets[key] = target
            if entry.get("takeover") == "pickup":
                self._soft |= {key}

    def learn(self, target: str) -> None:
        """Assign the next controller that moves to ``target`` (or the next key if it is a button). Empty: stop waiting for one."""
        self.learning = target

    def forget(self, target: str) -> None:
        """Remove all controllers of ``target``, or of all targets if it is empty."""
        self._targets = {key: kept for key, kept in self._targets.items() if target and kept != target}

    def take(self, message: MidiMessage, place: Place = lambda target: None) -> tuple[str, float | None] | None:
        """``(target, 0 to 1)`` if the message comes from a learned controller, or from one that is being learned; otherwise None.

        ``(target, None)`` if the controller has not reached its control yet. The one that is learned moves it at once.
        """
        key = _key(message)
        if key is None:
            return None
        learned = bool(self.learning) and self._fit(message)
        if learned:
            self._targets = {**self._targets, key: self.learning}
            soft = self.takeover == "pickup" and not is_button(self.learning)
            self._soft = self._soft | {key} if soft else self._soft - {key}
            self.learning = ""
        target = self._targets.get(key)
        if target is None:
            return None
        struck = message.kind == "note_on" and message.b > 0
        self._shown[key] = (127 if struck else 0) if key[0] == "note" else message.b
        position = float(struck) if key[0] == "note" else message.b / 127
        if key in self._soft and not learned and not is_button(target) and not self._reaches(key, position, place(target)):
            self._grips[key] = _Grip(position, None)
            return target, None
        return target, position

    def _reaches(self, key: Key, position: float, there: float | None) -> bool:
        """Whether a controller at ``position`` may move a control that is ``there``."""
        grip = self._grips.get(key)
        if there is None or abs(position - there) <= NEAR:
            return True
        if grip is None:
            return False
        follows = grip.left is not None and abs(grip.left - there) < 1e-6  # nobody else has moved it since
        return follows or (grip.position - there) * (position - there) <= 0

    def settle(self, message: MidiMessage, there: float | None) -> None:
        """Remember where a controller's move has left its control, on a step near its position perhaps."""
        key = _key(message)
        if key is not None and key in self._soft:
            self._grips[key] = _Grip(message.b / 127, there)

    def lights(self, place: Place, afresh: bool = False) -> list[list[int]]:
        """MIDI messages to the controllers that do not show where their controls are; all of them if ``afresh``."""
        if afresh:
            self._shown.clear()
        found = []
        for key, target in self._targets.items():
            there = place(target)
            if there is None:
                continue
            kind, channel, number = key
            value = (127 if there >= 0.5 else 0) if kind == "note" else round(127 * there)
            if self._shown.get(key) != value:
                self._shown[key] = value
                found.append([(0x90 if kind == "note" else 0xB0) | channel, number, value])
        return found

    def _fit(self, message: MidiMessage) -> bool:
        """Whether the controller of this message can be learned for the target that waits."""
        if message.kind == "control":
            return message.a not in RESERVED
        return message.kind == "note_on" and message.b > 0 and is_button(self.learning)

    def entries(self) -> list[dict[str, Any]]:
        """The map as plain JSON values."""
        soft = self._soft
        return [
            {"channel": channel, kind: number, "target": target}
            | ({"takeover": "pickup"} if (kind, channel, number) in soft else {})
            for (kind, channel, number), target in sorted(self._targets.items())
        ]


def _key(message: MidiMessage) -> Key | None:
    kind = {"control": "control", "note_on": "note", "note_off": "note"}.get(message.kind)
    return None if kind is None else (kind, message.channel, message.a)
