"""A MIDI keyboard in a process of its own, as a JACK client: plays what it is told, line by line, and can be unplugged.

Usage: python -m tests.midi_peer SEED. Lines: ``plug``, ``unplug``, ``play N`` (N random events in floods and pauses),
``send BYTES...``, ``end``. Each line is answered by one, with the number of messages sent so far.
"""

from __future__ import annotations

import random
import sys
import time
from typing import Any

NAME = "keys"


def random_event(rng: random.Random) -> list[int]:
    """Chords, releases, pedals, bends, modes and program changes; most are notes."""
    channel = rng.choice([0, 0, 0, 1, 5, 9, 15])
    kind = rng.random()
    if kind < 0.45:
        return [0x90 | channel, rng.randrange(128), rng.randrange(128)]
    if kind < 0.75:
        return [0x80 | channel, rng.randrange(128), rng.randrange(128)]
    if kind < 0.90:
        control = rng.choice([1, 6, 7, 10, 11, 38, 64, 64, 66, 98, 100, 101, 120, 121, 123, 126])
        return [0xB0 | channel, control, rng.choice([0, 127, rng.randrange(128)])]
    if kind < 0.95:
        return [0xE0 | channel, rng.randrange(128), rng.randrange(128)]
    if kind < 0.98:
        return [0xC0 | channel, rng.randrange(128)]
    return rng.choice([[0xA0 | channel, 60, 1], [0xD0 | channel, 3], [0xF0, 1, 2, 3, 4, 0xF7], [0xF8], [0xFE]])


class Keyboard:
    """One port that comes and goes."""

    def __init__(self, seed: int) -> None:
        self.rng = random.Random(seed)
        self.sent = 0
        self.port: Any = None

    def plug(self) -> None:
        import rtmidi

        self.port = rtmidi.MidiOut(rtapi=rtmidi.API_UNIX_JACK, name="peer")
        self.port.open_virtual_port(NAME)

    def unplug(self) -> None:
        if self.port is not None:
            self.port.close_port()
            self.port.delete()
            self.port = None

    def send(self, event: list[int]) -> None:
        self.port.send_message(event)
        self.sent += event[0] < 0xF0  # channel messages: what the other side counts

    def play(self, count: int) -> None:
        while count > 0:
            flood = min(count, self.rng.choice([1, 3, 8, 60]))
            for _ in range(flood):
                self.send(random_event(self.rng))
            count -= flood
            time.sleep(0.001 * flood)


def main() -> None:
    keyboard = Keyboard(int(sys.argv[1]))
    for line in sys.stdin:
        word, *rest = line.split()
        if word == "end":
            break
        if word == "play":
            keyboard.play(int(rest[0]))
        elif word == "send":
            keyboard.send([int(byte) for byte in rest])
        else:
            getattr(keyboard, word)()
        print(keyboard.sent, flush=True)
    keyboard.unplug()


if __name__ == "__main__":
    main()
