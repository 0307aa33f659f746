"""``prepare notes``: recording instruments note by note, NSynth's layout in and out, the pitch-completion split (NSY-01 to -05)."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import soundfile

from rtaudio.audio.format import StemplayError
from training.cli import main
from training.data import notes
from training.data.general_midi import PROGRAMS
from training.data.jobs import find_soundfonts
from training.data.note_store import NoteStore

PITCHES = "55-64"
ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("notes")
    assert main(["prepare", "notes", "--synthetic", "-o", str(folder), "--pitches", PITCHES, "--workers", "1"]) == 0
    return folder


def test_general_midi_has_its_128_names() -> None:
    assert len(PROGRAMS) == len(set(PROGRAMS)) == 128
    assert (PROGRAMS[0], PROGRAMS[40], PROGRAMS[73], PROGRAMS[127]) == (
        "acoustic-grand-piano",
        "violin",
        "flute",
        "gunshot",
    )


def test_notes_have_their_pitch_and_each_symbol_a_phase_of_its_own(store: Path) -> None:
    notes_of = NoteStore(store)
    rows = np.flatnonzero(notes_of.instrument == notes_of.instruments.index("harmonic"))
    audio = notes_of.audio(rows).numpy()
    assert audio.shape == (50, 64_000)
    for row, wav in zip(rows[::7], audio[::7], strict=True):
        spectrum = np.abs(np.fft.rfft(wav[8_000:40_000] * np.hanning(32_000)))
        f0 = 440 * 2 ** ((notes_of.pitch[row] - 69) / 12)
        assert abs(np.argmax(spectrum) / 2 - f0) < 1
    first = {tuple(np.round(wav[800:832] / np.abs(wav).max(), 2)) for wav in audio}
    assert len(first) == 50
    same = [
        np.array_equal(notes.synthetic_note("noisy", 60, 2), notes.synthetic_note("noisy", 60, 2)) for _ in range(2)
    ]
    assert all(same)


def test_the_split_holds_out_a_tenth_of_each_instruments_pitches(store: Path) -> None:
    notes_of = NoteStore(store)

    def pairs(rows: np.ndarray[tuple[int], np.dtype[np.int64]]) -> set[tuple[int, int]]:
        return {(int(notes_of.instrument[k]), int(notes_of.pitch[k])) for k in rows}

    train, test = pairs(notes_of.train), pairs(notes_of.test)
    assert not train & test
    assert {i for i, _ in train} == set(range(4)) and {p for _, p in train} == set(range(55, 65))
    assert all(sum(i == k for i, _ in test) == 1 for k in range(4))
    assert len(notes_of.test) == 4 * 5, "all velocities of a held-out pitch"
    assert set(notes_of.evaluation) <= set(notes_of.test) and len(notes_of.evaluation) == 20
    for count in (9, 61, 88):
        pitches = tuple(range(21, 21 + count))
        held = notes.held_out("flute", pitches, 0)
        assert (
            len(held) == round(count / 10) and held == notes.held_out("flute", pitches, 0) and set(held) < set(pitches)
        )
    assert notes.held_out("flute", pitches, 0) != notes.held_out("flute", pitches, 1)


def test_an_interrupted_run_continues_and_a_given_split_is_kept(store: Path, tmp_path: Path) -> None:
    folder = tmp_path / "again"
    shutil.copytree(store, folder)
    (folder / "noisy.i16").write_bytes((folder / "noisy.i16").read_bytes()[:-100])  # a torn file
    before = (folder / "hollow.i16").stat().st_mtime_ns
    (folder / "manifest.json").unlink()
    with pytest.raises(StemplayError, match="no complete note set"):
        NoteStore(folder)
    split = tmp_path / "split.json"
    split.write_text(json.dumps({"test": {"struck": [57, 58]}}))
    arguments = ["prepare", "notes", "--synthetic", "-o", str(folder), "--pitches", PITCHES, "--workers", "1"]
    assert main([*arguments, "--split", str(split)]) == 0
    assert (folder / "hollow.i16").stat().st_mtime_ns == before, "what is whole is not made again"
    assert (folder / "noisy.i16").read_bytes() == (store / "noisy.i16").read_bytes()
    assert notes.read_split(folder / "split.json")["struck"] == [57, 58]


def test_a_killed_run_leaves_no_process_and_continues_where_it_stopped(tmp_path: Path) -> None:
    """All processes of the first run are gone; the second makes only what lacks, and all is as if it had never been killed."""
    arguments = ["prepare", "notes", "--synthetic", "--pitches", "60-63", "-o"]
    folder, whole = tmp_path / "killed", tmp_path / "whole"
    command = [sys.executable, "-m", "training", *arguments, str(folder), "--workers", "2"]
    deadline = time.monotonic() + 100
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, cwd=ROOT) as run:
        assert run.stdout is not None
        while not (done := list(folder.glob("*.json"))) and time.monotonic() < deadline:
            time.sleep(0.002)
        run.kill()
        run.stdout.read()  # ends when the last process that could write to it has ended
    assert done and not (folder / "manifest.json").exists()
    with pytest.raises(StemplayError, match="no complete note set"):
        NoteStore(folder)
    before = {path.name: path.stat().st_mtime_ns for path in done}
    assert main([*arguments, str(folder), "--workers", "2"]) == 0
    assert main([*arguments, str(whole), "--workers", "1"]) == 0
    assert {path.name: path.stat().st_mtime_ns for path in done} == before, "what was whole is not made again"
    files = sorted(path.name for path in whole.iterdir())
    assert sorted(path.name for path in folder.iterdir()) == files
    for name in files:
        assert (folder / name).read_bytes() == (whole / name).read_bytes(), name


def test_nsynths_own_layout_goes_out_and_comes_in(
    store: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out, back = tmp_path / "nsynth", tmp_path / "back"
    arguments = ["prepare", "notes", "--synthetic", "-o", str(store), "--pitches", PITCHES, "--workers", "1"]
    assert main([*arguments, "--wav", str(out)]) == 0
    examples = json.loads((out / "examples.json").read_text())
    assert len(examples) == 200
    one = examples["harmonic-060-075"]
    assert (one["pitch"], one["velocity"], one["instrument_str"], one["sample_rate"]) == (60, 75, "harmonic", 16_000)
    assert soundfile.info(out / "audio" / "harmonic-060-075.wav").frames == 64_000
    assert main(["prepare", "notes", "--nsynth", str(out), "-o", str(back), "--workers", "1"]) == 0
    first, second = NoteStore(store), NoteStore(back)
    assert sorted(first.instruments) == second.instruments
    whole = tmp_path / "whole"
    shutil.copytree(out, whole / "nsynth-train")
    shutil.copytree(out, whole / "nsynth-valid")
    assert {voice.source for voice in notes.nsynth_voices(whole)} == {str(whole / "nsynth-train")}
    row = np.flatnonzero((first.pitch == 60) & (first.velocity == 2))[:1]
    other = np.flatnonzero(
        (second.pitch == 60)
        & (second.velocity == 2)
        & (second.instrument == second.instruments.index(first.instruments[0]))
    )
    assert np.abs(first.audio(row).numpy() - second.audio(other).numpy()).max() < 1e-4
    examples["twice"] = dict(one, note_str="twice")
    (out / "examples.json").write_text(json.dumps(examples))
    capsys.readouterr()
    notes.nsynth_notes.cache_clear()
    assert main(["prepare", "notes", "--nsynth", str(out), "-o", str(back)]) == 2
    assert "two recordings of harmonic, pitch 60" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--soundfont", "nowhere.sf2"], "There is no soundfont nowhere.sf2"),
        (["--nsynth", "nowhere"], "no readable examples.json"),
        (["--synthetic", "--split", "nowhere.json"], "is not a split of notes"),
    ],
)
def test_what_cannot_be_is_one_sentence(
    arguments: list[str], words: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["prepare", "notes", "-o", str(tmp_path), *arguments]) == 2
    error = capsys.readouterr().err
    assert words in error and error.count("\n") == 1


def test_a_full_disk_is_told_before_anything_is_recorded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    usage = shutil.disk_usage(tmp_path)
    monkeypatch.setattr(notes.shutil, "disk_usage", lambda _: usage._replace(free=(1 << 30) + 1_000_000))
    assert main(["prepare", "notes", "--synthetic", "-o", str(tmp_path)]) == 2
    assert "1760 notes need 0.2 GB" in capsys.readouterr().err
    both = ["-o", str(tmp_path / "deep" / "er"), "--wav", str(tmp_path / "wav")]
    assert main(["prepare", "notes", "--synthetic", *both]) == 2
    assert "3520 notes need 0.5 GB" in capsys.readouterr().err, "the WAV files need room too"
    assert not list(tmp_path.iterdir())


@pytest.mark.skipif(not find_soundfonts(), reason="needs an installed soundfont")
def test_soundfonts_are_recorded_in_parallel(tmp_path: Path) -> None:
    pytest.importorskip("tinysoundfont")
    font = min(find_soundfonts(), key=lambda path: path.stat().st_size)
    copy = tmp_path / "second.sf2"
    copy.write_bytes(font.read_bytes())
    arguments = ["--soundfont", str(font), "--soundfont", str(copy), "--programs", "0,73", "--pitches", "60,72"]
    assert main(["prepare", "notes", "-o", str(tmp_path / "out"), *arguments]) == 0
    recorded = NoteStore(tmp_path / "out")
    assert recorded.instruments == ["acoustic-grand-piano", "flute", "acoustic-grand-piano.second", "flute.second"]
    assert recorded.manifest["sustains"] == [False, True, False, True]
    audio = recorded.audio(np.arange(40)).numpy()
    peaks = np.abs(audio).max(1).reshape(4, 2, 5)
    assert 0.5 < peaks.max() <= 1.0 and (np.diff(peaks, axis=2)[..., :3].mean() > 0), "louder with velocity"
    np.testing.assert_array_equal(audio[:20], audio[20:])
