"""The computer's keyboard as a piano: in a window, which reports when keys go down and up, and in a terminal, which does not."""

from __future__ import annotations

import contextlib
import os
import select
import sys
import threading
import time
from collections.abc import Callable, Iterator

KEYS = "awsedftgyhujkolp;'"
"""Two rows of an English keyboard, a semitone each from C."""

OCTAVE_DOWN, OCTAVE_UP, SOFTER, LOUDER, PEDAL = "z", "x", "c", "v", " "
TERMINAL_NOTE_S = 0.6
"""Seconds for which a note is held, because a terminal does not report the release of keys."""


class ComputerKeyboard:
    """Converts keys to MIDI bytes. ``base``: note of the lowest key. ``velocity``: of all keys."""

    def __init__(self, channel: int = 0, base: int = 60, velocity: int = 90) -> None:
        self.channel, self.base, self.velocity = channel, base, velocity
        self.pedal = False
        self._held: dict[str, int] = {}

    def press(self, key: str) -> list[list[int]]:
        """MIDI messages for a pressed key; none for a key that is already down."""
        key = key.lower()
        if key in (OCTAVE_DOWN, OCTAVE_UP):
            self.base = min(96, max(12, self.base + (12 if key == OCTAVE_UP else -12)))
        elif key in (SOFTER, LOUDER):
            self.velocity = min(127, max(7, self.velocity + (20 if key == LOUDER else -20)))
        elif key == PEDAL:
            self.pedal = not self.pedal
            return [[0xB0 | self.channel, 64, 127 if self.pedal else 0]]
        elif key and key in KEYS and key not in self._held:
            note = min(127, self.base + KEYS.index(key))
            self._held[key] = note
            return [[0x90 | self.channel, note, self.velocity]]
        return []

    def release(self, key: str) -> list[list[int]]:
        """MIDI messages for a released key. They end the note that the key started, even if the octave has changed since."""
        note = self._held.pop(key.lower(), None)
        return [] if note is None else [[0x80 | self.channel, note, 0]]

    def release_all(self) -> list[list[int]]:
        """Release all keys, for example when the window loses the focus."""
        return [message for key in list(self._held) for message in self.release(key)]


class TerminalKeys:
    """Plays the keys typed into a terminal. Does nothing if standard input is not a terminal.

    Args:
        send: gets the bytes of each message.
        keyboard: maps keys to notes.
    """

    def __init__(self, send: Callable[[list[int]], None], keyboard: ComputerKeyboard | None = None) -> None:
        self._send, self.keyboard = send, keyboard or ComputerKeyboard()
        self._ends: dict[str, float] = {}
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self._run, name="terminal-keys", daemon=True)
        self.active = sys.stdin is not None and sys.stdin.isatty()

    def start(self) -> None:
        """Start reading keys."""
        if self.active:
            self._thread.start()

    def stop(self) -> None:
        """Restore the terminal."""
        self._ending.set()
        if self._thread.is_alive():
            self._thread.join(1.0)

    def typed(self, key: str, now: float) -> None:
        """Handle a key typed at ``now``: start its note, or prolong it."""
        for message in self.keyboard.press(key):
            self._send(message)
        self._ends[key.lower()] = now + TERMINAL_NOTE_S

    def tick(self, now: float) -> None:
        """End the notes whose hold time is over."""
        for key in [key for key, end in self._ends.items() if end <= now]:
            del self._ends[key]
            for message in self.keyboard.release(key):
                self._send(message)

    def _run(self) -> None:
        with _raw_terminal() as read:
            while not self._ending.is_set():
                keys = read(0.02)
                now = time.monotonic()
                for key in keys:
                    self.typed(key, now)
                self.tick(now)
        for message in self.keyboard.release_all():
            self._send(message)


@contextlib.contextmanager
def _raw_terminal() -> Iterator[Callable[[float], str]]:
    """Read keys without echo and without Enter: yields ``read(timeout)``, which returns the typed text. Ctrl-C still interrupts."""
    if sys.platform == "win32":
        import msvcrt

        def read_windows(timeout: float) -> str:
            if msvcrt.kbhit():
                return msvcrt.getwch()
            time.sleep(timeout)
            return ""

        yield read_windows
        return
    import termios
    import tty

    number = sys.stdin.fileno()
    before = termios.tcgetattr(number)
    tty.setcbreak(number)

    def read(timeout: float) -> str:
        ready, _, _ = select.select([number], [], [], timeout)
        return os.read(number, 64).decode(errors="replace") if ready else ""

    try:
        yield read
    finally:
        termios.tcsetattr(number, termios.TCSADRAIN, before)
