"""The pack for rented machines: what goes in, and the whole way from it to weights, in a copy of the project that lacks much."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import numpy as np
import pytest
import soundfile

from rtaudio.audio.format import SOURCES, StemplayError
from training.data.jobs import find_soundfonts
from training.data.synthetic import synthetic_song
from training.pack.build import PackOptions, build
from training.runs.checkpoint import load_network

ROOT = Path(__file__).resolve().parents[2]
ABSENT = ("av", "musdb", "museval", "fast_bss_eval", "PyQt6", "sounddevice", "rtmidi", "samplerate", "jack", "sklearn")
"""Modules that a rented machine does not have."""


@pytest.fixture(scope="module")
def raw(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Raw data of made-up sound: three songs (one of the validation songs' names, one test song), a singer, a tune."""
    data = tmp_path_factory.mktemp("raw")
    for number, name in enumerate(["train/Some Band - Song", "train/Actions - One Minute Smile", "dev/Held - Back"]):
        folder = data / "musdb18-7s" / name
        folder.mkdir(parents=True)
        for source, stem in zip(SOURCES, synthetic_song(number, 4 * 44_100), strict=True):
            soundfile.write(folder / f"{source}.wav", stem.T, 44_100, subtype="FLOAT")
    for singer, stem in (("mir1k", "a_1"), ("mir1k", "b_1"), ("makam", "m_1"), ("ravdess", "03-02-01")):
        (data / "voice" / singer).mkdir(parents=True, exist_ok=True)
        voice = np.sin(np.arange(3 * 44_100) * 0.05).astype(np.float32) * 0.3
        soundfile.write(data / "voice" / singer / f"{stem}.ogg", voice, 44_100, format="OGG", subtype="VORBIS")
    (data / "midi" / "freedoom").mkdir(parents=True)
    shutil.copy(ROOT / "demo" / "chords.mid", data / "midi" / "freedoom" / "chords.mid")
    return data


def options(raw: Path, output: Path, **more: object) -> PackOptions:
    fonts = sorted(find_soundfonts(), key=lambda path: path.stat().st_size)
    font = fonts[0] if fonts else ROOT / "demo" / "chords.mid"  # stands in where nothing is rendered
    values: dict[str, object] = {"share": 1.0, "backing": 0, "python": "", **more}
    return PackOptions(raw, output, font, {}, **values)  # type: ignore[arg-type]


def test_a_pack_has_what_training_needs_and_no_test_song(raw: Path, tmp_path: Path) -> None:
    sizes = build(options(raw, tmp_path / "pack"))
    names = zipfile.ZipFile(tmp_path / "pack" / "data.zip").namelist()
    assert sum(name.startswith("data/musdb18-7s/train/") for name in names) == 8
    assert not any("Held" in name for name in names)
    assert "data/midi/freedoom/chords.mid" in names and sum("/voice/" in name for name in names) == 4
    assert sizes["all"] >= sizes["songs"] > 0
    half = (
        zipfile.ZipFile(tmp_path / "half" / "data.zip").namelist()
        if build(options(raw, tmp_path / "half", share=0.5))
        else []
    )
    assert sum("mir1k" in name for name in half) == 1 and sum("makam" in name for name in half) == 1
    with pytest.raises(StemplayError, match="lower --share"):
        build(options(raw, tmp_path / "pack", limit=0.01))


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="the scripts are for the bash of a rented Linux machine")
@pytest.mark.skipif(not find_soundfonts(), reason="no soundfont is installed")
def test_the_way_from_the_pack_to_weights_in_a_bare_copy(raw: Path, tmp_path: Path) -> None:
    build(options(raw, tmp_path / "there" / "pack"))
    for package in ("training", "models", "rtaudio"):
        shutil.copytree(
            ROOT / package, tmp_path / "there" / package, ignore=shutil.ignore_patterns("zoo", "__pycache__")
        )
    site = tmp_path / "work" / "site"
    site.mkdir(parents=True)
    blocked = "\n".join(f"sys.modules[{name!r}] = None" for name in ABSENT)
    (site / "sitecustomize.py").write_text(f"import sys\n{blocked}\n")
    environment = {
        **os.environ, "WORK": str(tmp_path / "work"), "OUT": str(tmp_path / "out"), "PLAN": "demucs-live:0.25:2:1e-3",
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}", "TAKES": "1", "EXTRA": "--device cpu",
        "WAIT": "5", "PREPARE": "--only musdb,mir1k,ravdess,makam,freedoom",  # mma would play for minutes
    }  # fmt: skip

    def bash(script: str, **more: str) -> str:
        line = ["bash", f"pack/{script}"]
        done = subprocess.run(
            line, cwd=tmp_path / "there", env={**environment, **more}, capture_output=True, text=True, timeout=300
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    bash("start.sh")
    assert "finished" in bash("poll.sh", WAIT="200")
    network = load_network(tmp_path / "out" / "demucs-live-ema" / "weights.safetensors")
    assert network.config.hop == 256  # type: ignore[attr-defined]
