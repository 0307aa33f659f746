"""``python -m rtaudio live`` without a sound server: files and clocks, bad input, the end by signals."""

from __future__ import annotations

import argparse
import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

from rtaudio.audio.format import StemplayError
from rtaudio.cli import live_options, main
from rtaudio.control.session import Session
from rtaudio.ports.base import DeviceMissingError
from rtaudio.ports.devices import Device
from rtaudio.protocol.settings import EngineConfig
from tests.rtaudio.soundfiles import cut_short

ROOT = Path(__file__).resolve().parents[3]
RATE = 44_100
STEMS = ("drums", "bass", "other", "vocals")


@pytest.fixture(scope="module")
def song(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, np.ndarray]:
    """A second and a bit of quiet noise, 44.1 kHz stereo."""
    path = tmp_path_factory.mktemp("song") / "song.wav"
    sound = (np.random.default_rng(0).standard_normal((50_001, 2)) * 0.05).astype(np.float32)
    soundfile.write(path, sound, RATE, subtype="FLOAT")
    return path, sound


def live(*arguments: str, timeout: float = 120) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "rtaudio", "live", *arguments],
        cwd=ROOT, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=timeout, check=False,
    )  # fmt: skip


def facts(*arguments: str) -> dict[str, Any]:
    done = live("--json", *arguments)
    assert done.returncode == 0, done.stderr
    known: dict[str, Any] = json.loads(done.stdout)
    return known


def rendered(song: Path, folder: Path, *arguments: str) -> tuple[np.ndarray, int]:
    """What ``--output out.wav --full-speed`` writes, and the declared latency."""
    out = folder / "out.wav"
    known = facts("--input", str(song), "--output", str(out), "--full-speed", *arguments)
    assert known["state"] == "finished" and known["misses"] == 0 and known["restarts"] == 0
    written, rate = soundfile.read(out, dtype="float32", always_2d=True)
    assert rate == RATE
    return written, known["latency_samples"]


def test_a_file_comes_out_as_it_went_in_after_the_declared_latency(
    song: tuple[Path, np.ndarray], tmp_path: Path
) -> None:
    path, sound = song
    written, delay = rendered(path, tmp_path)  # the shipped model: its stems sum to the mix
    assert np.abs(written[:delay]).max() < 1e-6
    assert np.abs(written[delay : delay + len(sound)] - sound).max() < 1e-6


def test_faders_given_as_options_are_heard(song: tuple[Path, np.ndarray], tmp_path: Path) -> None:
    path, sound = song
    quiet, delay = rendered(path, tmp_path, "--model", "none", "--gain", "master=-20")
    part = slice(delay + 5000, delay + 40_000)
    heard = sound[5000:40_000]
    assert np.abs(quiet[part] - 0.1 * heard).max() < 1e-5
    two, _ = rendered(path, tmp_path, "--model", "none", "--mute", "drums,bass")  # each stem of `none` is a quarter
    assert np.abs(two[part] - 0.5 * heard).max() < 1e-5
    one, _ = rendered(path, tmp_path, "--model", "none", "--solo", "vocals", "--gain", "vocals=-6.0206")
    assert np.abs(one[part] - 0.125 * heard).max() < 1e-5
    left, _ = rendered(path, tmp_path, "--model", "none", "--solo", "vocals", "--pan", "vocals=-1")
    assert np.abs(left[part, 1]).max() < 1e-6 < np.abs(left[part, 0]).max()
    dry, _ = rendered(path, tmp_path, "--dry", "1", "--mute", "drums")
    assert np.array_equal(dry[part], heard)


def test_stems_go_to_channels_of_their_own(song: tuple[Path, np.ndarray], tmp_path: Path) -> None:
    path, sound = song
    written, delay = rendered(path, tmp_path, "--model", "none", "--route", "vocals=3,4", "--route", "bass=6")
    assert written.shape[1] == 6
    part = slice(delay + 5000, delay + 40_000)
    for channels, of in (((0, 1), 1.0), ((2, 3), 0.25)):
        assert np.abs(written[part, list(channels)] - of * sound[5000:40_000]).max() < 1e-5
    assert np.abs(written[part, 4]).max() == 0 < np.abs(written[part, 5]).max()


def test_the_facts_are_complete_and_add_up(song: tuple[Path, np.ndarray]) -> None:
    known = facts("--input", str(song[0]), "--output", "null", "--seconds", "0.4", "--rate", "48000", "--block", "480")
    assert known["rate"] == 48_000 and known["block"] == 480 and known["frames"] >= 0.4 * 48_000
    for name in ("xruns", "misses", "restarts", "port", "realtime"):
        assert name in known
    assert {"p50", "p99"} <= set(known["dsp_load"]) and {"p50", "p99"} <= set(known["model_load"])
    latency = known["latency_ms"]
    assert set(latency) == {"algorithmic", "resampler", "buffers", "inserts", "total"}
    assert latency["algorithmic"] + latency["resampler"] + latency["buffers"] == pytest.approx(
        latency["total"], abs=0.01
    )
    assert known["latency_samples"] / 48 == pytest.approx(latency["total"], abs=0.01), "no device, no device latency"


@pytest.mark.parametrize(
    ("options", "heard"),
    [
        ("", False), ("--input Mic --output Card", False), ("--monitor", True), ("--input none", True),
        ("--output null", True), ("--output take.wav", True), ("--input SONG", True), ("--input SONG --output Card", True),
    ],
)  # fmt: skip
def test_a_live_input_is_heard_through_a_device_only_where_asked_for(
    options: str, heard: bool, song: tuple[Path, np.ndarray]
) -> None:
    parser = argparse.ArgumentParser()
    live_options.add_arguments(parser)
    args = parser.parse_args(options.replace("SONG", str(song[0])).split())
    assert live_options.mixer_state(args).monitor == heard


def test_denoise_is_the_first_insert_of_a_live_input_and_needs_one(tmp_path: Path) -> None:
    parser = argparse.ArgumentParser()
    live_options.add_arguments(parser)
    args = parser.parse_args(["--model", "none", "--denoise", "--insert", "input=reverb:mix=30"])
    assert [(x.plugin, x.key) for x in live_options.mixer_state(args).input_inserts] == [("denoise", "denoise-1"), ("reverb", "reverb-1")]
    for other in ("none", "song.wav"):
        with pytest.raises(StemplayError, match=r"--denoise needs a live input; for a file: .* --model denoise-voice"):
            live_options.mixer_state(parser.parse_args(["--model", "none", "--denoise", "--input", other]))
    full = [f"--insert=input=gain:gain={number}" for number in range(4)]
    with pytest.raises(StemplayError, match="input has 4 slots"):
        live_options.mixer_state(parser.parse_args(["--model", "none", "--denoise", *full]))


def test_damaged_sound_is_told_and_with_strict_refused(tmp_path: Path) -> None:
    path = str(cut_short(tmp_path / "cut.wav"))
    out = tmp_path / "out.wav"
    done = live("--json", "--input", path, "--output", str(out), "--full-speed", "--model", "none", "--strict")
    assert done.returncode == 2 and "cut short" in done.stderr and not out.exists() and done.stdout == ""
    done = live("--json", "--input", path, "--output", "null", "--full-speed", "--model", "none")
    (sentence,) = json.loads(done.stdout)["notes"]
    assert done.returncode == 0 and "cut short" in sentence and sentence in done.stderr.splitlines()
    assert live("--input", "none", "--strict").returncode == 2


def test_a_recording_has_a_file_for_each_stem(song: tuple[Path, np.ndarray], tmp_path: Path) -> None:
    takes = tmp_path / "takes"
    known = facts(
        "--input",
        str(song[0]),
        "--output",
        "null",
        "--seconds",
        "0.5",
        "--record",
        str(takes),
        "--record-format",
        "flac",
    )
    assert {path.name for path in takes.iterdir()} == {f"{name}.flac" for name in (*STEMS, "mix")}
    lengths = {soundfile.info(path).frames for path in takes.iterdir()}
    assert len(lengths) == 1 and lengths.pop() > 0
    assert known["recording"]["directory"] == str(takes) and not known["recording"]["error"]


def test_a_loop_goes_on_beyond_the_end(song: tuple[Path, np.ndarray]) -> None:
    assert (
        facts("--input", str(song[0]), "--output", "null", "--model", "none", "--loop", "--seconds", "1.5")["frames"]
        > 50_001
    )


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--gain", "vocals=loud"], "vocals"),
        (["--gain", "vocals"], "vocals=-6"),
        (["--gain", "kazoo=1"], "drums, bass, other, vocals"),
        (["--gain", "vocals=nan"], "number"),
        (["--gain", "vocals=99"], "24"),
        (["--pan", "vocals=2"], "pan"),
        (["--mute", "kazoo"], "kazoo"),
        (["--dry", "3"], "--dry"),
        (["--model", "nope"], "nope"),
        (["--rate", "9999999", "--output", "null"], "9999999"),
        (["--rate", "fast"], "fast"),
        (["--block", "-5"], "-5"),
        (["--block", "70000"], "70000"),
        (["--route", "vocals=a"], "3,4"),
        (["--route", "kazoo=3", "--output", "null"], "kazoo"),
        (["--route", "bass=999", "--output", "null"], "64"),
        (["--input-channels", "0"], "from 1"),
        (["--input-channels", "7", "--input", "song.wav"], "device"),
        (["--record", ""], "--record"),
        (["--input", "nowhere/at/all.wav", "--output", "null"], "all.wav"),
        (["--input", __file__, "--output", "null"], "test_cli_live.py"),
        (["--output", "no such card"], "no such card"),
        (["--seconds", "0"], "--seconds"),
        (["--seconds", "soon"], "soon"),
        (["--loop", "1:2"], "--input"),
        (["--full-speed", "--output", "card"], "--full-speed"),
        (["--colour"], "--colour"),
    ],
)
def test_bad_input_gets_one_sentence_and_exit_code_2(
    arguments: list[str], words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    try:
        code = main.main(["live", *arguments])
    except SystemExit as end:  # argparse
        code = end.code  # type: ignore[assignment]
    told = capsys.readouterr()
    assert code == 2
    assert told.out == "" and words in told.err
    assert told.err.count("\n") == 1 and told.err.rstrip().endswith((".", ")"))


def test_the_song_is_never_the_output(song: tuple[Path, np.ndarray], capsys: pytest.CaptureFixture[str]) -> None:
    before = song[0].read_bytes()
    beside = song[0].parent / "." / song[0].name
    assert main.main(["live", "--input", str(song[0]), "--output", str(beside), "--full-speed"]) == 2
    assert "overwrite the song" in capsys.readouterr().err
    assert song[0].read_bytes() == before


def test_a_killed_engine_leaves_what_it_wrote(song: tuple[Path, np.ndarray], tmp_path: Path) -> None:
    config = EngineConfig(input=str(song[0]), output=str(tmp_path / "x.wav"), model="none", loop=True)
    with Session(config) as session:
        deadline = time.monotonic() + 60
        while session.snapshot().frames < 70_000 and time.monotonic() < deadline:
            time.sleep(0.05)
        killed = session.engine_pid
        assert killed is not None
        os.kill(killed, signal.SIGTERM if sys.platform == "win32" else signal.SIGKILL)
        while (session.engine_pid in (None, killed) or session.snapshot().frames < 256) and time.monotonic() < deadline:
            time.sleep(0.05)
    assert (tmp_path / "x.wav").exists(), "the second engine finished its file"
    kept, rate = soundfile.read(tmp_path / "x.wav.part", dtype="float32")
    assert len(kept) >= rate, "a second of the first engine's sound"
    np.testing.assert_allclose(kept[256 : 256 + 10_000], song[1][:10_000], atol=1e-6)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no device that is always full")
@pytest.mark.parametrize("redirect", [">&-", ">/dev/full"])
def test_closed_or_full_standard_output_is_no_traceback(redirect: str) -> None:
    done = subprocess.run(
        f'"{sys.executable}" -m rtaudio models {redirect}', shell=True, cwd=ROOT, stderr=subprocess.PIPE, text=True
    )
    assert "Traceback" not in done.stderr and done.stderr.count("\n") <= 1


@pytest.mark.parametrize(
    "arguments", [["--output", "{missing}/x.wav"], ["--output", "null", "--record", "{blocked}/x"]]
)
def test_what_only_the_engine_can_refuse_is_one_sentence_too(
    arguments: list[str], song: tuple[Path, np.ndarray], tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("no folder")
    filled = [text.format(missing=tmp_path / "missing", blocked=tmp_path / "file") for text in arguments]
    done = live("--input", str(song[0]), "--json", *filled)
    assert done.returncode == 2 and done.stdout == ""
    assert "Traceback" not in done.stderr and done.stderr.splitlines()[-1].endswith(".")


def test_ctrl_c_and_sigterm_end_the_sound_cleanly(song: tuple[Path, np.ndarray], tmp_path: Path) -> None:
    if sys.platform == "win32":
        pytest.skip("signals cannot be sent to one process alone on Windows")
    for kind in (signal.SIGINT, signal.SIGTERM):
        takes = tmp_path / kind.name
        process = subprocess.Popen(
            [sys.executable, "-m", "rtaudio", "live", "--json", "--loop", "--input", str(song[0]), "--output", "null",
             "--model", "none", "--record", str(takes)],
            cwd=ROOT, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
        )  # fmt: skip
        deadline = time.monotonic() + 60
        while not (takes / "mix.wav.part").exists() and time.monotonic() < deadline:
            time.sleep(0.05)
        time.sleep(0.3)
        process.send_signal(kind)
        output, _ = process.communicate(timeout=60)
        assert process.returncode == 0, kind
        assert json.loads(output)["state"] == "stopped"
        assert (takes / "mix.wav").exists() and not list(takes.glob("*.part")), "recordings are finished"


def test_a_detached_engine_is_started_watched_and_stopped(
    song: tuple[Path, np.ndarray], runtime_directory: Path
) -> None:
    def engine(*arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "rtaudio", "engine", *arguments],
            cwd=ROOT, capture_output=True, text=True, timeout=60, check=False,
        )  # fmt: skip

    assert engine("--status", "--json").returncode == 1
    common = ("--detach", "--json", "--input", str(song[0]), "--output", "null", "--model", "none", "--loop")
    try:
        started = facts(*common)
        assert started["state"] == "running" and started["engine_pid"]
        again = live(*common)
        assert again.returncode == 2 and "already running" in again.stderr
        status = json.loads(engine("--status", "--json").stdout)
        assert status["engine_pid"] == started["engine_pid"] and status["frames"] > 0
        lines = engine("--status").stdout.splitlines()
        assert any("clock" in line for line in lines)
        assert not any(re.search(r"[{}\[\]]|\d\.\d{4,}", line) for line in lines), "for a person"
    finally:
        assert engine("--stop").returncode == 0
    assert engine("--status").returncode == 1
    refused = live("--detach", "--input", str(song[0]), "--output", "null", "--record", str(song[0]))
    assert refused.returncode == 2 and "is impossible: File exists" in refused.stderr
    assert engine("--status").returncode == 1, "a refused engine leaves no daemon behind"


@pytest.mark.parametrize("devices", [[], None])
def test_the_fallback_is_written_where_nothing_can_be_heard(
    devices: list[Any] | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def listed() -> list[Any]:
        if devices is None:
            raise DeviceMissingError("no PortAudio")
        return devices

    monkeypatch.setattr(live_options, "list_devices", listed)
    parser = argparse.ArgumentParser()
    live_options.add_arguments(parser)
    args = parser.parse_args(["--fallback", str(tmp_path / "kept.wav"), "--model", "none"])
    assert live_options.configuration(args).output == str(tmp_path / "kept.wav")
    assert "kept.wav" in capsys.readouterr().err
    monkeypatch.setattr(live_options, "list_devices", lambda: [Device(0, "ALSA", "card", 2, 2, 44_100.0, True, True)])
    assert live_options.configuration(args).output == "default"


def test_seconds_at_full_speed_end_with_the_block(song: tuple[Path, np.ndarray], tmp_path: Path) -> None:
    out = tmp_path / "short.wav"
    known = facts("--input", str(song[0]), "--output", str(out), "--full-speed", "--seconds", "0.5", "--model", "none")
    assert known["state"] == "finished"
    assert 0.5 * RATE <= soundfile.info(out).frames < 0.5 * RATE + known["block"]
