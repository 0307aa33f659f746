"""A JACK client in a process of its own that records stemplay's first output. Usage: python -m tests.jack_recorder FILE.npy

Prints ``wired`` once it listens; writes the file and ends when standard input closes.
"""

from __future__ import annotations

import sys
import threading
import time

import numpy as np


def main() -> None:
    import jack  # needs libjack

    client = jack.Client("recorder", no_start_server=True)
    port = client.inports.register("in_1")
    blocks: list[np.ndarray] = []

    @client.set_process_callback
    def process(_: int) -> None:
        blocks.append(port.get_array().copy())

    client.activate()
    ended = threading.Event()
    threading.Thread(target=lambda: (sys.stdin.read(), ended.set()), daemon=True).start()
    while not (found := sorted(p.name for p in client.get_ports("stemplay:out_0$"))):
        time.sleep(0.02)
    client.connect(found[0], port)
    print("wired", flush=True)
    ended.wait()
    client.deactivate()
    client.close()
    np.save(sys.argv[1], np.concatenate(blocks) if blocks else np.zeros(0, np.float32))


if __name__ == "__main__":
    main()
