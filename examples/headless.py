"""A small computer without a screen: separates its input for as long as it runs, and ends cleanly when it is told to (SIGTERM).

Start it at boot with a service manager; for systemd:

    [Service]
    ExecStart=/usr/bin/python3 headless.py default default
    Restart=always
    LimitRTPRIO=95

    python examples/headless.py INPUT OUTPUT [SECONDS]

A song as input ends it, too, and so does an engine that was given up: the service manager starts it again.
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
    seconds = float(sys.argv[3]) if len(sys.argv) > 3 else float("inf")  # of sound, however long that takes
    report, told = session.snapshot(), ""
    while not ended.wait(0.1) and report.frames < seconds * max(report.rate, 1) and told not in ("finished", "stopped"):
        report = session.snapshot()
        if report.state != told:
            told = report.state
            print(told, report.message, flush=True)  # for the service's log
print(f"{report.frames} frames, {report.misses} misses, {report.xruns} xruns, {report.restarts} restarts")
