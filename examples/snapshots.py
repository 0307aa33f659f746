"""Listen to snapshots: play a song and print what the engine reports, as JSON lines. A second program can do so beside a window.

    python examples/snapshots.py SONG SECONDS
"""

import json
import sys
import time

from rtaudio import EngineConfig, Session

with Session(EngineConfig(input=sys.argv[1], output="null")) as session:
    until, last = time.monotonic() + 60, -1
    while time.monotonic() < until:
        report = session.snapshot()
        if report.sequence != last and report.state == "running":
            last = report.sequence
            levels = {name: round(max(meter.peak, default=0.0), 3) for name, meter in report.meters.items()}
            facts = {"position_s": round(report.transport.position_s, 2), "misses": report.misses, "peaks": levels}
            print(json.dumps(facts), flush=True)
            if report.transport.position_s > float(sys.argv[2]):
                break
        time.sleep(0.02)
