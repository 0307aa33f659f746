"""The engine's MIDI input: messages from a child process, which is restarted when it dies or hangs."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import IO

from rtaudio.midi.child import MidiChild
from rtaudio.midi.message import MidiMessage, MidiParser
from rtaudio.midi.ports import WORDS, end_notes


class MidiInput(MidiChild):
    """MIDI inputs that are opened when they are plugged in.

    Args:
        choice: ``default`` (all inputs), ``none``, ``virtual`` (a port of our own that others connect to) or a port's name.
        receive: gets each message, in the thread ``stemplay-midi``; also messages that end all notes of a vanished input.
    """

    def __init__(self, choice: str, receive: Callable[[MidiMessage], None]) -> None:
        super().__init__("stemplay-midi", ["-m", "rtaudio.midi.host", choice])
        self.choice, self._receive = choice, receive
        self.ports: list[str] = []

    @property
    def message(self) -> str:
        """A sentence about a problem or a missing input, or an empty string."""
        if self._trouble or self.choice == "none" or self.ports or not self._looked.is_set():
            return self._trouble
        if self.choice in WORDS:
            return "There is no MIDI input. As soon as one is plugged in, it is used."
        return f"The MIDI input {self.choice!r} is missing. As soon as it is plugged in, it is used."

    def start(self) -> None:
        """Start listening."""
        if self.choice != "none":
            super().start()

    def take_lines(self, lines: IO[str]) -> None:
        parser = MidiParser()
        for line in lines:
            kind, _, rest = line.partition(" ")
            if kind == "m":
                stamp, _, data = rest.partition(" ")
                for message in parser.feed(bytes.fromhex(data), float(stamp)):
                    self._receive(message)
            elif kind == "s":
                state = json.loads(rest)
                self.ports, self._trouble = state["ports"], state["trouble"]
                self.alive()

    def lost(self) -> None:
        if self.ports:
            self.ports = []
            for message in end_notes():
                self._receive(message)
