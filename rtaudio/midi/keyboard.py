"""The computer's keyboard as a piano, where no other is plugged in: for a window (keys go down and up) and for a terminal."""

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
"""A terminal tells no key's release: a note is held so long."""


class ComputerKeyboard:
    """Keys to MIDI bytes. ``base``: note of the lowest key; ``velocity``: of all of them."""

    def __init__(self, channel: int = 0, base: int = 60, velocity: int = 90) -> None:
        self.channel, self.base, self.velocity = channel, base, velocity
        self.pedal = False
        self._held: dict[str, int] = {}

    def press(self, key: str) -> list[list[int]]:
        """What a key that goes down sends; a repeated one sends nothing."""
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
        """What a key that goes up sends: it ends the note it began, whatever the octave is now."""
        note = self._held.pop(key.lower(), None)
        return [] if note is None else [[0x80 | self.channel, note, 0]]

    def release_all(self) -> list[list[int]]:
        """All keys up, as when the window loses the keyboard."""
        return [message for key in list(self._held) for message in self.release(key)]


class TerminalKeys:
    """Plays the keys typed into a terminal. Does nothing where standard input is none.

    Args:
        send: gets the bytes of each message.
        keyboard: whose keys.
    """

    def __init__(self, send: Callable[[list[int]], None], keyboard: ComputerKeyboard | None = None) -> None:
        self._send, self.keyboard = send, keyboard or ComputerKeyboard()
        self._ends: dict[str, float] = {}
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self._run, name="terminal-keys", daemon=True)
        self.active = sys.stdin is not None and sys.stdin.isatty()

    def start(self) -> None:
        """Read keys from now on."""
        if self.active:
            self._thread.start()

    def stop(self) -> None:
        """Give the terminal back as it was."""
        self._ending.set()
        if self._thread.is_alive():
            self._thread.join(1.0)

    def typed(self, key: str, now: float) -> None:
        """A key was typed at ``now``: it sounds, or sounds on."""
        for message in self.keyboard.press(key):
            self._send(message)
        self._ends[key.lower()] = now + TERMINAL_NOTE_S

    def tick(self, now: float) -> None:
        """End the notes whose time is over."""
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
    """Keys at once and unseen: yields ``read(timeout)``, which returns what was typed. Ctrl-C still interrupts."""
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
