"""Live karaoke: a song without its vocals, on the default output.

    python examples/karaoke.py SONG [OUTPUT]      # OUTPUT: a device, a .wav file, or null
"""

import sys
import time

from rtaudio import EngineConfig, MixerState, Session, StemState

config = EngineConfig(input=sys.argv[1], output=sys.argv[2] if len(sys.argv) > 2 else "default")
with Session(config, MixerState(stems={"vocals": StemState(mute=True)})) as session:
    while (now := session.snapshot()).state not in ("finished", "stopped"):
        print(f"\r{now.transport.position_s:6.1f} s  missed {now.misses}", end="", flush=True)
        time.sleep(0.1)
print(f"\n{now.message}" if now.message else "")
