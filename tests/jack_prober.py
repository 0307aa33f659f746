"""A JACK client that strikes keys and hears them: the whole way of a note, in frames of the server's own clock.

Usage: python -m tests.jack_prober NOTES. Prints ``ready``, waits for a line on standard input (by then its port ``prober:keys`` is
connected to the instrument and the instrument's outputs to ``prober:ear``), and prints one delay in ms a line.
"""

from __future__ import annotations

import random
import sys
import time

import jack

AUDIBLE = 1e-5
GAP_S = 0.35


class Prober:
    """State of the process callback; everything is counted in frames."""

    def __init__(self, client: jack.Client, notes: int) -> None:
        self.client, self.left = client, notes
        self.keys = client.midi_outports.register("keys")
        self.ear = client.inports.register("ear")
        self.rng = random.Random(5)
        self.listening = False
        self.struck: int | None = None
        self.pitch = 0
        self.next = 0
        self.delays: list[float] = []

    def process(self, frames: int) -> None:
        self.keys.clear_buffer()
        if not self.listening:
            return
        now = self.client.last_frame_time
        if self.struck is not None:
            sound = self.ear.get_array()
            loud = (abs(sound) > AUDIBLE).nonzero()[0]
            if len(loud):
                self.delays.append(1000 * (now + int(loud[0]) - self.struck) / self.client.samplerate)
                self.keys.write_midi_event(0, (0x80, self.pitch, 0))
                self.struck = None
                self.next = now + int(GAP_S * self.client.samplerate) + self.rng.randrange(frames)
        elif self.left > 0 and now >= self.next:
            offset = self.rng.randrange(frames)
            self.pitch = self.rng.randrange(48, 84)
            self.keys.write_midi_event(offset, (0x90, self.pitch, 100))
            self.struck, self.left = now + offset, self.left - 1


def main() -> None:
    notes = int(sys.argv[1])
    client = jack.Client("prober")
    prober = Prober(client, notes)
    client.set_process_callback(prober.process)
    with client:
        print("ready", flush=True)
        sys.stdin.readline()
        # Not the system's ports: PortAudio's client may have any name.
        for port in client.get_ports(is_audio=True, is_output=True):
            if not port.name.startswith(("system:", "prober:")):
                client.connect(port, "prober:ear")
                break
        prober.listening = True
        deadline = time.monotonic() + 2 * GAP_S * notes + 60
        while len(prober.delays) < notes and time.monotonic() < deadline:
            time.sleep(0.05)
        for delay in prober.delays:
            print(f"{delay:.3f}", flush=True)


if __name__ == "__main__":
    main()
