"""A program that speaks OSC, in a process of its own: ``python -m tests.osc_peer PORT``.

Lines in: ``send ADDRESS [VALUE...]`` (whole numbers are sent as integers), ``raw BYTES`` (hexadecimal), ``end``. Lines out: address and
values as JSON, for each message that it hears.
"""

from __future__ import annotations

import json
import socket
import sys
import threading

from pythonosc.osc_message_builder import OscMessageBuilder
from pythonosc.osc_packet import OscPacket


def main() -> None:
    port = int(sys.argv[1])
    link = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    link.connect(("127.0.0.1", port))

    def listen() -> None:
        while True:
            try:
                data = link.recv(65_536)
            except OSError:  # nobody is there yet
                continue
            for _, message in OscPacket(data).messages:
                print(json.dumps([message.address, *message.params]), flush=True)

    threading.Thread(target=listen, daemon=True).start()
    for line in sys.stdin:
        word, *rest = line.split()
        if word == "end":
            break
        if word == "raw":
            link.send(bytes.fromhex("".join(rest)))
            continue
        builder = OscMessageBuilder(rest[0])
        for text in rest[1:]:
            builder.add_arg(float(text) if "." in text else int(text))
        link.send(builder.build().dgram)


if __name__ == "__main__":
    main()
