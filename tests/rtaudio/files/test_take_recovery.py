"""A recording that was cut off is finished by whoever starts next, whatever cut it off."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import platformdirs
import pytest
import soundfile

from models.catalog import user_models
from rtaudio.engine.recorder import Recorder
from rtaudio.files import take_recovery
from rtaudio.files.take_recovery import finish_cut_off
from rtaudio.system.child_process import child_environment
from rtaudio.system.file_lock import FileLock

RATE = 44_100

WRITER = """
import os, sys, numpy as np
from rtaudio.engine.recorder import Recorder
recorder = Recorder(44100, 2, ("drums", "vocals"))
recorder.start(sys.argv[1], sys.argv[2])
sound = np.random.default_rng(0).uniform(-0.5, 0.5, (44100, 2)).astype(np.float32)
for start in range(0, 44100, 441):
    block = sound[start : start + 441]
    recorder.push(np.stack([block, -block], axis=1), block)
import time
while recorder.status.seconds < 1.0:
    time.sleep(0.01)
print("there", flush=True)
sys.stdin.read()
"""


def killed_recorder(folder: Path, format: str) -> int:
    """A process that records one second and is killed; returns what its number was."""
    child = subprocess.Popen(
        [sys.executable, "-c", WRITER, str(folder), format],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env=child_environment(),
    )
    assert child.stdin is not None and child.stdout is not None
    assert child.stdout.readline().strip() == b"there"
    assert finish_cut_off() == [], "it is being written"
    child.kill()
    child.wait()
    child.stdin.close()
    child.stdout.close()
    return child.pid


def expected() -> Any:
    return np.random.default_rng(0).uniform(-0.5, 0.5, (RATE, 2)).astype(np.float32)


@pytest.mark.parametrize("format", ["wav", "flac"])
def test_a_killed_recording_is_finished_at_the_next_start(tmp_path: Path, state_directory: Path, format: str) -> None:
    folder = tmp_path / "takes"
    pid = killed_recorder(folder, format)
    assert {path.suffix for path in folder.iterdir()} == {".part"}
    (take,) = finish_cut_off()
    assert (take.pid, take.directory, take.error) == (pid, str(folder), "")
    assert sorted(take.files) == sorted(f"{name}.{format}" for name in ("drums", "vocals", "mix"))
    assert sorted(path.name for path in folder.iterdir()) == sorted(take.files)
    lengths = set()
    for name, sign in (("drums", 1), ("vocals", -1), ("mix", 1)):
        read, rate = soundfile.read(folder / f"{name}.{format}", dtype="float32")
        assert rate == RATE
        lengths.add(len(read))
        np.testing.assert_allclose(read, sign * expected()[: len(read)], atol=0 if format == "wav" else 2**-23)
    assert len(lengths) == 1 and lengths.pop() / RATE == take.seconds
    assert take.seconds == 1.0 if format == "wav" else take.seconds > 0.8, "libFLAC keeps the last frames to itself"
    assert "has been finished" in take.sentence and str(folder) in take.sentence
    assert finish_cut_off() == [] and not list(state_directory.iterdir())


@pytest.mark.parametrize("format", ["wav", "flac"])
def test_one_file_without_sound_costs_the_others_nothing(tmp_path: Path, format: str) -> None:
    folder = tmp_path / "takes"
    killed_recorder(folder, format)
    (folder / f"drums.{format}.part").write_bytes(b"")
    (take,) = finish_cut_off()
    assert sorted(take.files) == [f"mix.{format}", f"vocals.{format}"] and take.seconds > 0.8
    assert sorted(path.name for path in folder.iterdir()) == sorted(take.files)


def test_a_recording_that_ended_leaves_no_note(tmp_path: Path, state_directory: Path) -> None:
    recorder = Recorder(RATE, 2, ("drums",))
    recorder.start(tmp_path / "takes")
    assert len(list(state_directory.iterdir())) == 1
    assert finish_cut_off() == []
    recorder.push(np.zeros((64, 1, 2), np.float32), np.zeros((64, 2), np.float32))
    recorder.stop()
    assert not list(state_directory.iterdir())
    assert recorder.status.files == ["drums.wav", "mix.wav"]
    recorder.start(tmp_path / "takes")
    recorder.stop()
    assert [take.files for take in recorder.ended] == [["drums.wav", "mix.wav"], ["drums-2.wav", "mix-2.wav"]]


def test_a_name_that_is_taken_by_now_stays_with_its_owner(tmp_path: Path) -> None:
    folder = tmp_path / "takes"
    killed_recorder(folder, "wav")
    (folder / "mix.wav").write_bytes(b"mine")
    (take,) = finish_cut_off()
    assert "mix-2.wav" in take.files
    assert (folder / "mix.wav").read_bytes() == b"mine"


def test_files_of_a_cut_off_take_end_at_one_sample(tmp_path: Path) -> None:
    folder = tmp_path / "takes"
    killed_recorder(folder, "wav")
    with (folder / "vocals.wav.part").open("r+b") as file:
        file.truncate(92 + 8 * 30_000 + 5)
    (take,) = finish_cut_off()
    assert take.seconds == 30_000 / RATE
    assert {soundfile.info(folder / name).frames for name in take.files} == {30_000}


def test_a_take_without_a_block_leaves_nothing(tmp_path: Path, state_directory: Path) -> None:
    folder = tmp_path / "takes"
    killed_recorder(folder, "wav")
    for part in folder.iterdir():
        with part.open("r+b") as file:
            file.truncate(92)
    assert finish_cut_off() == []
    assert not list(folder.iterdir()) and not list(state_directory.iterdir())


def test_a_disk_that_is_away_is_told_and_tried_again(tmp_path: Path) -> None:
    folder = tmp_path / "takes"
    killed_recorder(folder, "wav")
    folder.rename(tmp_path / "away")
    (take,) = finish_cut_off()
    assert take.error and "cannot be finished" in take.sentence
    (tmp_path / "away").rename(folder)
    (take,) = finish_cut_off()
    assert not take.error and take.seconds == 1.0


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "[]",
        "[" * 5000,
        '{"pid": 1}',
        '{"pid": 1, "parts": []}',
        '{"pid": "x", "parts": ["/a.wav.part"]}',
        '{"pid": 1e999, "parts": ["/a.wav.part"]}',
        '{"pid": Infinity, "parts": ["/a.wav.part"]}',
        '{"pid": 1, "parts": ["OTHER"]}',
        '{"pid": 1, "parts": ["relative.wav.part"]}',
    ],
)
def test_a_note_of_somebody_else_touches_nothing(tmp_path: Path, state_directory: Path, text: str) -> None:
    other = tmp_path / "letter.txt"
    other.write_text("mine")
    state_directory.mkdir()
    (state_directory / "take-0.json").write_text(text.replace("OTHER", str(other)))
    assert finish_cut_off() == []
    assert other.read_text() == "mine"


def test_a_part_that_is_no_recording_is_told_and_stays(tmp_path: Path, state_directory: Path) -> None:
    part = tmp_path / "letter.wav.part"
    part.write_bytes(b"x" * 500)
    state_directory.mkdir()
    (state_directory / "take-0.json").write_text(json.dumps({"pid": 1, "parts": [str(part)]}))
    (take,) = finish_cut_off()
    assert "not a recording" in take.error
    assert part.read_bytes() == b"x" * 500


def test_recording_goes_on_where_no_note_can_be_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("STEMPLAY_STATE_DIR", str(tmp_path / "file" / "below"))
    recorder = Recorder(RATE, 2, ("drums",))
    recorder.start(tmp_path / "takes")
    recorder.stop()
    assert recorder.status.files == ["drums.wav", "mix.wav"]
    assert finish_cut_off() == []


def test_the_folder_for_notes_is_the_platforms(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("STEMPLAY_STATE_DIR")
    for name in ("HOME", "USERPROFILE", "LOCALAPPDATA", "XDG_STATE_HOME"):
        monkeypatch.setenv(name, str(tmp_path))
    folder = take_recovery.state_directory()
    assert folder.is_absolute() and "stemplay" in folder.parts
    assert sys.platform != "linux" or folder == tmp_path / "stemplay"


def test_without_a_home_there_are_no_notes_and_no_folder_named_tilde(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.delenv("STEMPLAY_STATE_DIR")
    monkeypatch.delenv("STEMPLAY_MODELS_DIR", raising=False)
    monkeypatch.chdir(tmp_path)
    for kind in ("state", "data"):
        monkeypatch.setattr(platformdirs, f"user_{kind}_dir", lambda *_, kind=kind, **__: f"~/.local/{kind}/stemplay")
    with pytest.raises(RuntimeError, match="no home"):
        take_recovery.state_directory()
    assert finish_cut_off() == []
    assert not user_models().exists() and not list(tmp_path.iterdir())


def test_a_lock_is_held_by_one_and_given_up_by_the_dead(tmp_path: Path) -> None:
    one, other = FileLock(tmp_path / "lock"), FileLock(tmp_path / "lock")
    assert one.acquire() and not other.acquire()
    one.release()
    assert other.acquire()
    other.release()


# --- a whole engine --------------------------------------------------------------------------------------------------------


@pytest.fixture
def live(tmp_path: Path) -> Iterator[subprocess.Popen[str]]:
    """``live`` without a model or sound card, in a process group of its own, that records into ``takes``."""
    child = subprocess.Popen(
        [
            sys.executable, "-m", "rtaudio", "live", "--input", "none", "--output", "null", "--model", "none",
            "--record", str(tmp_path / "takes"), "--json",
        ],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=child_environment(), start_new_session=True,
    )  # fmt: skip
    with child:
        yield child
        child.kill()


def wait_for(condition: Any, seconds: float = 60.0) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.05)


def grown(folder: Path, name: str = "mix.wav.part", size: int = 400_000) -> Any:
    return lambda: (folder / name).is_file() and (folder / name).stat().st_size > size


@pytest.mark.skipif(sys.platform == "win32", reason="process groups are POSIX's")
@pytest.mark.parametrize("kind", ["SIGTERM", "SIGHUP", "SIGINT"])
def test_a_signal_to_the_whole_group_ends_a_recording_cleanly(
    tmp_path: Path, live: subprocess.Popen[str], kind: str
) -> None:
    folder, child = tmp_path / "takes", live
    wait_for(grown(folder))
    os.killpg(child.pid, getattr(signal, kind))
    out, _ = child.communicate(timeout=60)
    told = json.loads(out)
    (take,) = told["recordings"]
    assert sorted(path.name for path in folder.iterdir()) == sorted(take["files"])
    assert soundfile.info(folder / "mix.wav").frames / told["rate"] == pytest.approx(take["seconds"], abs=2e-3)
    assert told["restarts"] == 0 and not told["interruptions"]


def children_of(pid: int) -> list[int]:
    """Those of all its threads."""
    return [int(text) for path in Path(f"/proc/{pid}/task").glob("*/children") for text in path.read_text().split()]


@pytest.mark.skipif(not Path("/proc/self/task").is_dir(), reason="finds the engine's process in /proc")
@pytest.mark.parametrize("kind", ["SIGKILL", "SIGTERM", "SIGSTOP"])
def test_the_takes_and_counters_of_all_engines_are_told(
    tmp_path: Path, live: subprocess.Popen[str], kind: str
) -> None:
    folder, child = tmp_path / "takes", live
    wait_for(grown(folder))
    (engine,) = children_of(child.pid)
    os.kill(engine, getattr(signal, kind))
    wait_for(grown(folder, "mix-2.wav.part"))
    os.kill(child.pid, signal.SIGTERM)
    out, _ = child.communicate(timeout=60)
    told = json.loads(out)
    assert told["restarts"] == 1
    first, second = told["recordings"]
    assert "mix.wav" in first["files"] and "mix-2.wav" in second["files"]
    assert not list(folder.glob("*.part"))
    for take, name in ((first, "mix.wav"), (second, "mix-2.wav")):
        assert soundfile.info(folder / name).frames / told["rate"] == pytest.approx(take["seconds"], abs=2e-3)
    assert told["seconds"] >= 0.9 * (first["seconds"] + second["seconds"]), "a sum over both engines"
    (gap,) = told["interruptions"]
    assert ("stopped responding" if kind == "SIGSTOP" else "crashed") in gap["reason"]
    assert 0 < gap["gap_s"] < 20 and 0 < gap["after_s"] < told["seconds"]
