"""The MIDI process: ``python -m rtaudio.midi.host CHOICE`` writes what arrives to standard output, until standard input ends.

Lines: ``m TIME BYTES...`` for a message (hexadecimal bytes, monotonic seconds, which all processes of a machine share) and
``s {"ports": [...], "trouble": "..."}`` at every look at the ports, at least twice a second.
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


class MidiHost:
    """Serves one parent."""

    def __init__(self, choice: str, out: TextIO) -> None:
        self._out, self._lock = out, threading.Lock()
        self._ports = OpenPorts(choice, self._message)

    def run(self) -> None:
        """Never returns; ends with the parent."""
        while True:
            self._look()
            due = time.monotonic() + POLL_S
            while (left := due - time.monotonic()) > 0:
                if self._ports.polled:
                    self._poll()
                    time.sleep(MESSAGE_S)
                else:
                    time.sleep(left)

    def _look(self) -> None:
        trouble = ""
        try:
            self._ports.look()
        except Exception as error:  # the next look may go well
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


def follow_parent() -> None:
    """End when the parent does, whatever a driver is waiting for."""
    try:
        sys.stdin.buffer.read()
    finally:
        os._exit(0)


def main() -> None:
    """Entry point."""
    out = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)  # libraries that print must not come between our lines
    threading.Thread(target=follow_parent, name="parent", daemon=True).start()
    MidiHost(sys.argv[1], out).run()


if __name__ == "__main__":
    main()
