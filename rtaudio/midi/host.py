"""The MIDI process: ``python -m rtaudio.midi.host CHOICE`` writes what arrives to standard output, until standard input ends.

Lines: ``m TIME BYTES...`` for a message (hexadecimal bytes, monotonic seconds, which all processes of a machine share) and
``s {"ports": [...], "trouble": "..."}`` after every check of the ports, at least twice a second.
"""

from __future__ import annotations

import json
import os
import sys
import threading
import time
from typing import TextIO

from rtaudio.midi.message import MidiMessage
from rtaudio.midi.ports import MESSAGE_S, POLL_S, OpenPorts

CLOSE_S = 1.0
"""Seconds that ports may take to close."""


class MidiHost:
    """Serves one parent, until ``ending`` is set."""

    def __init__(self, choice: str, out: TextIO) -> None:
        self._out, self._lock = out, threading.Lock()
        self._ports = OpenPorts(choice, self._message)
        self.ending = threading.Event()

    def run(self) -> None:
        """Check ports, receive messages. At the end close the ports, because a JACK server waits long for a client that just vanishes."""
        while not self.ending.is_set():
            self._look()
            due = time.monotonic() + POLL_S
            while (left := due - time.monotonic()) > 0 and not self.ending.is_set():
                if self._ports.polled:
                    self._poll()
                    time.sleep(MESSAGE_S)
                else:
                    self.ending.wait(left)
        self._ports.close()

    def _look(self) -> None:
        trouble = ""
        try:
            self._ports.look()
        except Exception as error:  # the next check may succeed
            trouble = f"MIDI does not work here: {str(error).rstrip('.') or type(error).__name__}."
        self._write("s " + json.dumps({"ports": self._ports.names, "trouble": trouble or self._ports.trouble}))

    def _poll(self) -> None:
        try:
            self._ports.poll()
        except Exception as error:
            self._write("s " + json.dumps({"ports": self._ports.names, "trouble": f"MIDI stopped: {error}."}))
            time.sleep(POLL_S)

    def _message(self, message: MidiMessage) -> None:
        self._write(f"m {message.time:.6f} {bytes(message.bytes()).hex()}")

    def _write(self, line: str) -> None:
        with self._lock:  # drivers call from threads of their own
            try:
                self._out.write(line + "\n")
                self._out.flush()
            except OSError:
                os._exit(0)


def follow_parent(ending: threading.Event) -> None:
    """End when the parent does or says so, whatever a driver is waiting for."""
    try:
        sys.stdin.buffer.read()
        ending.set()
        time.sleep(CLOSE_S)
    finally:
        os._exit(0)


def main() -> None:
    """Entry point."""
    out = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)  # the output of libraries must not get between our lines
    host = MidiHost(sys.argv[1], out)
    threading.Thread(target=follow_parent, args=(host.ending,), name="parent", daemon=True).start()
    host.run()
    os._exit(0)


if __name__ == "__main__":
    main()
