"""Where on the screen parts of a new window's mixer are, as JSON: name -> [x, y]. For tests that use the mouse with xdotool.

``NAME`` is the mute button of a strip, ``NAME.0`` its first slot. Usage: python -m tests.gui.places [EFFECT ...], with the environment
of the window in question; the effects are those of *bass*, with the model ``none``.
"""

from __future__ import annotations

import json
import os
import sys

from PyQt6.QtWidgets import QWidget

from gui import theme
from gui.app import make_application
from gui.bridge import Bridge
from gui.pages.mixer import MixerPage
from gui.window import MainWindow
from rtaudio.protocol.messages import command
from rtaudio.protocol.settings import EngineConfig
from tests.gui.conftest import FakeSession


def main() -> None:
    app = make_application()
    theme.apply(app, "dark")
    effects = sys.argv[1:]
    session = FakeSession(EngineConfig(input="song.wav", instrument="", **({"model": "none"} if effects else {})))
    session.report.transport.path = "song.wav"  # a live input would have a strip of its own
    if effects:
        slots = [{"plugin": name, "key": f"{name}-1"} for name in effects]
        session.send(command("set_inserts", strip="bass", inserts=slots))
    bridge = Bridge(session)
    bridge.poll()
    window = MainWindow(bridge)
    window.show()
    for _ in range(5):
        bridge.poll()
        app.processEvents()
    page = window.pages["mixer"]
    assert isinstance(page, MixerPage)
    found: dict[str, QWidget] = {name: strip.mute for name, strip in page.strips.items()}
    if effects:
        found |= {f"{name}.{slot.number}": slot.name for name in page.strips for slot in page.racks[name].slots}
    places = {name: widget.mapToGlobal(widget.rect().center()) for name, widget in found.items()}
    print(json.dumps({name: [place.x(), place.y()] for name, place in places.items()}))
    sys.stdout.flush()
    os._exit(0)  # nothing is to be put away, and at the interpreter's end Qt and Python take their objects apart in any order


if __name__ == "__main__":
    main()
