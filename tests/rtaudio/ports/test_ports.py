"""Ports: files and clocks for real; PortAudio on a private JACK server; devices are found by name."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import time
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import soundfile

from rtaudio.audio.format import Audio, StemplayError
from rtaudio.engine.engine import Engine
from rtaudio.files.song_player import FilePlayer
from rtaudio.ports.base import DeviceMissingError
from rtaudio.ports.clock import ClockPort
from rtaudio.ports.fake import FakePort
from rtaudio.ports.file import FilePort
from rtaudio.ports.portaudio import find_device
from rtaudio.processors.passthrough import Passthrough
from rtaudio.protocol.settings import EngineConfig, MixerState
from tests.jack import private_server

ROOT = Path(__file__).resolve().parents[3]


def noise(frames: int, channels: int = 2) -> Audio:
    return (np.random.default_rng(1).standard_normal((frames, channels)) * 0.1).astype(np.float32)


@pytest.mark.parametrize("block", [1, 100, 1024])
def test_a_file_port_is_sample_exact_and_ends_by_itself(tmp_path: Path, block: int) -> None:
    mix = noise(3000 if block > 1 else 300)
    soundfile.write(tmp_path / "in.wav", mix, 48_000, subtype="FLOAT")
    processor = Passthrough(delay=333)
    port = FilePort(tmp_path / "in.wav", tmp_path / "out.wav", block=block, tail=333 + block)
    engine = Engine(EngineConfig(), MixerState(limiter=False), port=port, processor=processor)
    assert (engine.format.rate, engine.format.channels) == (48_000, 2)
    engine.start()
    assert port.finished.wait(60)
    snapshot = engine.snapshot()
    engine.stop()
    assert (snapshot.state, snapshot.misses) == ("finished", 0)
    out, rate = soundfile.read(tmp_path / "out.wav", dtype="float32")
    delay = engine.latency.engine
    assert rate == 48_000 and len(out) >= len(mix) + delay
    np.testing.assert_allclose(out[delay : delay + len(mix)], mix, atol=1e-7)
    assert not out[:delay].any() and not out[delay + len(mix) :].any()


def test_a_file_that_is_no_sound_and_an_output_of_unknown_kind_are_refused(tmp_path: Path) -> None:
    (tmp_path / "x.wav").write_bytes(b"nothing")
    with pytest.raises(StemplayError):
        FilePort(tmp_path / "x.wav")
    with pytest.raises(StemplayError, match=r"must end in"):
        FilePort(noise(10), tmp_path / "x.mp3")
    with pytest.raises(StemplayError, match=r"must end in"):
        ClockPort(path=tmp_path / "x.mp3")


def test_a_song_at_full_speed_ends_when_its_last_sample_has_come_out(tmp_path: Path) -> None:
    song = noise(10_000)
    port = ClockPort(44_100, 256, path=tmp_path / "out.wav", paced=False)
    player = FilePlayer.from_samples(song, 44_100)
    engine = Engine(
        EngineConfig(), MixerState(limiter=False), port=port, processor=Passthrough(delay=500), source=player
    )
    engine.start()
    assert port.finished.wait(60)
    engine.stop()
    out, _ = soundfile.read(tmp_path / "out.wav", dtype="float32")
    delay = engine.latency.engine
    np.testing.assert_allclose(out[delay : delay + len(song)], song, atol=1e-7)


def test_a_paced_clock_keeps_the_wall_clocks_time_on_average() -> None:
    port, calls, enough = ClockPort(48_000, 480), [], threading.Event()

    def callback(indata: Audio, outdata: Audio, xrun: int) -> None:
        assert indata.shape == (480, 0) and outdata.shape == (480, 2)
        calls.append(time.perf_counter())
        if len(calls) == 60:
            enough.set()

    begun = time.perf_counter()
    port.start(callback)
    assert enough.wait(60)
    port.stop()
    count = len(calls)
    assert calls[59] - begun >= 0.9 * 59 * 0.01  # never faster than the clock; slower where the machine is busy
    assert port.finished.is_set()
    assert len(calls) == count
    port.close()
    port.close()


def test_a_full_disk_ends_the_clocks_file_and_not_the_sound(tmp_path: Path) -> None:
    if not os.path.exists("/dev/full"):
        pytest.skip("no /dev/full here")
    port = ClockPort(44_100, 256, path=tmp_path / "out.wav", paced=False)

    class Full:
        def write(self, block: Audio) -> None:
            with open("/dev/full", "wb", buffering=0) as file:
                file.write(block.tobytes())

        def close(self) -> None: ...

    port._writer.close()
    port._writer = Full()
    blocks = []
    port.start(lambda i, o, x: blocks.append(1) if len(blocks) < 100 else port.complete())
    assert port.finished.wait(60)
    port.close()
    assert len(blocks) == 100
    assert "No space left" in port.error


def test_a_model_ten_times_too_slow_on_a_real_clock_leaves_the_sound_whole(tmp_path: Path) -> None:
    """With real time and real threads: each block of 10 ms costs the model 100 ms."""
    song = noise(48_000)
    port = ClockPort(48_000, 480, path=tmp_path / "out.wav")
    player = FilePlayer.from_samples(song, 48_000)
    processor = Passthrough(delay=100, cost_s=0.1)
    engine = Engine(EngineConfig(), MixerState(limiter=False), port=port, processor=processor, source=player)
    begun = time.perf_counter()
    engine.start()
    while engine.snapshot().state != "finished" and time.perf_counter() - begun < 60:
        time.sleep(0.02)
    computed = (time.perf_counter() - begun) / 0.1
    snapshot = engine.snapshot()
    engine.stop()
    out, _ = soundfile.read(tmp_path / "out.wav", dtype="float32")
    delay = engine.latency.engine
    assert delay == 580
    np.testing.assert_allclose(out[delay : delay + len(song)], song, atol=1e-6)
    assert snapshot.misses >= 0.9 * (100 - computed) - 1, "what the model had no time for"
    assert snapshot.state == "finished"


def test_the_fake_clock_finds_out_who_leaves_a_sample_unfilled() -> None:
    port = FakePort()
    port.start(lambda indata, outdata, xrun: None)
    assert np.isnan(port.tick(16)).all()
    port.stop()
    with pytest.raises(RuntimeError):
        port.tick(16)


DEVICES = [
    {"name": "HDA Intel: ALC (hw:0,0)", "hostapi": 0, "max_input_channels": 2, "max_output_channels": 2},
    {"name": "USB Audio", "hostapi": 0, "max_input_channels": 0, "max_output_channels": 8},
    {"name": "USB Audio", "hostapi": 1, "max_input_channels": 1, "max_output_channels": 0},
    {"name": "system", "hostapi": 1, "max_input_channels": 2, "max_output_channels": 2},
]
CARD = SimpleNamespace(
    query_devices=lambda: DEVICES,
    query_hostapis=lambda: [{"name": "ALSA"}, {"name": "JACK Audio Connection Kit"}],
    default=SimpleNamespace(device=[0, 1]),
)


@pytest.mark.parametrize(
    ("wanted", "kind", "index"),
    [
        ("default", "input", 0), ("default", "output", 1), ("3", "input", 3), ("ALSA:USB Audio", "output", 1),
        ("usb audio", "input", 2), ("usb audio", "output", 1), ("alc", "input", 0), ("JACK Audio Connection Kit:system", "output", 3),
    ],
)  # fmt: skip
def test_a_device_is_found_by_host_and_name_a_part_of_it_or_index(wanted: str, kind: str, index: int) -> None:
    assert find_device(CARD, wanted, kind) == index


@pytest.mark.parametrize(
    ("wanted", "kind"), [("1", "input"), ("9", "output"), ("Scarlett", "output"), ("ALSA:system", "input")]
)
def test_a_device_that_is_not_there_is_missed_in_one_sentence(wanted: str, kind: str) -> None:
    with pytest.raises(DeviceMissingError, match=r"^There is no (in|out)put device .*\.$"):
        find_device(CARD, wanted, kind)


LIVE = """
import json, sys, time, numpy as np
from rtaudio.engine.engine import Engine
from rtaudio.audio.format import StemplayError
from rtaudio.protocol.settings import EngineConfig, MixerState
from rtaudio.ports.portaudio import PortAudioPort
from rtaudio.processors.passthrough import Passthrough
output, source, block = sys.argv[1], sys.argv[2] if sys.argv[2] != "none" else None, int(sys.argv[3])
port = PortAudioPort(output, source, None, block, client_name="stemtest")
engine = Engine(EngineConfig(), MixerState(), port=port, processor=Passthrough(delay=64))
engine.start()
end = time.monotonic() + 60
while engine.snapshot().frames < 40_000 and time.monotonic() < end:
    time.sleep(0.05)
import subprocess
names = subprocess.run(["jack_lsp"], capture_output=True, text=True).stdout
s = engine.snapshot()
print(json.dumps(dict(frames=s.frames, rate=s.rate, misses=s.misses, xruns=s.xruns, state=s.state, message=s.message,
    latency=s.latency.engine, device=s.latency.device, realtime=s.realtime, names=names, port=s.port)), flush=True)
engine.stop()
"""


@pytest.mark.jack
@pytest.mark.parametrize(("source", "block"), [("system", 256), ("none", 256), ("system", 0)])
def test_portaudio_plays_on_a_real_jack_server(tmp_path: Path, source: str, block: int) -> None:
    with private_server(tmp_path, rate=48_000) as server:
        done = subprocess.run(
            [sys.executable, "-c", LIVE, "JACK Audio Connection Kit:system", source, str(block)],
            cwd=ROOT, env=os.environ | server.environment | {"PYTHONPATH": str(ROOT)}, capture_output=True, text=True, timeout=150,
        )  # fmt: skip
    assert done.returncode == 0, done.stderr[-2000:]
    seen = json.loads(done.stdout.splitlines()[-1])
    print(seen)
    assert seen["state"] == "running"
    assert seen["frames"] >= 40_000
    assert seen["rate"] == 48_000
    assert seen["latency"] == 64 + (block or 1024)
    assert "stemtest" in seen["names"]
