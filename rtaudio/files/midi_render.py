"""Renders a MIDI file to a sound file offline, with the same synthesiser as live."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from rtaudio.files.writer import create_writer
from rtaudio.instrument.synth import Synth
from rtaudio.midi.midi_file import MidiEvent
from rtaudio.plugins.offline import OfflineInserts
from rtaudio.protocol.settings import InsertState

BLOCK = 4096
TAIL_S = 8.0
"""Longest time in seconds for which notes ring after the last event."""


def render_song(synth: Synth, events: list[MidiEvent], path: Path, inserts: Sequence[InsertState] = ()) -> int:
    """Render ``events`` to ``path`` and return the number of frames. The latency of the synthesiser and of ``inserts`` is removed.

    Channels start with the sounds of ``synth``; program changes among the events replace them.
    """
    written, skip, at, index = 0, synth.latency, 0, 0
    last = round((events[-1].time + TAIL_S) * synth.rate)
    with OfflineInserts(inserts, synth.rate, 2) as effects, create_writer(path, synth.rate, 2) as writer:
        while at < last and (index < len(events) or synth.active):
            due = []
            while index < len(events) and events[index].time * synth.rate < at + BLOCK:
                due.append((round(events[index].time * synth.rate) - at, events[index]))
                index += 1
            audio = effects.process(synth.render(BLOCK, due)[skip:])
            skip = 0
            writer.write(audio)
            written += len(audio)
            at += BLOCK
        rest = effects.process(np.zeros((round(min(effects.tail_s, TAIL_S) * synth.rate), 2), np.float32)) if inserts else None
        for audio in (rest, effects.flush()) if rest is not None else ():
            writer.write(audio)
            written += len(audio)
    return written
