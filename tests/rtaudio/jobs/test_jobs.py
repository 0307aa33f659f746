"""Background jobs that need a sound server, and export against the command line: real servers, real files."""

from __future__ import annotations

import contextlib
import io
import json
import os
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

from rtaudio.audio.format import StemplayError, StreamFormat
from rtaudio.jobs import Report
from rtaudio.jobs.expected import measures
from rtaudio.jobs.loopback import agreed, chirp, find_delay, loopback
from rtaudio.jobs.tone import LEVEL_DB
from rtaudio.processors.factory import make_processor
from tests.jack import ROOT, JackServer, Peer, read_ports

PATIENCE = 60.0


class Child:
    """A job under way; ``lines`` are its answers so far."""

    def __init__(self, name: str, **args: Any) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "rtaudio.jobs"], cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            stderr=subprocess.PIPE, text=True, env=os.environ | {"JACK_NO_START_SERVER": "1"},
        )  # fmt: skip
        assert self.process.stdin is not None
        self.process.stdin.write(json.dumps({"job": name, "args": args}) + "\n")
        self.process.stdin.flush()
        self.lines: list[dict[str, Any]] = []
        self._reader = threading.Thread(target=self._read)
        self._reader.start()

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.lines.append(json.loads(line))

    def told(self) -> list[dict[str, Any]]:
        """What it told on the way."""
        return [line["progress"] for line in list(self.lines) if "progress" in line]

    def end(self) -> dict[str, Any]:
        """Wait for the answer."""
        self.process.wait(PATIENCE)
        self._reader.join()
        return self.lines[-1]

    def close(self) -> None:
        for pipe in (self.process.stdin, self.process.stderr):
            with contextlib.suppress(OSError):
                assert pipe is not None
                pipe.close()  # the end of its input: it gives up
        self.process.wait(PATIENCE)
        self._reader.join()
        assert self.process.stdout is not None
        self.process.stdout.close()


@contextlib.contextmanager
def child(name: str, **args: Any) -> Iterator[Child]:
    job = Child(name, **args)
    try:
        yield job
    finally:
        job.close()


def connect(server: JackServer, source: str, target: str, job: Child) -> None:
    """Connect two ports as soon as both are there, unless the job has ended before."""
    while job.process.poll() is None and server.call("jack_connect", source, target).returncode:
        time.sleep(0.02)


def wire(server: JackServer, source: str, target: str) -> None:
    """Connect two ports as soon as both are there, and take the source off the loudspeakers."""
    deadline = time.monotonic() + PATIENCE
    while not {source, target} <= set(server.ports()):
        assert time.monotonic() < deadline, f"no {source} and {target} among {server.ports()}"
        time.sleep(0.05)
    assert server.call("jack_connect", source, target).returncode == 0


# ---------------------------------------------------------------- loopback


def test_an_input_channel_zero_is_refused_and_not_the_last_one_measured() -> None:
    with pytest.raises(StemplayError, match="count from 1"):
        loopback(Report(io.StringIO()), channel=0)


@pytest.mark.parametrize(("delay", "noise"), [(0, 0.0), (511, 0.0), (1234, 0.05), (12_000, 0.01)])
def test_a_chirp_is_found_where_it_is(delay: int, noise: float) -> None:
    rate = 44_100
    probe = chirp(rate)
    heard = noise * np.random.default_rng(1).standard_normal(26_000)
    heard[delay : delay + len(probe)] += 0.1 * probe
    found, clearness = find_delay(heard, probe)
    assert abs(found - delay) < 1.0 and clearness > 8
    _, nothing = find_delay(np.random.default_rng(2).standard_normal(26_000), probe)
    assert nothing < 8, "noise alone is not a chirp"


def test_a_delay_between_two_samples_is_found(rate: int = 44_100) -> None:
    probe = chirp(rate)
    spectrum = np.fft.rfft(probe, 1 << 15)
    shift = np.exp(-2j * np.pi * np.fft.rfftfreq(1 << 15) * 300.4)
    found, _ = find_delay(np.fft.irfft(spectrum * shift), probe)
    assert abs(found - 300.4) < 0.1


def test_only_delays_that_agree_count() -> None:
    assert agreed([512.0, 9000.0, 512.2, 700.0, 511.9], 5.0) == [512.0, 512.2, 511.9]
    assert agreed([], 5.0) == []


PASS_THROUGH = """
import sys, time
from rtaudio.ports.portaudio import PortAudioPort
port = PortAudioPort("peer", "peer", None, int(sys.argv[1]))
def copy(indata, outdata, xrun):
    outdata[:] = indata[:, :outdata.shape[1]]
port.start(copy)
sys.stdin.readline()
port.stop(); port.close()
"""


@pytest.mark.jack
def test_the_wizard_agrees_with_what_another_client_of_the_server_measures(
    jack_server: JackServer, tmp_path: Path
) -> None:
    with child("loopback", input="system", output="system", block=jack_server.period) as job:
        wire(jack_server, "stemplay-test:out_0", "stemplay-test:in_0")
        answer = job.end()
    found = answer["done"]
    peer = Peer(jack_server, tmp_path, 2.0, True)
    through = subprocess.Popen(
        [sys.executable, "-c", PASS_THROUGH, str(jack_server.period)], cwd=ROOT, stdin=subprocess.PIPE, text=True
    )
    try:
        deadline = time.monotonic() + PATIENCE
        while not read_ports(jack_server).get("peer:in_1"):
            assert time.monotonic() < deadline
            time.sleep(0.05)
        time.sleep(0.5)
        measured = peer.play()["delay"]
    finally:
        through.communicate("\n", timeout=PATIENCE)
        peer.close()
    print(f"\nwizard {found['samples']:.2f}, another client {measured}, host's estimate {found['estimate_ms']:.2f} ms")
    assert abs(found["samples"] - measured) < 1.0
    assert found["ms"] == pytest.approx(1000 * measured / jack_server.rate, abs=0.05)
    assert found["agreed"] >= 3


@pytest.mark.jack
def test_an_input_that_hears_nothing_is_told_in_a_sentence(jack_server: JackServer) -> None:
    with child("loopback", input="system", output="system") as job:
        answer = job.end()
    assert "nothing came back" in answer["error"] and answer["error"].endswith("?")
    with child("loopback", input="system", output="no such thing") as job:
        assert "no such thing" in job.end()["error"]


# ---------------------------------------------------------------- tone and meter


@pytest.mark.jack
def test_the_meter_of_an_input_sees_the_tone_of_an_output(jack_server: JackServer) -> None:
    with child("meter", input="system") as meter:
        deadline = time.monotonic() + PATIENCE
        while not meter.told():
            assert time.monotonic() < deadline and meter.process.poll() is None, meter.lines
            time.sleep(0.05)
        assert np.max(meter.told()[0]["peak"]) < 1e-4
        for _ in range(10):  # on a busy machine the tone may be over before it is wired
            begin = len(meter.told())
            with child("tone", output="system") as tone:
                for channel in (0, 1):
                    connect(jack_server, f"stemplay-test-01:out_{channel}", f"stemplay-test:in_{channel}", tone)
                assert tone.end()["done"]["rate"] == jack_server.rate
            levels = np.array([told["peak"] for told in meter.told()[begin:]])
            right_alone = (levels[:, 0] < 1e-4) & (levels[:, 1] > 0.1)
            if right_alone.any():
                break
    assert meter.told()[-1]["channels"] == [1, 2]
    assert levels.max() == pytest.approx(10 ** (LEVEL_DB / 20), rel=0.02)
    assert right_alone.any()
    assert not meter.lines[-1].get("error")


# ---------------------------------------------------------------- export


def test_an_export_is_what_separate_writes(tmp_path: Path) -> None:
    song = tmp_path / "song.wav"
    sound = 0.3 * np.random.default_rng(5).uniform(-1, 1, (30_000, 2)).astype(np.float32)
    soundfile.write(song, sound, 22_050, subtype="FLOAT")
    subprocess.run(
        [sys.executable, "-m", "rtaudio", "separate", str(song), "-o", str(tmp_path / "cli"), "--quiet"],
        cwd=ROOT, check=True, capture_output=True, timeout=150,
    )  # fmt: skip
    with child("export", song=str(song), folder=str(tmp_path / "window"), stems=["bass", "vocals"]) as job:
        done = job.end()["done"]
    assert sorted(path.name for path in (tmp_path / "window").iterdir()) == ["bass.wav", "vocals.wav"]
    for name in ("bass", "vocals"):
        assert Path(done["files"][name]).read_bytes() == (tmp_path / "cli" / f"{name}.wav").read_bytes()
    assert job.told()[-1] == {"done": 30_000, "total": 30_000}


def test_an_export_never_replaces_the_song_or_leaves_half_files(tmp_path: Path) -> None:
    song = tmp_path / "vocals.wav"
    soundfile.write(song, np.zeros((4000, 2), np.float32), 44_100, subtype="FLOAT")
    before = song.read_bytes()
    with child("export", song=str(song), folder=str(tmp_path)) as job:
        assert "overwrite the song" in job.end()["error"]
    (tmp_path / "damaged.wav").write_bytes(before[:60])
    with child("export", song=str(tmp_path / "damaged.wav"), folder=str(tmp_path / "out")) as job:
        assert job.end()["error"].endswith(".")
    assert song.read_bytes() == before
    assert sorted(p.name for p in tmp_path.rglob("*") if p.is_file()) == ["damaged.wav", "vocals.wav"]


def test_settings_know_the_latency_of_an_enhancer_as_the_engine_plays_it(tiny_model: Path, tmp_path: Path) -> None:
    shutil.copytree(tiny_model, tmp_path / "enhancer")
    card = tmp_path / "enhancer" / "card.json"
    card.write_text(json.dumps(json.loads(card.read_text()) | {"kind": "enhancer"}))
    told, played = measures(str(card.parent)), make_processor(str(card.parent))
    for processor in (told, played):
        processor.prepare(StreamFormat(48_000, 2, 256))
    assert told.latency == played.latency > 0
    card.write_text(json.dumps(json.loads(card.read_text()) | {"kind": "instrument"}))
    with pytest.raises(StemplayError):
        measures(str(card.parent))
