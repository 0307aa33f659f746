"""Where on the screen the mute buttons of a new window are, as JSON: name -> [x, y]. For tests that click with xdotool.

Usage: python -m tests.gui.places, with the environment of the window in question.
"""

from __future__ import annotations

import json
import sys

from gui import theme
from gui.app import make_application
from gui.bridge import Bridge
from gui.pages.mixer import MixerPage
from gui.window import MainWindow
from rtaudio.protocol.messages import EngineConfig
from tests.gui.conftest import FakeSession


def main() -> None:
    app = make_application()
    theme.apply(app, "dark")
    session = FakeSession(EngineConfig(input="song.wav", instrument=""))
    session.report.transport.path = "song.wav"  # a live input would have a strip of its own
    bridge = Bridge(session)
    bridge.poll()
    window = MainWindow(bridge)
    window.show()
    for _ in range(5):
        bridge.poll()
        app.processEvents()
    page = window.pages["mixer"]
    assert isinstance(page, MixerPage)
    places = {name: strip.mute.mapToGlobal(strip.mute.rect().center()) for name, strip in page.strips.items()}
    print(json.dumps({name: [place.x(), place.y()] for name, place in places.items()}))
    sys.stdout.flush()


if __name__ == "__main__":
    main()
