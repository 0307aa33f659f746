"""A MIDI keyboard without a window: all MIDI inputs play a sound that is half violin, half flute.

    python examples/midi_keyboard.py [SECONDS] [OUTPUT]
"""

import sys
import time

from rtaudio import EngineConfig, Session, command

seconds = float(sys.argv[1]) if len(sys.argv) > 1 else 3600
output = sys.argv[2] if len(sys.argv) > 2 else "default"
config = EngineConfig(input="none", output=output, model="none", instrument="sing-gm")
with Session(config) as session:
    for channel in range(16):
        session.send(command("set_sound", channel=channel, shares={"violin": 0.5, "flute": 0.5}))
    while session.snapshot().state != "running":
        time.sleep(0.05)
    report = session.snapshot()
    print(f"{report.port}; MIDI from {', '.join(report.instrument.ports) or 'no keyboard: a chord plays by itself'}")
    for note in (60, 64, 67) if not report.instrument.ports else ():
        session.send(command("midi", data=[0x90, note, 100]))
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        time.sleep(0.1)
    print(f"{session.snapshot().instrument.notes} notes sound at the end")
