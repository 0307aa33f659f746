"""A controller's lights, or a drum machine, in a process of its own as a JACK client: prints what its MIDI input ``lamps`` hears.

Lines out: ``SECONDS BYTES``, the monotonic time of arrival and the message in hexadecimal. It ends when its input does.
"""

from __future__ import annotations

import sys
import threading
import time

NAME = "lamps"


def main() -> None:
    import rtmidi

    port = rtmidi.MidiIn(rtapi=rtmidi.API_UNIX_JACK, name="listener", queue_size_limit=8192)
    port.ignore_types(True, False, True)
    port.open_virtual_port(NAME)
    ended = threading.Event()

    def wait() -> None:
        sys.stdin.read()
        ended.set()

    threading.Thread(target=wait, daemon=True).start()
    print("0 up", flush=True)
    while not ended.is_set():
        while (found := port.get_message()) is not None:
            print(f"{time.monotonic():.6f} {bytes(found[0]).hex()}", flush=True)
        time.sleep(0.0005)
    port.close_port()
    port.delete()


if __name__ == "__main__":
    main()
