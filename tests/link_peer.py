"""Another program in an Ableton Link session: ``python -m tests.link_peer BPM``.

Lines in: ``tempo BPM``, ``play``, ``stop``, ``look``, ``end``. Each is answered by a line: peers, tempo, beat, the monotonic time of that
beat, and whether the session plays, as JSON.
"""

from __future__ import annotations

import json
import sys
import time


def main() -> None:
    import link

    session = link.Link(float(sys.argv[1]))
    clock = session.clock()
    session.startStopSyncEnabled = True
    session.enabled = True
    for line in sys.stdin:
        word, *rest = line.split()
        if word == "end":
            break
        state = session.captureAppSessionState()
        if word == "tempo":
            state.setTempo(float(rest[0]), clock.micros())
            session.commitAppSessionState(state)
        if word in ("play", "stop"):
            state.setIsPlaying(word == "play", clock.micros())
            session.commitAppSessionState(state)
        micros, now = clock.micros(), time.monotonic()
        print(json.dumps([session.numPeers(), state.tempo(), state.beatAtTime(micros, 4.0), now, state.isPlaying()]), flush=True)
    session.enabled = False


if __name__ == "__main__":
    main()
