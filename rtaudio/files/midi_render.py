"""Renders a MIDI file to a sound file offline, with the same synthesiser as live."""

from __future__ import annotations

from pathlib import Path

from rtaudio.files.writer import create_writer
from rtaudio.instrument.synth import Synth
from rtaudio.midi.midi_file import MidiEvent

BLOCK = 4096
TAIL_S = 8.0
"""Longest time in seconds for which notes ring after the last event."""


def render_song(synth: Synth, events: list[MidiEvent], path: Path) -> int:
    """Render ``events`` to ``path`` and return the number of frames. The synthesiser's latency is removed.

    Channels start with the sounds of ``synth``; program changes among the events replace them.
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
