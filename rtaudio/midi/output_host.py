"""The process of MIDI outputs: ``python -m rtaudio.midi.output_host CHOICE`` sends what standard input says, until it ends.

Lines in: ``m BYTES`` for a message (hexadecimal) and ``c {...}`` for a ``ClockState``. Lines out, at least twice a second:
``s {"ports": [...], "trouble": "...", "ticks": N, "jitter_ms": {...}}``. Ticks of the clock go out in the main thread, at monotonic times,
which all processes of a machine share; the thread *parent* reads.
"""

from __future__ import annotations

import json
import os
import queue
import sys
import threading
import time
from collections import deque
from typing import TextIO

from rtaudio.midi.clock import Clock, ClockState
from rtaudio.midi.host import CLOSE_S
from rtaudio.midi.output_ports import OutputPorts
from rtaudio.midi.ports import POLL_S
from rtaudio.system.realtime import request_realtime

SETTLE_S = 0.01
"""Ports are looked for only if no tick is due so soon, because a driver may take its time."""
NEAR_S = 0.01
"""Seconds before a tick in which nothing else is done."""
KEPT = 24 * 60
"""Ticks of which the lateness is kept."""


class OutputHost:
    """Serves one parent, until its lines end."""

    def __init__(self, choice: str, out: TextIO) -> None:
        self._out = out
        self._ports = OutputPorts(choice)
        self._clock = Clock()
        self._lines: queue.SimpleQueue[str | None] = queue.SimpleQueue()
        self._late: deque[float] = deque(maxlen=KEPT)
        self._ticks = 0

    def read(self) -> None:
        """Queue the parent's lines, in a thread of its own."""
        for line in sys.stdin:
            self._lines.put(line)
        self._lines.put(None)
        time.sleep(CLOSE_S)  # a driver may hang
        os._exit(0)

    def run(self) -> None:
        """Send messages and ticks at their times, and look for ports between them."""
        looked = 0.0
        while True:
            now = time.monotonic()
            if now - looked >= POLL_S and self._clock.due - now > (SETTLE_S if now - looked < 2 * POLL_S else 0.0):
                self._look()
                looked = time.monotonic()
                continue
            if self._clock.due <= now:
                self._tick(now)
                continue
            if self._clock.due - now < NEAR_S:
                time.sleep(self._clock.due - now)  # more exact than a queue, on Windows by far
                continue
            try:
                line = self._lines.get(timeout=min(self._clock.due - NEAR_S, max(looked + POLL_S, now + 1e-3)) - now + 1e-4)
            except queue.Empty:
                continue
            if line is None:
                break
            self._take(line)
        for data in self._clock.end():
            self._ports.send(data)
        time.sleep(0.05)  # JACK takes what was sent in its next period
        self._ports.close()

    def _tick(self, now: float) -> None:
        due = self._clock.due
        for data in self._clock.take(now):
            self._ports.send(data)
        self._late.append(1000 * (time.monotonic() - due))
        self._ticks += 1

    def _take(self, line: str) -> None:
        kind, _, rest = line.partition(" ")
        if kind == "m":
            self._ports.send(list(bytes.fromhex(rest)))
        elif kind == "c":
            for data in self._clock.follow(ClockState(**json.loads(rest)), time.monotonic()):
                self._ports.send(data)

    def _look(self) -> None:
        trouble = ""
        try:
            self._ports.look()
        except Exception as error:  # the next check may succeed
            trouble = f"MIDI output does not work here: {str(error).rstrip('.') or type(error).__name__}."
        late = sorted(self._late)
        jitter = {name: round(late[min(int(share * len(late)), len(late) - 1)], 3) for name, share in SHARES.items()} if late else {}
        told = {"ports": self._ports.names, "trouble": trouble or self._ports.trouble, "ticks": self._ticks, "jitter_ms": jitter}
        try:
            self._out.write(f"s {json.dumps(told)}\n")
            self._out.flush()
        except OSError:
            os._exit(0)


SHARES = {"p50": 0.5, "p99": 0.99, "max": 1.0}


def main() -> None:
    """Entry point."""
    out = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)  # the output of libraries must not get between our lines
    request_realtime()
    host = OutputHost(sys.argv[1], out)
    threading.Thread(target=host.read, name="parent", daemon=True).start()
    host.run()
    os._exit(0)


if __name__ == "__main__":
    main()
