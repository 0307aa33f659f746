"""The pitch check of rendered songs, on sounds whose answers are known."""

from __future__ import annotations

import json
from pathlib import Path

import mido
import numpy as np
import pytest
import soundfile

from training.cli import main
from training.sing.note_metrics import hertz
from training.sing.song_pitch import ScoreNote, score_notes

CHORDS = [(0.0, (48, 52, 55)), (1.0, (60, 64, 69)), (2.0, (72,))]


def song(path: Path) -> Path:
    """Three chords of a second, the last ended by a note-on without velocity, and a drum."""
    file = mido.MidiFile(ticks_per_beat=480)
    track = mido.MidiTrack()
    file.tracks.append(track)
    for _, chord in CHORDS:
        track.extend(mido.Message("note_on", note=note, velocity=90) for note in chord)
        track.append(mido.Message("note_on", note=36, velocity=90, channel=9))
        for k, note in enumerate(chord):
            track.append(mido.Message("note_on", note=note, velocity=0, time=960 if k == 0 else 0))
    file.save(path)
    return path


def sound(path: Path, cents: dict[int, float], left_out: tuple[int, ...] = ()) -> Path:
    """The same as sines and harmonics at 44.1 kHz, some notes detuned."""
    rate = 44_100
    wav = np.zeros(3 * rate)
    time = np.arange(rate) / rate
    for at, chord in CHORDS:
        for note in chord:
            if note not in left_out:
                f0 = hertz(note) * 2 ** (cents.get(note, 0.0) / 1200)
                part = sum(0.5**k * np.sin(2 * np.pi * k * f0 * time + k) for k in range(1, 6))
                wav[round(at * rate) :][:rate] += 0.1 * part
    soundfile.write(path, wav, rate)
    return path


def test_the_score_has_its_notes_without_drums(tmp_path: Path) -> None:
    notes = score_notes(song(tmp_path / "a.mid"))
    assert notes[0] == ScoreNote(0.0, 1.0, 48, 0) and [note.pitch for note in notes] == [48, 52, 55, 60, 64, 69, 72]


def test_the_command_tells_the_errors_and_what_is_missing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    midi, wav = str(song(tmp_path / "a.mid")), str(sound(tmp_path / "a.wav", {52: 12.0, 69: -25.0}))
    assert main(["f0", wav, midi, "--json", "--aim", "10"]) == 0
    facts = json.loads(capsys.readouterr().out)
    cents = {row["pitch"]: row["cents"] for row in facts["rows"]}
    assert facts["notes"] == 7 and facts["unheard"] == 0 and facts["median_cents"] < 2
    assert abs(cents[52] - 12) < 2.5 and abs(cents[69] + 25) < 2.5
    assert all(abs(cents[pitch]) < 2.5 for pitch in (48, 55, 60, 64, 72)), cents
    sound(tmp_path / "a.wav", dict.fromkeys(range(128), 15.0))
    assert main(["f0", wav, midi, "--aim", "10"]) == 1
    assert "median error 15" in capsys.readouterr().out
    sound(tmp_path / "a.wav", {}, left_out=(72,))
    assert main(["f0", wav, midi, "--aim", "10"]) == 1
    assert "1 of them not heard" in capsys.readouterr().out
    (tmp_path / "b.mid").write_bytes(b"MThd")
    for arguments, words in (([midi, midi], "as sound"), ([wav, str(tmp_path / "b.mid")], "ends too early")):
        assert main(["f0", *arguments]) == 2
        assert words in (error := capsys.readouterr().err) and error.count("\n") == 1
