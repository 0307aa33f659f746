"""MIDI 1.0 messages, and the parser that finds them in a stream of bytes."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

KINDS = {0x8: "note_off", 0x9: "note_on", 0xA: "pressure", 0xB: "control", 0xC: "program", 0xD: "touch", 0xE: "bend"}
"""Upper half of the status byte -> ``MidiMessage.kind``."""

_STATUS = {kind: nibble for nibble, kind in KINDS.items()}
_ONE_BYTE = ("program", "touch")


@dataclass(frozen=True, slots=True)
class MidiMessage:
    """A channel message.

    Attributes:
        kind: one of ``KINDS``. ``channel``: 0 to 15.
        a, b: its data bytes, 0 to 127; for a bend ``a`` is -8192 to 8191 and ``b`` is 0.
        time: monotonic seconds of its arrival.
    """

    kind: str
    channel: int
    a: int
    b: int = 0
    time: float = 0.0

    def bytes(self) -> list[int]:
        """The message as MIDI bytes."""
        status = _STATUS[self.kind] << 4 | self.channel
        if self.kind == "bend":
            return [status, (self.a + 8192) & 0x7F, (self.a + 8192) >> 7]
        return [status, self.a] if self.kind in _ONE_BYTE else [status, self.a, self.b]


class MidiParser:
    """Parses a stream of bytes, given in pieces of any size, into channel messages.

    Running status is supported. Real-time bytes (clock, active sensing) may come anywhere and are ignored, as are system exclusive and
    system common messages and stray data bytes. The parser resynchronises at the next status byte.
    """

    def __init__(self) -> None:
        self._status = 0
        self._data: list[int] = []

    def feed(self, data: Iterable[int], time: float = 0.0) -> list[MidiMessage]:
        """The messages that ``data`` completes, stamped with ``time``."""
        found = []
        for byte in data:
            if byte >= 0xF8:  # real time: between any two bytes
                continue
            if byte >= 0x80:
                self._status = byte if byte < 0xF0 else 0  # system messages end the running status
                self._data = []
                continue
            if not self._status:
                continue
            self._data.append(byte)
            kind = KINDS[self._status >> 4]
            if len(self._data) == (1 if kind in _ONE_BYTE else 2):
                found.append(_message(kind, self._status & 0xF, self._data, time))
                self._data = []
        return found


def _message(kind: str, channel: int, data: list[int], time: float) -> MidiMessage:
    if kind == "bend":
        return MidiMessage(kind, channel, data[0] + 128 * data[1] - 8192, 0, time)
    return MidiMessage(kind, channel, data[0], data[1] if len(data) > 1 else 0, time)
