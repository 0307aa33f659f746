"""``python -m rtaudio render SONG.mid -o OUT.wav``: a MIDI file through the instruments, offline."""

from __future__ import annotations

import argparse
import json
import sys
import time
from pathlib import Path

from rtaudio.audio.format import MAX_RATE, MIN_RATE, StemplayError
from rtaudio.cli.inserts import add_insert_option, parse_inserts
from rtaudio.files.midi_render import render_song
from rtaudio.files.writer import output_folder
from rtaudio.instrument.general_midi import program_table
from rtaudio.instrument.model import InstrumentModel
from rtaudio.instrument.synth import Synth
from rtaudio.midi.midi_file import DRUMS, MidiEvent, read_midi
from rtaudio.protocol.strips import INSTRUMENT, MASTER

NAME = "render"
HELP = "Render a MIDI file as a sound file."
TELL_S, LONGEST_S = 600.0, 4 * 3600.0
"""Seconds from which a song's length is printed before rendering, and the longest length without ``--yes``."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of ``render``."""
    parser.add_argument("song", metavar="SONG", help="a standard MIDI file")
    parser.add_argument("-o", "--output", metavar="OUT", required=True, help="the sound file: .wav or .flac")
    parser.add_argument(
        "--rate", type=int, default=44_100, metavar="R", help="sample rate in Hz (default: %(default)s)"
    )
    parser.add_argument(
        "--map", action="append", default=[], metavar="PROGRAM=NAME",
        help="instrument for a General MIDI program (0 to 127); may be repeated",
    )  # fmt: skip
    parser.add_argument(
        "--model", metavar="NAME", default="sing-gm", help="an installed model or a directory (default: %(default)s)"
    )
    parser.add_argument("--voices", type=int, default=64, help="largest number of simultaneous notes (default: %(default)s)")
    add_insert_option(parser, "the instrument or the master")
    parser.add_argument("--yes", action="store_true", help="render songs that are longer than four hours")
    parser.add_argument("--json", action="store_true", help="print the results as JSON")


def run(args: argparse.Namespace) -> int:
    """Render and print the speed."""
    path = Path(args.output)
    if path.suffix.lower() not in (".wav", ".flac"):
        raise StemplayError(f"The output {str(path)!r} must end in .wav or .flac.")
    if not MIN_RATE <= args.rate <= MAX_RATE:
        raise StemplayError(f"A sample rate of {args.rate} Hz is outside {MIN_RATE} to {MAX_RATE} Hz.")
    if not 1 <= args.voices <= 1024:
        raise StemplayError(f"{args.voices} voices are not possible: choose 1 to 1024.")
    inserts = parse_inserts(args.insert, (INSTRUMENT, MASTER))
    model = InstrumentModel(args.model)
    programs = program_map(model, args.map)
    events = read_midi(Path(args.song))
    played = [event for event in events if event.channel != DRUMS]
    skipped = sum(event.kind == "note_on" and event.b > 0 for event in events) - _notes(played)
    if skipped:
        print(f"{skipped} notes of the drum channel are skipped: the model has no drums.", file=sys.stderr)
    if not _notes(played):
        raise StemplayError(f"{args.song} has only drum notes, and the model has no drums.")
    _tell_length(played[-1].time, args)
    began = time.perf_counter()
    synth = Synth(model, args.rate, args.voices, programs)
    for channel in range(16):
        synth.set_instrument(channel, model.instrument_weights({programs.get(0, 0): 1}))
    with output_folder(path.parent):
        frames = render_song(synth, played, path, [*inserts.get(INSTRUMENT, []), *inserts.get(MASTER, [])])
    spent = time.perf_counter() - began
    facts = {"file": str(path), "rate": args.rate, "frames": frames, "notes": _notes(played), "drum_notes_skipped": skipped,
             "stolen": synth.stolen, "seconds": round(spent, 3)}  # fmt: skip
    if args.json:
        print(json.dumps(facts))
    else:
        duration = frames / args.rate
        print(f"{path}: {duration:.1f} s of sound in {spent:.1f} s ({duration / spent:.1f} times real time).")
    return 0


def _tell_length(seconds: float, args: argparse.Namespace) -> None:
    """Print the length of a long song before rendering it. Raises StemplayError for a song that is too long."""
    minutes = seconds / 60
    text = f"{minutes:.0f} minutes" if minutes < 120 else f"{minutes / 60:.1f} hours"
    if seconds > LONGEST_S and not args.yes:
        size = 2 * 4 * args.rate * seconds / 1e9
        raise StemplayError(f"{args.song} lasts {text}, {size:.0f} GB of sound; use --yes to render it.")
    if seconds > TELL_S:
        print(f"{args.song} lasts {text}.", file=sys.stderr)


def _notes(events: list[MidiEvent]) -> int:
    return sum(event.kind == "note_on" and event.b > 0 for event in events)


def program_map(model: InstrumentModel, choices: list[str]) -> dict[int, int]:
    """General MIDI programs to instruments: the model's own numbers, then what the user chose. Raises StemplayError."""
    programs = program_table(model)
    for choice in choices:
        number, separator, name = choice.partition("=")
        if not separator or not (number.strip().isascii() and number.strip().isdigit()) or not 0 <= int(number) < 128:
            raise StemplayError(f"--map takes PROGRAM=NAME with a program from 0 to 127, not {choice!r}.")
        name = name.strip()
        if name not in model.instruments:
            raise StemplayError(f"There is no instrument {name!r}; python -m rtaudio instruments lists them.")
        programs[int(number)] = model.instruments.index(name)
    return programs
