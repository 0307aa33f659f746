"""Decoding, rendering and preparing. What needs recorded music or a soundfont skips where there is none."""

from __future__ import annotations

from dataclasses import replace
from itertools import product
from pathlib import Path

import mido
import numpy as np
import pytest
import soundfile

from rtaudio.audio.format import StemplayError
from training.cli import main
from training.data import jobs, midi, prepare
from training.data.decode import read_stem_file, read_voice, trim_silence
from training.data.store import Collection, Manifest

ROOT = Path(__file__).resolve().parents[3]
RATE = 44_100
FONTS = jobs.find_soundfonts()
MUSDB = ROOT.parent / "shared" / "data" / "musdb18-7s" / "train"


def write_midi(path: Path) -> None:
    """Two seconds of a drum, a bass and a piano note, again and again."""
    song = mido.MidiFile()
    track = mido.MidiTrack()
    song.tracks.append(track)
    track.append(mido.Message("program_change", channel=1, program=33))
    for _ in range(20):
        for channel, note in ((9, 36), (1, 40), (0, 72)):
            track.append(mido.Message("note_on", channel=channel, note=note, velocity=100))
        for channel, note in ((9, 36), (1, 40), (0, 72)):
            track.append(mido.Message("note_off", channel=channel, note=note, time=240))
    song.save(path)


def test_silence_at_both_ends_is_trimmed():
    sound = np.zeros(10_000, np.float32)
    sound[4000:6000] = 0.5
    assert len(trim_silence(sound, margin=100)) == 2200
    assert len(trim_silence(np.zeros(100, np.float32))) == 0


def test_singing_is_mono_at_44100_hz_whatever_the_file_has(tmp_path):
    tone = 0.5 * np.sin(2 * np.pi * 440 * np.arange(32_000) / 16_000)
    soundfile.write(tmp_path / "voice.ogg", np.stack([tone, tone], axis=1), 16_000)
    voice = read_voice(tmp_path / "voice.ogg")
    assert voice.ndim == 1 and voice.dtype == np.float32
    assert len(voice) == pytest.approx(2 * RATE, abs=RATE // 20)
    peak = np.argmax(np.abs(np.fft.rfft(voice))) * RATE / len(voice)
    assert peak == pytest.approx(440, abs=1)


def test_files_that_are_no_sound_are_one_sentence(tmp_path):
    (tmp_path / "x.ogg").write_bytes(b"nothing")
    (tmp_path / "x.mid").write_bytes(b"nothing")
    for read in (read_voice, read_stem_file):
        with pytest.raises(StemplayError):
            read(tmp_path / "x.ogg")
    with pytest.raises(StemplayError, match="MIDI"):
        midi.read_events(tmp_path / "x.mid", midi.Take(""))


def test_notes_belong_to_stems_by_channel_and_program():
    assert midi.source_of(9, 33) == "drums"
    assert midi.source_of(0, 33) == "bass"
    assert midi.source_of(0, 0) == "other"


def test_tempo_and_end_of_a_take_are_kept(tmp_path):
    write_midi(tmp_path / "song.mid")
    take = midi.Take("", tempo=2.0, seconds=3.0)
    events = midi.read_events(tmp_path / "song.mid", take)
    assert 2.5 < events[-1][0] <= 3.0
    slow = midi.read_events(tmp_path / "song.mid", replace(take, tempo=1.0))
    assert slow[10][0] == pytest.approx(2 * events[10][0])


@pytest.mark.skipif(not FONTS, reason="no General MIDI soundfont is installed")
def test_a_rendered_song_has_three_stems_that_differ(tmp_path):
    write_midi(tmp_path / "song.mid")
    small = min(FONTS, key=lambda path: path.stat().st_size)
    take = midi.Take(str(small), seconds=4.0, skip=1.0)
    stems = midi.render(tmp_path / "song.mid", take)
    assert stems.shape[:2] == (3, 2) and stems.shape[2] == pytest.approx(3 * RATE, abs=RATE)
    assert (stems.std(axis=(1, 2)) > 1e-3).all()
    again = midi.render(tmp_path / "song.mid", take)
    assert again.shape == stems.shape
    only_bass = midi.render(tmp_path / "song.mid", take, ("bass",))
    assert np.corrcoef(only_bass.ravel(), stems[1].ravel())[0, 1] > 0.99


def test_takes_are_drawn_from_the_seed():
    fonts = [Path("a"), Path("b")]
    first = midi.draw_take(np.random.default_rng(1), fonts, 60)
    assert first == midi.draw_take(np.random.default_rng(1), fonts, 60)
    assert first != midi.draw_take(np.random.default_rng(2), fonts, 60)
    drawn = [midi.draw_take(np.random.default_rng(seed), fonts, 60) for seed in range(200)]
    assert {(take.font("drums"), take.font("bass"), take.font("other")) for take in drawn} == set(product("ab", repeat=3))
    assert any(take.drums_from is None and take.bass_from is None for take in drawn)


def test_preparing_joins_a_singers_phrases_and_keeps_what_exists(tmp_path, capsys):
    folder = tmp_path / "raw" / "voice" / "mir1k"
    folder.mkdir(parents=True)
    tone = np.sin(np.arange(RATE) / 10) * 0.2
    for name in ("ann_1", "ann_2", "bob_1"):
        soundfile.write(folder / f"{name}.ogg", tone, RATE)
    command = [
        "prepare",
        "stems",
        "--data",
        str(tmp_path / "raw"),
        "-o",
        str(tmp_path / "store"),
        "--only",
        "mir1k",
        "--workers",
        "1",
    ]
    assert main(command) == 0
    collection = Collection(tmp_path / "store" / "mir1k")
    assert [item.name for item in collection.items] == ["ann", "bob"]
    assert {item.bandwidth for item in collection.items} == {8000.0}
    assert collection.items[0].frames == pytest.approx(2 * RATE, abs=RATE // 10)
    file = tmp_path / "store" / "mir1k" / collection.items[0].file
    before = file.stat().st_mtime_ns
    assert main(command) == 0
    assert file.stat().st_mtime_ns == before
    assert Manifest.read(tmp_path / "store" / "mir1k").items == collection.items


def test_without_a_soundfont_songs_are_not_rendered(tmp_path):
    options = jobs.Options(tmp_path, tmp_path / "out")
    with pytest.raises(StemplayError, match="soundfont"):
        prepare.prepare_collection("freedoom", options)


@pytest.mark.skipif(not MUSDB.is_dir(), reason="the MUSDB18 previews are not at hand")
def test_a_stem_file_has_four_stereo_stems():
    stems = read_stem_file(sorted(MUSDB.glob("*.mp4"))[0])
    assert stems.shape[:2] == (4, 2) and 6 * RATE < stems.shape[2] < 8 * RATE
    assert (np.abs(stems).max(axis=(1, 2)) > 0.01).all()


def test_tiny_sets_are_made_from_nothing_and_learned_from(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    line = ["prepare", "stems", "--tiny", "-o", str(tmp_path / "store")]
    assert main(line) == 0 and main(line) == 0
    assert "6 synthetic songs, 75 s" in capsys.readouterr().out
    assert {item.split for item in Manifest.read(tmp_path / "store" / "musdb").items} == {"train", "valid"}
    recipe = tmp_path / "small.toml"
    recipe.write_text('name = "small"\n[network]\nchannels = 4\ndepth = 3\n[mixing]\nseconds = 0.3\nbatch = 2\n')
    fit = ["fit", str(recipe), "--store", str(tmp_path / "store"), "--steps", "1", "--workers", "0"]
    assert main([*fit, "-o", str(tmp_path / "run")]) == 0
    manifest = Manifest.read(tmp_path / "store" / "musdb")
    manifest.licence = "MUSDB18's"
    manifest.write(tmp_path / "store" / "musdb")
    assert main(line) == 2 and "contains real songs" in capsys.readouterr().err
