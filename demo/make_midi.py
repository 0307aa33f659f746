"""Makes the two demo songs for the instrument, ours and CC BY 4.0: ``python demo/make_midi.py``.

``scale.mid``: two octaves of C major, one note a second. ``chords.mid``: a song of four voices (piano, bass, strings, flute).
"""

from __future__ import annotations

from pathlib import Path

import mido

FOLDER = Path(__file__).resolve().parent
TICKS = 480
SCALE = (60, 62, 64, 65, 67, 69, 71, 72, 74, 76, 77, 79, 81, 83, 84)
CHORDS = ((57, 60, 64), (53, 57, 60), (55, 60, 64), (55, 59, 62)) * 2
MELODY = (76, 72, 69, 72, 77, 76, 72, 69, 79, 76, 72, 76, 74, 71, 67, 71) * 2


def track(program: int, channel: int, notes: list[tuple[float, float, int, int]], name: str) -> mido.MidiTrack:
    """Notes ``(start, length, pitch, velocity)`` in quarters as a track."""
    events = []
    for start, length, pitch, velocity in notes:
        events.append(
            (round(start * TICKS), 1, mido.Message("note_on", channel=channel, note=pitch, velocity=velocity))
        )
        end = round((start + length) * TICKS)
        events.append((end, 0, mido.Message("note_off", channel=channel, note=pitch, velocity=0)))
    result, now = mido.MidiTrack(), 0
    result.append(mido.MetaMessage("track_name", name=name))
    result.append(mido.Message("program_change", channel=channel, program=program))
    for time, _, message in sorted(events, key=lambda event: event[:2]):
        result.append(message.copy(time=time - now))
        now = time
    return result


def song(name: str, quarter_s: float, tracks: list[mido.MidiTrack]) -> None:
    """Write a file with a tempo."""
    file = mido.MidiFile(ticks_per_beat=TICKS)
    head = mido.MidiTrack([mido.MetaMessage("set_tempo", tempo=round(quarter_s * 1e6))])
    file.tracks.extend([head, *tracks])
    file.save(FOLDER / name)


def main() -> None:
    """Write both."""
    song("scale.mid", 1.0, [track(73, 0, [(k, 0.9, pitch, 100) for k, pitch in enumerate(SCALE)], "flute")])
    piano = [
        (4 * k + beat, 1.9, p, 75 - 10 * (beat > 0)) for k, chord in enumerate(CHORDS) for beat in (0, 2) for p in chord
    ]
    bass = [(4 * k + beat, 0.9, chord[0] - 12, 95) for k, chord in enumerate(CHORDS) for beat in (0, 1.5, 3)]
    strings = [(4 * k, 3.9, p + 12, 50) for k, chord in enumerate(CHORDS) for p in chord]
    flute = [(2 * k, 1.8, pitch, 100) for k, pitch in enumerate(MELODY[:16])]
    voices = [(0, 0, piano, "piano"), (33, 1, bass, "bass"), (48, 2, strings, "strings"), (73, 3, flute, "flute")]
    song("chords.mid", 0.5, [track(*voice) for voice in voices])


if __name__ == "__main__":
    main()
