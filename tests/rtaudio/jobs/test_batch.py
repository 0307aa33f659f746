"""Many songs: real files, real processes, some of them killed; nothing is lost, done twice or left half done."""

from __future__ import annotations

import contextlib
import io
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import soundfile

from rtaudio.audio.format import SOURCES, StemplayError
from rtaudio.cli.main import main
from rtaudio.jobs.batch import Batch, Outcome, find_songs

ROOT = Path(__file__).resolve().parents[3]
STEMS = ["bass.wav", "drums.wav", "other.wav", "vocals.wav"]
MODEL = "demucs-open"
PATIENCE = 300.0


def write_songs(folder: Path, count: int, seconds: float = 0.5) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for k in range(count):
        sound = np.random.default_rng(k).standard_normal((round(seconds * 44_100), 2)) / 10
        soundfile.write(folder / f"song {k:02}.wav", sound, 44_100)


def separate(*arguments: object) -> subprocess.CompletedProcess[str]:
    """In this process; songs are separated in processes of their own as ever, the only song in this one."""
    command = ["separate", *map(str, arguments), "--model", MODEL]
    with contextlib.redirect_stdout(io.StringIO()) as told, contextlib.redirect_stderr(io.StringIO()) as errors:
        code = main(command)
    return subprocess.CompletedProcess(command, code, told.getvalue(), errors.getvalue())


def whole(folder: Path) -> list[str]:
    """Songs of which all stems are there."""
    return sorted(place.name for place in folder.iterdir() if sorted(file.name for file in place.iterdir()) == STEMS)


def test_many_songs_with_a_damaged_and_an_empty_one(tmp_path: Path) -> None:
    songs, out = tmp_path / "songs", tmp_path / "out"
    write_songs(songs, 4, 0.1)
    (songs / "empty.wav").touch()
    (songs / "damaged.mp3").write_bytes(b"nothing that sounds" * 99)
    (songs / "notes.txt").write_text("no song")
    (songs / ".hidden.wav").write_bytes(b"")
    told = separate(songs, "-o", out, "--jobs", 2)
    assert told.returncode == 1, told.stderr
    assert "6 songs: 4 separated, 0 already there, 2 failed." in told.stdout
    assert len(whole(out)) == 4 and len(list(out.iterdir())) == 4
    assert told.stderr.count("empty.wav is empty") == 2 and "damaged.mp3 is not a sound file" in told.stderr
    before = {path: path.stat().st_mtime_ns for path in out.rglob("*.wav")}
    again = separate(songs, "-o", out, "--jobs", 2, "--json")
    states = [entry["state"] for entry in json.loads(again.stdout)]
    assert again.returncode == 1 and (states.count("kept"), states.count("failed")) == (4, 2)
    assert {path: path.stat().st_mtime_ns for path in out.rglob("*.wav")} == before, "nothing is done twice"


def test_stems_are_those_of_a_single_song_and_again_makes_them_anew(tmp_path: Path) -> None:
    write_songs(tmp_path / "songs", 2)
    assert separate(tmp_path / "songs", "-o", tmp_path / "out").returncode == 0
    assert separate(tmp_path / "songs" / "song 00.wav", "-o", tmp_path / "alone").returncode == 0
    for name in STEMS:
        one, many = (soundfile.read(folder / name)[0] for folder in (tmp_path / "alone", tmp_path / "out" / "song 00"))
        assert np.array_equal(one, many)
    (tmp_path / "out" / "song 00" / "bass.wav").unlink()
    told = separate(tmp_path / "songs", "-o", tmp_path / "out")
    assert "1 separated, 1 already there" in told.stdout
    assert "2 separated, 0 already there" in separate(tmp_path / "songs", "-o", tmp_path / "out", "--again").stdout


def test_ctrl_c_leaves_whole_songs_only_and_the_next_run_does_the_rest(tmp_path: Path) -> None:
    songs, out = tmp_path / "songs", tmp_path / "out"
    write_songs(songs, 5, 3.0)
    write_songs(songs, 1, 0.3)  # the first is done while most of the others have not begun
    command = [sys.executable, "-m", "rtaudio", "separate", str(songs), "-o", str(out), "--model", MODEL, "--jobs", "2"]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True) as process:
        deadline = time.monotonic() + PATIENCE
        while not (out.exists() and whole(out)) and time.monotonic() < deadline:
            time.sleep(0.02)
        os.killpg(process.pid, signal.SIGINT)
        _, told = process.communicate(timeout=PATIENCE)
    assert process.returncode == 130 and "not done" in told and "Traceback" not in told
    done = whole(out)
    assert 1 <= len(done) < 5 and sorted(place.name for place in out.iterdir()) == done, "nothing half done"
    assert f"{5 - len(done)} separated, {len(done)} already there" in separate(songs, "-o", out, "--jobs", 2).stdout
    assert len(whole(out)) == 5


def jobs_of(process: int) -> Iterator[int]:
    """Its children that are background jobs; a test runner may have others."""
    for entry in Path("/proc").glob("[0-9]*/stat"):
        try:
            child = int(entry.read_text().rsplit(")", 1)[1].split()[1]) == process
            if child and b"rtaudio.jobs" in (entry.parent / "cmdline").read_bytes():
                yield int(entry.parent.name)
        except (OSError, IndexError, ValueError):
            continue


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="looks for the children in /proc")
def test_a_job_that_is_killed_costs_its_own_song_alone(tmp_path: Path) -> None:
    write_songs(tmp_path / "songs", 4, 3.0)
    out = tmp_path / "out"
    killed = []

    def progress(done: float) -> None:
        if done > 0 and not killed:
            killed.append(next(jobs_of(os.getpid())))
            os.kill(killed[0], signal.SIGKILL)

    songs = find_songs([str(tmp_path / "songs")], out)
    batch = Batch(songs, SOURCES, {"model": MODEL, "format": "wav"}, jobs=2, progress=progress)
    outcomes = batch.run()
    assert [outcome.state for outcome in outcomes].count("failed") == 1
    (failed,) = [outcome for outcome in outcomes if outcome.state == "failed"]
    assert "ended unexpectedly" in failed.error and not failed.song.folder.exists()
    assert len(whole(out)) == 3 == len(list(out.iterdir()))


def test_a_full_disk_fails_with_a_sentence_and_leaves_nothing(tmp_path: Path, small_disk: Path) -> None:
    write_songs(tmp_path / "songs", 3, 2.0)
    told = separate(tmp_path / "songs", "-o", small_disk / "out")
    assert told.returncode == 1 and "3 failed" in told.stdout and "Traceback" not in told.stderr
    assert f"{small_disk / 'out' / 'song 02'}{os.sep}" in told.stderr and ".stemplay" not in told.stderr
    assert list(small_disk.iterdir()) == []


def test_songs_of_one_name_get_folders_of_their_own(tmp_path: Path) -> None:
    for name in ("a.wav", "a.mp3", "A.flac", "below/a.wav", "out/a/drums.wav"):
        (tmp_path / name).parent.mkdir(exist_ok=True, parents=True)
        (tmp_path / name).touch()
    out = tmp_path / "out"
    places = [str(song.folder.relative_to(out)) for song in find_songs([str(tmp_path)], out)]
    assert len(places) == 4 == len({place.casefold() for place in places}), "what was separated is no song again"
    assert {"A", "below/a"} <= {place.replace(os.sep, "/") for place in places}
    twice = find_songs([str(tmp_path / "a.wav"), str(tmp_path / "a.wav")], out)
    assert len(twice) == 1


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["nothing.wav", "neither.wav"], "There is no file or folder nothing.wav."),
        ([".", "--stems", "drums,kazoo"], "no stem 'kazoo'"),
        ([".", "--jobs", "0"], "--jobs takes 1 to"),
    ],
)
def test_what_cannot_be_is_one_sentence(arguments: list[str], sentence: str, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "rtaudio", "separate", *arguments, "--model", MODEL]
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    told = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=PATIENCE, check=False)
    assert told.returncode == 2 and sentence in told.stderr and told.stderr.count("\n") == 1
    assert list(tmp_path.iterdir()) == []


def test_an_empty_folder_has_no_song(tmp_path: Path) -> None:
    with pytest.raises(StemplayError, match="There is no sound file"):
        find_songs([str(tmp_path)], tmp_path / "out")
    assert Outcome(find_songs([str(Path(__file__))], tmp_path)[0], "kept").error == ""


def test_stem_files_are_kept_too(tmp_path: Path) -> None:
    write_songs(tmp_path / "songs", 2)
    for told in ("2 separated", "2 already there"):
        done = separate(tmp_path / "songs", "-o", tmp_path / "out", "--format", "stem.mp4")
        assert done.returncode == 0 and told in done.stdout, done.stderr
    assert sorted(path.name for path in (tmp_path / "out").rglob("*.mp4")) == ["song 00.stem.mp4", "song 01.stem.mp4"]
