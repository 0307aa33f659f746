"""Standard MIDI files."""

from __future__ import annotations

import io
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rtaudio.audio.format import StemplayError

DRUMS = 9
"""Channel 10 of General MIDI, counted from 0."""


LARGEST = 64 << 20
"""Largest size of a MIDI file, bytes."""
MACBINARY = 128
"""Size of the MacBinary header that old Macintosh programs put before a file, bytes."""
PEDALS = (64, 66)
"""Controllers that hold notes: damper and sostenuto."""
BEAT_US = 500_000
"""Microseconds of a beat until the first tempo event: 120 beats a minute."""
SMPTE = {24: 24.0, 25: 25.0, 29: 30_000 / 1001, 30: 30.0}
"""SMPTE format code -> frames a second."""
SHORTEST_S = 0.5
"""Seconds for which a note sounds that begins at the end of the file."""


@dataclass(frozen=True)
class MidiEvent:
    """A message at ``time`` seconds; ``kind`` as ``rtaudio.instrument.synth.Event`` has it."""

    time: float
    kind: str
    channel: int
    a: int
    b: int = 0


def read_midi(path: Path) -> list[MidiEvent]:
    """All channel messages of a file in order of time, with tempo changes applied. Held notes and pedals are released at its end.

    RIFF MIDI (``.rmi``) and files with a MacBinary header are read, too. Raises StemplayError if it is not a MIDI file.
    """
    import mido

    try:
        if path.stat().st_size > LARGEST:
            raise StemplayError(f"{path} is larger than any MIDI file: {path.stat().st_size >> 20} MiB.")
        file = mido.MidiFile(file=io.BytesIO(standard_midi(path.read_bytes())), clip=True)
        now, events = 0.0, []
        for now, message in _timed(file):
            event = _event(message, now)
            if event is not None:
                events.append(event)
    except StemplayError:
        raise
    except FileNotFoundError:
        raise StemplayError(f"There is no file {path}.") from None
    except IsADirectoryError:
        raise StemplayError(f"{path} is a folder, not a MIDI file.") from None
    except EOFError:
        raise StemplayError(f"{path} cannot be read as a MIDI file: it ends too early.") from None
    except Exception as error:  # mido raises KeyError, IndexError, ValueError and OSError for damaged files
        reason = " ".join(str(error).split()).rstrip(".") or type(error).__name__
        raise StemplayError(f"{path} cannot be read as a MIDI file: {reason}.") from None
    if not any(event.kind == "note_on" for event in events):
        raise StemplayError(f"{path} has no notes.")
    return events + _endings(events, now)


def _timed(file: Any) -> Iterator[tuple[float, Any]]:
    """Messages of all tracks with their times in seconds. Times in the file are in ticks of a beat or of an SMPTE frame.

    Raises ValueError if the tracks are independent songs (type 2) or the time division is invalid.
    """
    import mido

    if file.type == 2:
        raise ValueError("its tracks are independent songs (type 2)")
    division, tempo, now = file.ticks_per_beat, BEAT_US, 0.0  # signed 16 bits, as mido reads it
    frames, parts = -(division >> 8), division & 0xFF
    if division == 0 or (division < 0 and (frames not in SMPTE or parts == 0)):
        raise ValueError("its time division is invalid")
    for message in mido.merge_tracks(file.tracks):
        now += message.time / (SMPTE[frames] * parts) if division < 0 else message.time * tempo * 1e-6 / division
        yield now, message
        if message.type == "set_tempo":
            tempo = message.tempo


def standard_midi(data: bytes) -> bytes:
    """Extract the standard MIDI file from ``data``, which may be in a RIFF container or behind a MacBinary header."""
    if data[:4] == b"RIFF" and data[8:12] == b"RMID":
        at = 12
        while at + 8 <= len(data):
            name, size = data[at : at + 4], int.from_bytes(data[at + 4 : at + 8], "little")
            if name == b"data":
                return data[at + 8 : at + 8 + size]
            at += 8 + size + size % 2
        raise StemplayError("The RIFF file has no chunk with MIDI data.")
    if data[:1] == b"\0" and data[MACBINARY : MACBINARY + 4] == b"MThd" and 1 <= data[1] <= 63:
        size = int.from_bytes(data[83:87], "big")  # of the data fork; a resource fork may follow
        return data[MACBINARY : MACBINARY + size] if size else data[MACBINARY:]
    return data


def _endings(events: list[MidiEvent], end: float) -> list[MidiEvent]:
    """Events that release notes and pedals still held when the file ends at ``end`` seconds."""
    down: dict[tuple[int, int], list[float]] = {}
    pedals: dict[tuple[int, int], float] = {}
    for event in events:
        if event.kind == "note_on" and event.b > 0:
            down.setdefault((event.channel, event.a), []).append(event.time)
        elif event.kind in ("note_on", "note_off"):
            del down.get((event.channel, event.a), [])[:1]
        elif event.kind == "control" and event.a in PEDALS:
            pedals[event.channel, event.a] = event.b
    notes = [
        MidiEvent(max(end, start + SHORTEST_S), "note_off", channel, note, 64)
        for (channel, note), starts in down.items()
        for start in starts
    ]
    lifted = [MidiEvent(end, "control", channel, pedal, 0) for (channel, pedal), value in pedals.items() if value >= 64]
    return sorted(notes + lifted, key=lambda event: event.time)


_FIELDS = {
    "note_on": ("note_on", "note", "velocity"),
    "note_off": ("note_off", "note", "velocity"),
    "control_change": ("control", "control", "value"),
    "program_change": ("program", "program", None),
    "pitchwheel": ("bend", "pitch", None),
}
"""mido's type -> our kind, and the names of its one or two values."""


def _event(message: Any, time: float) -> MidiEvent | None:
    found = _FIELDS.get(message.type)
    if found is None:
        return None
    kind, first, second = found
    return MidiEvent(time, kind, message.channel, getattr(message, first), getattr(message, second) if second else 0)
