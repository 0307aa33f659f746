"""Another program that plays: a JACK client with a sine of 440 Hz on the left and 660 Hz on the right, to the loudspeakers.

Usage: python -m tests.jack_player NAME. Prints ``playing``; ends when standard input closes.
"""

from __future__ import annotations

import sys

import numpy as np

TONES = (440.0, 660.0)
LEVEL = 0.25


def main() -> None:
    import jack  # needs libjack

    client = jack.Client(sys.argv[1], no_start_server=True)
    ports = [client.outports.register(f"out_{k}") for k in (1, 2)]
    at = 0

    @client.set_process_callback
    def process(frames: int) -> None:
        nonlocal at
        n = np.arange(at, at + frames)
        at += frames
        for port, tone in zip(ports, TONES, strict=True):
            port.get_array()[:] = LEVEL * np.sin(2 * np.pi * tone * n / client.samplerate)

    client.activate()
    for port, target in zip(ports, client.get_ports(is_audio=True, is_input=True, is_physical=True), strict=False):
        client.connect(port, target)
    print("playing", flush=True)
    sys.stdin.read()
    client.deactivate()
    client.close()


if __name__ == "__main__":
    main()
