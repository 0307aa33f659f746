"""A MIDI file's notes as a sound file, offline, by the synthesiser that plays live."""

from __future__ import annotations

from pathlib import Path

from rtaudio.files.writer import create_writer
from rtaudio.instrument.synth import Synth
from rtaudio.midi.midi_file import MidiEvent

BLOCK = 4096
TAIL_S = 8.0
"""At most so long do notes ring after the last event."""


def render_song(synth: Synth, events: list[MidiEvent], path: Path) -> int:
    """Play ``events`` into ``path``, aligned (the synthesiser's hold-back is cut off), and return the frames written.

    Channels begin with the sounds that ``synth`` has; program changes among the events replace them.
    """
    written, skip, at, index = 0, synth.latency, 0, 0
    last = round((events[-1].time + TAIL_S) * synth.rate)
    with create_writer(path, synth.rate, 2) as writer:
        while at < last and (index < len(events) or synth.active):
            due = []
            while index < len(events) and events[index].time * synth.rate < at + BLOCK:
                due.append((round(events[index].time * synth.rate) - at, events[index]))
                index += 1
            audio = synth.render(BLOCK, due)[skip:]
            skip = 0
            writer.write(audio)
            written += len(audio)
            at += BLOCK
    return written
