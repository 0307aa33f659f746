"""The engine's MIDI output: messages to controllers, and MIDI clock, from a child process, which is restarted when it dies or hangs."""

from __future__ import annotations

import contextlib
import json
import threading
from collections.abc import Callable, Sequence
from dataclasses import asdict
from typing import IO, Any

from rtaudio.midi.child import MidiChild
from rtaudio.midi.clock import ClockState
from rtaudio.midi.ports import WORDS


class MidiOutput(MidiChild):
    """MIDI outputs that are opened when they are plugged in. Threads: ``stemplay-midi-out`` and its guard.

    ``send`` and ``follow`` do not wait for a driver, but may wait for a child process that does not read, until the guard ends it.

    Args:
        choice: ``default`` (all outputs), ``none``, ``virtual`` (a port of our own that others connect to) or a port's name.
        opened: called when other outputs are open than before, and must hear of everything.
    """

    what = "MIDI output"

    def __init__(self, choice: str, opened: Callable[[], None] = lambda: None) -> None:
        super().__init__("stemplay-midi-out", ["-m", "rtaudio.midi.output_host", choice])
        self.choice, self._opened = choice, opened
        self.ports: list[str] = []
        self.ticks = 0
        self.jitter_ms: dict[str, float] = {}
        self._state: ClockState | None = None
        self._lock = threading.Lock()
        self._earlier = 0

    @property
    def message(self) -> str:
        """A sentence about a problem or a missing output, or an empty string."""
        if self._trouble or self.ports or not self._looked.is_set():
            return self._trouble
        if self.choice in WORDS:
            return "There is no MIDI output. As soon as one is plugged in, it is used."
        return f"The MIDI output {self.choice!r} is missing. As soon as it is plugged in, it is used."

    def send(self, data: Sequence[int]) -> None:
        """Send a message to all open outputs."""
        self._tell(f"m {bytes(data).hex()}")

    def follow(self, state: ClockState) -> None:
        """Let the clock follow this state."""
        self._state = state
        self._tell(f"c {json.dumps(asdict(state))}")

    def take_lines(self, lines: IO[str]) -> None:
        for line in lines:
            kind, _, rest = line.partition(" ")
            if kind == "s":
                told: dict[str, Any] = json.loads(rest)
                before, self.ports, self._trouble = self.ports, told["ports"], told["trouble"]
                self.ticks, self.jitter_ms = self._earlier + told["ticks"], told["jitter_ms"]
                self.alive()
                if self.ports != before:
                    self._opened()

    def began(self) -> None:
        if self._state is not None:
            self.follow(self._state)

    def lost(self) -> None:
        self.ports = []
        self._earlier = self.ticks

    def _tell(self, line: str) -> None:
        child = self._child
        if child is None or child.stdin is None:
            return
        with self._lock, contextlib.suppress(OSError, ValueError):
            child.stdin.write(line + "\n")
            child.stdin.flush()
