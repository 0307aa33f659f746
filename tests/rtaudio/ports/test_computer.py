"""What other programs play, as an input: another JACK client is heard, on its channels, and gets its loudspeakers back."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import soundfile

from rtaudio.control.session import Session
from rtaudio.ports.base import DeviceMissingError
from rtaudio.ports.computer import computer_device
from rtaudio.ports.devices import Device
from rtaudio.protocol.checks import is_input_file
from rtaudio.protocol.messages import command
from rtaudio.protocol.settings import EngineConfig, MixerState
from tests.jack import ROOT, JackServer, private_server, read_ports
from tests.jack_player import LEVEL, TONES
from tests.rtaudio.control.test_session import wait_until


def device(index: int, api: str, name: str, inputs: int = 2, outputs: int = 0, **more: bool) -> Device:
    return Device(index, api, name, inputs, outputs, 48_000.0, **more)


def test_each_system_has_its_device_or_its_sentence() -> None:
    windows = [
        device(0, "MME", "Microphone"), device(1, "Windows WASAPI", "Headset", 0, 2), device(2, "Windows WASAPI", "Headset [Loopback]"),
        device(3, "Windows WASAPI", "Speakers", 0, 2, default_output=True), device(4, "Windows WASAPI", "Speakers [Loopback]"),
    ]  # fmt: skip
    assert computer_device(windows, "win32").index == 4
    assert computer_device(windows[:3], "win32").index == 2
    assert computer_device([windows[0], device(5, "MME", "Stereo Mix (Realtek)")], "win32").index == 5
    mac = [device(0, "Core Audio", "MacBook Microphone"), device(1, "Core Audio", "BlackHole 2ch", 2, 2)]
    assert computer_device(mac, "darwin").index == 1
    linux = [device(0, "ALSA", "hw:0"), device(1, "JACK Audio Connection Kit", "firefox"), device(2, "JACK Audio Connection Kit", "system")]
    assert computer_device(linux, "linux").index == 2 and computer_device(linux[:2], "linux").index == 1
    for system, words in (("win32", "Stereo Mix"), ("darwin", "BlackHole"), ("linux", "pw-jack")):
        with pytest.raises(DeviceMissingError, match=words):
            computer_device([linux[0]], system)


def test_its_name_is_no_file_even_if_there_is_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("computer").write_bytes(b"RIFF")
    assert not is_input_file("computer") and is_input_file("./computer")


# ---------------------------------------------------------------- over a real JACK server


@pytest.fixture
def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[JackServer]:
    with private_server(tmp_path, synchronous=False) as server:  # a client is killed
        for name, value in server.environment.items():
            monkeypatch.setenv(name, value)
        yield server


@contextlib.contextmanager
def player(name: str) -> Iterator[None]:
    """``tests.jack_player`` as a process."""
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.jack_player", name], cwd=ROOT, env=os.environ.copy(),
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    try:
        assert process.stdout is not None and process.stdout.readline() == "playing\n"
        yield
    finally:
        process.communicate(timeout=60)


def loudest(sound: np.ndarray, rate: int) -> float:
    """The frequency with the most energy, in Hz."""
    spectrum = np.abs(np.fft.rfft(sound * np.hanning(len(sound))))
    return float(np.argmax(spectrum) * rate / len(sound))


@pytest.mark.jack
def test_another_program_is_heard_on_its_channels_and_goes_on_playing(server: JackServer, tmp_path: Path) -> None:
    out = tmp_path / "heard.wav"
    with player("firefox"), Session(EngineConfig(input="computer", output=str(out), model="none")) as session:
        wait_until(lambda: session.snapshot().state == "running", "the engine")
        wait_until(lambda: max(session.snapshot().master.rms, default=0.0) > 0.1, "the program's sound")
        wiring = read_ports(server)
        assert wiring["firefox:out_1"] == ["system:playback_1", next(p for p in wiring if p.startswith("stemplay") and p.endswith("in_0"))]
        start = session.snapshot().frames
        wait_until(lambda: session.snapshot().frames > start + 40_000, "a second of it")
    sound, rate = soundfile.read(out)
    last = sound[-20_000:]
    for channel, tone in enumerate(TONES):
        assert loudest(last[:, channel], rate) == pytest.approx(tone, abs=3.0)
        assert np.abs(last[:, channel]).max() == pytest.approx(LEVEL, rel=0.02)


@pytest.mark.jack
def test_while_our_own_sound_is_heard_programs_are_not_heard_twice(server: JackServer) -> None:
    def leads(program: str) -> set[str]:
        wiring = read_ports(server)  # empty while the server has no time to answer, as when it notices that a client is dead
        return {target.partition(":")[0].partition("-")[0] for k in (1, 2) for target in wiring.get(f"{program}:out_{k}", ())}

    mixer = MixerState(monitor=False)
    with player("firefox"), Session(EngineConfig(input="computer", output="default", model="none"), mixer) as session:
        wait_until(lambda: session.snapshot().state == "running", "the engine")
        wait_until(lambda: leads("firefox") == {"system", "stemplay"}, "both ways")
        session.send(command("set_mixer", field="monitor", value=True))
        wait_until(lambda: leads("firefox") == {"stemplay"}, "our way only")
        wait_until(lambda: max(session.snapshot().master.rms, default=0.0) > 0.1, "its sound through us")
        with player("mpv"):  # one that comes later
            wait_until(lambda: leads("mpv") == {"stemplay"}, "that one, too")
        session.send(command("set_mixer", field="monitor", value=False))
        wait_until(lambda: leads("firefox") == {"system", "stemplay"}, "its own way back")
        session.send(command("set_mixer", field="monitor", value=True))
        wait_until(lambda: leads("firefox") == {"stemplay"}, "our way again")
        assert session.engine_pid is not None
        os.kill(session.engine_pid, signal.SIGKILL)  # what a crash takes away must come back
        wait_until(lambda: session.snapshot().restarts >= 1 and session.snapshot().state == "running", "another engine")
        wait_until(lambda: leads("firefox") == {"stemplay"}, "our way through it")
        session.stop()
        wait_until(lambda: leads("firefox") == {"system"}, "the loudspeakers")
        assert not any(target.startswith("system:capture") for target in read_ports(server)["system:playback_1"])
