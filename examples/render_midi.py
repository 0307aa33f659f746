"""Render a MIDI file with the neural synthesiser, and morph its piano into a flute.

    python examples/render_midi.py SONG.mid OUT.wav
"""

import sys
from pathlib import Path

from rtaudio.files.midi_render import render_song
from rtaudio.instrument.general_midi import program_table
from rtaudio.instrument.model import InstrumentModel
from rtaudio.instrument.synth import Synth
from rtaudio.midi.midi_file import DRUMS, read_midi

model = InstrumentModel("sing-gm")
events = [event for event in read_midi(Path(sys.argv[1])) if event.channel != DRUMS and event.kind != "program"]
synth = Synth(model, 44_100, 64, program_table(model))
first, second = model.instruments[0], "flute"
for channel in range(16):
    synth.set_instrument(channel, model.instrument_weights({model.instruments.index(first): 1, model.instruments.index(second): 1}))
frames = render_song(synth, events, Path(sys.argv[2]))
print(f"{frames / 44_100:.1f} s of half {first}, half {second} in {sys.argv[2]}")
