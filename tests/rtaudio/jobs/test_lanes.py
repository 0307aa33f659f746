"""Peaks of a song and of its stems: as the samples are, at each width, kept for the next time, and at the lowest priority."""

from __future__ import annotations

import base64
import io
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

from rtaudio.audio.format import StemplayError
from rtaudio.files.offline import separate_array
from rtaudio.files.song_key import song_key
from rtaudio.jobs import Report
from rtaudio.jobs.lanes import lanes
from rtaudio.jobs.overview import overview
from rtaudio.jobs.peaks import FACTOR, GRAIN, LEVELS, SCALE, PeakLevels
from tests.jack import ROOT
from tests.rtaudio.files.test_stem_file import FALCON

MODEL = "demucs-open"


@pytest.fixture(autouse=True)
def _no_lower_priority(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The tests themselves keep their priority, and the user's cache is left alone."""
    monkeypatch.setattr("rtaudio.jobs.lanes.yield_to_others", lambda: True)
    monkeypatch.setenv("STEMPLAY_CACHE_DIR", str(tmp_path / "cache"))


def noise(frames: int, signals: int = 2) -> np.ndarray:
    rng = np.random.default_rng(5)
    return (np.linspace(0, 0.9, frames)[:, None, None] * rng.uniform(-1, 1, (frames, signals, 2))).astype(np.float32)


def decoded(parts: list[str], signals: int) -> np.ndarray:
    return np.frombuffer(base64.b64decode("".join(parts)), np.int8).reshape(-1, signals, 3)


def test_columns_are_the_lowest_and_highest_samples_whatever_the_blocks() -> None:
    sound = noise(GRAIN * FACTOR**2 * 3 + 100)
    peaks = PeakLevels(2, keep=True)
    for start in range(0, len(sound), 777):
        peaks.add(sound[start : start + 777])
    peaks.finish()
    news = [decoded([text], 2) for text in peaks.news()]
    for level in range(LEVELS):
        grain = GRAIN * FACTOR**level
        assert np.array_equal(news[level], peaks.levels()[level]) and len(news[level]) == -(-len(sound) // grain)
        for number in range(len(news[level])):
            part = sound[number * grain : (number + 1) * grain]
            np.testing.assert_allclose(news[level][number, :, 1] / SCALE, part.max(axis=(0, 2)), atol=1.01 / SCALE)
            np.testing.assert_allclose(news[level][number, :, 0] / SCALE, part.min(axis=(0, 2)), atol=1.01 / SCALE)
            if len(part) == grain:
                np.testing.assert_allclose(news[level][number, :, 2] / SCALE, np.sqrt((part**2).mean(axis=(0, 2))), atol=1.01 / SCALE)


def told(job: Any, **args: Any) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    """What a job tells on the way, and its result."""
    import json

    out = io.StringIO()
    result = job(Report(out), **args)
    return [json.loads(line)["progress"] for line in out.getvalue().splitlines()], result


def test_the_lanes_are_those_of_the_stems_and_the_next_time_they_are_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    song = tmp_path / "song.wav"
    sound, rate = soundfile.read(ROOT / "demo" / "kimseye.ogg", frames=44_100, start=440_000, dtype="float32", always_2d=True)
    soundfile.write(song, sound, rate, subtype="FLOAT")
    progress, done = told(lanes, path=str(song), model=MODEL)
    assert done["stems"] == ["drums", "bass", "other", "vocals"] and done["done"] == len(sound) and not done["cached"]
    found = decoded([step["levels"][0] for step in [*progress, done]], 4)
    stems = separate_array(sound, rate, MODEL)
    whole = len(sound) // GRAIN
    highest = stems[: whole * GRAIN].reshape(whole, GRAIN, 4, 2).max(axis=(1, 3))
    np.testing.assert_allclose(found[:whole, :, 1] / SCALE, np.clip(highest, -1, 1), atol=1.01 / SCALE)
    moved = tmp_path / "elsewhere.wav"
    shutil.move(song, moved)
    monkeypatch.setattr("rtaudio.jobs.lanes._opened", None)  # it is not even opened
    progress, again = told(lanes, path=str(moved), model=MODEL)
    assert again["cached"] and np.array_equal(decoded([step["levels"][0] for step in [*progress, again]], 4), found)


def test_a_damaged_cache_is_computed_again(tmp_path: Path) -> None:
    song = tmp_path / "song.wav"
    soundfile.write(song, noise(10_000)[:, 0], 44_100, subtype="FLOAT")
    _, first = told(lanes, path=str(song), model=MODEL)
    (file,) = (tmp_path / "cache" / "lanes").iterdir()
    for damage in (b"", b"PK\x03\x04 nothing", file.read_bytes()[:300]):
        file.write_bytes(damage)
        _, again = told(lanes, path=str(song), model=MODEL)
        assert not again["cached"] and again["levels"] == first["levels"]
    with pytest.raises(StemplayError, match="nobody"):
        told(lanes, path=str(song), model="nobody")
    with pytest.raises(StemplayError, match=r"none\.wav"):
        told(lanes, path=str(tmp_path / "none.wav"), model=MODEL)


def test_a_stem_file_shows_its_own_stems() -> None:
    _, done = told(lanes, path=str(FALCON))
    assert done["stems"] == ["drums", "bass", "other", "vocals"]
    assert np.abs(decoded(done["levels"][:1], 4)).max(axis=(0, 2)).min() > 0, "all four sound"


def test_the_overview_has_all_widths_and_the_song_s_key(tmp_path: Path) -> None:
    song = tmp_path / "song.wav"
    sound = noise(50_000)[:, 0]
    soundfile.write(song, sound, 22_050, subtype="FLOAT")
    _, done = told(overview, path=str(song))
    assert done["key"] == song_key(song) and len(done["levels"]) == LEVELS
    assert len(decoded(done["levels"][:1], 1)) == -(-50_000 // GRAIN)


def test_the_song_s_key_is_that_of_its_content(tmp_path: Path) -> None:
    one, same, other = tmp_path / "one", tmp_path / "same", tmp_path / "other"
    for path, content in ((one, b"a"), (same, b"a"), (other, b"b")):
        path.write_bytes(content)
    assert song_key(one) == song_key(same) != song_key(other)
    with pytest.raises(StemplayError, match="cannot be read"):
        song_key(tmp_path / "none")


@pytest.mark.skipif(sys.platform == "win32", reason="priorities are read with os.getpriority")
def test_background_work_has_the_lowest_priority() -> None:
    code = (
        "import os, threading\nfrom rtaudio.system.background import yield_to_others\nassert yield_to_others()\n"
        "found = []\nt = threading.Thread(target=lambda: found.append(os.sched_getscheduler(0)) if hasattr(os, 'SCHED_IDLE') else None)\n"
        "t.start(); t.join()\nprint(os.getpriority(os.PRIO_PROCESS, 0), found == [getattr(os, 'SCHED_IDLE', None)] or found)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, env=os.environ, timeout=60, check=True)
    if sys.platform == "linux":
        assert done.stdout.split() == ["19", "True"]
