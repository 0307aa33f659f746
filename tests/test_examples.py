"""The programs in ``examples/`` run as their first lines say, and do what they say."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile

ROOT = Path(__file__).resolve().parents[1]
EXAMPLES = ROOT / "examples"
SONG = str(ROOT / "demo" / "kimseye.ogg")
CHORDS = str(ROOT / "demo" / "chords.mid")


def run(name: str, *arguments: object) -> str:
    """What the example prints."""
    done = subprocess.run(
        [sys.executable, str(EXAMPLES / name), *map(str, arguments)],
        cwd=ROOT, env=os.environ | {"PYTHONPATH": str(ROOT)}, capture_output=True, text=True, timeout=240, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "Traceback" not in done.stderr
    return done.stdout


def test_every_example_is_tested_here_and_listed_in_its_page() -> None:
    tests, page = Path(__file__).read_text(encoding="utf-8"), (EXAMPLES / "README.md").read_text(encoding="utf-8")
    names = [path.name for path in EXAMPLES.iterdir() if path.suffix in (".py", ".ipynb")]
    assert len(names) >= 10
    assert [name for name in names if f'"{name}"' not in tests or f"({name})" not in page] == []


def test_an_array_is_separated(seconds: Path) -> None:
    said = run("separate_array.py", seconds)
    levels = [float(line.split()[-1]) for line in said.splitlines()[:4]]
    assert min(levels) > 1e-3 and float(said.split()[-1]) < 1e-5


@pytest.fixture
def seconds(tmp_path: Path) -> Path:
    """Two seconds of the demo song with a voice in them."""
    song, rate = soundfile.read(SONG, dtype="float32")
    soundfile.write(tmp_path / "short.wav", song[18 * rate : 20 * rate], rate, subtype="FLOAT")
    return tmp_path / "short.wav"


def test_karaoke_plays_to_the_end_without_the_vocals(seconds: Path, tmp_path: Path) -> None:
    run("karaoke.py", seconds, tmp_path / "karaoke.wav")
    song, heard = (soundfile.read(path, dtype="float32")[0] for path in (seconds, tmp_path / "karaoke.wav"))
    assert len(heard) >= len(song)
    assert 0.05 < (heard**2).mean() / (song**2).mean() < 0.95


def test_a_processor_of_ones_own_works_offline_and_in_an_engine(seconds: Path, tmp_path: Path) -> None:
    assert "middle" in run("custom_processor.py", seconds, tmp_path / "sides.wav")
    song, sides = (soundfile.read(path, dtype="float32")[0] for path in (seconds, tmp_path / "sides.wav"))
    expected = song - song.mean(axis=1, keepdims=True)
    delay = next(d for d in range(0, 2048, 256) if np.abs(sides[d : d + 20_000] - expected[:20_000]).max() < 5e-3)
    assert delay == 256, "the one block that a model is given"


def test_midi_is_rendered_with_a_morphed_sound(tmp_path: Path) -> None:
    assert "half" in run("render_midi.py", CHORDS, tmp_path / "morph.wav")
    plain = [sys.executable, "-m", "rtaudio", "render", CHORDS, "-o", str(tmp_path / "plain.wav")]
    subprocess.run(plain, cwd=ROOT, check=True, capture_output=True, timeout=120)
    one, other = (soundfile.read(tmp_path / name, dtype="float32")[0] for name in ("morph.wav", "plain.wav"))
    shorter = min(len(one), len(other))
    assert np.abs(one[:shorter]).max() > 0.01 and np.abs(one[:shorter] - other[:shorter]).max() > 0.01


def test_snapshots_tell_levels_and_positions() -> None:
    lines = [json.loads(line) for line in run("snapshots.py", SONG, 1).splitlines()]
    positions = [line["position_s"] for line in lines]
    assert positions == sorted(positions) and positions[0] < positions[-1] and positions[-1] >= 1
    assert max(line["peaks"]["drums"] for line in lines) > 0.01


def test_a_keyboard_without_a_window_plays_a_chord() -> None:
    assert "sound at the end" in run("midi_keyboard.py", 1, "null")


def played(said: str) -> int:
    """The frames in the last line of ``headless.py``, whose engine was not restarted."""
    assert said.startswith(("starting", "running")) and "0 restarts" in said, said
    return int(said.splitlines()[-1].split()[0])


def test_a_headless_engine_ends_after_its_seconds_of_sound_and_with_its_song(seconds: Path) -> None:
    assert played(run("headless.py", SONG, "null", 1)) >= 44_100
    assert played(run("headless.py", seconds, "null")) >= 2 * 44_100


@pytest.mark.skipif(sys.platform == "win32", reason="a process cannot be told to end there, only killed")
def test_a_headless_engine_ends_cleanly_when_it_is_told_to() -> None:
    command = [sys.executable, str(EXAMPLES / "headless.py"), SONG, "null"]
    with subprocess.Popen(command, cwd=ROOT, env=os.environ | {"PYTHONPATH": str(ROOT)}, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert any(line.startswith("running") for line in process.stdout)  # reads no further
        process.send_signal(signal.SIGTERM)
        said, _ = process.communicate(timeout=100)
    assert process.returncode == 0 and played("running\n" + said) >= 0


def test_a_network_of_ones_own_is_exported_and_gives_what_torch_gives(tmp_path: Path) -> None:
    assert float(run("export_model.py", tmp_path).split()[-1]) < 1e-5


@pytest.mark.long
def test_a_tiny_model_is_trained(tmp_path: Path) -> None:
    assert "4 stems of 44100 frames" in run("train_tiny.py", tmp_path, 0.02)


def test_the_notebook_runs_from_top_to_bottom(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    cells = json.loads((EXAMPLES / "stems.ipynb").read_text(encoding="utf-8"))["cells"]
    names: dict[str, object] = {}
    for cell in cells:
        if cell["cell_type"] == "code":
            assert cell["outputs"] == [], "outputs are not kept in the repository"
            exec(compile("".join(cell["source"]), "stems.ipynb", "exec"), names)
    assert names["stems"].shape[1:] == (4, 2)  # type: ignore[attr-defined]
