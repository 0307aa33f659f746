"""Keeps track of the notes and pedals that a sender holds down, to release them if the sender disappears. No I/O, no thread."""

from __future__ import annotations

from collections.abc import Sequence

from rtaudio.midi.message import MidiMessage, MidiParser

SUSTAIN, SOSTENUTO = 64, 66
RESET_CONTROLLERS, MODES = 121, (120, 123, 124, 125, 126, 127)
"""Reset All Controllers, and the channel mode messages (``MODES``) that end all notes of a channel."""

_RESTS = {1: 0, 11: 127}
"""Values of modulation and expression at rest."""


class HeldNotes:
    """Held notes, pedals and wheels of one sender."""

    def __init__(self) -> None:
        self._parser = MidiParser()
        self._notes: set[tuple[int, int]] = set()
        self._pedals: set[tuple[int, int]] = set()
        self._moved: set[tuple[int, int]] = set()  # channel and controller away from rest; -1 is the bend wheel

    def follow(self, data: Sequence[int]) -> None:
        """Update from the bytes of a message."""
        for message in self._parser.feed(data):
            self.take(message)

    def take(self, message: MidiMessage) -> None:
        """Update from a message."""
        key = (message.channel, message.a)
        if message.kind == "note_on" and message.b > 0:
            self._notes.add(key)
        elif message.kind in ("note_on", "note_off"):
            self._notes.discard(key)
        elif message.kind == "bend":
            _keep(self._moved, (message.channel, -1), message.a != 0)
        elif message.kind == "control":
            self._control(key, message.b)

    def _control(self, key: tuple[int, int], value: int) -> None:
        channel, control = key
        if control in (SUSTAIN, SOSTENUTO):
            _keep(self._pedals, key, value >= 64)
        elif control in _RESTS:
            _keep(self._moved, key, value != _RESTS[control])
        elif control == RESET_CONTROLLERS:
            self._pedals = {other for other in self._pedals if other[0] != channel}
            self._moved = {other for other in self._moved if other[0] != channel}
        elif control in MODES:
            self._notes = {other for other in self._notes if other[0] != channel}

    def endings(self) -> list[list[int]]:
        """Messages that release everything this sender holds, and nothing that others hold. Afterwards nothing is held."""
        found = [[0xB0 | channel, control, 0] for channel, control in sorted(self._pedals)]
        found += [[0x80 | channel, note, 0] for channel, note in sorted(self._notes)]
        found += [[0xB0 | channel, RESET_CONTROLLERS, 0] for channel in sorted({channel for channel, _ in self._moved})]
        for kept in (self._notes, self._pedals, self._moved):
            kept.clear()
        return found


def _keep(where: set[tuple[int, int]], key: tuple[int, int], held: bool) -> None:
    (where.add if held else where.discard)(key)
