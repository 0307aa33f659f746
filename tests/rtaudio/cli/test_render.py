"""``render`` and ``instruments`` as a user runs them."""

from __future__ import annotations

import json
from pathlib import Path

import mido
import numpy as np
import pytest
import soundfile

from rtaudio.audio.format import StemplayError
from rtaudio.cli.main import main
from rtaudio.instrument.general_midi import nearest_programs
from rtaudio.midi.midi_file import read_midi
from tests.sing_fixture import tiny_instrument


def _song(path: Path, notes: list[tuple[int, int]], drums: int = 0, program: int = 0) -> Path:
    file = mido.MidiFile(ticks_per_beat=480)
    track = mido.MidiTrack()
    file.tracks.append(track)
    track.append(mido.MetaMessage("set_tempo", tempo=250_000))
    track.append(mido.Message("program_change", program=program))
    for wait, note in notes:
        track.append(mido.Message("note_on", note=note, velocity=90, time=wait))
        track.append(mido.Message("note_off", note=note, time=240))
    for _ in range(drums):
        track.append(mido.Message("note_on", channel=9, note=36, velocity=90, time=10))
    file.save(path)
    return path


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> str:
    return str(tiny_instrument(tmp_path_factory.mktemp("tiny")))


def test_a_song_is_rendered_in_time(tmp_path: Path, tiny: str, capsys: pytest.CaptureFixture[str]) -> None:
    song = _song(tmp_path / "a.mid", [(1920, 60), (0, 64)], drums=3)
    out = tmp_path / "out.wav"
    assert main(["render", str(song), "-o", str(out), "--rate", "32000", "--model", tiny, "--json"]) == 0
    captured = capsys.readouterr()
    facts = json.loads(captured.out)
    assert facts["notes"] == 2 and facts["drum_notes_skipped"] == 3
    assert "3 notes of the drum channel are skipped" in captured.err
    audio, rate = soundfile.read(out)
    assert rate == 32_000 and len(audio) == facts["frames"]
    heard = np.flatnonzero(np.abs(audio[:, 0]) > 1e-3)
    assert abs(heard[0] / rate - 1.0) < 0.01  # four beats of a quarter second
    assert not (tmp_path / "out.wav.part").exists()


def test_a_program_is_played_by_the_chosen_instrument(tmp_path: Path, tiny: str) -> None:
    song = _song(tmp_path / "a.mid", [(0, 60)], program=40)
    sounds = []
    for choice in (["--map", "40=flute"], []):
        out = tmp_path / "out.wav"
        assert main(["render", str(song), "-o", str(out), "--model", tiny, *choice]) == 0
        sounds.append(soundfile.read(out)[0][:4000])
    assert np.abs(sounds[0] - sounds[1]).max() > 1e-4


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--map", "40=kazoo"], "There is no instrument 'kazoo'"),
        (["--map", "flute"], "--map takes PROGRAM=NAME"),
        (["--map", "²=flute"], "--map takes PROGRAM=NAME"),
        (["--map", "3="], "There is no instrument ''"),
        (["--rate", "-5"], "A sample rate of -5 Hz"),
        (["--model", "nonsense"], "There is no model 'nonsense'"),
        (["--model", "demucs-live"], "not an instrument"),
        (["--rate", "1"], "A sample rate of 1 Hz"),
        (["--voices", "0"], "0 voices are not possible"),
    ],
)
def test_bad_arguments_get_one_sentence(
    tmp_path: Path, tiny: str, arguments: list[str], sentence: str, capsys: pytest.CaptureFixture[str]
) -> None:
    song = _song(tmp_path / "a.mid", [(0, 60)])
    assert main(["render", str(song), "-o", str(tmp_path / "o.wav"), "--model", tiny, *arguments]) == 2
    error = capsys.readouterr().err
    assert sentence in error and error.count("\n") == 1


def test_bad_files_get_one_sentence(tmp_path: Path, tiny: str, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "noise.mid").write_bytes(bytes(range(256)))
    drums = _song(tmp_path / "drums.mid", [], drums=2)
    (tmp_path / "cut.mid").write_bytes(_song(tmp_path / "whole.mid", [(0, 60)]).read_bytes()[:-12])
    for name, sentence in (
        ("noise.mid", "cannot be read as a MIDI file"),
        ("none.mid", "There is no file"),
        ("cut.mid", "cannot be read as a MIDI file: it ends too early"),
        ("", "is a folder"),
        (drums.name, "has only drum notes"),
    ):
        assert main(["render", str(tmp_path / name), "-o", str(tmp_path / "o.wav"), "--model", tiny]) == 2
        assert sentence in capsys.readouterr().err
    assert main(["render", str(drums), "-o", "o.mp3", "--model", tiny]) == 2
    assert not (tmp_path / "o.wav").exists()
    (tmp_path / "folder.wav").mkdir()
    for name, sentence in (("whole.mid/o.wav", "cannot be made"), ("folder.wav", "is a folder")):
        capsys.readouterr()
        assert main(["render", str(tmp_path / "whole.mid"), "-o", str(tmp_path / name), "--model", tiny]) == 2
        assert sentence in (error := capsys.readouterr().err) and error.count("\n") == 1


def test_tempo_and_kinds_are_read(tmp_path: Path) -> None:
    events = read_midi(_song(tmp_path / "a.mid", [(480, 60), (480, 62)], program=5))
    assert [event.kind for event in events] == ["program", "note_on", "note_off", "note_on", "note_off"]
    assert [round(event.time, 4) for event in events] == [0, 0.25, 0.375, 0.625, 0.75]


def _held(path: Path, wait: int = 480) -> Path:
    """A note, a pedal and another note that nothing ends; the file ends after ``wait`` ticks."""
    file = mido.MidiFile(ticks_per_beat=480)
    track = mido.MidiTrack()
    file.tracks.append(track)
    track.append(mido.Message("note_on", note=60, velocity=90, time=0))
    track.append(mido.Message("control_change", control=64, value=127, time=0))
    track.append(mido.Message("note_on", note=64, velocity=90, time=480))
    track.append(mido.MetaMessage("end_of_track", time=wait))
    file.save(path)
    return path


@pytest.mark.parametrize(
    ("division", "seconds"),
    [(0xE728, 1.0), (0xE850, 1000 / (24 * 80)), (0xE350, 1000 / (30_000 / 1001 * 80)), (0xE264, 1000 / 3000), (960, 1000 / 1920)],
)  # fmt: skip
def test_time_counted_in_frames_of_film_is_read(tmp_path: Path, division: int, seconds: float) -> None:
    """25 frames of 40 parts, 24 of 80, 29.97 of 80, 30 of 100; and 960 parts of a beat of half a second."""
    path = tmp_path / "song.mid"
    file = mido.MidiFile()
    file.tracks.append(mido.MidiTrack([mido.Message("note_on", note=60), mido.Message("note_off", note=60, time=1000)]))
    file.save(path)
    data = bytearray(path.read_bytes())
    data[12:14] = division.to_bytes(2, "big")
    path.write_bytes(data)
    assert [round(event.time, 6) for event in read_midi(path)] == [0.0, round(seconds, 6)]
    for nothing in (0, 0xE700, 0xFF10, 0x8001):
        data[12:14] = nothing.to_bytes(2, "big")
        path.write_bytes(data)
        with pytest.raises(StemplayError, match="time division"):
            read_midi(path)


def test_what_a_file_leaves_down_ends_with_it(tmp_path: Path, tiny: str) -> None:
    ends = [
        (e.kind, e.a, round(e.time, 3))
        for e in read_midi(_held(tmp_path / "a.mid"))
        if e.kind == "note_off" or e.b == 0
    ]
    assert sorted(ends) == [("control", 64, 1.0), ("note_off", 60, 1.0), ("note_off", 64, 1.0)]
    ends = [
        (e.kind, e.a, round(e.time, 3))
        for e in read_midi(_held(tmp_path / "b.mid", 0))
        if e.kind == "note_off" or e.b == 0
    ]
    assert sorted(ends) == [("control", 64, 0.5), ("note_off", 60, 0.5), ("note_off", 64, 1.0)]
    assert main(["render", str(tmp_path / "a.mid"), "-o", str(tmp_path / "o.wav"), "--model", tiny]) == 0
    assert soundfile.info(tmp_path / "o.wav").duration < 3.5


def test_containers_of_midi_files_are_opened(tmp_path: Path) -> None:
    plain = _song(tmp_path / "a.mid", [(480, 60), (480, 62)])
    data = plain.read_bytes()
    chunk = b"data" + len(data).to_bytes(4, "little") + data + b"\0" * (len(data) % 2)
    info = b"LIST" + (5).to_bytes(4, "little") + b"INFOx\0"
    body = b"RMID" + info + chunk
    (tmp_path / "a.rmi").write_bytes(b"RIFF" + len(body).to_bytes(4, "little") + body)
    head = bytearray(128)
    head[1], head[2:6], head[65:69], head[83:87] = 4, b"Song", b"Midi", len(data).to_bytes(4, "big")
    (tmp_path / "mac.mid").write_bytes(bytes(head) + data + b"resource fork")
    assert read_midi(tmp_path / "a.rmi") == read_midi(tmp_path / "mac.mid") == read_midi(plain)
    (tmp_path / "empty.rmi").write_bytes(
        b"RIFF" + (12).to_bytes(4, "little") + b"RMID" + b"LIST" + (0).to_bytes(4, "little")
    )
    with pytest.raises(StemplayError, match="no chunk with MIDI data"):
        read_midi(tmp_path / "empty.rmi")


def test_songs_of_days_are_told_and_not_begun(tmp_path: Path, tiny: str, capsys: pytest.CaptureFixture[str]) -> None:
    song = _song(tmp_path / "days.mid", [(0, 60), (1 << 28, 60)])
    assert main(["render", str(song), "-o", str(tmp_path / "o.wav"), "--model", tiny]) == 2
    assert "38.8 hours" in (error := capsys.readouterr().err) and "--yes" in error and error.count("\n") == 1
    assert not (tmp_path / "o.wav").exists()


def test_each_program_finds_the_nearest_instrument() -> None:
    found = nearest_programs([0, 4, 19, 24, 40, 48, 56, 73])
    assert (
        len(found) == 128 and found[40] == 4 and found[41] == 4 and found[57] == 6 and found[1] == 0 and found[75] == 7
    )


def test_instruments_are_listed(tiny: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["instruments", "--model", tiny]) == 0
    assert "flute  notes 48 to 84  sustains" in capsys.readouterr().out
    assert main(["instruments", "--model", tiny, "--json"]) == 0
    assert [row["name"] for row in json.loads(capsys.readouterr().out)["instruments"]][2] == "flute"
