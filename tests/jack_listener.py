"""A JACK client in a process of its own that listens to stemplay's outputs and reports levels. Usage: python -m tests.jack_listener

Each line on standard output is JSON: ``{"time": monotonic seconds, "rms": of the loudest channel, "wired": ports it listens to}``, ten a
second. Stemplay's ports are wired anew whenever they come back. Ends when standard input closes.
"""

from __future__ import annotations

import contextlib
import json
import sys
import threading
import time

import numpy as np

PERIOD_S = 0.1


def main() -> None:
    import jack  # needs libjack

    client = jack.Client("listener", no_start_server=True)
    ins = [client.inports.register(f"in_{k}") for k in (1, 2)]
    energy, frames = np.zeros(2), 0
    ended = threading.Event()

    @client.set_process_callback
    def process(count: int) -> None:
        nonlocal frames
        for channel, port in enumerate(ins):
            energy[channel] += float(np.sum(port.get_array() ** 2))
        frames += count

    client.activate()
    threading.Thread(target=lambda: (sys.stdin.read(), ended.set()), daemon=True).start()
    while not ended.wait(PERIOD_S):
        wired = 0
        sources: list[str] = []
        with contextlib.suppress(jack.JackError):  # a port that goes while it is listed
            sources = sorted(p.name for p in client.get_ports("stemplay:out_[01]$"))
        for port, source in zip(ins, sources, strict=False):
            with contextlib.suppress(jack.JackError):
                if not any(other.name == source for other in client.get_all_connections(port)):
                    client.connect(source, port)
                wired += 1
        heard, counted = energy.copy(), frames
        energy[:], frames = 0.0, 0
        rms = float(np.sqrt(heard.max() / counted)) if counted else 0.0
        print(json.dumps({"time": time.monotonic(), "rms": rms, "wired": wired}), flush=True)
    client.deactivate()
    client.close()


if __name__ == "__main__":
    main()
