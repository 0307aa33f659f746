"""What somebody's messages hold down, so that it can be ended for them when they are gone. Pure; owns no thread."""

from __future__ import annotations

from collections.abc import Sequence

from rtaudio.midi.message import MidiParser

SUSTAIN = 64


class Held:
    """Notes and sustain pedals of one sender."""

    def __init__(self) -> None:
        self._parser = MidiParser()
        self._notes: set[tuple[int, int]] = set()
        self._pedals: set[int] = set()

    def follow(self, data: Sequence[int]) -> None:
        """Take in the bytes of a message that was passed on."""
        for message in self._parser.feed(data):
            key = (message.channel, message.a)
            if message.kind == "note_on" and message.b > 0:
                self._notes.add(key)
            elif message.kind in ("note_on", "note_off"):
                self._notes.discard(key)
            elif message.kind == "control" and message.a == SUSTAIN:
                (self._pedals.add if message.b >= 64 else self._pedals.discard)(message.channel)

    def endings(self) -> list[list[int]]:
        """Messages that end all of it; nothing is held afterwards."""
        found = [[0xB0 | channel, SUSTAIN, 0] for channel in sorted(self._pedals)]
        found += [[0x80 | channel, note, 0] for channel, note in sorted(self._notes)]
        self._notes.clear()
        self._pedals.clear()
        return found
