"""A small computer without a screen: separates its input for as long as it runs, and ends cleanly when it is told to (SIGTERM).

Start it at boot with a service manager; for systemd:

    [Service]
    ExecStart=/usr/bin/python3 headless.py default default
    Restart=always
    LimitRTPRIO=95

    python examples/headless.py INPUT OUTPUT [SECONDS]
"""

import signal
import sys
import threading

from rtaudio import EngineConfig, Session

ended = threading.Event()
for kind in (signal.SIGTERM, signal.SIGINT):
    signal.signal(kind, lambda *_: ended.set())

# A smaller model and larger blocks need less of a processor: 12 ms at 512 frames. A device that is missing is waited for.
config = EngineConfig(input=sys.argv[1], output=sys.argv[2], model="demucs-open", block=512, analyse=False)
with Session(config) as session:
    ended.wait(float(sys.argv[3]) if len(sys.argv) > 3 else None)
    report = session.snapshot()
print(f"{report.frames} frames, {report.misses} misses, {report.xruns} xruns, {report.restarts} restarts")
